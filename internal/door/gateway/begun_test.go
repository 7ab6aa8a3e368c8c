package gateway_test

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/gateway/breaker"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	testupstream "github.com/gatehouse-dev/gatehouse/internal/testkit/upstream"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/anthropic"
	"github.com/gatehouse-dev/gatehouse/internal/usage"
)

// before puts an upstream that is served by answer before the others of a fleet.
func (f *fleet) before(t *testing.T, answer http.HandlerFunc) {
	t.Helper()
	s := httptest.NewServer(answer)
	t.Cleanup(s.Close)
	u, err := anthropic.New(anthropic.Config{Name: "first", BaseURL: s.URL, Key: secret.New("k")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(u.Close)
	f.route = &gateway.Route{Health: breaker.New(time.Now), Upstreams: append([]gateway.Upstream{u}, f.route.Upstreams...)}
}

// begin says the header of an answer, which looks well.
func begin(w http.ResponseWriter, r *http.Request, kind string) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", kind)
	w.Header().Set("X-Of-The-First", "yes")
	_ = http.NewResponseController(w).Flush()
}

const kindOfStream, kindOfDocument = "text/event-stream", "application/json"

var bodyOf = map[string]string{kindOfStream: streamed, kindOfDocument: plain}

// TestNothingOfAnAnswer has an upstream say its header and nothing more: the next one
// answers, with the whole request, and nothing of the first is left.
func TestNothingOfAnAnswer(t *testing.T) {
	t.Parallel()
	for kind, body := range bodyOf {
		for how, end := range map[string]func(){"an end": func() {}, "a break": func() { panic(http.ErrAbortHandler) }} {
			f := newFleet(t, 1)
			f.before(t, func(w http.ResponseWriter, r *http.Request) {
				begin(w, r, kind)
				end()
			})
			got, text := f.ask(t, "POST", "/v1/messages", body)
			if got.StatusCode != http.StatusOK || got.Header.Get("X-Gatehouse-Upstream") != "a" || got.Header.Get("X-Of-The-First") != "" || !strings.Contains(text, "end_turn") {
				t.Errorf("%s after %s: %d by %q: %s", kind, how, got.StatusCode, got.Header.Get("X-Gatehouse-Upstream"), text)
			}
			if seen := f.servers[0].Requests(); len(seen) != 1 || string(seen[0].Body) != body {
				t.Errorf("%s after %s: the next was asked %d times", kind, how, len(seen))
			}
			if o := f.ledger.next(t); o.Ending != usage.Complete || o.Upstream != "a" || o.Status != http.StatusOK || o.Estimated {
				t.Errorf("%s after %s is settled as %+v", kind, how, o)
			}
		}
	}
}

// TestNothingOfAnyAnswer leaves nobody to ask: the client is told so, in the form of
// the API, and may come again.
func TestNothingOfAnyAnswer(t *testing.T) {
	t.Parallel()
	for kind, body := range bodyOf {
		f := newFleet(t, 1)
		f.before(t, func(w http.ResponseWriter, r *http.Request) { begin(w, r, kind) })
		f.route.Upstreams = f.route.Upstreams[:1]
		got, text := f.ask(t, "POST", "/v1/messages", body)
		if got.StatusCode != http.StatusServiceUnavailable || got.Header.Get("Content-Type") != "application/json" || !strings.Contains(text, `"type":"error"`) {
			t.Errorf("%s: %d %s", kind, got.StatusCode, text)
		}
		if o := f.ledger.next(t); o.Ending != usage.Broken || !o.Estimated || o.Status != http.StatusServiceUnavailable {
			t.Errorf("%s is settled as %+v", kind, o)
		}
	}
}

// TestSomethingOfADocument has an upstream that breaks off in the middle. It may have
// charged for that, so nobody else is asked; the client, which has nothing yet, is told.
func TestSomethingOfADocument(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 1)
	f.before(t, func(w http.ResponseWriter, r *http.Request) {
		begin(w, r, kindOfDocument)
		_, _ = io.WriteString(w, `{"type":"message","usa`)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	got, text := f.ask(t, "POST", "/v1/messages", plain)
	if got.StatusCode != http.StatusServiceUnavailable || !strings.Contains(text, "broke off") || f.servers[0].Count(testupstream.Messages) != 0 {
		t.Errorf("answered %d %s, and the next was asked %d times", got.StatusCode, text, f.servers[0].Count(testupstream.Messages))
	}
	if o := f.ledger.next(t); o.Ending != usage.Broken || o.Tokens.Input == 0 || o.Status != http.StatusServiceUnavailable {
		t.Errorf("it is settled as %+v", o)
	}
}

// TestALateFirstEvent waits with the header for as long as a client can be left without
// a sign; what breaks after that breaks.
func TestALateFirstEvent(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 1, func(c *gateway.Config, _ *front) { c.Limits.PingAfter = 50 * time.Millisecond })
	pinged := make(chan struct{})
	f.before(t, func(w http.ResponseWriter, r *http.Request) {
		begin(w, r, kindOfStream)
		select {
		case <-pinged:
		case <-r.Context().Done():
		}
		panic(http.ErrAbortHandler)
	})
	response := f.open(t, "POST", "/v1/messages", streamed)
	if by := response.Header.Get("X-Gatehouse-Upstream"); response.StatusCode != http.StatusOK || by != "first" {
		t.Fatalf("answered %d by %q", response.StatusCode, by)
	}
	stream := events{bufio.NewReader(response.Body)}
	if event := stream.next(t); !strings.HasPrefix(event, "event: ping\n") {
		t.Errorf("the first event is %q", event)
	}
	close(pinged)
	if _, err := io.Copy(io.Discard, stream.lines); err == nil {
		t.Error("what broke looks whole")
	}
	if o := f.ledger.next(t); o.Ending != usage.Broken || f.servers[0].Count(testupstream.Messages) != 0 {
		t.Errorf("it is settled as %+v, and the next was asked %d times", o, f.servers[0].Count(testupstream.Messages))
	}
}
