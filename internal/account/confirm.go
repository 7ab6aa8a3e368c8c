package account

import (
	"context"
	"errors"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// Unconfirmed reports whether an act failed because the caller has not proven
// for too long who they are.
func Unconfirmed(err error) bool { return errors.Is(err, errUnconfirmed) }

// confirmed returns the caller's session if they proved a moment ago who they are.
func (s *Service) confirmed(ctx context.Context, who caller.Caller, token secret.Text) (Browser, error) {
	b, err := s.session(ctx, who, token)
	if err == nil && s.now().Sub(b.ConfirmedAt) > ConfirmLife {
		err = errUnconfirmed
	}
	return b, err
}

// session is the caller's own session with the token.
func (s *Service) session(ctx context.Context, who caller.Caller, token secret.Text) (Browser, error) {
	b, ok, err := s.store.Browser(ctx, token.Hash())
	if err == nil && (!ok || b.Account != who.Account || !b.EndedAt.IsZero() || !s.now().Before(b.ExpiresAt)) {
		err = fault.New(fault.Unauthenticated, "you are not signed in")
	}
	return b, err
}

// Confirmed fails, with an error that Unconfirmed knows, if the caller must prove
// anew who they are before they change how they sign in.
func (s *Service) Confirmed(ctx context.Context, who caller.Caller, token secret.Text) error {
	if err := access.CheckAccount(who); err != nil {
		return err
	}
	_, err := s.confirmed(ctx, who, token)
	return err
}

// ConfirmByPassword proves anew who the caller is. The session goes on under
// another token.
func (s *Service) ConfirmByPassword(ctx context.Context, who caller.Caller, token, pass secret.Text) (SignedIn, error) {
	if err := access.CheckAccount(who); err != nil {
		return SignedIn{}, err
	}
	b, err := s.session(ctx, who, token)
	if err != nil {
		return SignedIn{}, err
	}
	has, err := s.checkPassword(ctx, who, pass, "password")
	if err == nil && !has {
		err = fault.New(fault.Conflict, "you have no password").WithHint("sign out and in again")
	}
	if err != nil {
		return SignedIn{}, err
	}
	return s.confirm(ctx, b, Proof{})
}

// BeginConfirm asks for one of the caller's passkeys, as ConfirmByPasskey needs it.
func (s *Service) BeginConfirm(ctx context.Context, who caller.Caller, token secret.Text) (options string, err error) {
	if err := access.CheckAccount(who); err != nil {
		return "", err
	}
	if _, err := s.session(ctx, who, token); err != nil {
		return "", err
	}
	return s.askFor(ctx, who.Account, token, confirms)
}

// ConfirmByPasskey proves anew who the caller is.
func (s *Service) ConfirmByPasskey(ctx context.Context, who caller.Caller, token secret.Text, response string, from Origin) (SignedIn, error) {
	if err := access.CheckAccount(who); err != nil {
		return SignedIn{}, err
	}
	b, err := s.session(ctx, who, token)
	if err != nil {
		return SignedIn{}, err
	}
	p, err := s.answered(ctx, who.Account, token, confirms, response, from)
	if err != nil {
		return SignedIn{}, err
	}
	return s.confirm(ctx, b, p)
}

func (s *Service) confirm(ctx context.Context, b Browser, p Proof) (SignedIn, error) {
	token := secret.Mint(secret.BrowserToken)
	return SignedIn{Token: token, Expires: b.ExpiresAt}, s.store.Confirm(ctx, b.Hash, token.Hash(), p, b.Account, s.now())
}
