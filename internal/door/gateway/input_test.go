package gateway_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
	door "github.com/gatehouse-dev/gatehouse/internal/door/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/upstream"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/anthropic"
	"github.com/google/go-cmp/cmp"
)

const foreign = "sk-ant-oat01-canary-canary"

func TestCredentials(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	const bad = "authentication_error"
	for _, c := range []struct {
		name           string
		apiKey, bearer string
		fails, says    string
	}{
		{"api key", key, "", "", ""},
		{"bearer", "", "Bearer " + key, "", ""},
		{"both alike", key, "bearer " + key, "", ""},
		{"none", "", "", bad, "no credential"},
		{"both, different", key, "Bearer sk-gate-test-two", bad, "different credentials"},
		{"foreign", foreign, "", bad, "Anthropic"},
		{"foreign as bearer", "", "Bearer " + foreign, bad, "Anthropic"},
		{"foreign beside a good one", key, "Bearer " + foreign, bad, "Anthropic"},
		{"good one beside a foreign", foreign, "Bearer " + key, bad, "Anthropic"},
		{"unknown", "sk-gate-unknown", "", bad, "unknown, expired or revoked"},
		{"an expired token", "eyJx.eyJleHAiOjF9.z", "", bad, "unknown, expired or revoked"},
		{"a token taken back", "", "Bearer eyJy.eyJleHAiOjk5OTk5OTk5OTl9.z", bad, "unknown, expired or revoked"},
		{"not of ours", "whatever", "", bad, "unknown, expired or revoked"},
		{"another scheme", "", "Basic " + key, bad, "Bearer"},
		{"no scheme", "", key, bad, "Bearer"},
		{"another scheme beside a good one", key, "Basic abc", bad, "Bearer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, path := range []string{"POST /v1/messages", "POST /v1/messages/count_tokens", "GET /v1/models", "GET /v1/models/claude-a", "GET /managed/settings"} {
				method, path, _ := strings.Cut(path, " ")
				response, body := f.ask(t, method, path, plain, "x-api-key", c.apiKey, "Authorization", c.bearer)
				if c.fails == "" {
					if response.StatusCode == 401 {
						t.Errorf("%s: refused: %s", path, body)
					}
					continue
				}
				if response.StatusCode != 401 || !strings.Contains(body, c.says) || strings.Contains(body, "canary") {
					t.Errorf("%s: answered %d %s", path, response.StatusCode, body)
				}
				// What a client can renew it must try again; what it cannot it must not.
				if again := response.Header.Get("X-Should-Retry"); (again == "false") == strings.HasPrefix(c.apiKey, "eyJx") {
					t.Errorf("%s: x-should-retry is %q", path, again)
				}
				wantEnvelope(t, response, body, c.fails)
			}
		})
	}
	for _, r := range f.upstream.Requests() {
		if strings.Contains(fmt.Sprint(r.Header), key) || strings.Contains(fmt.Sprint(r.Header), foreign) {
			t.Errorf("a client's credential went upstream: %v", r.Header)
		}
	}
	if strings.Contains(f.log.String(), "canary") || strings.Contains(f.log.String(), key) {
		t.Errorf("a credential was logged: %s", f.log)
	}
}

func TestOurFaultIsNeverARefusal(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	f.keys.broken = errors.New("the database is gone: host=db password=canary")
	for _, path := range []string{"/v1/messages", "/v1/models"} {
		response, body := f.ask(t, map[bool]string{true: "POST", false: "GET"}[path == "/v1/messages"], path, plain)
		if response.StatusCode != 503 || response.Header.Get("Retry-After") == "" || strings.Contains(body, "canary") {
			t.Errorf("answered %d %s", response.StatusCode, body)
		}
		wantEnvelope(t, response, body, "api_error")
	}
}

func TestDenied(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	f.keys.rights = caller.RightsOf(caller.OwnUsage)
	response, body := f.ask(t, "POST", "/v1/messages", plain)
	if response.StatusCode != 403 {
		t.Errorf("answered %d", response.StatusCode)
	}
	wantEnvelope(t, response, body, "permission_error")
}

