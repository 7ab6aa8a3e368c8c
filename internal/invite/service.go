package invite

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/account"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/limit"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

const (
	resendEvery = time.Minute
	batchLife   = 30 * 24 * time.Hour
)

// Accounts makes what a new member signs in with; *account.Service does.
type Accounts interface {
	// HashNew checks a new password and returns what to store of it.
	HashNew(ctx context.Context, pass secret.Text) (string, error)
	// NewBrowser makes a browser session, for a store that keeps it.
	NewBrowser(m org.Member, from account.Origin) (account.SignedIn, account.Browser)
}

// Service invites. Use NewService; it is safe for concurrent use.
type Service struct {
	Config
	guesses *limit.Limiter // at tokens, by network
	asks    *limit.Limiter // of invite links, by network
	mails   *limit.Limiter // that invite links send, by link
	started chan struct{}  // a batch was started here: do not wait
}

// Config is what a Service needs. All fields must be set.
type Config struct {
	Store     Store
	Accounts  Accounts
	Key       []byte // tokens are derived with it
	PublicURL string // "https://gate.example.com"
	// Mailed says that a mail server delivers the letters. Without one, links are
	// handed over by people, and prove nothing about who reads an address.
	Mailed bool
	Now    func() time.Time
}

// NewService returns a Service.
func NewService(c Config) *Service {
	c.PublicURL = strings.TrimRight(c.PublicURL, "/")
	return &Service{Config: c, started: make(chan struct{}, 1), guesses: limit.New(20, 10*time.Minute, c.Now),
		asks: limit.New(10, time.Hour, c.Now), mails: limit.New(300, 24*time.Hour, c.Now)}
}

// Choices are what the caller can choose from when they invite.
func (s *Service) Choices(ctx context.Context, who caller.Caller, o id.Organization) (Choices, error) {
	if err := access.Check(who, caller.ManageMembers, o); err != nil {
		return Choices{}, err
	}
	r, err := s.rules(ctx, who, o)
	if err != nil {
		return Choices{}, err
	}
	c := Choices{Domains: r.org.Settings.Domains, Seats: r.seats}
	for _, role := range access.Roles() {
		if r.mayGive(role) == nil {
			c.Roles = append(c.Roles, role)
		}
	}
	for _, g := range r.groups {
		if r.mayPutIn(g) == nil {
			c.Groups = append(c.Groups, g)
		}
	}
	if r.mayUseWorkspaces() == nil {
		c.Workspaces = r.workspaces
	}
	return c, nil
}

// Create invites one person and mails them. It fails with Conflict if they are a
// member or invited already.
func (s *Service) Create(ctx context.Context, who caller.Caller, o id.Organization, in New) (Invite, error) {
	if err := access.Check(who, caller.ManageMembers, o); err != nil {
		return Invite{}, err
	}
	r, err := s.rules(ctx, who, o)
	if err != nil {
		return Invite{}, err
	}
	if in, err = r.admit(in); err != nil {
		return Invite{}, err
	}
	sending := s.sending(who, r.org, in, Invite{})
	return sending.Invite, s.Store.AddInvite(ctx, sending, 0)
}

// sending is a new invitation with its letter. More says where it came from.
func (s *Service) sending(who caller.Caller, o org.Organization, in New, more Invite) Outgoing {
	now := s.Now()
	i := Invite{ID: id.NewInvite(), Organization: o.ID, Email: in.Email, Name: in.Name, Role: in.Role, Groups: in.Groups, Workspaces: in.Workspaces,
		Status: Pending, Batch: more.Batch, Link: more.Link, By: who.Principal(), ByName: called(who), CreatedAt: now, ExpiresAt: now.Add(Life), SentAt: now}
	if more.By != "" {
		i.By, i.ByName = more.By, more.ByName
	}
	return Outgoing{Invite: i, Mailed: s.Mailed, Hash: s.token(i).Hash(), Letter: s.letter(i, o.Name), Event: audit.New(who, now, audit.InviteSent, string(i.ID), audit.Detail{
		"email": i.Email, "role": string(i.Role), "groups": join(i.Groups), "workspaces": join(i.Workspaces), "link": string(i.Link)}).In(o.ID)}
}

// called is a caller as the invited person may know them.
func called(who caller.Caller) string {
	if who.Name != "" {
		return who.Name
	}
	return who.Email
}

// List lists invitations, the newest first.
func (s *Service) List(ctx context.Context, who caller.Caller, o id.Organization, f Filter) (found []Invite, more bool, err error) {
	if err := access.Check(who, caller.ReadMembers, o); err != nil {
		return nil, false, err
	}
	if f.Limit <= 0 {
		f.Limit = 20
	}
	f.Limit = min(f.Limit, 1000)
	now := s.Now()
	found, more, err = s.Store.Invites(ctx, o, f, now)
	for i := range found {
		found[i] = found[i].At(now)
	}
	return found, more, err
}

