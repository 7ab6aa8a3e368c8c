package account

import (
	"context"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// MakeSignInLink makes a link that signs a member in once, or again and again
// for as long as it lives if reusable is set.
func (s *Service) MakeSignInLink(ctx context.Context, who caller.Caller, o id.Organization, m id.Member, reusable bool) (secret.Text, error) {
	if err := access.Check(who, caller.ManageMembers, o); err != nil {
		return secret.Text{}, err
	}
	if who.Kind == caller.AdminKey {
		return secret.Text{}, fault.New(fault.Denied, "a key cannot make a link that signs a person in").WithHint("an owner makes it in the console")
	}
	found, ok, err := s.members.Member(ctx, o, m)
	switch {
	case err != nil:
		return secret.Text{}, err
	case !ok:
		return secret.Text{}, fault.New(fault.NotFound, "there is no such member in your organization")
	case found.Status != org.Active:
		return secret.Text{}, fault.New(fault.Conflict, "%s is %s and cannot sign in", found.Email, found.Status)
	case access.CheckInstance(who) != nil && found.Role == access.PrimaryOwner && found.ID != who.Member:
		return secret.Text{}, fault.New(fault.Denied, "nobody makes a sign-in link for the primary owner but they themselves").
			WithHint("in the server's shell: gatehoused owner link")
	case access.CheckInstance(who) != nil && s.elsewhere(ctx, found):
		return secret.Text{}, fault.New(fault.Denied, "%s is also in another organization, and a sign-in link would open that too", found.Email).
			WithHint("they sign in with their own password")
	case access.CheckGive(who, caller.ManageMembers, found.Assigned(), o) != nil:
		// It would open an account that is mightier than their own.
		return secret.Text{}, access.CheckGive(who, caller.ManageMembers, found.Assigned(), o)
	case reusable && access.CheckInstance(who) != nil:
		return secret.Text{}, fault.New(fault.Denied, "only the server itself makes links that can be used again")
	}
	token := secret.Mint(secret.SignInLink)
	l := Link{Hash: token.Hash(), Kind: SignInLink, Organization: o, Account: found.Account, Reusable: reusable,
		CreatedAt: s.now(), ExpiresAt: s.now().Add(SignInLinkLife)}
	return token, s.store.SaveLink(ctx, l, audit.New(who, s.now(), audit.SignInLinkMade, string(m), audit.Detail{"email": found.Email}).In(o))
}

// elsewhere reports whether a member's account is also in other organizations,
// or might be: whoever makes a link into an account must have a right to all of it.
func (s *Service) elsewhere(ctx context.Context, m org.Member) bool {
	all, err := s.members.MembershipsOf(ctx, m.Account)
	return err != nil || len(all) != 1
}

// Look says what a link is for, without using it.
func (s *Service) Look(ctx context.Context, token secret.Text, kind LinkKind) (Link, error) {
	spent := fault.New(fault.NotFound, "this link is not valid, or not any more").WithHint("ask for a new one")
	if !secret.Is(secret.SignInLink, token.Reveal()) {
		return Link{}, spent
	}
	l, ok, err := s.store.Link(ctx, token.Hash())
	switch {
	case err != nil:
		return Link{}, err
	case !ok, l.Kind != kind, !s.now().Before(l.ExpiresAt), !l.UsedAt.IsZero() && !l.Reusable:
		return Link{}, spent
	}
	return l, nil
}

// SignInByLink signs in with a sign-in link, and uses it up.
func (s *Service) SignInByLink(ctx context.Context, token secret.Text, from Origin) (SignedIn, error) {
	l, err := s.Look(ctx, token, SignInLink)
	if err != nil {
		return SignedIn{}, err
	}
	who, err := s.callerOf(ctx, l.Account, l.Organization)
	if err != nil {
		return SignedIn{}, err
	}
	if who.Kind != caller.Member {
		return SignedIn{}, fault.New(fault.Denied, "your membership of this organization is not active").WithHint("ask an owner of the organization")
	}
	who = who.From(from.Address)
	if second, err := s.wantsSecond(ctx, l.Account); err != nil || (second && !l.Reusable) {
		return s.half(ctx, who, "link", from, &l.Hash, err)
	}
	in, a, err := s.arrival(ctx, who, from, "link")
	if err != nil {
		return SignedIn{}, err
	}
	return in, s.store.EnterByLink(ctx, l.Hash, a)
}
