package gateway_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/price"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/upstream"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/anthropic"
	"github.com/gatehouse-dev/gatehouse/internal/usage"
	"github.com/google/go-cmp/cmp"
)

const plain = `{"model":"claude-a","max_tokens":100,"messages":[{"role":"user","content":"hi"}]}`
const streamed = `{"stream":true,"model":"claude-a[1m]","messages":[{"role":"user","content":[{"type":"text","text":"hi","cache_control":{"type":"ephemeral"}}]}],"unknown":{"a":[1]}}`

func TestRelayStream(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	f.upstream.Always(upstream.Plan{Comment: "a comment"})
	response, got := f.ask(t, "POST", "/v1/messages?beta=true&x=%2F", streamed,
		"Anthropic-Beta", "a, oauth-2025-04-20,b", "Anthropic-Version", "2023-06-01", "Cookie", "c=1", "X-Forwarded-For", "10.0.0.1",
		"X-Claude-Code-Session-Id", "session", "User-Agent", "claude-cli/2", "X-Api_Key", "spoof", "Idempotency-Key", "i")
	request := f.upstream.Requests()[0]
	if string(request.Body) != streamed {
		t.Errorf("the body arrived as %q", request.Body)
	}
	if request.Path != "/v1/messages" || request.Query != "beta=true&x=%2F" {
		t.Errorf("it went to %s?%s", request.Path, request.Query)
	}
	want := http.Header{"Anthropic-Beta": {"a,b"}, "Anthropic-Version": {"2023-06-01"}, "X-Claude-Code-Session-Id": {"session"}, "User-Agent": {"claude-cli/2"},
		"X-Api-Key": {upstream.Key}, "Accept-Encoding": {"identity"}, "Idempotency-Key": {"i"}, "Content-Length": {fmt.Sprint(len(streamed))}}
	if diff := cmp.Diff(want, request.Header); diff != "" {
		t.Errorf("headers at the upstream (-want +got):\n%s", diff)
	}
	if !strings.Contains(got, ": a comment\n") || !strings.Contains(got, "event: ping\n") || !strings.HasSuffix(got, "\n\n") || !strings.Contains(got, "message_stop") {
		t.Errorf("the stream arrived as %q", got)
	}
	if id := response.Header.Get("Request-Id"); !strings.HasPrefix(id, "req_") || id == request.ID || response.Header.Get("X-Upstream-Request-Id") != request.ID {
		t.Errorf("ids: %v", response.Header)
	}
	if response.Header.Get("Anthropic-Organization-Id") != "org" || response.Header.Get("X-Content-Type-Options") != "nosniff" || response.Header.Get("Cache-Control") == "" {
		t.Errorf("headers: %v", response.Header)
	}
	sent := f.upstream.Total()
	outcome := f.ledger.next(t)
	if diff := cmp.Diff(price.Tokens(sent), outcome.Tokens); diff != "" || outcome.Estimated || outcome.Ending != usage.Complete || outcome.UpstreamRequestID != request.ID {
		t.Errorf("settled as %+v (-upstream +ledger):\n%s", outcome, diff)
	}
	if r := f.ledger.requests[0]; r.Model != "claude-a" || !r.Stream || r.Client.Session != "session" || r.BodyBytes != int64(len(streamed)) || r.Organization != "org" {
		t.Errorf("reserved as %+v", r)
	}
}

func TestRelayJSON(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	for _, words := range []int{3, 5000} { // one piece, and many
		f.upstream.Always(upstream.Plan{Words: words})
		_, got := f.ask(t, "POST", "/v1/messages", strings.Replace(plain, `100`, `9999`, 1))
		if !json.Valid([]byte(got)) {
			t.Errorf("arrived as %.200q…", got)
		}
		if o := f.ledger.next(t); o.Tokens.Output != int64(words) || o.Estimated || o.Ending != usage.Complete || o.Status != 200 {
			t.Errorf("settled as %+v", o)
		}
	}
	if _, got := f.ask(t, "POST", "/v1/messages/count_tokens", plain); !strings.Contains(got, "input_tokens") {
		t.Errorf("count_tokens: %s", got)
	}
	if len(f.ledger.requests) != 2 {
		t.Error("counting tokens was booked")
	}
}

