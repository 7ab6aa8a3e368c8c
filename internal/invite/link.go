package invite

import (
	"context"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/account"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/letter"
	"github.com/gatehouse-dev/gatehouse/internal/limit"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

const (
	// MaxLinkDays is the longest life of an invite link.
	MaxLinkDays = 90

	maxLinks     = 20  // of an organization that work
	maxDomains   = 20  // of a link
	maxOfLink    = 500 // invitations of one link that are pending
	resendByLink = time.Hour
)

// MakeLink makes a link with which people of some domains invite themselves.
func (s *Service) MakeLink(ctx context.Context, who caller.Caller, o id.Organization, in NewLink) (Link, error) {
	if err := access.Check(who, caller.ManageMembers, o); err != nil {
		return Link{}, err
	}
	r, err := s.rules(ctx, who, o)
	if err != nil {
		return Link{}, err
	}
	if err := r.links(); err != nil {
		return Link{}, err
	}
	if in.Role.Runs() {
		return Link{}, fault.New(fault.Invalid, "a link makes nobody %s", strings.ToLower(RoleName(in.Role))).At("role").WithHint("invite those who run the organization by name")
	}
	if err := r.mayGive(in.Role); err != nil {
		return Link{}, err
	}
	if in.Domains, err = r.linkDomains(in.Domains); err != nil {
		return Link{}, err
	}
	if in.Days < 1 || in.Days > MaxLinkDays {
		return Link{}, fault.New(fault.Invalid, "a link works for 1 to %d days", MaxLinkDays).At("days")
	}
	now := s.Now()
	l := Link{ID: id.NewInviteLink(), Organization: o, Role: in.Role, Domains: in.Domains, Round: 1, By: who.Principal(), ByName: called(who),
		CreatedAt: now, ExpiresAt: now.AddDate(0, 0, in.Days)}
	l.Token = s.linkToken(l)
	return l, s.Store.AddLink(ctx, l, l.Token.Hash(), maxLinks, audit.New(who, now, audit.InviteLinkMade, string(l.ID), audit.Detail{
		"role": string(l.Role), "domains": strings.Join(l.Domains, " "), "expires": l.ExpiresAt.UTC().Format(time.RFC3339)}).In(o))
}

// links says whether the organization has invite links at all.
func (r *rules) links() error {
	switch {
	case !r.org.Plan.HasInviteLinks():
		return fault.New(fault.Denied, "the plan %q of the organization %q has no invite links", r.org.Plan, r.org.Name).WithHint("invite people by their addresses")
	case !r.org.Settings.InviteLinks:
		return fault.New(fault.Denied, "invite links are switched off in the organization %q", r.org.Name).WithHint("an owner or admin switches them on in the organization's settings")
	}
	return nil
}

// linkDomains are the domains of a link: some, and none that may not be invited.
func (r *rules) linkDomains(typed []string) ([]string, error) {
	all, err := org.CleanDomains(typed, maxDomains)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, fault.New(fault.Invalid, "a link needs a domain: without one it would let anybody in").At("domains")
	}
	for _, d := range all {
		if r.allowed("a@"+d) != nil {
			return nil, fault.New(fault.Invalid, "%s does not invite addresses of %s", r.org.Name, d).At("domains")
		}
	}
	return all, nil
}

// Links lists the organization's links, the newest first, with their tokens.
func (s *Service) Links(ctx context.Context, who caller.Caller, o id.Organization) ([]Link, error) {
	if err := access.Check(who, caller.ManageMembers, o); err != nil {
		return nil, err
	}
	all, err := s.Store.Links(ctx, o, 100)
	for i := range all {
		all[i].Token = s.linkToken(all[i])
	}
	return all, err
}

func (s *Service) link(ctx context.Context, o id.Organization, l id.InviteLink) (Link, error) {
	found, ok, err := s.Store.Link(ctx, o, l)
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "there is no such link in your organization")
	}
	return found, err
}