func TestBadBodies(t *testing.T) {
	t.Parallel()
	f := newFront(t, func(c *gateway.Config, f *front) {
		c.Limits.Body = 1 << 20
		f.route.Allowed = []string{"claude-a"}
	})
	for _, c := range []struct {
		name, body string
		header     []string
		status     int
		kind, says string
	}{
		{"malformed", `{"model":}`, nil, 400, "invalid_request_error", "not valid"},
		{"truncated", `{"model":"claude-a"`, nil, 400, "invalid_request_error", "ends too early"},
		{"empty", ``, nil, 400, "invalid_request_error", "ends too early"},
		{"duplicate", `{"model":"claude-a","mod\u0065l":"claude-b"}`, nil, 400, "invalid_request_error", "more than once"},
		{"no model", `{}`, nil, 400, "invalid_request_error", "model is required"},
		{"model not a string", `{"model":1}`, nil, 400, "invalid_request_error", "model must be a string"},
		{"model not allowed", `{"model":"claude-b[1m]"}`, nil, 400, "invalid_request_error", `claude-b[1m]`},
		{"model of a tool not allowed", `{"model":"claude-a","tools":[{"name":"x"},{"type":"advisor_20260301","model":"claude-b[1m]"}]}`, nil, 400, "invalid_request_error", `claude-b[1m]`},
		{"model of a tool, spelt otherwise", `{"model":"claude-a","\u0054ools":[{"\u006dODEL":"claude-b"}]}`, nil, 400, "invalid_request_error", `claude-b`},
		{"model of a tool that is none", `{"model":"claude-a","tools":[{"model":["claude-a"]}]}`, nil, 400, "invalid_request_error", `the model of a tool`},
		{"compressed", plain, []string{"Content-Encoding", "gzip"}, 400, "invalid_request_error", "content encoding"},
		{"too large", `{"model":"` + strings.Repeat("x", 1<<20), nil, 413, "request_too_large", "1048576"},
	} {
		t.Run(c.name, func(t *testing.T) {
			response, body := f.ask(t, "POST", "/v1/messages", c.body, c.header...)
			if response.StatusCode != c.status || !strings.Contains(strings.ReplaceAll(body, `\"`, `"`), c.says) {
				t.Errorf("answered %d %s", response.StatusCode, body)
			}
			wantEnvelope(t, response, body, c.kind)
		})
	}
	if response, _ := f.ask(t, "POST", "/v1/messages", `{"model":"claude-a[1M]"}`); response.StatusCode != 200 {
		t.Errorf("the suffix for a long context was not tolerated: %d", response.StatusCode)
	}
	if n := f.upstream.Count(upstream.Messages); n != 1 {
		t.Errorf("%d requests reached the upstream", n)
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(nil)
	gone.Close()
	f := newFront(t, func(_ *gateway.Config, f *front) {
		up, err := anthropic.New(anthropic.Config{Name: "gone", BaseURL: gone.URL, Key: secret.New("k")})
		if err != nil {
			t.Fatal(err)
		}
		f.route.Upstreams = []gateway.Upstream{up}
	})
	response, body := f.ask(t, "POST", "/v1/messages", plain)
	if response.StatusCode != 503 || strings.Contains(body, gone.URL[len("http://"):]) {
		t.Errorf("answered %d %s", response.StatusCode, body)
	}
	wantEnvelope(t, response, body, "api_error")
	if !strings.Contains(f.log.String(), "refused") {
		t.Errorf("the log does not say why: %s", f.log)
	}
	f.ledger.next(t)
	f.route.Upstreams = nil
	response, body = f.ask(t, "POST", "/v1/messages", plain)
	if response.StatusCode != 503 || !strings.Contains(body, "no upstream") {
		t.Errorf("answered %d %s", response.StatusCode, body)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	f := newFront(t, func(c *gateway.Config, _ *front) { c.Limits.Concurrent, c.Limits.PerMinute = 2, 4 })
	f.upstream.Always(upstream.Plan{Step: hold})
	first, second := f.open(t, "POST", "/v1/messages", streamed), f.open(t, "POST", "/v1/messages", streamed)
	response, body := f.ask(t, "POST", "/v1/messages", plain)
	if response.StatusCode != 429 || response.Header.Get("Retry-After") == "" || !strings.Contains(body, "under way") {
		t.Errorf("a third at once was answered with %d %s", response.StatusCode, body)
	}
	wantEnvelope(t, response, body, "rate_limit_error")
	if response, _ := f.ask(t, "POST", "/v1/messages", plain, "x-api-key", "sk-gate-test-two"); response.StatusCode != 200 {
		t.Errorf("another credential was answered with %d", response.StatusCode)
	}
	close(hold)
	for _, r := range []*http.Response{first, second} {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		f.ledger.next(t)
	}
	for f.gateway.Open() > 0 { // the last byte is there a moment before the exchange is over
		runtime.Gosched()
	}
	for i := range 3 {
		response, body = f.ask(t, "POST", "/v1/messages", plain)
		if want := map[bool]int{true: 200, false: 429}[i < 2]; response.StatusCode != want {
			t.Errorf("request %d of the minute was answered with %d %s", 3+i, response.StatusCode, body)
		}
		for f.gateway.Open() > 0 {
			runtime.Gosched()
		}
	}
	if response.Header.Get("Retry-After") == "" || !strings.Contains(body, "a minute") {
		t.Errorf("answered %v %s", response.Header, body)
	}
}

// TestOneCredentialCannotTakeTheMemory has one credential keep large bodies
// under way: it is refused more, and nobody else is.
func TestOneCredentialCannotTakeTheMemory(t *testing.T) {
	t.Parallel()
	f := newFront(t, func(c *gateway.Config, _ *front) { c.Limits.Body, c.Limits.BodyMemory = 1<<20, 16<<20 })
	hold := make(chan struct{})
	f.upstream.Respond(func(r *upstream.Request) upstream.Plan {
		if r.Header.Get("X-Mark") != "" {
			return upstream.Plan{Hold: hold}
		}
		return upstream.Plan{}
	})
	large := `{"model":"claude-a","max_tokens":1,"x":"` + strings.Repeat("x", 900_000) + `"}`
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { f.ask(t, "POST", "/v1/messages", large, "X-Mark", "held") })
		f.upstream.Next(t.Context(), t)
	}
	response, body := f.ask(t, "POST", "/v1/messages", large)
	if response.StatusCode != 429 || response.Header.Get("Retry-After") == "" {
		t.Errorf("a fifth was answered with %d %.200s", response.StatusCode, body)
	}
	wantEnvelope(t, response, body, "rate_limit_error")
	if response, body := f.ask(t, "POST", "/v1/messages", large, "x-api-key", "sk-gate-test-two"); response.StatusCode != 200 {
		t.Errorf("another credential was answered with %d %.200s", response.StatusCode, body)
	}
	close(hold)
	wg.Wait()
	for f.gateway.Open() > 0 { // the last byte is there a moment before the exchange is over
		runtime.Gosched()
	}
	if response, body := f.ask(t, "POST", "/v1/messages", large); response.StatusCode != 200 {
		t.Errorf("afterwards it was answered with %d %.200s", response.StatusCode, body)
	}
}