func TestUpstreamErrors(t *testing.T) {
	t.Parallel()
	const odd = `{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 1 > 0"},  "x":1}`
	for _, c := range []struct {
		plan         upstream.Plan
		body         string
		status       int
		wantBody     string // "" for an envelope of ours
		wantErrorIs  string
		wantOurRetry bool
	}{
		{upstream.Plan{Status: 400, Body: odd}, plain, 400, odd, "", false},
		{upstream.Plan{Status: 429, Body: odd, Header: map[string]string{"Retry-After": "7"}}, streamed, 429, odd, "", true},
		{upstream.Plan{Status: 529, Body: odd}, streamed, 529, odd, "", false},
		{upstream.Plan{Status: 500, Body: "<html>"}, plain, 500, "<html>", "", false},
		{upstream.Plan{Status: 401, Body: odd}, plain, 503, "", "api_error", false},
		{upstream.Plan{Status: 403, Body: odd}, streamed, 503, "", "api_error", false},
		{upstream.Plan{Status: 302, Body: odd, Header: map[string]string{"Location": "http://127.0.0.1:1/"}}, plain, 503, "", "api_error", false},
	} {
		t.Run(fmt.Sprint(c.plan.Status), func(t *testing.T) {
			t.Parallel()
			f := newFront(t)
			f.upstream.Always(c.plan)
			response, got := f.ask(t, "POST", "/v1/messages", c.body)
			if response.StatusCode != c.status {
				t.Errorf("status %d", response.StatusCode)
			}
			if c.wantBody != "" && got != c.wantBody {
				t.Errorf("body %q", got)
			}
			if c.wantErrorIs != "" {
				wantEnvelope(t, response, got, c.wantErrorIs)
			}
			if c.wantOurRetry && response.Header.Get("Retry-After") != "7" {
				t.Error("retry-after was lost")
			}
			if o := f.ledger.next(t); o.Ending != usage.Refused || o.Tokens != (price.Tokens{}) || o.Status != c.status {
				t.Errorf("settled as %+v", o)
			}
		})
	}
}

// wantEnvelope checks Anthropic's error shape.
func wantEnvelope(t *testing.T, response *http.Response, body, kind string) {
	t.Helper()
	var got struct {
		Type  string
		Error struct{ Type, Message string }
		ID    string `json:"request_id"`
	}
	if err := json.Unmarshal([]byte(body), &got); err != nil || got.Type != "error" || got.Error.Type != kind || got.Error.Message == "" ||
		got.ID == "" || got.ID != response.Header.Get("Request-Id") {
		t.Errorf("answered %d %s, want an envelope of type %s", response.StatusCode, body, kind)
	}
}