// DisableLink makes a link useless for good.
func (s *Service) DisableLink(ctx context.Context, who caller.Caller, o id.Organization, l id.InviteLink) error {
	if err := access.Check(who, caller.ManageMembers, o); err != nil {
		return err
	}
	found, err := s.link(ctx, o, l)
	if err != nil {
		return err
	}
	return s.Store.DisableLink(ctx, found, s.Now(), audit.New(who, s.Now(), audit.InviteLinkDisabled, string(l), audit.Detail{
		"domains": strings.Join(found.Domains, " "), "role": string(found.Role)}).In(o))
}

// RenewLink gives a link another address: the old one stops working. Who renews
// it answers for it from now on.
func (s *Service) RenewLink(ctx context.Context, who caller.Caller, o id.Organization, l id.InviteLink) (Link, error) {
	if err := access.Check(who, caller.ManageMembers, o); err != nil {
		return Link{}, err
	}
	found, err := s.link(ctx, o, l)
	if err != nil {
		return Link{}, err
	}
	r, err := s.rules(ctx, who, o)
	if err != nil {
		return Link{}, err
	}
	if err := r.mayGive(found.Role); err != nil {
		return Link{}, err
	}
	if !found.Works(s.Now()) {
		return Link{}, fault.New(fault.Conflict, "the link does not work any more").WithHint("make a new one")
	}
	found.Round++
	found.By, found.ByName = who.Principal(), called(who)
	found.Token = s.linkToken(found)
	return found, s.Store.RenewLink(ctx, found, found.Token.Hash(), audit.New(who, s.Now(), audit.InviteLinkMade, string(l), audit.Detail{
		"role": string(found.Role), "domains": strings.Join(found.Domains, " "), "expires": found.ExpiresAt.UTC().Format(time.RFC3339), "renewed": "true"}).In(o))
}

// OpenLink says what an invite link is for. It fails with NotFound for one that
// does not work, for whatever reason.
func (s *Service) OpenLink(ctx context.Context, token secret.Text, from account.Origin) (Opened, error) {
	l, _, err := s.openLink(ctx, token, from)
	return l, err
}

// openLink finds a link and what its maker may do now: a link gives no more than
// whoever made it could give themselves.
func (s *Service) openLink(ctx context.Context, token secret.Text, from account.Origin) (Opened, *rules, error) {
	dead := fault.New(fault.NotFound, "this link does not work, or not any more").WithHint("ask whoever gave it to you for a new one")
	if !secret.Is(secret.InviteToken, token.Reveal()) {
		return Opened{}, nil, dead
	}
	network := limit.Network(from.Address)
	if ok, wait := s.guesses.Allow(network); !ok {
		return Opened{}, nil, fault.New(fault.RateLimited, "too many links that do not work came from your network address").After(wait).WithHint("wait a few minutes")
	}
	l, ok, err := s.Store.LinkByHash(ctx, token.Hash())
	if err != nil {
		return Opened{}, nil, err
	}
	if !ok || !l.Works(s.Now()) {
		return Opened{}, nil, dead
	}
	maker, ok, err := s.Store.Member(ctx, l.Organization, id.Member(l.By))
	if err != nil {
		return Opened{}, nil, err
	}
	who := maker.Caller(caller.Web)
	if l.By == string(caller.Operator) {
		who, ok = caller.OfOperator(l.Organization), true
	}
	if !ok {
		return Opened{}, nil, dead
	}
	r, err := s.rules(ctx, who, l.Organization)
	if fault.Is(err, fault.NotFound) {
		return Opened{}, nil, dead
	}
	if err != nil {
		return Opened{}, nil, err
	}
	if r.links() != nil || l.Role.Runs() || r.mayGive(l.Role) != nil {
		return Opened{}, nil, dead
	}
	s.guesses.Return(network)
	return l, r, nil
}

