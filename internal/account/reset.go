package account

import (
	"context"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/letter"
	"github.com/gatehouse-dev/gatehouse/internal/limit"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/password"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

const (
	resetLife  = time.Hour
	changeLife = 24 * time.Hour
)

// AskReset sends a letter with which a forgotten password is replaced, if the
// address has an account. Nobody learns whether it has: the answer, and the work
// for it, are the same.
func (s *Service) AskReset(ctx context.Context, email string, from Origin) error {
	clean, err := org.CleanEmail(email)
	if err != nil {
		return err
	}
	for name, l := range map[string]*limit.Limiter{clean: s.resets, limit.Network(from.Address): s.askers} {
		if ok, wait := l.Allow(name); !ok {
			return fault.New(fault.RateLimited, "too many letters were asked for").After(wait).WithHint("look for the last one, also among unwanted mail, or wait an hour")
		}
	}
	p, known, err := s.store.PersonByEmail(ctx, clean)
	if err != nil {
		return err
	}
	if !known {
		p = Person{Account: id.NewAccount(), Email: clean, Name: clean}
	}
	token := secret.Mint(secret.MailToken)
	l := MailLink{Hash: token.Hash(), Kind: PasswordReset, Account: p.Account, Email: clean, CreatedAt: s.now(), ExpiresAt: s.now().Add(resetLife)}
	who := caller.Caller{Kind: caller.Person, Way: caller.Anonymous, Account: p.Account, Address: from.Address}
	return s.store.SaveMailLink(ctx, known, l, []letter.Letter{s.resetLetter(p, token, from, l)},
		audit.New(who, s.now(), audit.PasswordResetAsked, string(p.Account), audit.Detail{"email": clean, "user_agent": from.agent()}))
}

// LookMail says what a link in a letter is for, without using it.
func (s *Service) LookMail(ctx context.Context, token secret.Text, kind MailLinkKind) (MailLink, error) {
	spent := fault.New(fault.NotFound, "this link is not valid, or not any more").WithHint("ask for a new one")
	if !secret.Is(secret.MailToken, token.Reveal()) {
		return MailLink{}, spent
	}
	l, ok, err := s.store.MailLink(ctx, token.Hash())
	switch {
	case err != nil:
		return MailLink{}, err
	case !ok, l.Kind != kind, !s.now().Before(l.ExpiresAt):
		return MailLink{}, spent
	}
	l.Proves = s.doors.Mailed
	return l, nil
}

// Reset replaces a forgotten password, signs every browser of the account out
// and this one in. Who reads somebody's mail has one factor: an account with a
// second one still wants that.
func (s *Service) Reset(ctx context.Context, token, fresh secret.Text, from Origin) (SignedIn, error) {
	l, err := s.LookMail(ctx, token, PasswordReset)
	if err != nil {
		return SignedIn{}, err
	}
	if err := password.Check(fresh); err != nil {
		return SignedIn{}, err
	}
	hashed, err := s.passwords.Hash(ctx, fresh)
	if err != nil {
		return SignedIn{}, err
	}
	who, err := s.callerOf(ctx, l.Account, "")
	if err != nil {
		return SignedIn{}, err
	}
	e := audit.New(who.From(from.Address), s.now(), audit.PasswordChanged, string(l.Account), audit.Detail{"by_mail": "yes", "user_agent": from.agent()})
	if err := s.store.ResetPassword(ctx, l, hashed, s.now(), e); err != nil {
		return SignedIn{}, err
	}
	return s.proven(ctx, l.Account, "", "password reset", from)
}