func TestAnswerHeaders(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	f.upstream.Always(upstream.Plan{Header: map[string]string{"Set-Cookie": "a=b", "Anthropic-Organization-Id": "theirs", "Anthropic-Ratelimit-Requests-Limit": "1",
		"X-Custom": "kept", "Anthropic-Custom": "kept", "Strict-Transport-Security": "max-age=1", "Connection": "X-Hop", "X-Hop": "1", "Cache-Control": "private", "Alt-Svc": "h3"}})
	response, _ := f.ask(t, "POST", "/v1/messages", plain)
	want := map[string]string{"X-Custom": "kept", "Anthropic-Custom": "kept", "Anthropic-Organization-Id": "org", "Cache-Control": "private",
		"Set-Cookie": "", "Anthropic-Ratelimit-Requests-Limit": "", "Strict-Transport-Security": "", "X-Hop": "", "Alt-Svc": ""}
	got := map[string]string{}
	for name := range want {
		got[name] = response.Header.Get(name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
}

// TestNothingBeforeDurable holds the disk back and expects the client to wait.
func TestNothingBeforeDurable(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	f.ledger.wait = make(chan struct{})
	got := make(chan struct{})
	go func() {
		defer close(got)
		f.ask(t, "POST", "/v1/messages", streamed)
	}()
	<-f.upstream.Next(t.Context(), t).Done() // the upstream has said it all
	select {
	case <-got:
		t.Fatal("an answer came before the reservation was durable")
	default:
	}
	close(f.ledger.wait)
	<-got
}

func TestLedgerFails(t *testing.T) {
	t.Parallel()
	t.Run("reserving", func(t *testing.T) {
		t.Parallel()
		f := newFront(t)
		f.ledger.refuse = errDisk
		response, body := f.ask(t, "POST", "/v1/messages", plain)
		if response.StatusCode != 503 || response.Header.Get("Retry-After") == "" || strings.Contains(body, "device") {
			t.Errorf("answered %d %v %s", response.StatusCode, response.Header, body)
		}
		wantEnvelope(t, response, body, "api_error")
		if f.upstream.Count(upstream.Messages) != 0 {
			t.Error("it was sent all the same")
		}
	})
	t.Run("syncing", func(t *testing.T) {
		t.Parallel()
		f := newFront(t)
		f.ledger.fail = errDisk
		f.upstream.Always(upstream.Plan{Step: make(chan struct{})}) // would never end
		response, body := f.ask(t, "POST", "/v1/messages", streamed)
		if response.StatusCode != 503 || response.Header.Get("Retry-After") == "" {
			t.Errorf("answered %d %s", response.StatusCode, body)
		}
		<-f.upstream.Next(t.Context(), t).Done()
	})
	t.Run("over a spend limit", func(t *testing.T) {
		t.Parallel()
		f := newFront(t)
		f.ledger.refuse = fault.New(fault.Billing, "spend limit reached").After(time.Minute)
		response, body := f.ask(t, "POST", "/v1/messages", plain)
		if response.StatusCode != 429 || response.Header.Get("X-Should-Retry") != "false" || response.Header.Get("Retry-After") != "60" {
			t.Errorf("answered %d %v", response.StatusCode, response.Header)
		}
		wantEnvelope(t, response, body, "billing_error")
	})
}

// TestSettledBeforeTheEnd reads a stream to its last event and expects the
// ledger to know already.
func TestSettledBeforeTheEnd(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	for _, body := range []string{streamed, plain} {
		for range 20 {
			response := f.open(t, "POST", "/v1/messages", body)
			whole := ""
			var piece [512]byte
			for !strings.Contains(whole, "message_stop") && !json.Valid([]byte(whole)) {
				n, err := response.Body.Read(piece[:])
				if whole += string(piece[:n]); err != nil {
					break
				}
			}
			select {
			case <-f.ledger.settled:
			default:
				t.Fatal("the client had the answer whole before it was settled")
			}
			response.Body.Close()
		}
	}
}

// events reads a stream event by event.
type events struct{ lines *bufio.Reader }

func (e events) next(t *testing.T) string {
	t.Helper()
	event := ""
	for {
		line, err := e.lines.ReadString('\n')
		if event += line; err != nil {
			return event + "[" + err.Error() + "]"
		}
		if line == "\n" {
			return event
		}
	}
}

func TestRevokedInTheMiddle(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	f.upstream.Always(upstream.Plan{Step: make(chan struct{})})
	response := f.open(t, "POST", "/v1/messages", streamed)
	stream := events{bufio.NewReader(response.Body)}
	if first := stream.next(t); !strings.Contains(first, "message_start") {
		t.Fatalf("the stream begins with %q", first)
	}
	arrived := f.upstream.Next(t.Context(), t)
	f.revoke(t)
	last := stream.next(t)
	if !strings.HasPrefix(last, "event: error\ndata: {") || !strings.Contains(last, "authentication_error") {
		t.Errorf("it ended with %q", last)
	}
	if after := stream.next(t); !strings.Contains(after, "EOF") {
		t.Errorf("after that came %q", after)
	}
	<-arrived.Done()
	if o := f.ledger.next(t); o.Ending != usage.Revoked || !o.Estimated || o.Tokens.Input == 0 {
		t.Errorf("settled as %+v", o)
	}
	response, body := f.ask(t, "POST", "/v1/messages", plain)
	wantEnvelope(t, response, body, "authentication_error")
}

func TestShutdownInTheMiddle(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	f.upstream.Always(upstream.Plan{Step: make(chan struct{})})
	stream := events{bufio.NewReader(f.open(t, "POST", "/v1/messages", streamed).Body)}
	stream.next(t)
	if f.gateway.Open() != 1 {
		t.Errorf("%d exchanges are open", f.gateway.Open())
	}
	f.base(gateway.ErrShutdown)
	if last := stream.next(t); !strings.Contains(last, "shutting down") || !strings.Contains(last, "api_error") {
		t.Errorf("it ended with %q", last)
	}
	if o := f.ledger.next(t); o.Ending != usage.Broken {
		t.Errorf("settled as %+v", o)
	}
}

func TestClientGoesAway(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		plan upstream.Plan
		read bool
	}{
		{"in the middle of a stream", upstream.Plan{Step: make(chan struct{})}, true},
		{"before an answer", upstream.Plan{Hold: make(chan struct{})}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFront(t)
			f.upstream.Always(c.plan)
			ctx, leave := context.WithCancel(t.Context())
			request, _ := http.NewRequestWithContext(ctx, "POST", f.url+"/v1/messages", strings.NewReader(streamed))
			request.Header.Set("Authorization", "bearer "+key)
			go func() {
				if c.read {
					return
				}
				f.upstream.Next(t.Context(), t)
				leave()
			}()
			response, err := http.DefaultTransport.RoundTrip(request)
			if c.read {
				if err != nil {
					t.Fatal(err)
				}
				events{bufio.NewReader(response.Body)}.next(t)
				leave()
				response.Body.Close()
			}
			<-f.upstream.Requests()[0].Done()
			if o := f.ledger.next(t); o.Ending != usage.Aborted || !o.Estimated || o.Tokens.Input == 0 {
				t.Errorf("settled as %+v", o)
			}
		})
	}
}

