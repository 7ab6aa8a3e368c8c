package oauth

import (
	"context"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/session"
)

// Status is where a device authorization stands.
type Status string

const (
	Pending  Status = "pending"
	Approved Status = "approved"
	Denied   Status = "denied"
	Spent    Status = "spent"
)

// Authorization is a device authorization: a device that asks to be signed in.
type Authorization struct {
	Hash         secret.Hash // of the device code
	UserCode     string      // eight letters, without the dash
	Device       session.Device
	Status       Status
	Organization id.Organization // who approved it, where
	Member       id.Member
	CreatedAt    time.Time
	ExpiresAt    time.Time
	PolledAt     time.Time
	Interval     time.Duration
}

// Started is what a device is told.
type Started struct {
	DeviceCode secret.Text
	UserCode   string // as it is shown: "WDJB-MJHT"
	ExpiresIn  time.Duration
	Interval   time.Duration
}

// Code is an authorization code as it is stored.
type Code struct {
	Hash         secret.Hash
	RedirectURI  string
	Challenge    string // base64url of the SHA-256 of the verifier
	Device       session.Device
	Organization id.Organization
	Member       id.Member
	CreatedAt    time.Time
	ExpiresAt    time.Time
	UsedAt       time.Time
	Session      id.DeviceSession // that its use began
}

// Store is what the package needs stored. ok is false for what does not exist.
type Store interface {
	// AddAuthorization fails with Conflict if the user code is in use.
	AddAuthorization(ctx context.Context, a Authorization) error
	AuthorizationByUserCode(ctx context.Context, userCode string) (a Authorization, ok bool, err error)
	AuthorizationByHash(ctx context.Context, hash secret.Hash) (a Authorization, ok bool, err error)
	// Decide moves an authorization from pending to a status, with who decided.
	// It fails with Conflict if it is not pending any more.
	Decide(ctx context.Context, hash secret.Hash, to Status, who caller.Caller, e audit.Event) error
	// Polled notes a poll.
	Polled(ctx context.Context, hash secret.Hash, at time.Time) error
	// Spend moves an authorization from approved to spent; ok is false if
	// somebody else was first.
	Spend(ctx context.Context, hash secret.Hash) (ok bool, err error)
	AddCode(ctx context.Context, c Code) error
	Code(ctx context.Context, hash secret.Hash) (c Code, ok bool, err error)
	// UseCode marks a code used for a session; ok is false if it was used before.
	UseCode(ctx context.Context, hash secret.Hash, d id.DeviceSession, at time.Time) (ok bool, err error)
	// Prune forgets what expired before a moment.
	Prune(ctx context.Context, before time.Time) error
}

// Sessions begins and ends device sessions.
type Sessions interface {
	Start(ctx context.Context, who caller.Caller, d session.Device) (session.Tokens, error)
	End(ctx context.Context, who caller.Caller, o id.Organization, d id.DeviceSession) error
}

// Error is an answer of the token endpoint that is no fault: a code of RFC 6749
// section 5.2 or RFC 8628 section 3.5.
type Error struct {
	Code        string
	Description string
}

func (e *Error) Error() string { return e.Code + ": " + e.Description }

// The answers, by their code.
var (
	ErrPending      = &Error{"authorization_pending", "nobody has approved this device yet"}
	ErrSlowDown     = &Error{"slow_down", "poll less often: five seconds were added to the interval"}
	ErrDenied       = &Error{"access_denied", "the person denied this device"}
	ErrExpired      = &Error{"expired_token", "the code has expired: begin again"}
	ErrInvalidGrant = &Error{"invalid_grant", "the code is unknown, expired or used"}
	ErrVerifier     = &Error{"invalid_grant", "the code_verifier or the redirect_uri does not belong to the code"}
)