// raw sends bytes as they are and reads one answer.
func (f *front) raw(t *testing.T, bytes string) (*http.Response, string) {
	t.Helper()
	c, err := net.Dial("tcp", f.url[len("http://"):])
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, bytes); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	body, _ := io.ReadAll(response.Body)
	return response, string(body)
}

func TestOddPathsAndHosts(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	send := func(target, host, rest string) (*http.Response, string) {
		return f.raw(t, "POST "+target+" HTTP/1.1\r\nHost: "+host+"\r\nConnection: close\r\nContent-Length: "+fmt.Sprint(len(plain))+"\r\n"+rest+"\r\n"+plain)
	}
	for _, target := range []string{"//v1/messages", "/v1//messages", "/v1/./messages", "/v1/x/../messages", "/%2e%2e/v1/messages", "/v1%2fmessages", "/v1%2Fmessages",
		"/v1/messages/", "/v1/messages%00", "/V1/messages", "/v1\\messages", "/v1/messages;a=b", "http://127.0.0.1//v1/messages"} {
		for _, credential := range []string{"", "x-api-key: " + key + "\r\n"} {
			response, body := send(target, "h", credential)
			if response.StatusCode != 404 && response.StatusCode != 400 {
				t.Errorf("%s (%q) was answered with %d %s", target, credential, response.StatusCode, body)
			}
		}
	}
	if n := len(f.upstream.Requests()); n > 0 {
		t.Fatalf("%d of them reached the upstream", n)
	}
	// Whatever the host says, a path needs its credential and goes to our upstream.
	for _, c := range [][2]string{{"/v1/messages", "evil.example"}, {"http://evil.example/v1/messages", "h"}, {"/v1/messages", "x/?"}, {"/v1/messages", "127.0.0.1:1"}} {
		if response, body := send(c[0], c[1], ""); response.StatusCode != 401 && response.StatusCode != 400 {
			t.Errorf("%v without a credential was answered with %d %s", c, response.StatusCode, body)
		}
		send(c[0], c[1], "x-api-key: "+key+"\r\n")
	}
	for _, r := range f.upstream.Requests() {
		if r.Host != f.upstream.URL[len("http://"):] || r.Path != "/v1/messages" {
			t.Errorf("reached %s%s", r.Host, r.Path)
		}
	}
}

