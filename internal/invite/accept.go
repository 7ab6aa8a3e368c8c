package invite

import (
	"context"

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

// Look says what an invitation's link is for, whatever has become of it. It
// fails with NotFound for what is no invitation's link, and with RateLimited if
// too many of these came from one network.
func (s *Service) Look(ctx context.Context, token secret.Text, from account.Origin) (Offer, error) {
	unknown := fault.New(fault.NotFound, "this is no invitation's link").WithHint("open the link in the mail again, or ask whoever invited you")
	if !secret.Is(secret.InviteToken, token.Reveal()) {
		return Offer{}, unknown
	}
	network := limit.Network(from.Address)
	if ok, wait := s.guesses.Allow(network); !ok {
		return Offer{}, fault.New(fault.RateLimited, "too many links that are no invitation's came from your network address").After(wait).WithHint("wait a few minutes")
	}
	offer, ok, err := s.Store.ByHash(ctx, token.Hash())
	if err != nil {
		return Offer{}, err
	}
	if !ok {
		return Offer{}, unknown
	}
	s.guesses.Return(network)
	offer.Invite = offer.At(s.Now())
	return offer, nil
}

// open is Look for what can still be accepted.
func (s *Service) open(ctx context.Context, token secret.Text, from account.Origin) (Offer, error) {
	offer, err := s.Look(ctx, token, from)
	switch {
	case err != nil:
		return Offer{}, err
	case offer.OrganizationDeleted:
		return Offer{}, fault.New(fault.Conflict, "the organization %q is not there any more", offer.OrganizationName)
	case offer.Status != Pending:
		return Offer{}, fault.New(fault.Conflict, "this invitation is %s", statusWord(offer.Status))
	}
	return offer, nil
}

// AcceptNew accepts an invitation with a new account. That the person reads the
// address is proven by the link.
func (s *Service) AcceptNew(ctx context.Context, token secret.Text, name string, pass secret.Text, from account.Origin) (Joined, account.SignedIn, error) {
	offer, err := s.open(ctx, token, from)
	if err != nil {
		return Joined{}, account.SignedIn{}, err
	}
	if offer.Account != "" {
		return Joined{}, account.SignedIn{}, fault.New(fault.Conflict, "%s has an account already", offer.Email).WithHint("sign in to accept the invitation")
	}
	if name, err = cleanName(name); err != nil {
		return Joined{}, account.SignedIn{}, err
	}
	if name == "" {
		name = offer.Email
	}
	hashed, err := s.Accounts.HashNew(ctx, pass)
	if err != nil {
		return Joined{}, account.SignedIn{}, err
	}
	m := s.member(offer)
	m.Account, m.Name = id.NewAccount(), name
	in, browser := s.Accounts.NewBrowser(m, from)
	m, err = s.Store.Accept(ctx, Acceptance{Invite: offer.ID, Member: m, New: true, Password: hashed, Browser: &browser, Proven: s.Mailed, At: s.Now(),
		Events: s.events(offer, from, true)})
	return Joined{Member: m}, in, err
}

// Accept accepts an invitation with the account that the caller is signed in
// with. The session then acts in the organization.
func (s *Service) Accept(ctx context.Context, who caller.Caller, token, session secret.Text, from account.Origin) (Joined, error) {
	if err := access.CheckPerson(who); err != nil {
		return Joined{}, err
	}
	offer, err := s.open(ctx, token, from)
	if err != nil {
		return Joined{}, err
	}
	if offer.Account != who.Account {
		return Joined{}, fault.New(fault.Denied, "this invitation is for %s", offer.Email).WithHint("sign in with that address")
	}
	m := s.member(offer)
	m.Account = who.Account
	hash := session.Hash()
	m, err = s.Store.Accept(ctx, Acceptance{Invite: offer.ID, Member: m, Session: &hash, Proven: s.Mailed, At: s.Now(), Events: s.events(offer, from, false)})
	return Joined{Member: m}, err
}

// Whose is the address of a signed-in person, who need not be in any organization.
func (s *Service) Whose(ctx context.Context, who caller.Caller) (email string, verified bool, err error) {
	if err := access.CheckPerson(who); err != nil {
		return "", false, err
	}
	return s.Store.Address(ctx, who.Account)
}

// member is who an invitation makes of somebody.
func (s *Service) member(offer Offer) org.Member {
	now := s.Now()
	return org.Member{ID: id.NewMember(), Organization: offer.Organization, OrganizationName: offer.OrganizationName, Email: offer.Email,
		Role: offer.Role, Status: org.Active, Version: 1, CreatedAt: now, JoinedAt: now}
}

// events are what the record says of somebody who joins.
func (s *Service) events(offer Offer, from account.Origin, fresh bool) func(org.Member) []audit.Event {
	return func(m org.Member) []audit.Event {
		now, who := s.Now(), m.Caller(caller.Web).From(from.Address)
		detail := audit.Detail{"email": m.Email, "role": string(m.Role), "name": m.Name}
		all := []audit.Event{
			audit.New(who, now, audit.InviteAccepted, string(offer.ID), detail).In(offer.Organization),
			audit.New(who, now, audit.MemberAdded, string(m.ID), detail).In(offer.Organization).Affecting(string(m.ID)),
		}
		if fresh {
			all = append(all, audit.New(who, now, audit.AccountCreated, string(m.Account), detail).In(offer.Organization),
				audit.New(who, now, audit.SignedIn, string(m.Account), audit.Detail{"method": "invitation", "user_agent": org.CleanText(from.UserAgent, 300)}).In(offer.Organization))
		}
		return all
	}
}
