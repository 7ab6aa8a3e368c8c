package account

import (
	"context"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/limit"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// SignInByPassword signs in with address and password. It fails with
// Unauthenticated, in the same words and after the same work, whatever is wrong
// with them.
func (s *Service) SignInByPassword(ctx context.Context, email string, pass secret.Text, from Origin) (SignedIn, error) {
	clean, err := org.CleanEmail(email)
	if err != nil {
		return SignedIn{}, err
	}
	if ok, wait := s.byAccount.Allow(clean); !ok {
		return SignedIn{}, tooMany(wait)
	}
	right, err := s.attempt(from)
	if err != nil {
		return SignedIn{}, err
	}
	c, known, err := s.store.Credential(ctx, clean)
	if err != nil {
		return SignedIn{}, err
	}
	matches, err := s.passwords.Matches(ctx, pass, c.Password)
	if err != nil {
		return SignedIn{}, err
	}
	if !known || !matches {
		return SignedIn{}, s.refuse(ctx, c.Account, known, from)
	}
	right()
	return s.proven(ctx, c.Account, "", "password", from)
}

// attempt takes a try of the network that asks: of all its tries, and of its
// wrong ones. Whoever tries one password at many accounts runs out of the
// latter. What it returns gives that one back.
func (s *Service) attempt(from Origin) (right func(), err error) {
	network := limit.Network(from.Address)
	if ok, wait := s.byAddress.Allow(network); !ok {
		return nil, tooMany(wait)
	}
	if ok, wait := s.failures.Allow(network); !ok {
		return nil, tooMany(wait)
	}
	return func() { s.failures.GiveBack(network) }, nil
}

// refuse notes a wrong password. A stranger's typing is not recorded, or anyone
// could fill the record, but costs the same work.
func (s *Service) refuse(ctx context.Context, a id.Account, known bool, from Origin) error {
	note := s.store.Note
	if !known {
		note, a = s.store.Pretend, id.NewAccount()
	}
	if err := note(ctx, s.failed(a, "password", from, nil)); err != nil {
		return err
	}
	return fault.New(fault.Unauthenticated, "the e-mail address and the password do not go together").At("password")
}

// proven goes on once a first method was right: to the second step if the
// account has one, and in otherwise.
func (s *Service) proven(ctx context.Context, a id.Account, o id.Organization, method string, from Origin) (SignedIn, error) {
	who, err := s.callerOf(ctx, a, o)
	if err != nil {
		return SignedIn{}, err
	}
	who = who.From(from.Address)
	if second, err := s.wantsSecond(ctx, a); err != nil || second {
		return s.half(ctx, who, method, from, nil, err)
	}
	return s.start(ctx, who, from, method)
}

func (s *Service) start(ctx context.Context, who caller.Caller, from Origin, method string) (SignedIn, error) {
	in, a, err := s.arrival(ctx, who, from, method)
	if err != nil {
		return SignedIn{}, err
	}
	return in, s.store.StartBrowser(ctx, a)
}

func (s *Service) browser(who caller.Caller, from Origin, method string) (SignedIn, Browser) {
	token := secret.Mint(secret.BrowserToken)
	b := Browser{ID: id.NewBrowser(), Hash: token.Hash(), Account: who.Account, Organization: who.Organization, Address: from.Address, UserAgent: from.agent(),
		Method: method, CreatedAt: s.now(), ConfirmedAt: s.now(), ExpiresAt: s.now().Add(browserLife)}
	return SignedIn{Token: token, Expires: b.ExpiresAt}, b
}
