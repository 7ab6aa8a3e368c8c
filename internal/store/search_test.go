package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/activity"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
)

// TestForgedTerms wants terms to be believed in nothing: they lead to entries,
// and whose an entry is, it says itself.
func TestForgedTerms(t *testing.T) {
	t.Parallel()
	overBoth(t, func(t *testing.T, r *record) {
		foreign := audit.New(caller.OfSystem("foreign"), time.Unix(1, 0), audit.SignInFailed, "target", audit.Detail{"k": "secret"})
		must(t, r.Accounts().Note(t.Context(), foreign)) // entry 11
		for _, position := range []int{11, 4711, -3} {
			harm(t, r.behind, `INSERT INTO activity_term (organization_id, term, position) VALUES ('org', $1, $2)`, []byte("forged"), position)
		}
		// Where an entry is going to be recorded, with a term that it will have.
		harm(t, r.behind, `INSERT INTO activity_term (organization_id, term, position) VALUES ('org', $1, 12)`, []byte("target"))
		must(t, r.note(t))
		for text, want := range map[string]int{"forged": 0, "secret": 0, "target": 12, "v forged": 0} {
			for _, page := range []activity.Page{{Limit: 50}, {Limit: 50, From: 1}} {
				found, err := r.Activities().Search(t.Context(), "org", activity.Filter{Text: text}, page)
				must(t, err)
				if n := min(want, want-int(page.From)); len(found.Entries) != max(n, 0) {
					t.Errorf("%q finds %d entries, want %d", text, len(found.Entries), n)
				}
				for _, e := range found.Entries {
					if e.Organization != "org" {
						t.Errorf("%q finds the entry of %s", text, e.Organization)
					}
				}
			}
		}
		if at, err := r.firstBroken(t); err != nil {
			t.Errorf("forged terms break the log at %d: %v", at, err)
		}
	})
}

// TestOlderEntriesBecomeFindable is what follows the step from a program without
// terms.
func TestOlderEntriesBecomeFindable(t *testing.T) {
	t.Parallel()
	overBoth(t, func(t *testing.T, r *record) {
		harm(t, r.behind, `DELETE FROM activity_term`)
		harm(t, r.behind, `UPDATE activity_unsearched SET below = 11`)
		harm(t, r.behind, `UPDATE activity SET detail = NULL, salt = NULL WHERE position = 10`)
		must(t, r.note(t))
		for _, want := range []struct{ left, found int }{{7, 4}, {3, 8}, {0, 11}, {0, 11}} {
			left, err := r.Activities().IndexOlder(t.Context(), 4)
			must(t, err)
			found, err := r.Activities().Search(t.Context(), "org", activity.Filter{Text: "target"}, activity.Page{Limit: 50})
			must(t, err)
			if int(left) != want.left || len(found.Entries) != want.found {
				t.Errorf("%d are left and %d found, want %+v", left, len(found.Entries), want)
			}
		}
	})
}

// TestRecordingHasNoMoreTermsThanItsBound keeps what one event writes small,
// whatever is in it.
func TestRecordingHasNoMoreTermsThanItsBound(t *testing.T) {
	t.Parallel()
	overBoth(t, func(t *testing.T, r *record) {
		detail := audit.Detail{}
		for i := range 50 {
			detail[fmt.Sprint(i)] = fmt.Sprintf("a%d.b%d c%d", i, i, i)
		}
		must(t, r.Accounts().Note(t.Context(), audit.New(caller.OfSystem("org"), time.Unix(1, 0), audit.SignInFailed, "target", detail)))
		var n int
		must(t, r.behind.QueryRow(`SELECT COUNT(*) FROM activity_term WHERE position = 11`).Scan(&n))
		if n != 24 {
			t.Errorf("%d terms", n)
		}
	})
}
