package serviceaccount

import (
	"context"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/id"
)

// Account is a service account.
type Account struct {
	ID           id.ServiceAccount
	Organization id.Organization
	Name         string
	Description  string
	Version      int64 // a change made from an older one is a Conflict
	CreatedAt    time.Time
	CreatedBy    string
	UpdatedAt    time.Time // zero: never
	UpdatedBy    string
	ArchivedAt   time.Time // zero: it is not
	ArchivedBy   string

	Keys       int // in lists and by Get: how many of its keys are active
	Workspaces int // the same: how many it is in
}

// Archived reports whether the service account is archived.
func (a Account) Archived() bool { return !a.ArchivedAt.IsZero() }

// New is what a new service account is to be.
type New struct{ Name, Description string }

// Change is what is to be different; nil leaves it. Version is that of the
// account it was made from; 0: whichever it is now.
type Change struct {
	Version     int64
	Name        *string
	Description *string
}

// Filter chooses service accounts. Empty fields choose all.
type Filter struct {
	Archived      bool // archived ones too
	Search        string
	After, Before id.ServiceAccount
	Limit         int
}

// Store is what the package needs stored. ok is false for what does not exist.
type Store interface {
	// Add fails with Conflict if one that is not archived has the name.
	Add(ctx context.Context, a Account, e audit.Event) error
	ServiceAccount(ctx context.Context, o id.Organization, a id.ServiceAccount) (found Account, ok bool, err error)
	List(ctx context.Context, o id.Organization, f Filter) (page []Account, more bool, err error)
	// Update stores what differs from was, whose version it must still have: a
	// Conflict otherwise, and for a name that is taken.
	Update(ctx context.Context, was, is Account, e audit.Event) error
}