func TestSmuggling(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	head := "POST /v1/messages HTTP/1.1\r\nHost: h\r\nx-api-key: " + key + "\r\n"
	for _, c := range []struct{ name, bytes string }{
		{"length and chunks", head + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nPOST /v1/messages HTTP/1.1\r\nHost: h\r\n\r\n"},
		{"two lengths", head + "Content-Length: 5\r\nContent-Length: 80\r\n\r\n" + plain},
		{"odd coding", head + "Transfer-Encoding: xchunked\r\n\r\n" + plain},
		{"negative length", head + "Content-Length: -1\r\n\r\n" + plain},
		{"line in a value", head + "X-A: a\rb\r\nContent-Length: 2\r\n\r\n{}"},
	} {
		response, body := f.raw(t, c.bytes)
		if response.StatusCode < 400 {
			t.Errorf("%s was answered with %d %s", c.name, response.StatusCode, body)
		}
	}
	for _, r := range f.upstream.Requests() {
		t.Errorf("reached the upstream: %s %q", r.Path, r.Body)
	}
	// Chunks alone are fine, and leave as one piece.
	response, _ := f.raw(t, head+"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"+fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(plain), plain))
	if response.StatusCode != 200 || string(f.upstream.Requests()[0].Body) != plain {
		t.Errorf("chunks were answered with %d", response.StatusCode)
	}
}

// TestLyingLength promises a large body and sends none of it.
func TestLyingLength(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	response, body := f.raw(t, "POST /v1/messages HTTP/1.1\r\nHost: h\r\nx-api-key: "+key+"\r\nContent-Length: 99999999\r\nConnection: close\r\n\r\n{")
	if response.StatusCode != 413 {
		t.Errorf("answered %d %s", response.StatusCode, body)
	}
}

func TestMethodsAndUnknownPaths(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	for _, c := range []struct{ method, path, allow string }{
		{"GET", "/v1/messages", "POST"}, {"DELETE", "/v1/messages/count_tokens", "POST"}, {"POST", "/v1/models", "GET, HEAD"}, {"PUT", "/v1/models/x", "GET, HEAD"},
		{"GET", "/v1/metrics", "POST"}, {"POST", "/managed/settings", "GET, HEAD"}, {"POST", "/protocol", "GET, HEAD"},
	} {
		response, body := f.ask(t, c.method, c.path, "")
		if response.StatusCode != 405 || response.Header.Get("Allow") != c.allow {
			t.Errorf("%s %s: %d %v", c.method, c.path, response.StatusCode, response.Header)
		}
		wantEnvelope(t, response, body, "invalid_request_error")
	}
	response, body := f.ask(t, "POST", "/v1/complete", "")
	if response.StatusCode != 404 {
		t.Errorf("answered %d", response.StatusCode)
	}
	wantEnvelope(t, response, body, "not_found_error")
	response, body = f.ask(t, "GET", "/managed/settings", "")
	if response.StatusCode != 404 {
		t.Errorf("answered %d", response.StatusCode)
	}
	wantEnvelope(t, response, body, "not_found_error")
}

func TestOpenPaths(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	for _, c := range []struct{ method, path, kind, body, want string }{
		{"HEAD", "/", "", "", ""}, {"HEAD", "/api/hello", "", "", ""},
		{"POST", "/v1/metrics", "application/x-protobuf", "\x0a\x00", ""},
		{"POST", "/v1/logs", "application/json; charset=utf-8", "{", "{}"},
		{"POST", "/v1/traces", "application/json", strings.Repeat("x", 1<<20), "{}"},
	} {
		response, body := f.ask(t, c.method, c.path, c.body, "x-api-key", "", "Content-Type", c.kind)
		if response.StatusCode != 200 || body != c.want || !strings.HasPrefix(response.Header.Get("Request-Id"), "req_") {
			t.Errorf("%s %s: %d %q %v", c.method, c.path, response.StatusCode, body, response.Header)
		}
	}
	if _, body := f.ask(t, "GET", "/protocol", ""); !strings.Contains(body, "/v1/messages") {
		t.Errorf("/protocol says %q", body)
	}
}

