package gateway_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/gateway/quota"
	testupstream "github.com/gatehouse-dev/gatehouse/internal/testkit/upstream"
)

// drawing is a fleet whose upstreams draw from pools, by a clock that stands still.
func drawing(t *testing.T, pools map[string]string, quotas map[string]quota.Quota) (*fleet, *time.Time) {
	t.Helper()
	f, now := newFleet(t, 2), time.Unix(1e9, 0)
	f.route.Pools, f.route.Quotas = pools, quota.New(quotas, func() time.Time { return now })
	return f, &now
}

func TestQuotas(t *testing.T) {
	t.Parallel()
	f, now := drawing(t, map[string]string{"a": "one"}, map[string]quota.Quota{"one": {Requests: 1}})
	for _, want := range []string{"a", "b", "b"} {
		if status, by := f.send(t, ""); status != http.StatusOK || by != want {
			t.Errorf("answered %d by %q, not by %s", status, by, want)
		}
	}
	for _, want := range []string{"", "b", "b"} { // reserved for the first, answered by the second
		if got := f.ledger.next(t); got.Upstream != want {
			t.Errorf("settled as of %q, not of %q", got.Upstream, want)
		}
	}
	*now = now.Add(time.Minute)
	if _, by := f.send(t, ""); by != "a" {
		t.Errorf("a minute later %q answers", by)
	}
}

// Where there is none left anywhere, the client is told when to come again, no upstream
// is asked, and nothing is charged.
func TestNoQuotaLeft(t *testing.T) {
	t.Parallel()
	f, _ := drawing(t, map[string]string{"a": "one", "b": "one"}, map[string]quota.Quota{"one": {Requests: 2}})
	f.send(t, "")
	f.send(t, "")
	response, body := f.ask(t, "POST", "/v1/messages", plainBody)
	if response.StatusCode != http.StatusTooManyRequests || response.Header.Get("Retry-After") != "30" || !strings.Contains(body, "rate_limit_error") || !strings.Contains(body, "quota") {
		t.Errorf("answered %d, after %q: %s", response.StatusCode, response.Header.Get("Retry-After"), body)
	}
	if asked := f.servers[0].Count(testupstream.Messages) + f.servers[1].Count(testupstream.Messages); asked != 2 {
		t.Errorf("the upstreams were asked %d times", asked)
	}
	f.ledger.next(t)
	f.ledger.next(t)
	if o := f.ledger.next(t); o.Tokens.Input != 0 || o.Estimated {
		t.Errorf("it is settled as %+v", o)
	}
}

// What an answer really took is what is left out of the pool: what looks like 900 tokens
// comes out of a cache.
func TestQuotaOfTokens(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 1)
	f.before(t, func(w http.ResponseWriter, r *http.Request) {
		begin(w, r, kindOfDocument)
		_, _ = io.WriteString(w, `{"type":"message","usage":{"input_tokens":5,"cache_read_input_tokens":900,"output_tokens":45}}`)
	})
	f.route.Pools, f.route.Quotas = map[string]string{"first": "one"}, quota.New(map[string]quota.Quota{"one": {Tokens: 1000}}, func() time.Time { return time.Unix(1e9, 0) })
	long := `{"model":"claude-a","max_tokens":99,"messages":[],"metadata":"` + strings.Repeat("x", 3550) + `"}`
	for i, want := range []string{"first", "first", "a"} {
		response, body := f.ask(t, "POST", "/v1/messages", long)
		if by := response.Header.Get("X-Gatehouse-Upstream"); response.StatusCode != http.StatusOK || by != want {
			t.Errorf("request %d is answered %d by %q: %s", i, response.StatusCode, by, body)
		}
		f.ledger.next(t)
	}
}

// What an upstream took that then said nothing is no other's: the refusal of one without
// a pool does not shut the pool of the first.
func TestQuotaOfAnAnswerThatDoesNotBegin(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 1)
	silent := true
	f.before(t, func(w http.ResponseWriter, r *http.Request) {
		begin(w, r, kindOfDocument)
		if !silent {
			_, _ = io.WriteString(w, `{"type":"message"}`)
		}
	})
	f.route.Health = nil
	f.route.Pools, f.route.Quotas = map[string]string{"first": "one"}, quota.New(map[string]quota.Quota{"one": {Requests: 10}}, func() time.Time { return time.Unix(1e9, 0) })
	f.servers[0].Always(testupstream.Plan{Status: http.StatusTooManyRequests})
	if status, _ := f.send(t, ""); status != http.StatusTooManyRequests {
		t.Errorf("answered %d", status)
	}
	silent = false
	if status, by := f.send(t, ""); status != http.StatusOK || by != "first" {
		t.Errorf("after that: %d by %q", status, by)
	}
}

// Counting tokens has limits and rights of its own: what comes of it says nothing of
// how an upstream answers.
func TestCountingOpensNoCircuit(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2)
	f.servers[0].Always(testupstream.Plan{Status: http.StatusForbidden})
	for range 20 {
		f.ask(t, "POST", "/v1/messages/count_tokens", plainBody)
	}
	f.servers[0].Always(testupstream.Plan{})
	if status, by := f.send(t, ""); status != http.StatusOK || by != "a" {
		t.Errorf("answered %d by %q", status, by)
	}
}

// A pool that its provider calls exhausted is left alone, also at its other upstream and
// under another spelling of the model.
func TestExhaustedPool(t *testing.T) {
	t.Parallel()
	f, now := drawing(t, map[string]string{"a": "one", "b": "one"}, map[string]quota.Quota{})
	f.servers[0].Always(testupstream.Plan{Status: http.StatusTooManyRequests})
	if status, _ := f.send(t, ""); status != http.StatusTooManyRequests || f.servers[1].Count(testupstream.Messages) != 0 {
		t.Errorf("answered %d, and the other was asked %d times", status, f.servers[1].Count(testupstream.Messages))
	}
	response, _ := f.ask(t, "POST", "/v1/messages", strings.Replace(plainBody, "claude-a", "anthropic.claude-a", 1))
	if response.StatusCode != http.StatusTooManyRequests || f.servers[0].Count(testupstream.Messages) != 1 {
		t.Errorf("under another name: %d, asked %d times", response.StatusCode, f.servers[0].Count(testupstream.Messages))
	}
	*now = now.Add(time.Minute)
	f.servers[0].Always(testupstream.Plan{})
	if status, by := f.send(t, ""); status != http.StatusOK || by != "a" {
		t.Errorf("after that: %d by %q", status, by)
	}
}
