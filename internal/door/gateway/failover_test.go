package gateway_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/gateway/breaker"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	testupstream "github.com/gatehouse-dev/gatehouse/internal/testkit/upstream"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/anthropic"
)

// fleet is a front with several upstreams, "a", "b" …
type fleet struct {
	*front
	servers []*testupstream.Server
}

func newFleet(t *testing.T, n int, change ...option) *fleet {
	t.Helper()
	f := &fleet{front: newFront(t, change...)}
	f.route = &gateway.Route{Health: breaker.New(time.Now), Fences: map[string]string{}}
	for i := range n {
		s := testupstream.New(t)
		u, err := anthropic.New(anthropic.Config{Name: string(rune('a' + i)), BaseURL: s.URL, Key: secret.New(testupstream.Key)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(u.Close)
		f.servers = append(f.servers, s)
		f.route.Upstreams = append(f.route.Upstreams, u)
		f.route.Weights = append(f.route.Weights, 0)
	}
	return f
}

const plainBody = `{"model":"claude-a","max_tokens":3,"messages":[]}`

// send asks once, in a session, and says who answered.
func (f *fleet) send(t *testing.T, session string) (status int, by string) {
	t.Helper()
	response, _ := f.ask(t, "POST", "/v1/messages", plainBody, "x-claude-code-session-id", session)
	return response.StatusCode, response.Header.Get("X-Gatehouse-Upstream")
}

func TestFailover(t *testing.T) {
	t.Parallel()
	for _, status := range []int{401, 403, 404, 429, 500, 503, 529} {
		f := newFleet(t, 2)
		f.servers[0].Always(testupstream.Plan{Status: status})
		if got, by := f.send(t, ""); got != http.StatusOK || by != "b" {
			t.Errorf("after a %d of the first: answered %d by %q", status, got, by)
		}
	}
	f := newFleet(t, 2)
	f.servers[0].Always(testupstream.Plan{Status: 400})
	if got, by := f.send(t, ""); got != http.StatusBadRequest || by != "a" || f.servers[1].Count(testupstream.Messages) != 0 {
		t.Errorf("after what is the request's own fault: answered %d by %q", got, by)
	}
	f.servers[0].Close() // the plug is pulled
	if got, by := f.send(t, ""); got != http.StatusOK || by != "b" {
		t.Errorf("after the plug was pulled: answered %d by %q", got, by)
	}
}

// Where all refuse, the client hears what helps it most.
func TestAllRefuse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		plans [3]int
		want  int
		by    string
	}{{[3]int{429, 500, 404}, 429, "a"}, {[3]int{404, 429, 500}, 429, "b"}, {[3]int{500, 404, 529}, 529, "c"}, {[3]int{404, 404, 404}, 404, "c"}} {
		f := newFleet(t, 3)
		for i, status := range tt.plans {
			f.servers[i].Always(testupstream.Plan{Status: status})
		}
		if got, by := f.send(t, ""); got != tt.want || by != tt.by {
			t.Errorf("%v: answered %d by %q", tt.plans, got, by)
		}
	}
}

// Nothing that fails behind a fence is tried beyond it.
func TestFences(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 3)
	f.route.Fences["a"], f.route.Fences["c"] = "eu", "eu"
	f.servers[0].Always(testupstream.Plan{Status: 500})
	if got, by := f.send(t, ""); got != http.StatusOK || by != "c" {
		t.Errorf("answered %d by %q", got, by)
	}
	f.servers[2].Always(testupstream.Plan{Status: 500})
	if got, _ := f.send(t, ""); got != http.StatusInternalServerError || f.servers[1].Count(testupstream.Messages) != 0 {
		t.Errorf("answered %d, and the one beyond was asked %d times", got, f.servers[1].Count(testupstream.Messages))
	}
}

// Sessions are shared out by weight, and each stays where it is until that fails.
func TestSessionsStay(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 3)
	f.route.Weights = []int{3, 1, 0}
	at, count := map[string]string{}, map[string]int{}
	const sessions = 200
	for range 2 {
		for i := range sessions {
			session := fmt.Sprint("session-", i)
			_, by := f.send(t, session)
			if before := at[session]; before != "" && before != by {
				t.Fatalf("%s moved from %s to %s", session, before, by)
			}
			at[session] = by
			count[by]++
		}
	}
	if a := count["a"]; a < 2*sessions*60/100 || a > 2*sessions*90/100 || count["c"] != 0 {
		t.Errorf("shared out as %v", count)
	}
	f.servers[0].Always(testupstream.Plan{Status: 529})
	for i := range 20 {
		session := fmt.Sprint("session-", i)
		if status, by := f.send(t, session); status != http.StatusOK || by != "b" {
			t.Errorf("%s is answered %d by %q", session, status, by)
		}
	}
	// Its circuit is open by now: it is not asked any more.
	before := f.servers[0].Count(testupstream.Messages)
	f.send(t, "session-1")
	if f.servers[0].Count(testupstream.Messages) != before {
		t.Error("one that fails all the time is asked again and again")
	}
}

// An upstream of three that fails half of its requests costs nobody an error.
func TestOneOfThreeFailsHalfTheTime(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 3)
	f.route.Weights = []int{1, 1, 1}
	var n atomic.Int64
	f.servers[0].Respond(func(*testupstream.Request) testupstream.Plan {
		if n.Add(1)%2 == 0 {
			return testupstream.Plan{Status: 500}
		}
		return testupstream.Plan{}
	})
	for i := range 500 {
		if status, by := f.send(t, fmt.Sprint(i)); status != http.StatusOK {
			t.Fatalf("request %d is answered %d by %q", i, status, by)
		}
	}
	if asked := f.servers[0].Count(testupstream.Messages); asked > 60 {
		t.Errorf("the one that fails was asked %d times", asked)
	}
}

// The ledger names who answered, and the last one if nobody did.
func TestWhoAnsweredIsBooked(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2)
	f.servers[0].Always(testupstream.Plan{Status: 500})
	f.send(t, "")
	if booked := f.ledger.next(t); booked.Upstream != "b" {
		t.Errorf("booked %+v", booked)
	}
}

// A stream that breaks after its first byte is not begun again elsewhere.
func TestNoFailoverInTheMiddle(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2)
	f.servers[0].Always(testupstream.Plan{BreakAfter: 3})
	response := f.open(t, "POST", "/v1/messages", strings.Replace(plainBody, `"max`, `"stream":true,"max`, 1))
	buffer := make([]byte, 1<<16)
	var err error
	for err == nil {
		_, err = response.Body.Read(buffer)
	}
	if f.servers[1].Count(testupstream.Messages) != 0 {
		t.Error("the second was asked")
	}
}