func TestModels(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	list := func(data, first, last string, more bool) string {
		return fmt.Sprintf(`{"data":[%s],"first_id":%s,"last_id":%s,"has_more":%v}`, data, first, last, more) + "\n"
	}
	const a, b, c = `{"id":"claude-a","type":"model","display_name":"A","created_at":"1970-01-01T00:00:01Z"}`,
		`{"id":"claude-b","type":"model","display_name":"claude-b","created_at":"1970-01-01T00:00:00Z"}`,
		`{"id":"claude-c","type":"model","display_name":"claude-c","created_at":"1970-01-01T00:00:00Z"}`
	for path, want := range map[string]string{
		"/v1/models?limit=1000":                 list(a+","+b+","+c, `"claude-a"`, `"claude-c"`, false),
		"/v1/models?limit=2":                    list(a+","+b, `"claude-a"`, `"claude-b"`, true),
		"/v1/models?limit=2&after_id=claude-b":  list(c, `"claude-c"`, `"claude-c"`, false),
		"/v1/models?before_id=claude-b":         list(a, `"claude-a"`, `"claude-a"`, false),
		"/v1/models?limit=1&before_id=claude-c": list(b, `"claude-b"`, `"claude-b"`, true),
		"/v1/models?after_id=claude-c":          list("", "null", "null", false),
		"/v1/models/claude-b":                   b + "\n",
	} {
		if _, got := f.ask(t, "GET", path, ""); got != want {
			t.Errorf("%s (-want +got):\n%s", path, cmp.Diff(want, got))
		}
	}
	for path, status := range map[string]int{"/v1/models?limit=0": 400, "/v1/models?limit=x": 400, "/v1/models?limit=1001": 400, "/v1/models/claude-x": 404} {
		if response, body := f.ask(t, "GET", path, ""); response.StatusCode != status {
			t.Errorf("%s: %d %s", path, response.StatusCode, body)
		}
	}
	f.route.Allowed = []string{"claude-b"}
	if _, got := f.ask(t, "GET", "/v1/models", ""); got != list(b, `"claude-b"`, `"claude-b"`, false) {
		t.Errorf("with an allow-list: %s", got)
	}
}

// TestRoutesNeedWhatTheySay asks every route without a credential.
func TestRoutesNeedWhatTheySay(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	for _, r := range door.Routes() {
		method, path, ok := strings.Cut(r.Pattern, " ")
		if !ok {
			method, path = "OPTIONS", r.Pattern
		}
		path = strings.NewReplacer("{$}", "", "{id}", "claude-a").Replace(path)
		response, _ := f.ask(t, method, path, plain, "x-api-key", "")
		if refused := response.StatusCode == 401; refused != r.Credential {
			t.Errorf("%s: answered %d without a credential", r.Pattern, response.StatusCode)
		}
	}
}

// TestExpectContinue sees that a client that waits for leave to send gets a
// refusal instead.
func TestExpectContinue(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	response, _ := f.raw(t, "POST /v1/messages HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n")
	if response.StatusCode != 401 {
		t.Errorf("answered %d", response.StatusCode)
	}
}

func FuzzDestination(f *testing.F) {
	f.Add("x-api-base", "http://127.0.0.1:1", `"api_base":"http://127.0.0.1:1"`, "base_url=http://127.0.0.1:1")
	f.Add("X-Forwarded-Host", "evil", `"user_config":{"api_base":"x"}`, "")
	f.Add("X_Api_Key", "k", `"x":1`, "key=1")
	up := upstream.Start()
	f.Cleanup(up.Close)
	u, err := anthropic.New(anthropic.Config{Name: "main", BaseURL: up.URL, Key: secret.New(upstream.Key)})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name, value, field, query string) {
		body := []byte(`{"model":"m",` + field + `}`)
		call := gateway.NewCall(gateway.Call{Operation: gateway.Messages, Model: "m", Query: query,
			Header: gateway.Forwardable(http.Header{http.CanonicalHeaderKey(name): {value}})}, body)
		answer, err := u.Send(context.Background(), call)
		if err != nil {
			return // refused: fine
		}
		io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
		at := slices.IndexFunc(up.Requests(), func(r *upstream.Request) bool { return r.ID == answer.Header.Get("Request-Id") })
		if at < 0 {
			return // refused there
		}
		if got := up.Requests()[at]; got.Host != up.URL[len("http://"):] || got.Path != "/v1/messages" || got.Header.Get("X-Api-Key") != upstream.Key ||
			len(got.Header["X-Api-Key"]) != 1 || got.Header.Get("Authorization") != "" || !bytes.Equal(got.Body, body) {
			t.Fatalf("%q: %q, %q, %q changed where it goes: %+v", name, value, field, query, got)
		}
	})
}
