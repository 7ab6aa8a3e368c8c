package store_test

import (
	"context"
	"fmt"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/migrated"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/price"
	"github.com/gatehouse-dev/gatehouse/internal/store"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/postgres"
	"github.com/gatehouse-dev/gatehouse/internal/usage"
)

var (
	_ usage.Appender = store.Ledger{}
	_ usage.Reader   = store.Ledger{}
)

// onBothLedgers runs a test on the ledger of either database.
func onBothLedgers(t *testing.T, test func(t *testing.T, l store.Ledger)) {
	t.Helper()
	for name, url := range map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return migrated.SQLite(t) },
		"postgres": func(t *testing.T) string { return migrated.Postgres(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, err := store.Open(t.Context(), url(t))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { db.Close() })
			test(t, db.Ledger())
		})
	}
}

var ledgerDay = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

// ledgerEntry is a settle entry in which every column differs.
func ledgerEntry(n int) usage.Entry {
	return usage.Entry{
		Kind: usage.Settled, Request: id.Request(fmt.Sprintf("req_%d", n)), At: ledgerDay.Add(time.Duration(n) * time.Hour).Add(time.Microsecond),
		Organization: "org", Member: "user_1", Key: "apikey_1", Session: "devs_1",
		Client:   usage.Client{Session: "session", Agent: "agent", ParentAgent: "parent"},
		Upstream: "anthropic", Model: "claude-opus-5", Stream: true, ReservedNanos: 1 << 40, Status: 200, Ending: usage.Complete, Estimated: true,
		Tokens:    price.Tokens{Input: 1, Output: 20, CacheRead: 300, CacheWrite5m: 4000, CacheWrite1h: 50000},
		CostNanos: 1 << 50, FirstByte: 7 * time.Microsecond, Latency: time.Hour, UpstreamRequestID: "req_upstream", PriceVersion: "2026",
	}
}

func TestLedgerRoundTrip(t *testing.T) {
	t.Parallel()
	onBothLedgers(t, func(t *testing.T, l store.Ledger) {
		var want []usage.Entry
		for i := range 2*64 + 5 { // whole statements and a rest
			want = append(want, ledgerEntry(i))
		}
		if err := l.Append(t.Context(), want); err != nil {
			t.Fatal(err)
		}
		var got []usage.Entry
		for before := int64(0); ; before = got[len(got)-1].Sequence {
			page, err := l.Entries(t.Context(), "org", usage.Filter{}, before, 20)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			got = append(got, page...)
		}
		slices.Reverse(got)
		for i := range got {
			if got[i].Sequence != int64(i+1) {
				t.Errorf("entry %d has sequence %d", i, got[i].Sequence)
			}
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(usage.Entry{}, "Sequence")); diff != "" {
			t.Error(diff)
		}
	})
}

func TestLedgerKeepsTheFirst(t *testing.T) {
	t.Parallel()
	onBothLedgers(t, func(t *testing.T, l store.Ledger) {
		first, second, reserve, foreign := ledgerEntry(1), ledgerEntry(1), ledgerEntry(1), ledgerEntry(1)
		second.CostNanos, reserve.Kind, foreign.Organization = 5, usage.Reserved, "other"
		for range 2 {
			if err := l.Append(t.Context(), []usage.Entry{first, second, first, reserve, foreign}); err != nil {
				t.Fatal(err)
			}
		}
		got, err := l.Entries(t.Context(), "org", usage.Filter{}, 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != 2 || got[0].Kind != usage.Reserved || got[1].CostNanos != first.CostNanos {
			t.Errorf("got %+v", got)
		}
	})
}

func TestLedgerIsAllOrNothing(t *testing.T) {
	t.Parallel()
	onBothLedgers(t, func(t *testing.T, l store.Ledger) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := l.Append(ctx, []usage.Entry{ledgerEntry(1)}); err == nil {
			t.Error("an ended context stored something")
		}
		if got, err := l.Entries(t.Context(), "org", usage.Filter{}, 0, 10); err != nil || len(got) != 0 {
			t.Errorf("got %v, %v", got, err)
		}
	})
}

