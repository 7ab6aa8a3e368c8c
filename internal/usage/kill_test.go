package usage_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/price"
	"github.com/gatehouse-dev/gatehouse/internal/store"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/postgres"
	"github.com/gatehouse-dev/gatehouse/internal/usage"
)

// childEnv tells this test binary to be the process that is killed.
const childEnv = "GATEHOUSE_TEST_LEDGER_CHILD"

func TestMain(m *testing.M) {
	if where := os.Getenv(childEnv); where != "" {
		dir, url, _ := strings.Cut(where, "\n")
		if err := child(dir, url); err != nil {
			fmt.Println("failed", err)
		}
		return
	}
	os.Exit(m.Run())
}

// child takes requests until it is killed and says in a line what it has been
// promised: that a reservation is durable, that a request is settled.
func child(dir, url string) error {
	db, err := store.Open(context.Background(), url)
	if err != nil {
		return err
	}
	l, err := usage.Open(usage.Config{Dir: dir, Store: db.Ledger(), SegmentBytes: 1 << 16, DrainEvery: 20 * time.Millisecond, BatchRows: 100})
	if err != nil {
		return err
	}
	var workers sync.WaitGroup
	for w := range 8 {
		workers.Go(func() {
			for i := int64(1); ; i++ {
				if err := one(l, int64(w)*1_000_000+i, os.Stdout); err != nil {
					fmt.Println("failed", err)
					return
				}
			}
		})
	}
	workers.Wait()
	return nil
}

func one(l *usage.Ledger, n int64, said io.Writer) error {
	r := usage.Request{ID: id.NewRequest(), At: time.Now(), Organization: "org", Member: "user_1", Upstream: "simulated", Model: "claude-haiku-4-5", Stream: true, BodyBytes: 1000}
	h, err := l.Reserve(r)
	if err != nil {
		return err
	}
	if err := h.Durable(context.Background()); err != nil {
		return err
	}
	fmt.Fprintln(said, "durable", r.ID, n)
	h.Progress(price.Tokens{Input: n})
	if err := h.Settle(usage.Outcome{Ending: usage.Complete, Status: 200, Tokens: price.Tokens{Input: n, Output: 1}}); err != nil {
		return err
	}
	fmt.Fprintln(said, "settled", r.ID, n)
	return nil
}

// promises is what children said before they were killed.
type promises struct{ durable, settled map[id.Request]int64 }

// run starts a child and kills it after so many lines.
func (p promises) run(t *testing.T, dir, url string, lines int) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), childEnv+"="+dir+"\n"+url)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for in := bufio.NewScanner(out); in.Scan(); seen++ {
		if seen == lines {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
		// What it had said before the signal reached it is still in the pipe.
		var what, request string
		var n int64
		if _, err := fmt.Sscan(in.Text(), &what, &request, &n); err != nil {
			if seen > lines {
				break // cut off
			}
			t.Fatalf("the child said %q", in.Text())
		}
		if what == "settled" {
			p.settled[id.Request(request)] = n
		} else {
			p.durable[id.Request(request)] = n
		}
	}
	_ = cmd.Wait() // killed
	if seen < lines {
		t.Fatalf("the child ended after %d lines", seen)
	}
}

// A server that is killed under load, again and again, has in its ledger what
// its clients were given.
func TestKilledUnderLoad(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]func(*testing.T) string{
		"sqlite":   func(t *testing.T) string { return filepath.Join(t.TempDir(), "gatehouse.db") },
		"postgres": func(t *testing.T) string { return postgres.New(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, at := t.TempDir(), url(t)
			p := promises{map[id.Request]int64{}, map[id.Request]int64{}}
			for _, lines := range []int{50, 700, 1500} {
				p.run(t, dir, at, lines)
			}
			db, err := store.Open(t.Context(), at)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { db.Close() })
			l, err := usage.Open(usage.Config{Dir: dir, Store: db.Ledger()})
			if err != nil {
				t.Fatal(err)
			}
			if err := l.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			p.check(t, db.Ledger())
			if err := l.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func (p promises) check(t *testing.T, l store.Ledger) {
	t.Helper()
	rows, err := l.Entries(t.Context(), "org", usage.Filter{}, 0, 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	settled, lost := map[id.Request]usage.Entry{}, 0
	var sum price.Tokens
	var cost int64
	for _, e := range rows {
		if e.Kind != usage.Settled {
			continue
		}
		settled[e.Request] = e
		sum, cost = sum.Add(e.Tokens), cost+e.CostNanos
		if e.Ending == usage.Lost {
			lost++
		}
	}
	for request, n := range p.settled {
		if e := settled[request]; e.Ending != usage.Complete || e.Tokens != (price.Tokens{Input: n, Output: 1}) || e.Estimated {
			t.Errorf("%s was settled with %d, the ledger has %+v", request, n, e)
		}
	}
	for request, n := range p.durable {
		e, there := settled[request]
		if !there || e.Ending == usage.Lost && e.Tokens.Input != n && e.Tokens.Input != 250 {
			t.Errorf("%s was durable with %d, the ledger has %v %+v", request, n, there, e)
		}
	}
	if lost == 0 || lost > 3*8 {
		t.Errorf("%d requests were lost by three deaths of eight workers", lost)
	}
	totals, err := l.Totals(t.Context(), "org", usage.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	want := usage.Totals{Requests: int64(len(settled)), Estimated: int64(lost), Tokens: sum, CostNanos: cost}
	if totals != want || len(settled) < len(p.settled) {
		t.Errorf("the totals are %+v, the rows come to %+v", totals, want)
	}
}

// A database that goes away takes nothing with it and holds nobody up.
func TestPostgresGoneAndBack(t *testing.T) {
	t.Parallel()
	cluster := postgres.Own(t)
	db, err := store.Open(t.Context(), cluster.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	l, err := usage.Open(usage.Config{Dir: t.TempDir(), Store: db.Ledger(), DrainEvery: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	take := func(from, to int64) {
		for n := from; n < to; n++ {
			if err := one(l, n, io.Discard); err != nil {
				t.Fatal(err)
			}
		}
	}
	take(1, 100)
	cluster.Stop()
	take(100, 200)
	if lag := l.Lag(); lag.Bytes == 0 {
		t.Errorf("the lag is %+v", lag)
	}
	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := l.Flush(short); err == nil || fault.Is(err, fault.Unauthenticated) {
		t.Errorf("flushed to a database that is gone: %v", err)
	}
	cluster.Start(t)
	if err := l.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	totals, err := db.Ledger().Totals(t.Context(), "org", usage.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	if want := int64(199 * 200 / 2); totals.Requests != 199 || totals.Tokens.Input != want {
		t.Errorf("got %+v, want 199 requests and %d", totals, want)
	}
	if err := l.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}
