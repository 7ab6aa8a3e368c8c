package apikey

import (
	"context"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// Kind is what a key opens.
type Kind string

const (
	ForModels Kind = "api"   // the model API
	ForAdmin  Kind = "admin" // the Admin API
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
	ID           id.APIKey
	Organization id.Organization
	Kind         Kind
	Name         string
	Hint         string    // a part of the value that may be shown
	Member       id.Member // whose it is; empty for an admin key
	CreatedBy    string    // the principal who made it
	Status       Status
	CreatedAt    time.Time
	ExpiresAt    time.Time // zero: never
	UsedAt       time.Time // zero: not yet
}

// At returns the key's status at a moment.
func (k Key) At(now time.Time) Status {
	if k.Status != Archived && !k.ExpiresAt.IsZero() && !now.Before(k.ExpiresAt) {
		return Expired
	}
	return k.Status
}

// Filter chooses keys. Empty fields choose all.
type Filter struct {
	Kind      Kind
	Status    Status
	Member    id.Member
	CreatedBy string
	After     id.APIKey // the page after this key
	Before    id.APIKey // the page before this key
	Limit     int
}

// Change is what is to be different; nil leaves it.
type Change struct {
	Name   *string
	Status *Status
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
	Touch(ctx context.Context, used map[id.APIKey]time.Time) error
}

// Members finds the member whose key it is.
type Members interface {
	Member(ctx context.Context, o id.Organization, m id.Member) (org.Member, bool, error)
}