func TestLedgerTotals(t *testing.T) {
	t.Parallel()
	onBothLedgers(t, func(t *testing.T, l store.Ledger) {
		with := func(n int, change func(*usage.Entry)) usage.Entry {
			e := ledgerEntry(n)
			e.CostNanos, e.ReservedNanos, e.Tokens, e.Estimated = 10, 100, price.Tokens{Input: 1, Output: 2, CacheRead: 3, CacheWrite5m: 4, CacheWrite1h: 5}, false
			change(&e)
			return e
		}
		reserve := func(e *usage.Entry) {
			e.Kind, e.CostNanos, e.Tokens = usage.Reserved, 0, price.Tokens{}
		}
		err := l.Append(t.Context(), []usage.Entry{
			with(1, reserve), with(1, func(e *usage.Entry) { e.Estimated = true }), // reserved and settled
			with(2, reserve), // open
			with(3, func(e *usage.Entry) { e.Member = "user_2" }),
			with(3, func(e *usage.Entry) {
				e.Kind, e.Member, e.CostNanos, e.Tokens = usage.Adjusted, "user_2", -4, price.Tokens{}
			}),
			with(4, func(e *usage.Entry) { e.Model, e.Key, e.Session = "claude-sonnet-5", "apikey_2", "devs_2" }),
			with(5, func(e *usage.Entry) { e.Organization = "other" }),
		})
		if err != nil {
			t.Fatal(err)
		}
		times := func(n int64) price.Tokens {
			return price.Tokens{Input: n, Output: 2 * n, CacheRead: 3 * n, CacheWrite5m: 4 * n, CacheWrite1h: 5 * n}
		}
		tests := map[string]struct {
			filter usage.Filter
			want   usage.Totals
		}{
			"all":     {usage.Filter{}, usage.Totals{Requests: 3, Estimated: 1, Tokens: times(3), CostNanos: 26, Open: 1, ReservedNanos: 100}},
			"member":  {usage.Filter{Member: "user_2"}, usage.Totals{Requests: 1, Tokens: times(1), CostNanos: 6}},
			"key":     {usage.Filter{Key: "apikey_2"}, usage.Totals{Requests: 1, Tokens: times(1), CostNanos: 10}},
			"session": {usage.Filter{Session: "devs_2"}, usage.Totals{Requests: 1, Tokens: times(1), CostNanos: 10}},
			"model":   {usage.Filter{Model: "claude-sonnet-5"}, usage.Totals{Requests: 1, Tokens: times(1), CostNanos: 10}},
			"time": {usage.Filter{From: ledgerDay.Add(2 * time.Hour).Add(time.Microsecond), To: ledgerDay.Add(4 * time.Hour).Add(time.Microsecond)},
				usage.Totals{Requests: 1, Tokens: times(1), CostNanos: 6, Open: 1, ReservedNanos: 100}},
			"nobody": {usage.Filter{Member: "user_9"}, usage.Totals{}},
		}
		for name, tt := range tests {
			got, err := l.Totals(t.Context(), "org", tt.filter)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s:\n%s", name, diff)
			}
		}
	})
}

func BenchmarkLedgerAppend(b *testing.B) {
	for name, url := range map[string]func() string{
		"sqlite":   func() string { return filepath.Join(b.TempDir(), "gatehouse.db") },
		"postgres": func() string { return postgres.New(b) },
	} {
		b.Run(name, func(b *testing.B) {
			db, err := store.Open(b.Context(), url())
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			const batch = 2000
			entries := make([]usage.Entry, batch)
			b.ReportAllocs()
			n := 0
			before := cpu(b)
			for b.Loop() {
				for i := range entries {
					entries[i] = ledgerEntry(i)
					entries[i].Request, entries[i].Client.Agent, entries[i].Client.ParentAgent = id.NewRequest(), "", ""
					entries[i].At = ledgerDay.Add(time.Duration(n+i) * 700 * time.Microsecond)
					entries[i].Member = id.Member(fmt.Sprintf("user_%022d", i%50))
					entries[i].Organization = "5f0e1c5a-7d10-4c6e-9a55-0d4b6a1f2c3d"
					entries[i].Key, entries[i].Session = "", "devs_0123456789012345678901"
					entries[i].Client.Session = "0f0e1c5a-7d10-4c6e-9a55-0d4b6a1f2c3d"
				}
				n += batch
				if err := db.Ledger().Append(b.Context(), entries); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(n), "µs/entry")
			b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(n), "cpu-µs/entry")
		})
	}
}

// cpu is the processor time that this process has used: on a busy machine that
// says more than the clock.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