// Ask mails an invitation to an address that somebody typed on a link's page, if
// its domain fits. Whatever it does, the answer is the same: nil.
func (s *Service) Ask(ctx context.Context, token secret.Text, email string, from account.Origin) error {
	l, r, err := s.openLink(ctx, token, from)
	if err != nil {
		return err
	}
	clean, err := org.CleanEmail(email)
	if err != nil {
		return err
	}
	if ok, wait := s.asks.Allow(limit.Network(from.Address)); !ok {
		return fault.New(fault.RateLimited, "too many addresses were typed here from your network").After(wait).WithHint("wait, or ask whoever gave you the link to invite you").At("email")
	}
	if !inDomains(clean, l.Domains) || r.allowed(clean) != nil {
		return nil
	}
	if ok, wait := s.mails.Allow(string(l.ID)); !ok {
		return fault.New(fault.RateLimited, "too many people used this link today").After(wait).WithHint("ask whoever gave it to you to invite you").At("email")
	}
	err = s.ask(ctx, l, r, clean, from)
	if fault.Is(err, fault.Conflict) || fault.Is(err, fault.Invalid) {
		return nil // somebody else was faster, or no seat is free: not for a stranger to know
	}
	return err
}

// ask makes an invitation out of a link, or sends the one again that is there.
// Who needs none, or has just been sent one, costs as much as who gets one.
func (s *Service) ask(ctx context.Context, l Opened, r *rules, email string, from account.Origin) error {
	st, err := s.standing(ctx, l, email)
	if err != nil {
		return err
	}
	who, now := byLink(l, from), s.Now()
	out := s.ofLink(who, l, r, email)
	switch p := st.Pending; {
	case p != nil && now.Sub(p.SentAt) >= resendByLink:
		again := *p
		again.SentAt = now
		return s.Store.Resend(ctx, Outgoing{Invite: again, Letter: s.letter(again, l.OrganizationName),
			Event: audit.New(who, now, audit.InviteResent, string(p.ID), audit.Detail{"email": email, "link": string(l.ID)})}, now.Add(-resendByLink))
	case p != nil, st.Member == org.Active, st.Member == org.Suspended:
		return s.Store.PretendInvite(ctx, out)
	}
	return s.Store.AddInvite(ctx, out, maxOfLink)
}

func (s *Service) standing(ctx context.Context, l Opened, email string) (Standing, error) {
	found, err := s.Store.Standings(ctx, l.Organization, []string{email}, s.Now())
	return found[email], err
}

// byLink is who invites when somebody used a link: it is not known who, so the
// link did it.
func byLink(l Opened, from account.Origin) caller.Caller {
	return caller.Caller{Kind: caller.System, Way: caller.Anonymous, Organization: l.Organization, Address: from.Address}
}

func (s *Service) ofLink(who caller.Caller, l Opened, r *rules, email string) Outgoing {
	return s.sending(who, r.org, New{Email: email, Place: Place{Role: l.Role}}, Invite{Link: l.ID, By: l.By, ByName: l.ByName})
}

// selfInvite finds the invitation of an address, or makes one out of a link that
// nobody is told of.
func (s *Service) selfInvite(ctx context.Context, l Opened, r *rules, email string, from account.Origin) (Invite, error) {
	st, err := s.standing(ctx, l, email)
	if err != nil {
		return Invite{}, err
	}
	if st.Pending != nil {
		return *st.Pending, nil
	}
	out := s.ofLink(byLink(l, from), l, r, email)
	out.Letter, out.Mailed = letter.Letter{}, false
	return out.Invite, s.Store.AddInvite(ctx, out, maxOfLink)
}

// JoinByLink lets a signed-in person in at once, if their address fits and they
// have proven that they read it. Otherwise it fails with Denied.
func (s *Service) JoinByLink(ctx context.Context, who caller.Caller, token, session secret.Text, from account.Origin) (Joined, error) {
	if err := access.CheckPerson(who); err != nil {
		return Joined{}, err
	}
	l, r, err := s.openLink(ctx, token, from)
	if err != nil {
		return Joined{}, err
	}
	email, verified, err := s.Store.Address(ctx, who.Account)
	if err != nil {
		return Joined{}, err
	}
	if !verified || !inDomains(email, l.Domains) || r.allowed(email) != nil {
		return Joined{}, fault.New(fault.Denied, "this link is for addresses of %s that are proven", strings.Join(l.Domains, ", ")).WithHint("type your address there: a mail proves it")
	}
	i, err := s.selfInvite(ctx, l, r, email, from)
	if err != nil {
		return Joined{}, err
	}
	return s.Accept(ctx, who, s.token(i), session, from)
}