// Count counts invitations by status.
func (s *Service) Count(ctx context.Context, who caller.Caller, o id.Organization) (map[Status]int, error) {
	if err := access.Check(who, caller.ReadMembers, o); err != nil {
		return nil, err
	}
	return s.Store.CountInvites(ctx, o, s.Now())
}

// Get returns one invitation.
func (s *Service) Get(ctx context.Context, who caller.Caller, o id.Organization, i id.Invite) (Invite, error) {
	if err := access.Check(who, caller.ReadMembers, o); err != nil {
		return Invite{}, err
	}
	return s.get(ctx, o, i)
}

func (s *Service) get(ctx context.Context, o id.Organization, i id.Invite) (Invite, error) {
	found, ok, err := s.Store.Invite(ctx, o, i)
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "there is no such invitation in your organization")
	}
	return found.At(s.Now()), err
}

// Resend mails a pending invitation again, with the same link and the same end.
func (s *Service) Resend(ctx context.Context, who caller.Caller, o id.Organization, i id.Invite) (Invite, error) {
	if err := access.Check(who, caller.ManageMembers, o); err != nil {
		return Invite{}, err
	}
	found, err := s.changeable(ctx, who, o, i)
	if err != nil {
		return Invite{}, err
	}
	now := s.Now()
	if now.Sub(found.SentAt) < resendEvery {
		return Invite{}, fault.New(fault.Conflict, "the invitation of %s was sent less than a minute ago", found.Email).After(resendEvery)
	}
	organization, err := s.organization(ctx, o)
	if err != nil {
		return Invite{}, err
	}
	found.SentAt = now
	return found, s.Store.Resend(ctx, Outgoing{Invite: found, Letter: s.letter(found, organization.Name),
		Event: audit.New(who, now, audit.InviteResent, string(i), audit.Detail{"email": found.Email}).In(o)}, now.Add(-resendEvery))
}

// Again invites the address of an invitation that ran out or was withdrawn once
// more, to the same standing, with a new link.
func (s *Service) Again(ctx context.Context, who caller.Caller, o id.Organization, i id.Invite) (Invite, error) {
	if err := access.Check(who, caller.ManageMembers, o); err != nil {
		return Invite{}, err
	}
	old, err := s.get(ctx, o, i)
	if err != nil {
		return Invite{}, err
	}
	if old.Status != Expired && old.Status != Deleted {
		return Invite{}, fault.New(fault.Conflict, "the invitation of %s is %s", old.Email, old.Status)
	}
	return s.Create(ctx, who, o, New{Email: old.Email, Name: old.Name, Place: Place{old.Role, old.Groups, old.Workspaces}})
}

// Withdraw makes a pending invitation useless.
func (s *Service) Withdraw(ctx context.Context, who caller.Caller, o id.Organization, i id.Invite) (Invite, error) {
	if err := access.Check(who, caller.ManageMembers, o); err != nil {
		return Invite{}, err
	}
	found, err := s.changeable(ctx, who, o, i)
	if err != nil {
		return Invite{}, err
	}
	now := s.Now()
	found.Status, found.EndedAt = Deleted, now
	return found, s.Store.Withdraw(ctx, found, now, audit.New(who, now, audit.InviteWithdrawn, string(i), audit.Detail{
		"email": found.Email, "role": string(found.Role)}).In(o))
}

// changeable is a pending invitation that the caller could have sent.
func (s *Service) changeable(ctx context.Context, who caller.Caller, o id.Organization, i id.Invite) (Invite, error) {
	found, err := s.get(ctx, o, i)
	if err != nil {
		return Invite{}, err
	}
	if found.Status != Pending {
		return Invite{}, fault.New(fault.Conflict, "the invitation of %s is %s and cannot be changed", found.Email, statusWord(found.Status))
	}
	r, err := s.rules(ctx, who, o)
	if err != nil {
		return Invite{}, err
	}
	if err := r.mayGive(found.Role); err != nil {
		return Invite{}, err
	}
	for _, g := range found.Groups {
		if at := slices.IndexFunc(r.groups, func(n Named) bool { return n.ID == string(g) }); at >= 0 {
			if err := r.mayPutIn(r.groups[at]); err != nil {
				return Invite{}, err
			}
		}
	}
	return found, nil
}

func statusWord(s Status) string {
	if s == Deleted {
		return "withdrawn"
	}
	return string(s)
}

func (s *Service) organization(ctx context.Context, o id.Organization) (org.Organization, error) {
	found, ok, err := s.Store.Organization(ctx, o)
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "there is no such organization")
	}
	return found, err
}