func TestUpstreamBreaksOff(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{"stream": streamed, "json": plain} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFront(t)
			f.upstream.Always(upstream.Plan{BreakAfter: 3, Words: 4000})
			response := f.open(t, "POST", "/v1/messages", strings.Replace(body, "100", "9999", 1))
			if text, err := io.ReadAll(response.Body); err == nil {
				t.Errorf("a broken answer looks whole: …%q", text[max(0, len(text)-100):])
			}
			if o := f.ledger.next(t); o.Ending != usage.Broken || !o.Estimated {
				t.Errorf("settled as %+v", o)
			}
		})
	}
	t.Run("error event", func(t *testing.T) {
		t.Parallel()
		f := newFront(t)
		f.upstream.Always(upstream.Plan{StreamError: "overloaded_error"})
		if _, got := f.ask(t, "POST", "/v1/messages", streamed); !strings.Contains(got, "overloaded_error") {
			t.Errorf("the error event was lost: %q", got)
		}
		if o := f.ledger.next(t); o.Ending != usage.Broken {
			t.Errorf("settled as %+v", o)
		}
	})
}

func TestPingsWhereTheUpstreamIsSilent(t *testing.T) {
	t.Parallel()
	f := newFront(t, func(c *gateway.Config, _ *front) { c.Limits.PingAfter = 10 * time.Millisecond })
	step := make(chan struct{})
	f.upstream.Always(upstream.Plan{Step: step, NoPing: true})
	stream := events{bufio.NewReader(f.open(t, "POST", "/v1/messages", streamed).Body)}
	stream.next(t)
	for range 3 {
		if event := stream.next(t); !strings.HasPrefix(event, "event: ping\ndata: {\"type\": \"ping\"}\n\n") {
			t.Fatalf("in the silence came %q", event)
		}
	}
	close(step)
	for {
		event := stream.next(t)
		if strings.Contains(event, "EOF") {
			break
		}
		if !strings.HasPrefix(event, "event: ") || strings.Count(event, "event: ") != 1 {
			t.Fatalf("a ping fell into an event: %q", event)
		}
	}
	if o := f.ledger.next(t); o.Estimated || o.Ending != usage.Complete {
		t.Errorf("settled as %+v", o)
	}
}

func TestUpstreamFallsSilent(t *testing.T) {
	t.Parallel()
	f := newFront(t, func(c *gateway.Config, _ *front) { c.Limits.UpstreamIdle = 50 * time.Millisecond })
	f.upstream.Always(upstream.Plan{Step: make(chan struct{})})
	stream := events{bufio.NewReader(f.open(t, "POST", "/v1/messages", streamed).Body)}
	stream.next(t)
	if last := stream.next(t); !strings.Contains(last, "timeout_error") {
		t.Errorf("it ended with %q", last)
	}
	if o := f.ledger.next(t); o.Ending != usage.Broken {
		t.Errorf("settled as %+v", o)
	}
}

