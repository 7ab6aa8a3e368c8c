package session

import (
	"context"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/workspace"
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
	Email        string       // the member's, for lists
	Name         string       // the same
	Workspace    id.Workspace // of Claude Code; empty: of a time before there was one
	Device       Device
	CreatedAt    time.Time
	UsedAt       time.Time
	Generation   int64 // of its newest refresh token
	EndedAt      time.Time
	EndedWhy     string
	RefusedAt    time.Time // the first refusal after its end; zero: none
}

// State is whether a session goes on.
type State string

const (
	Living State = ""
	Ended  State = "ended"
	Any    State = "any"
)

// Filter chooses sessions. Empty fields choose all that have not ended.
type Filter struct {
	Member id.Member
	State  State
	Search string // in the device's and the member's names, and the address
	After  id.DeviceSession
	Before id.DeviceSession
	Limit  int
}

// Proof is what shows that a member's sessions stopped.
type Proof struct {
	Sessions     int       // that had not ended until then
	LastAccepted time.Time // zero: none ever was
	FirstRefused time.Time // zero: none was presented since
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
	// List returns the latest begun first, and whether there are more in its
	// direction.
	List(ctx context.Context, o id.Organization, f Filter) (page []Session, more bool, err error)
	Count(ctx context.Context, o id.Organization, m id.Member) (int, error)
	// EndedFor returns a member's sessions that ended for a reason since a moment,
	// the latest first.
	EndedFor(ctx context.Context, o id.Organization, m id.Member, why string, since time.Time) ([]Session, error)
	Refresh(ctx context.Context, hash secret.Hash) (r Refresh, ok bool, err error)
	// Rotate marks a token used, stores its successor and notes the use of the
	// session. won is false, and nothing is changed, if the token was used before.
	Rotate(ctx context.Context, used, next Refresh, e audit.Event) (won bool, err error)
	// End ends a session; nothing happens to one that has ended.
	End(ctx context.Context, d id.DeviceSession, why string, at time.Time, e audit.Event) error
	// EndAll ends a member's sessions and returns how many. The event says so;
	// nothing is recorded if there were none.
	EndAll(ctx context.Context, o id.Organization, m id.Member, why string, at time.Time, e audit.Event) (int, error)
	// Proof is about a member's sessions that had not ended at a moment, or that
	// go on.
	Proof(ctx context.Context, o id.Organization, m id.Member, until time.Time) (Proof, error)
	// Refuse notes refusals, each once until the session has been accepted again.
	Refuse(ctx context.Context, refused map[id.DeviceSession]time.Time) error
	// GroupNames are the names of the groups that a member is in.
	GroupNames(ctx context.Context, m id.Member) ([]string, error)
	// NoteClient changes the client's version, if it is another.
	NoteClient(ctx context.Context, d id.DeviceSession, version string) error
	Touch(ctx context.Context, used map[id.DeviceSession]time.Time) error
}

// Members finds whose session it is.
type Members interface {
	Member(ctx context.Context, o id.Organization, m id.Member) (org.Member, bool, error)
	Organization(ctx context.Context, o id.Organization) (org.Organization, bool, error)
}

// Workspaces finds what somebody is in a workspace.
type Workspaces interface {
	Standing(ctx context.Context, o id.Organization, w id.Workspace, principal string) (workspace.Standing, bool, error)
}

// ClaudeCode finds the workspace that sessions are in, and makes it if need be.
type ClaudeCode interface {
	EnterClaudeCode(ctx context.Context, who caller.Caller) (workspace.Workspace, error)
}

// Witness is told of refused credentials. It never blocks.
type Witness interface {
	Refused(credential string, at time.Time)
}
