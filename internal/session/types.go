package session

import (
	"context"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// Device is what is known of where a session lives. All of it was said by the
// client, but for the address.
type Device struct {
	ClientID      string // "claude-code", "gatehouse"
	Name          string // the host's name
	System        string // "linux/amd64"
	ClientVersion string
	Address       string
}

// maxDeviceField bounds, in bytes, what a client may say of itself in one field.
const maxDeviceField = 120

// Clean returns the device with what a client said of itself made fit to be
// stored and shown: valid, short, and without characters that do not show.
func (d Device) Clean() Device {
	for _, field := range []*string{&d.ClientID, &d.Name, &d.System, &d.ClientVersion} {
		*field = org.CleanText(*field, maxDeviceField)
	}
	return d
}

// Session is a device session.
type Session struct {
	ID           id.DeviceSession
	Organization id.Organization
	Member       id.Member
	Email        string // the member's, for lists
	Device       Device
	CreatedAt    time.Time
	UsedAt       time.Time
	Generation   int64 // of its newest refresh token
	EndedAt      time.Time
	EndedWhy     string
}

// Refresh is a refresh token as it is stored.
type Refresh struct {
	Hash       secret.Hash
	Session    id.DeviceSession
	Generation int64
	CreatedAt  time.Time
	ExpiresAt  time.Time
	UsedAt     time.Time // zero: not yet
}

// Tokens is what a client gets.
type Tokens struct {
	Access    secret.Text
	Refresh   secret.Text
	ExpiresIn time.Duration
	Session   Session
}

// Store is what the package needs stored. ok is false for what does not exist.
type Store interface {
	// Start stores a session with its first refresh token.
	Start(ctx context.Context, s Session, first Refresh, e audit.Event) error
	Session(ctx context.Context, d id.DeviceSession) (s Session, ok bool, err error)
	// List returns the sessions of a member, or of everybody if none is named,
	// that have not ended, the latest used first.
	List(ctx context.Context, o id.Organization, m id.Member) ([]Session, error)
	// EndedFor returns a member's sessions that ended for a reason since a moment,
	// the latest first.
	EndedFor(ctx context.Context, o id.Organization, m id.Member, why string, since time.Time) ([]Session, error)
	Refresh(ctx context.Context, hash secret.Hash) (r Refresh, ok bool, err error)
	// Rotate marks a token used, stores its successor and notes the use of the
	// session. won is false, and nothing is changed, if the token was used before.
	Rotate(ctx context.Context, used, next Refresh, e audit.Event) (won bool, err error)
	// End ends a session; nothing happens to one that has ended.
	End(ctx context.Context, d id.DeviceSession, why string, at time.Time, e audit.Event) error
	// NoteClient changes the client's version, if it is another.
	NoteClient(ctx context.Context, d id.DeviceSession, version string) error
	Touch(ctx context.Context, used map[id.DeviceSession]time.Time) error
}

// Members finds whose session it is.
type Members interface {
	Member(ctx context.Context, o id.Organization, m id.Member) (org.Member, bool, error)
}
