package ledger_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/price"
	"github.com/gatehouse-dev/gatehouse/internal/store"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/gatehoused"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/postgres"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/upstream"
	"github.com/gatehouse-dev/gatehouse/internal/usage"
)

func TestLedgerCountsWhatTheUpstreamCounted(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); proof(t, "") })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); proof(t, postgres.New(t)) })
}

// proof loads a server, kills it in the middle, starts it again, loads it once
// more, ends it, and compares the ledger with the upstream's own count.
func proof(t *testing.T, database string) {
	up := upstream.New(t)
	d := gatehoused.Start(t, gatehoused.Options{Database: database, Args: []string{"--upstream-url", up.URL, "--upstream-key", upstream.Key}})
	whole := load(d, 24, 400, d.Kill9)
	if whole < 400 {
		t.Fatalf("only %d requests were answered before the server was killed", whole)
	}
	d.Restart()
	whole += load(d, 8, 100, func() {})
	if code := d.Stop(); code != 0 {
		t.Fatalf("the server ended with %d", code)
	}
	compare(t, entries(t, d, database), up, whole)
}

// load keeps a number of clients busy until so many answers came whole, calls
// then, and waits for the clients. It returns how many answers came whole.
func load(d *gatehoused.Demo, clients, answers int, then func()) int {
	var whole atomic.Int64
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	enough := make(chan struct{})
	for c := range clients {
		wg.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				if ask(ctx, d, (c+i)%2 == 0, c*1000+i) != nil {
					return
				}
				if whole.Add(1) == int64(answers) {
					close(enough)
				}
			}
		})
	}
	<-enough
	then()
	cancel()
	wg.Wait()
	return int(whole.Load())
}

// ask sends a request and reads the answer to its end.
func ask(ctx context.Context, d *gatehoused.Demo, stream bool, n int) error {
	body := fmt.Sprintf(`{"model":"claude-sonnet-5","max_tokens":%d,"stream":%v,"messages":[{"role":"user","content":"%s"}]}`, 5+n%40, stream, strings.Repeat("word ", n%50))
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, d.URL+"/v1/messages?beta=true", strings.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("x-api-key", d.Member.APIKey)
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	if err == nil && (answer.StatusCode != http.StatusOK || stream && !strings.Contains(string(raw), "message_stop")) {
		err = fmt.Errorf("answer %d", answer.StatusCode)
	}
	return err
}

// entries reads the ledger from the database, without the program.
func entries(t *testing.T, d *gatehoused.Demo, database string) []usage.Entry {
	t.Helper()
	if database == "" {
		database = filepath.Join(d.Data, "gatehouse.db")
	}
	db, err := store.Open(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var all []usage.Entry
	for {
		var before int64
		if len(all) > 0 {
			before = all[len(all)-1].Sequence
		}
		next, err := db.Ledger().Entries(t.Context(), id.Organization(d.OrganizationID), usage.Filter{}, before, 500)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, next...)
		if len(next) < 500 {
			break
		}
	}
	if left, _ := filepath.Glob(filepath.Join(d.Data, "ledger", "*", "*.seg")); len(left) > 0 {
		if info, err := os.Stat(left[0]); err == nil {
			t.Logf("a journal is left: %s, %d bytes", left[0], info.Size())
		}
	}
	return all
}

// compare goes through the upstream's requests one by one.
func compare(t *testing.T, ledger []usage.Entry, up *upstream.Server, whole int) {
	t.Helper()
	settled, lost := map[string]usage.Entry{}, 0
	var sum, exact, estimated price.Tokens
	var cost int64
	for _, e := range ledger {
		if e.Kind != usage.Settled {
			continue
		}
		sum, cost = sum.Add(e.Tokens), cost+e.CostNanos
		if e.Ending != usage.Complete {
			lost++
			estimated = estimated.Add(e.Tokens)
			continue
		}
		if _, twice := settled[e.UpstreamRequestID]; twice || e.UpstreamRequestID == "" {
			t.Errorf("request %q of the upstream is there twice, or has no id", e.UpstreamRequestID)
		}
		settled[e.UpstreamRequestID] = e
		exact = exact.Add(e.Tokens)
		if want, _ := price.Default().Cost(e.Model, e.At, e.Tokens, 0); e.CostNanos != want || want == 0 {
			t.Errorf("request %s costs %d, not %d", e.Request, e.CostNanos, want)
		}
	}
	var counted, unfinished price.Tokens
	missing := 0
	for _, r := range up.Requests() {
		if r.Kind != upstream.Messages {
			continue
		}
		u := tokens(up.UsageSent(r))
		e, ok := settled[r.ID]
		switch {
		case !ok:
			missing++
			unfinished = unfinished.Add(u)
		case e.Tokens != u:
			t.Errorf("upstream request %s: the ledger says %+v, the upstream %+v", r.ID, e.Tokens, u)
		default:
			counted = counted.Add(u)
		}
	}
	if exact != counted {
		t.Errorf("the ledger's completed requests sum to %+v, the upstream's to %+v", exact, counted)
	}
	if len(settled) < whole {
		t.Errorf("%d answers came whole and only %d are settled as complete", whole, len(settled))
	}
	// One more may be booked and not have reached the upstream yet; never one less.
	if missing > lost {
		t.Errorf("%d requests of the upstream have no complete entry, and the ledger holds %d as cut off", missing, lost)
	}
	t.Logf("%d answers came whole; %d are in the ledger exactly (%+v, %d nano-dollars in all); the kill cut %d off: the upstream had sent %+v, the ledger settled %+v",
		whole, len(settled), exact, cost, lost, unfinished, estimated)
}

func tokens(u upstream.Usage) price.Tokens {
	return price.Tokens{Input: u.Input, Output: u.Output, CacheRead: u.CacheRead, CacheWrite5m: u.CacheWrite5m, CacheWrite1h: u.CacheWrite1h}
}
