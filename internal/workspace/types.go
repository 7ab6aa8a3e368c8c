package workspace

import (
	"context"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/id"
)

// Kind is what a workspace is for.
type Kind string

const (
	Ordinary   Kind = ""
	ClaudeCode Kind = "claude_code" // the one that Claude Code's sign-ins and keys are in
)

// ClaudeCodeName is the name of the workspace that is made by itself. No other
// can have it.
const ClaudeCodeName = "Claude Code"

const (
	// Most is how many workspaces an organization can have that are not archived.
	Most = 100
	// DefaultColor is that of a workspace which was given none.
	DefaultColor = "#6C5BB9"
)

// Workspace is a part of an organization.
type Workspace struct {
	ID           id.Workspace
	Organization id.Organization
	Name         string
	Kind         Kind
	Color        string            // "#6C5BB9"
	Models       []string          // that may be asked for, of those that the organization allows; none means all of these
	Tags         map[string]string // for programs
	Limits       Limits
	Version      int64 // a change made from an older one is a Conflict
	CreatedAt    time.Time
	ArchivedAt   time.Time // zero: it is not

	Members int // in lists and by Get: how many are in
	Keys    int // the same: how many of its keys are active
}

// Limits bound what each credential in a workspace may do. Zero: as the server
// does. What is above the server's own limit has no effect.
type Limits struct{ PerMinute, Concurrent int }

// Archived reports whether the workspace is archived.
func (w Workspace) Archived() bool { return !w.ArchivedAt.IsZero() }

// Member is a member of the organization, or a service account, in a workspace.
type Member struct {
	Workspace     id.Workspace
	WorkspaceName string
	Principal     string // "user_…" or "svac_…"
	Role          access.WorkspaceRole
	CreatedAt     time.Time
	CreatedBy     string
	Name, Email   string // of a service account, its name alone
}

// Sort is a sort of principal.
type Sort string

const (
	People          Sort = "user_"
	ServiceAccounts Sort = "svac_"
)

// Standing is what somebody is in a workspace, for those who decide.
type Standing struct {
	Workspace Workspace
	Role      access.WorkspaceRole // empty: not in
	Name      string               // of who it is
	Since     time.Time            // zero: not in
	AddedBy   string
}

// New is what a new workspace is to be.
type New struct {
	Name   string
	Color  string
	Models []string
	Tags   map[string]string
}

// Change is what is to be different; nil leaves it. Version is that of the
// workspace it was made from; 0: whichever it is now.
type Change struct {
	Version int64
	Name    *string
	Color   *string
	Models  *[]string
	Tags    *map[string]string // replaces all
	Limits  *Limits
}

// Filter chooses workspaces. Empty fields choose all.
type Filter struct {
	Archived bool           // archived ones too
	IDs      []id.Workspace // these alone
	Member   id.Member      // those that this member is in
	Search   string         // in the name
	After    id.Workspace
	Before   id.Workspace
	Limit    int
}

// MemberFilter chooses members of a workspace, or workspaces of a principal,
// the latest first.
type MemberFilter struct {
	Sort          Sort
	Search        string
	After, Before string // a principal's id; of a principal's workspaces: a workspace's
	Limit         int
}

// Store is what the package needs stored. ok is false for what does not exist.
type Store interface {
	// Add stores a workspace. It fails with Conflict if there are Most already or
	// one that is not archived has the name.
	Add(ctx context.Context, w Workspace, e audit.Event) error
	Workspace(ctx context.Context, o id.Organization, w id.Workspace) (found Workspace, ok bool, err error)
	List(ctx context.Context, o id.Organization, f Filter) (page []Workspace, more bool, err error)
	// Update stores what differs from was, whose version it must still have: a
	// Conflict otherwise, and for a name that is taken.
	Update(ctx context.Context, was, is Workspace, e audit.Event) error

	Standing(ctx context.Context, o id.Organization, w id.Workspace, principal string) (s Standing, ok bool, err error)
	Members(ctx context.Context, o id.Organization, w id.Workspace, f MemberFilter) (page []Member, more bool, err error)
	Of(ctx context.Context, o id.Organization, principal string, f MemberFilter) (page []Member, more bool, err error)
	// Principal finds a member by address, or a service account by name.
	Principal(ctx context.Context, o id.Organization, called string) (principal string, ok bool, err error)
	// Join adds a principal. It fails with NotFound for one that is not in the
	// organization, and with Conflict for one that is in the workspace.
	Join(ctx context.Context, o id.Organization, m Member, e audit.Event) error
	SetRole(ctx context.Context, o id.Organization, w id.Workspace, principal string, was, is access.WorkspaceRole, e audit.Event) error
	Leave(ctx context.Context, o id.Organization, w id.Workspace, principal string, e audit.Event) error

	// ClaudeCode returns the organization's workspace of Claude Code, and what the
	// member is in it.
	ClaudeCode(ctx context.Context, o id.Organization, m id.Member) (s Standing, ok bool, err error)
	// JoinClaudeCode makes fresh that workspace, unless there is one, and adds the
	// member to it, unless they are in; it records what it did.
	JoinClaudeCode(ctx context.Context, fresh Workspace, m Member, made, joined audit.Event) error
}
