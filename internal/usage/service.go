package usage

import (
	"context"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/price"
)

// Filter chooses entries of an organization. Zero fields do not restrict.
type Filter struct {
	Member  id.Member
	Key     id.APIKey
	Session id.DeviceSession
	Model   string
	From    time.Time // requests that arrived then or later
	To      time.Time // requests that arrived before then
}

// Totals is what entries come to. Open reservations are apart: they are bounds,
// and not yet spent. They appear some seconds after they were made, others
// never.
type Totals struct {
	Requests      int64 // settled
	Estimated     int64 // of those, worked out and not reported
	Tokens        price.Tokens
	CostNanos     int64
	Open          int64 // reserved and not settled
	ReservedNanos int64 // what those hold back
}

// Reader reads the ledger in the database.
type Reader interface {
	// Totals sums what the entries of an organization come to.
	Totals(ctx context.Context, org id.Organization, f Filter) (Totals, error)
	// Days sums them by day, and leaves out days without any.
	Days(ctx context.Context, org id.Organization, f Filter) ([]Day, error)
	// Entries returns up to limit entries before a sequence (0: from the end),
	// the newest first.
	Entries(ctx context.Context, org id.Organization, f Filter, before int64, limit int) ([]Entry, error)
}

// Service answers what was used, to those who may know.
type Service struct{ store Reader }

// NewService returns a service over a database.
func NewService(store Reader) *Service { return &Service{store} }

// Totals sums an organization's entries. A member may ask for what is filtered
// by themselves; all else needs the right to everybody's usage.
func (s *Service) Totals(ctx context.Context, who caller.Caller, org id.Organization, f Filter) (Totals, error) {
	if err := access.CheckOwner(who, caller.OwnUsage, caller.AllUsage, f.Member, org); err != nil {
		return Totals{}, err
	}
	return s.store.Totals(ctx, org, f)
}

// Day is what was settled on a day, in UTC.
type Day struct {
	At        time.Time // its beginning
	Requests  int64
	CostNanos int64
}

// Days sums an organization's entries by day, in order, under the same rights as
// Totals.
func (s *Service) Days(ctx context.Context, who caller.Caller, org id.Organization, f Filter) ([]Day, error) {
	if err := access.CheckOwner(who, caller.OwnUsage, caller.AllUsage, f.Member, org); err != nil {
		return nil, err
	}
	return s.store.Days(ctx, org, f)
}

// Page is a place in a list: up to Limit entries before the one of sequence
// Before, from the end if that is 0.
type Page struct {
	Before int64
	Limit  int // 1 to 1000; otherwise 100
}

const (
	defaultLimit = 100
	maxLimit     = 1000
)

// List returns entries, the newest first, under the same rights as Totals. The
// next page is before the sequence of the last one.
func (s *Service) List(ctx context.Context, who caller.Caller, org id.Organization, f Filter, p Page) ([]Entry, error) {
	if err := access.CheckOwner(who, caller.OwnUsage, caller.AllUsage, f.Member, org); err != nil {
		return nil, err
	}
	if p.Limit < 1 || p.Limit > maxLimit {
		p.Limit = defaultLimit
	}
	return s.store.Entries(ctx, org, f, max(p.Before, 0), p.Limit)
}
