package store_test

import (
	"slices"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/usage"
)

// TestDaysAddUpToTotals sums the same entries by day, at once, and one by one as
// for times that are no whole days; entries that come again count once.
func TestDaysAddUpToTotals(t *testing.T) {
	t.Parallel()
	overBoth(t, func(t *testing.T, r *record) {
		day := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
		var entries []usage.Entry
		for i := range 90 {
			at := day.Add(time.Duration(i) * 47 * time.Minute)
			e := usage.Entry{Kind: usage.Settled, CostNanos: int64(i + 1)}
			e.Organization, e.Request, e.At, e.Member = "org", id.NewRequest(), at, "user_1"
			entries = append(entries, e)
		}
		must(t, r.Ledger().Append(t.Context(), entries[:40]))
		must(t, r.Ledger().Append(t.Context(), entries[:60]))
		must(t, r.Ledger().Append(t.Context(), entries))
		f := usage.Filter{From: day.Add(-24 * time.Hour), To: day.Add(48 * time.Hour)}
		days, err := r.Ledger().Days(t.Context(), "org", f)
		must(t, err)
		totals, err := r.Ledger().Totals(t.Context(), "org", f)
		must(t, err)
		var requests, cost int64
		for _, d := range days {
			requests, cost = requests+d.Requests, cost+d.CostNanos
		}
		if len(days) != 2 || !days[0].At.Equal(day) || !days[1].At.Equal(day.Add(24*time.Hour)) || requests != totals.Requests || cost != totals.CostNanos || requests == 0 {
			t.Errorf("%+v do not add up to %+v", days, totals)
		}
		for _, member := range []id.Member{"", "user_1", "user_2"} {
			f.Member = member
			whole, err := r.Ledger().Totals(t.Context(), "org", f)
			must(t, err)
			f.To = f.To.Add(time.Microsecond)
			single, err := r.Ledger().Totals(t.Context(), "org", f)
			must(t, err)
			byDay, err := r.Ledger().Days(t.Context(), "org", f)
			must(t, err)
			f.To = f.To.Add(-time.Microsecond)
			if whole != single || (member != "user_2" && (whole != totals || !slices.Equal(days, byDay))) {
				t.Errorf("of %q: days say %+v, entries %+v; %v and %v", member, whole, single, days, byDay)
			}
		}
		if days, err := r.Ledger().Days(t.Context(), "other", f); err != nil || len(days) != 0 {
			t.Errorf("a foreign organization: %+v, %v", days, err)
		}
	})
}
