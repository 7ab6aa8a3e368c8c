package apikey

import (
	"context"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/letter"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/workspace"
)

// Kind is what a key opens.
type Kind string

const (
	ForModels     Kind = "api"         // the model API
	ForClaudeCode Kind = "claude_code" // the same, in the workspace of Claude Code
	ForAdmin      Kind = "admin"       // the Admin API
)

// Status is where a key stands.
type Status string

const (
	Active   Status = "active"
	Inactive Status = "inactive"
	Archived Status = "archived"
	Expired  Status = "expired" // never stored: it follows from the time
)

// Key is a key without its value.
type Key struct {
	ID             id.APIKey
	Organization   id.Organization
	Kind           Kind
	Name           string
	Hint           string            // a part of the value that may be shown
	Member         id.Member         // whose it is; empty for an admin key and a service account's
	ServiceAccount id.ServiceAccount // whose it is
	Workspace      id.Workspace      // that it is in; empty: the default one
	Scopes         caller.Rights     // of an admin key; none means all that admin keys can have
	CreatedBy      string            // the principal who made it
	Status         Status
	CreatedAt      time.Time
	ExpiresAt      time.Time // zero: never
	EndedAt        time.Time // when it was last deactivated or archived; zero: it was not
	ReplacedBy     id.APIKey // that it was rotated into
	UsedAt         time.Time // zero: not yet
	UsedAddress    string    // from where
	RefusedAt      time.Time // the first refusal since it last worked; zero: none

	Owner         string // for people: the member's or service account's name; in lists and by Get
	OwnerEmail    string // the member's
	WorkspaceName string // empty: the default one
}

// At returns the key's status at a moment.
func (k Key) At(now time.Time) Status {
	if k.Status != Archived && !k.ExpiresAt.IsZero() && !now.Before(k.ExpiresAt) {
		return Expired
	}
	return k.Status
}

// New is what a new key is to be. Each sort of key looks at its own fields.
type New struct {
	Kind           Kind // ForModels or ForClaudeCode; empty: ForModels
	Name           string
	Workspace      id.Workspace      // empty: the default one
	ServiceAccount id.ServiceAccount // of CreateForService
	Scopes         caller.Rights     // of CreateAdmin; none means all that an admin key and its maker can have
	ExpiresAt      time.Time         // zero: never
}

// Filter chooses keys. Empty fields choose all.
type Filter struct {
	Kind           Kind // empty: all
	NotAdmin       bool // all but admin keys
	Status         Status
	Member         id.Member
	ServiceAccount id.ServiceAccount
	Workspace      *id.Workspace // of a pointer to the empty id: the default one
	CreatedBy      string
	Search         string    // in name and hint
	After          id.APIKey // the page after this key
	Before         id.APIKey // the page before this key
	Limit          int
}

// Change is what is to be different; nil leaves it. Was, if it is set, is the
// status that the change was made from.
type Change struct {
	Was    Status
	Name   *string
	Status *Status
}

// Use is when, and from where, a credential was last presented.
type Use struct {
	At      time.Time
	Address string
}

// Proof is what shows that a member's keys stopped.
type Proof struct {
	Keys         int       // that could be used until then
	LastAccepted time.Time // zero: none ever was
	FirstRefused time.Time // zero: none was presented since
}

// Expiring is a key whose owner has to be told that it will expire.
type Expiring struct {
	Key          Key
	Organization string // its name
	Email, Name  string // of who is told
}

// Store is what the package needs stored. ok is false for what does not exist.
type Store interface {
	Insert(ctx context.Context, k Key, hash secret.Hash, e audit.Event) error
	Key(ctx context.Context, o id.Organization, k id.APIKey) (key Key, ok bool, err error)
	ByHash(ctx context.Context, hash secret.Hash) (key Key, ok bool, err error)
	// List returns the newest first, and whether there are more in its direction.
	List(ctx context.Context, o id.Organization, f Filter, now time.Time) (keys []Key, more bool, err error)
	// Update fails with Conflict if the key is no longer in the state was.
	Update(ctx context.Context, was, is Key, e audit.Event) error
	// Rotate stores a key's successor and, in the same moment, what becomes of
	// the key. It fails as Update does.
	Rotate(ctx context.Context, was, is, next Key, hash secret.Hash, e audit.Event) error
	Touch(ctx context.Context, used map[id.APIKey]Use) error
	// Refuse notes refusals, each once until the key has been accepted again.
	Refuse(ctx context.Context, refused map[id.APIKey]time.Time) error
	// Proof is about a member's keys that worked until a moment, or that work.
	Proof(ctx context.Context, o id.Organization, m id.Member, until time.Time) (Proof, error)
	// Count is how many keys of a member, or in a workspace, are active.
	Count(ctx context.Context, o id.Organization, f Filter, now time.Time) (int, error)
	// Expiring lists active keys that expire after now and no later than by,
	// whose owners were not told since tell, the first to expire first.
	Expiring(ctx context.Context, now time.Time, limit int) ([]Expiring, error)
	// Told queues a letter about a key, unless its owner was told since; it
	// reports whether it did.
	Told(ctx context.Context, k id.APIKey, since, at time.Time, l letter.Letter) (bool, error)
}

// Members finds the member whose key it is.
type Members interface {
	Member(ctx context.Context, o id.Organization, m id.Member) (org.Member, bool, error)
	Organization(ctx context.Context, o id.Organization) (org.Organization, bool, error)
}

// Workspaces finds what somebody is in a workspace.
type Workspaces interface {
	Standing(ctx context.Context, o id.Organization, w id.Workspace, principal string) (workspace.Standing, bool, error)
}

// ServiceAccounts says whether a service account is there, and not archived.
type ServiceAccounts interface {
	Serving(ctx context.Context, o id.Organization, a id.ServiceAccount) (name, organization string, ok bool, err error)
}

// ClaudeCode finds the workspace that keys for Claude Code are in, and makes it
// if need be.
type ClaudeCode interface {
	EnterClaudeCode(ctx context.Context, who caller.Caller) (workspace.Workspace, error)
}

// Witness is told of refused credentials. It never blocks.
type Witness interface {
	Refused(credential string, at time.Time)
}
