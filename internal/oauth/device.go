package oauth

import (
	"context"
	"crypto/rand"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/session"
)

const (
	authorizationLife = 10 * time.Minute
	pollInterval      = 5 * time.Second
	codeLife          = time.Minute
	// letters are those of RFC 8628 section 6.1: no vowels, so no words, and
	// nothing that looks like something else.
	letters    = "BCDFGHJKLMNPQRSTVWXZ"
	codeLength = 8
)

// Service is the authorization server's core. Its fields must be set before use.
type Service struct {
	Store    Store
	Sessions Sessions
	Members  session.Members
	Now      func() time.Time
}

// Authorize begins a device authorization.
func (s *Service) Authorize(ctx context.Context, d session.Device) (Started, error) {
	now := s.Now()
	for {
		code := secret.Mint(secret.DeviceCode)
		a := Authorization{Hash: code.Hash(), UserCode: NewUserCode(), Device: d.Clean(), Status: Pending,
			CreatedAt: now, ExpiresAt: now.Add(authorizationLife), Interval: pollInterval}
		err := s.Store.AddAuthorization(ctx, a)
		if fault.Is(err, fault.Conflict) {
			continue // one in 25 billion: draw again
		}
		if err != nil {
			return Started{}, err
		}
		return Started{DeviceCode: code, UserCode: a.UserCode[:4] + "-" + a.UserCode[4:], ExpiresIn: authorizationLife, Interval: pollInterval}, nil
	}
}

// NewUserCode draws a code that is typed by people, of eight letters.
func NewUserCode() string {
	code := make([]byte, 0, codeLength)
	var b [1]byte
	for len(code) < codeLength {
		rand.Read(b[:])
		if int(b[0]) < 256/len(letters)*len(letters) { // or some letters would be likelier
			code = append(code, letters[int(b[0])%len(letters)])
		}
	}
	return string(code)
}

// CleanUserCode is a typed user code without dashes, spaces and small letters;
// empty if it cannot be one.
func CleanUserCode(typed string) string {
	if len(typed) > 64 {
		return ""
	}
	code := strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' {
			return -1
		}
		return r
	}, strings.ToUpper(typed))
	if len(code) != codeLength || strings.Trim(code, letters) != "" {
		return ""
	}
	return code
}

// Look returns the device that waits under a user code, for the person who is
// to decide.
func (s *Service) Look(ctx context.Context, who caller.Caller, userCode string) (Authorization, error) {
	if err := access.Check(who, caller.OwnSessions, who.Organization); err != nil {
		return Authorization{}, err
	}
	unknown := fault.New(fault.NotFound, "no device is waiting with this code").At("user_code").WithHint("check the code on the device; codes work for ten minutes and once")
	code := CleanUserCode(userCode)
	if code == "" {
		return Authorization{}, unknown
	}
	a, ok, err := s.Store.AuthorizationByUserCode(ctx, code)
	switch {
	case err != nil:
		return Authorization{}, err
	case !ok, a.Status != Pending, !s.Now().Before(a.ExpiresAt):
		return Authorization{}, unknown
	}
	return a, nil
}

// Decide approves or denies the device that waits under a user code.
func (s *Service) Decide(ctx context.Context, who caller.Caller, userCode string, approve bool) (Authorization, error) {
	a, err := s.Look(ctx, who, userCode)
	if err != nil {
		return Authorization{}, err
	}
	to, what := Denied, audit.DeviceDenied
	if approve {
		to, what = Approved, audit.DeviceApproved
	}
	e := audit.New(who, s.Now(), what, string(who.Member), audit.Detail{"client": a.Device.ClientID, "name": a.Device.Name,
		"system": a.Device.System, "device_address": a.Device.Address})
	return a, s.Store.Decide(ctx, a.Hash, to, who, e)
}

// Poll exchanges a device code for tokens once a person has approved. Until
// then, and after, it fails with an *Error.
func (s *Service) Poll(ctx context.Context, code secret.Text) (session.Tokens, error) {
	if !secret.Is(secret.DeviceCode, code.Reveal()) {
		return session.Tokens{}, ErrInvalidGrant
	}
	a, ok, err := s.Store.AuthorizationByHash(ctx, code.Hash())
	if err != nil {
		return session.Tokens{}, err
	}
	now := s.Now()
	switch {
	case !ok, a.Status == Spent:
		return session.Tokens{}, ErrInvalidGrant
	case a.Status == Denied:
		return session.Tokens{}, ErrDenied
	case !now.Before(a.ExpiresAt):
		return session.Tokens{}, ErrExpired
	case a.Status == Pending:
		return session.Tokens{}, s.pending(ctx, a, now)
	}
	if ok, err := s.Store.Spend(ctx, a.Hash); err != nil || !ok {
		return session.Tokens{}, orInvalid(err)
	}
	who, err := s.approver(ctx, a.Organization, a.Member)
	if err != nil {
		return session.Tokens{}, err
	}
	return s.Sessions.Start(ctx, who, a.Device)
}

func orInvalid(err error) error {
	if err != nil {
		return err
	}
	return ErrInvalidGrant
}

// pending notes the poll. A device that comes sooner than it was told is told to
// slow down; that is not written anywhere, or a stranger could keep the database
// busy with polls.
func (s *Service) pending(ctx context.Context, a Authorization, now time.Time) error {
	// A second of slack: clients count from when they sent, we from when it came.
	if !a.PolledAt.IsZero() && now.Sub(a.PolledAt) < a.Interval-time.Second {
		return ErrSlowDown
	}
	if err := s.Store.Polled(ctx, a.Hash, now); err != nil {
		return err
	}
	return ErrPending
}