// TestUpstreamFallsSilentUnseen has an upstream say its header, and perhaps a
// little, and then nothing, where nothing but a clock can tell.
func TestUpstreamFallsSilentUnseen(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, kind, encoding, first string }{
		{"before a document", "application/json", "", ""}, {"in a document", "application/json", "", `{"type"`},
		{"before an unreadable stream", "text/event-stream", "br", ""}, {"in an unreadable stream", "text/event-stream", "br", "xyz"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			gone := make(chan struct{})
			silent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				defer close(gone)
				_, _ = io.Copy(io.Discard, r.Body)
				w.Header().Set("Content-Type", c.kind)
				if c.encoding != "" {
					w.Header().Set("Content-Encoding", c.encoding)
				}
				_, _ = io.WriteString(w, c.first)
				_ = http.NewResponseController(w).Flush()
				<-r.Context().Done()
			}))
			t.Cleanup(silent.Close)
			f := newFront(t, func(cfg *gateway.Config, _ *front) { cfg.Limits.UpstreamIdle = 50 * time.Millisecond })
			f.through(t, anthropic.Config{BaseURL: silent.URL})
			request, _ := http.NewRequestWithContext(t.Context(), "POST", f.url+"/v1/messages", strings.NewReader(plain))
			request.Header.Set("x-api-key", key)
			if response, err := http.DefaultTransport.RoundTrip(request); err == nil {
				_, err := io.Copy(io.Discard, response.Body)
				told := response.StatusCode == http.StatusGatewayTimeout // nothing was handed over yet
				if told != (c.encoding == "") || told == (err != nil) {
					t.Errorf("answered %d, whole: %v", response.StatusCode, err == nil)
				}
				response.Body.Close()
			}
			<-gone
			if o := f.ledger.next(t); o.Ending != usage.Broken || !o.Estimated || o.Tokens.Input == 0 {
				t.Errorf("settled as %+v", o)
			}
		})
	}
}

// TestClientStopsReading fills every buffer between the upstream and a client
// that has gone to sleep.
func TestClientStopsReading(t *testing.T) {
	t.Parallel()
	f := newFront(t, func(c *gateway.Config, _ *front) { c.Limits.ClientStall = 100 * time.Millisecond })
	f.upstream.Always(upstream.Plan{Words: 300_000})
	f.open(t, "POST", "/v1/messages", streamed)
	if o := f.ledger.next(t); o.Ending != usage.Aborted || !o.Estimated || o.Tokens.Output == 0 {
		t.Errorf("settled as %+v", o)
	}
	<-f.upstream.Requests()[0].Done()
}

// TestAnswersDoNotMix sends marked bodies from many clients at once.
func TestAnswersDoNotMix(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	f.upstream.Respond(func(r *upstream.Request) upstream.Plan {
		return upstream.Plan{Status: 418, Body: string(r.Body) + r.Header.Get("X-Mark") + strings.Repeat(r.Header.Get("X-Mark"), len(r.Body)%5000)}
	})
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for j := range 30 {
				mark := fmt.Sprintf("<%d-%d>", i, j)
				body := fmt.Sprintf(`{"model":"claude-a","stream":%v,"x":"%s"}`, j%2 == 0, strings.Repeat(mark, 1+(i*j*97)%9000))
				_, got := f.ask(t, "POST", "/v1/messages", body, "X-Mark", mark, "x-api-key", fmt.Sprintf("sk-gate-test-%d", i))
				if want := body + mark + strings.Repeat(mark, len(body)%5000); got != want {
					t.Errorf("%s got another's answer", mark)
				}
			}
		})
	}
	wg.Wait()
}

// TestProgressIsKept wants the ledger told of the input as soon as the upstream
// has said it, and of ever more output: a server that dies is settled by that.
func TestProgressIsKept(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	step := make(chan struct{})
	f.upstream.Always(upstream.Plan{Words: 20, Step: step})
	go func() {
		<-f.ledger.noted // the first event is known before the second is sent
		close(step)
	}()
	f.ask(t, "POST", "/v1/messages", streamed)
	settled := (<-f.ledger.settled).Tokens
	f.ledger.mu.Lock()
	defer f.ledger.mu.Unlock()
	if len(f.ledger.progress) == 0 {
		t.Fatal("nothing was noted before the end")
	}
	output := int64(0)
	for _, p := range f.ledger.progress {
		// What the model says in the end may be less than what was estimated.
		if p.Input != settled.Input || (p.Output < output && p.Output != settled.Output) {
			t.Errorf("noted %+v of what was settled as %+v", p, settled)
		}
		output = p.Output
	}
}
