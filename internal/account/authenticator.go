package account

import (
	"context"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/totp"
)

// pendingLife is how long a secret waits for its first code before another is made.
const pendingLife = time.Hour

// Enrolment is what an authenticator app is set up with.
type Enrolment struct {
	Secret  secret.Text // to be typed
	URI     secret.Text
	Picture secret.Text // a QR code, as a data: URL
}

// BeginTOTP returns what the caller's authenticator app is to be set up with. It
// is in use once EnableTOTP was given a right code.
func (s *Service) BeginTOTP(ctx context.Context, who caller.Caller, token secret.Text) (Enrolment, error) {
	if err := access.CheckAccount(who); err != nil {
		return Enrolment{}, err
	}
	if _, err := s.confirmed(ctx, who, token); err != nil {
		return Enrolment{}, err
	}
	p, ok, err := s.store.Person(ctx, who.Account)
	if err != nil || !ok {
		return Enrolment{}, orElse(err, fault.New(fault.NotFound, "there is no such account"))
	}
	t, found, err := s.store.TOTP(ctx, who.Account)
	switch {
	case err != nil:
		return Enrolment{}, err
	case found && !t.EnabledAt.IsZero():
		return Enrolment{}, errEnabled
	case !found || s.now().Sub(t.CreatedAt) > pendingLife:
		t = TOTP{Secret: totp.NewSecret(), CreatedAt: s.now()}
		if err := s.store.SaveTOTP(ctx, who.Account, t); err != nil {
			return Enrolment{}, err
		}
	}
	uri := totp.URI(t.Secret, strings.TrimSpace("Gatehouse "+s.host), p.Email)
	picture, err := totp.Picture(uri)
	return Enrolment{Secret: t.Secret, URI: uri, Picture: picture}, err
}

var errEnabled = fault.New(fault.Conflict, "you have an authenticator app already").WithHint("remove it before you set up another")

// EnableTOTP puts the secret of BeginTOTP to use, if code shows that an app has
// it. It returns recovery codes if the caller had none.
func (s *Service) EnableTOTP(ctx context.Context, who caller.Caller, token secret.Text, code string) ([]secret.Text, error) {
	if err := access.CheckAccount(who); err != nil {
		return nil, err
	}
	if _, err := s.confirmed(ctx, who, token); err != nil {
		return nil, err
	}
	if ok, wait := s.codes.Allow(string(who.Account)); !ok {
		return nil, fault.New(fault.RateLimited, "too many wrong codes").At("code").After(wait).WithHint("wait a few minutes")
	}
	t, found, err := s.store.TOTP(ctx, who.Account)
	switch {
	case err != nil:
		return nil, err
	case !found:
		return nil, fault.New(fault.Conflict, "the set-up took too long").WithHint("begin again")
	case !t.EnabledAt.IsZero():
		return nil, errEnabled
	}
	step, right := totp.Check(t.Secret, code, s.now(), t.Step)
	if !right {
		return nil, fault.New(fault.Invalid, "this is not the code that your app shows now").At("code").
			WithHint("look whether the clock of your phone is right, and type the next code")
	}
	s.codes.GiveBack(string(who.Account))
	codes, hashes, events, err := s.firstCodes(ctx, who)
	if err != nil {
		return nil, err
	}
	events = append([]audit.Event{audit.New(who, s.now(), audit.TOTPEnabled, string(who.Account), nil)}, events...)
	return codes, s.store.EnableTOTP(ctx, who.Account, step, s.now(), hashes, events...)
}

// firstCodes makes recovery codes for somebody who has none.
func (s *Service) firstCodes(ctx context.Context, who caller.Caller) ([]secret.Text, []secret.Hash, []audit.Event, error) {
	f, err := s.store.Factors(ctx, who.Account)
	if err != nil || f.Codes > 0 {
		return nil, nil, nil, err
	}
	codes, hashes := newRecovery(who.Account)
	return codes, hashes, []audit.Event{audit.New(who, s.now(), audit.RecoveryCodesMade, string(who.Account), nil)}, nil
}

// DisableTOTP takes the caller's authenticator app out of use.
func (s *Service) DisableTOTP(ctx context.Context, who caller.Caller, token secret.Text) error {
	if err := access.CheckAccount(who); err != nil {
		return err
	}
	if _, err := s.confirmed(ctx, who, token); err != nil {
		return err
	}
	return s.store.DisableTOTP(ctx, who.Account, audit.New(who, s.now(), audit.TOTPDisabled, string(who.Account), nil))
}
