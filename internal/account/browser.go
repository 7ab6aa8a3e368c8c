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

// Authenticate returns who a browser session's cookie stands for: a member of
// the chosen organization, or a Person who has yet to choose one. It fails with
// Unauthenticated if the session is over.
func (s *Service) Authenticate(ctx context.Context, token secret.Text, address string) (caller.Caller, error) {
	over := fault.New(fault.Unauthenticated, "you are not signed in")
	if !secret.Is(secret.BrowserToken, token.Reveal()) {
		return caller.Caller{}, over
	}
	b, ok, err := s.store.Browser(ctx, token.Hash())
	switch {
	case err != nil:
		return caller.Caller{}, err
	case !ok, !b.EndedAt.IsZero(), !s.now().Before(b.ExpiresAt):
		return caller.Caller{}, over
	}
	who, err := s.callerOf(ctx, b.Account, b.Organization)
	if err != nil {
		return caller.Caller{}, err
	}
	who, err = s.enrolled(ctx, who)
	return who.From(address), err
}

// enrolled is a member as they are, or as a Person without rights if their
// organization wants a second factor and they have none. Nothing else needs to
// ask: whatever a member does begins here.
func (s *Service) enrolled(ctx context.Context, who caller.Caller) (caller.Caller, error) {
	if who.Kind != caller.Member {
		return who, nil
	}
	required, err := s.store.RequiresFactor(ctx, who.Organization)
	if err != nil || !required {
		return who, err
	}
	f, err := s.store.Factors(ctx, who.Account)
	if err != nil || f.Second() {
		return who, err
	}
	return caller.Caller{Kind: caller.Person, Way: who.Way, Account: who.Account, Email: who.Email, Name: who.Name, Enrol: who.Organization}, nil
}

// callerOf is an account as a member of an organization; of its only one if
// none is named. With none or several to choose from it is a Person.
func (s *Service) callerOf(ctx context.Context, a id.Account, o id.Organization) (caller.Caller, error) {
	all, err := s.members.MembershipsOf(ctx, a)
	if err != nil {
		return caller.Caller{}, err
	}
	for _, m := range all {
		if m.Organization == o || (o == "" && len(all) == 1) {
			return m.Caller(caller.Web), nil
		}
	}
	person := caller.Caller{Kind: caller.Person, Way: caller.Web, Account: a}
	if len(all) > 0 {
		person.Email, person.Name = all[0].Email, all[0].Name
	}
	return person, nil
}

// Memberships lists the organizations that the caller can choose from.
func (s *Service) Memberships(ctx context.Context, who caller.Caller) ([]org.Member, error) {
	if who.Account == "" {
		return nil, fault.New(fault.Unauthenticated, "sign in first")
	}
	return s.members.MembershipsOf(ctx, who.Account)
}

// Choose makes a browser session act in one of the caller's organizations.
func (s *Service) Choose(ctx context.Context, who caller.Caller, token secret.Text, o id.Organization) error {
	all, err := s.Memberships(ctx, who)
	if err != nil {
		return err
	}
	for _, m := range all {
		if m.Organization == o {
			return s.store.ChooseOrganization(ctx, token.Hash(), o)
		}
	}
	return fault.New(fault.NotFound, "you are not a member of that organization")
}

// SignOut ends the browser session.
func (s *Service) SignOut(ctx context.Context, who caller.Caller, token secret.Text) error {
	if who.Account == "" {
		return fault.New(fault.Unauthenticated, "you are not signed in")
	}
	return s.store.EndBrowser(ctx, token.Hash(), s.now(), audit.New(who, s.now(), audit.SignedOut, string(who.Account), nil))
}

// Browsers lists the caller's signed-in browsers, the newest first, and says
// which of them is the one with the token.
func (s *Service) Browsers(ctx context.Context, who caller.Caller, token secret.Text) (all []Browser, this id.Browser, err error) {
	if err := access.CheckAccount(who); err != nil {
		return nil, "", err
	}
	if all, err = s.store.Browsers(ctx, who.Account, s.now()); err != nil {
		return nil, "", err
	}
	for _, b := range all {
		if b.Hash == token.Hash() {
			this = b.ID
		}
	}
	return all, this, nil
}

// EndBrowser signs one of the caller's browsers out.
func (s *Service) EndBrowser(ctx context.Context, who caller.Caller, b id.Browser) error {
	if err := access.CheckAccount(who); err != nil {
		return err
	}
	return s.store.EndBrowserOf(ctx, who.Account, b, s.now(), audit.New(who, s.now(), audit.SignedOut, string(who.Account), audit.Detail{"browser": string(b)}))
}

// SignOutEverywhere signs all of the caller's browsers out, this one as well.
func (s *Service) SignOutEverywhere(ctx context.Context, who caller.Caller) error {
	if err := access.CheckAccount(who); err != nil {
		return err
	}
	return s.store.EndBrowsers(ctx, who.Account, s.now(), audit.New(who, s.now(), audit.SignedOutEverywhere, string(who.Account), nil))
}
