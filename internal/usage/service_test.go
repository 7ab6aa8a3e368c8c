package usage

import (
	"context"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
)

// asked notes what reaches the database.
type asked struct {
	org    id.Organization
	filter Filter
	before int64
	limit  int
}

func (a *asked) Totals(_ context.Context, org id.Organization, f Filter) (Totals, error) {
	a.org, a.filter = org, f
	return Totals{Requests: 1}, nil
}

func (a *asked) Days(_ context.Context, org id.Organization, f Filter) ([]Day, error) {
	a.org, a.filter = org, f
	return []Day{{Requests: 1}}, nil
}

func (a *asked) Entries(_ context.Context, org id.Organization, f Filter, before int64, limit int) ([]Entry, error) {
	*a = asked{org, f, before, limit}
	return []Entry{{}}, nil
}

func TestWhoMayReadUsage(t *testing.T) {
	t.Parallel()
	member := func(rights ...caller.Right) caller.Caller {
		return caller.Caller{Kind: caller.Member, Organization: "org", Member: "user_1", Rights: caller.RightsOf(rights...)}
	}
	own, everybody, other := Filter{Member: "user_1"}, Filter{}, Filter{Member: "user_2"}
	tests := map[string]struct {
		who    caller.Caller
		filter Filter
		want   fault.Kind // Internal: allowed
	}{
		"nobody":                   {caller.Caller{}, own, fault.Unauthenticated},
		"without rights":           {member(), own, fault.Denied},
		"own":                      {member(caller.OwnUsage), own, fault.Internal},
		"own, of everybody":        {member(caller.OwnUsage), everybody, fault.Denied},
		"own, of another":          {member(caller.OwnUsage), other, fault.Denied},
		"all":                      {member(caller.AllUsage), everybody, fault.Internal},
		"all, of another":          {member(caller.AllUsage), other, fault.Internal},
		"of another organization":  {caller.Caller{Kind: caller.Member, Organization: "x", Member: "user_1", Rights: caller.All}, own, fault.NotFound},
		"a key without a member":   {caller.Caller{Kind: caller.AdminKey, Organization: "org", Rights: caller.RightsOf(caller.OwnUsage)}, everybody, fault.Denied},
		"the operator":             {caller.OfOperator(""), everybody, fault.Internal},
		"an admin key with rights": {caller.Caller{Kind: caller.AdminKey, Organization: "org", Rights: caller.RightsOf(caller.AllUsage)}, everybody, fault.Internal},
	}
	for name, tt := range tests {
		store := &asked{}
		s := NewService(store)
		_, err := s.Totals(t.Context(), tt.who, "org", tt.filter)
		_, err2 := s.List(t.Context(), tt.who, "org", tt.filter, Page{})
		if fault.KindOf(err) != tt.want || fault.KindOf(err2) != tt.want || (err == nil) != (tt.want == fault.Internal) || (err2 == nil) != (err == nil) {
			t.Errorf("%s: %v, %v; want %v", name, err, err2, tt.want)
		}
		if _, err3 := s.Days(t.Context(), tt.who, "org", tt.filter); fault.KindOf(err3) != tt.want || (err3 == nil) != (err == nil) {
			t.Errorf("%s, by day: %v; want %v", name, err3, tt.want)
		}
		if reached := store.org != ""; reached != (err == nil) {
			t.Errorf("%s: the database was asked: %v", name, reached)
		}
	}
}

func TestPagesAreBounded(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		page          Page
		before, limit int
	}{{Page{}, 0, 100}, {Page{Before: 7, Limit: 20}, 7, 20}, {Page{Before: -7, Limit: -20}, 0, 100}, {Page{Limit: 1_000_000}, 0, 100}} {
		store := &asked{}
		if _, err := NewService(store).List(t.Context(), caller.OfOperator(""), "org", Filter{}, tt.page); err != nil {
			t.Fatal(err)
		}
		if store.before != int64(tt.before) || store.limit != tt.limit {
			t.Errorf("%+v became %+v", tt.page, store)
		}
	}
}
