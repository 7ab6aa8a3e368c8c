package account

import (
	"context"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/letter"
	"github.com/gatehouse-dev/gatehouse/internal/limit"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/password"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

const signUpLife = 24 * time.Hour

// SignUp is an address that asked for an account. Only the hash of the token of
// its link is kept.
type SignUp struct {
	Hash      secret.Hash
	Email     string
	CreatedAt time.Time
	ExpiresAt time.Time
}

// Doors says whom the operator lets make an account by themselves.
type Doors struct {
	Strangers bool // people without an account may make one, with an organization
	// Mailed says that a mail server delivers letters. Without one their links are
	// handed over by people, and opening one proves nothing about who reads an
	// address.
	Mailed bool
}

// Opening sets whom the service lets in by themselves, and whether letters prove
// addresses: without it, nobody and not. It returns the service.
func (s *Service) Opening(d Doors) *Service { s.doors = d; return s }

// SignUpOpen fails with Denied where strangers cannot make an account by
// themselves, and says why.
func (s *Service) SignUpOpen(ctx context.Context) error {
	switch {
	case !s.doors.Strangers:
		return fault.New(fault.Denied, "on this server nobody makes an account by themselves").WithHint("ask somebody of your organization to invite you, or whoever runs the server")
	case !s.doors.Mailed:
		return fault.New(fault.Denied, "accounts are made by mail here, and no mail server is set").WithHint("ask whoever runs the server")
	}
	if needs, err := s.NeedsSetup(ctx); err != nil || needs {
		return orElse(err, fault.New(fault.Denied, "this server is not set up yet").WithHint("ask whoever runs the server"))
	}
	return nil
}

// AskSignUp sends a letter to an address: with a link that makes an account, or
// that there is one already. Nobody but who reads it learns which: the answer,
// and the work for it, are the same. What strangers type is not recorded.
func (s *Service) AskSignUp(ctx context.Context, email string, from Origin) error {
	if err := s.SignUpOpen(ctx); err != nil {
		return err
	}
	clean, err := org.CleanEmail(email)
	if err != nil {
		return err
	}
	if err := s.takeSignUp(clean, from); err != nil {
		return err
	}
	p, known, err := s.store.PersonByEmail(ctx, clean)
	if err != nil {
		return err
	}
	token := secret.Mint(secret.MailToken)
	u := SignUp{Hash: token.Hash(), Email: clean, CreatedAt: s.now(), ExpiresAt: s.now().Add(signUpLife)}
	write := s.signUpLetter(u, token, from)
	if known { // the token goes to nobody
		write = s.knownLetter(p, from)
	}
	return s.store.SaveSignUp(ctx, u, []letter.Letter{write})
}

// takeSignUp takes a letter of the address, of the network that asks, and of all.
func (s *Service) takeSignUp(email string, from Origin) error {
	for _, of := range []struct {
		limiter *limit.Limiter
		name    string
	}{{s.signUpNetworks, limit.Network(from.Address)}, {s.signUpAddresses, email}, {s.signUps, ""}} {
		if ok, wait := of.limiter.Allow(of.name); !ok {
			return fault.New(fault.RateLimited, "too many letters were asked for").At("email").After(wait).WithHint("look for the last one, also among unwanted mail, or wait")
		}
	}
	return nil
}

// LookSignUp says for which address a link makes an account, without using it.
func (s *Service) LookSignUp(ctx context.Context, token secret.Text) (SignUp, error) {
	if err := s.SignUpOpen(ctx); err != nil {
		return SignUp{}, err
	}
	spent := fault.New(fault.NotFound, "this link is not valid, or not any more").WithHint("ask for a new one")
	if !secret.Is(secret.MailToken, token.Reveal()) {
		return SignUp{}, spent
	}
	u, ok, err := s.store.SignUp(ctx, token.Hash())
	if err == nil && (!ok || !s.now().Before(u.ExpiresAt)) {
		err = spent
	}
	return u, err
}

// FinishSignUp makes the account that a link is for, with an organization of
// which it is the primary owner, and signs it in. The address is that of the
// link, whatever in says.
func (s *Service) FinishSignUp(ctx context.Context, token secret.Text, in First, plan org.Plan, from Origin) (SignedIn, error) {
	u, err := s.LookSignUp(ctx, token)
	if err != nil {
		return SignedIn{}, err
	}
	if !plan.Valid() {
		return SignedIn{}, fault.New(fault.Invalid, "choose one of the plans").At("plan")
	}
	if err := password.Check(in.Password); err != nil {
		return SignedIn{}, err
	}
	in.Email = u.Email
	f, err := s.foundation(ctx, in, plan)
	if err != nil {
		return SignedIn{}, err
	}
	who := f.Member.Caller(caller.Web).From(from.Address)
	signedIn, b := s.browser(who, from, "sign-up link")
	a := Arrival{Browser: b, Events: append(f.events(who),
		audit.New(who, b.CreatedAt, audit.AccountCreated, string(f.Member.Account), audit.Detail{"email": u.Email, "name": f.Member.Name}),
		audit.New(who, b.CreatedAt, audit.SignedIn, string(f.Member.Account), audit.Detail{"method": b.Method, "user_agent": b.UserAgent, "browser": string(b.ID)}))}
	return signedIn, s.store.FinishSignUp(ctx, u, f, a)
}
