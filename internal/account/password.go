package account

import (
	"context"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/password"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// SetPassword gives the caller a new password and signs their other browsers
// out. Who has a password must know it; who has none must have proven who they
// are a moment ago.
func (s *Service) SetPassword(ctx context.Context, who caller.Caller, token, current, fresh secret.Text) error {
	if err := access.CheckAccount(who); err != nil {
		return err
	}
	if err := password.Check(fresh); err != nil {
		return err
	}
	has, err := s.checkPassword(ctx, who, current, "current")
	if err != nil {
		return err
	}
	if !has {
		if _, err := s.confirmed(ctx, who, token); err != nil {
			return err
		}
	}
	hashed, err := s.passwords.Hash(ctx, fresh)
	if err != nil {
		return err
	}
	return s.store.SavePassword(ctx, who.Account, hashed, token.Hash(), s.now(), audit.New(who, s.now(), audit.PasswordChanged, string(who.Account), nil))
}

// checkPassword compares with the caller's own password. has is false if there
// is none to compare with.
func (s *Service) checkPassword(ctx context.Context, who caller.Caller, given secret.Text, field string) (has bool, err error) {
	p, ok, err := s.store.Person(ctx, who.Account)
	if err != nil {
		return false, err
	}
	if !ok {
		return false, fault.New(fault.Unauthenticated, "you are not signed in")
	}
	if ok, wait := s.byAccount.Allow(p.Email); !ok {
		return false, fault.New(fault.RateLimited, "too many attempts").After(wait).WithHint("wait a few minutes")
	}
	c, _, err := s.store.Credential(ctx, p.Email)
	if err != nil || c.Password == "" {
		return false, err
	}
	matches, err := s.passwords.Matches(ctx, given, c.Password)
	if err == nil && !matches {
		err = fault.New(fault.Invalid, "this is not your current password").At(field)
	}
	return true, err
}

// RemovePassword takes the caller's password away. Another way in must be left.
func (s *Service) RemovePassword(ctx context.Context, who caller.Caller, token secret.Text) error {
	if err := access.CheckAccount(who); err != nil {
		return err
	}
	if _, err := s.confirmed(ctx, who, token); err != nil {
		return err
	}
	return s.store.RemovePassword(ctx, who.Account, audit.New(who, s.now(), audit.PasswordChanged, string(who.Account), audit.Detail{"after": "none"}))
}
