package gateway_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/bearer"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	door "github.com/gatehouse-dev/gatehouse/internal/door/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/price"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	testupstream "github.com/gatehouse-dev/gatehouse/internal/testkit/upstream"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/anthropic"
	"github.com/gatehouse-dev/gatehouse/internal/usage"
)

// front is a whole gateway on a real socket before a stand-in upstream.
type front struct {
	url      string
	upstream *testupstream.Server
	gateway  *gateway.Gateway
	keeper   *bearer.Keeper
	keys     *keys
	route    *gateway.Route
	ledger   *ledger
	log      *bytes.Buffer
	base     context.CancelCauseFunc // ends the server's context
}

type option func(*gateway.Config, *front)

func newFront(t *testing.T, options ...option) *front {
	t.Helper()
	f := &front{upstream: testupstream.New(t), keys: &keys{}, ledger: &ledger{noted: make(chan struct{}, 1)}, log: &bytes.Buffer{}}
	up, err := anthropic.New(anthropic.Config{Name: "main", BaseURL: f.upstream.URL, Key: secret.New(testupstream.Key)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(up.Close)
	f.route = &gateway.Route{Upstreams: []gateway.Upstream{up}, Models: []gateway.Model{
		{ID: "claude-a", DisplayName: "A", CreatedAt: time.Unix(1, 0)}, {ID: "claude-b"}, {ID: "claude-c"}}}
	f.keeper = bearer.New(bearer.Config{Sources: []bearer.Source{f.keys}, Now: time.Now})
	log := slog.New(slog.NewTextHandler(&locked{w: f.log}, nil))
	cfg := gateway.Config{Authenticator: f.keeper, Directory: f, Ledger: f.ledger, Wire: door.Wire{}, Log: log}
	for _, o := range options {
		o(&cfg, f)
	}
	f.gateway = gateway.New(cfg)
	mux := http.NewServeMux()
	door.New(f.gateway, nil, log).Mount(mux)
	server := httptest.NewUnstartedServer(door.Strict(mux))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	var ctx context.Context
	ctx, f.base = context.WithCancelCause(context.Background())
	server.Config.BaseContext = func(net.Listener) context.Context { return ctx }
	server.Start()
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	f.url = server.URL
	return f
}

func (f *front) Route(context.Context, caller.Caller, string) (*gateway.Route, error) {
	return f.route, nil
}

const key = "sk-gate-test-one"

// ask sends a request with a key and reads the answer whole.
func (f *front) ask(t *testing.T, method, path, body string, header ...string) (*http.Response, string) {
	t.Helper()
	response := f.open(t, method, path, body, header...)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("reading the answer: %v (so far: %s)", err, text)
	}
	return response, string(text)
}

func (f *front) open(t *testing.T, method, path, body string, header ...string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, f.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("x-api-key", key)
	for i := 0; i < len(header); i += 2 {
		if request.Header.Del(header[i]); header[i+1] != "" {
			request.Header.Set(header[i], header[i+1])
		}
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	return response
}

// keys is a source of credentials: everything that begins like a key of ours.
type keys struct {
	mu      sync.Mutex
	revoked bool
	broken  error
	rights  caller.Rights
}

func (k *keys) Accepts(v string) bool { return strings.HasPrefix(v, "sk-gate-") }

func (k *keys) Resolve(_ context.Context, presented secret.Text) (caller.Caller, time.Time, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.broken != nil {
		return caller.Caller{}, time.Time{}, k.broken
	}
	if k.revoked || !strings.HasPrefix(presented.Reveal(), "sk-gate-test-") {
		return caller.Caller{}, time.Time{}, bearer.Refused()
	}
	rights := k.rights
	if rights == 0 {
		rights = caller.RightsOf(caller.UseModels)
	}
	return caller.Caller{Kind: caller.Member, Way: caller.Key, Organization: "org", Member: "user_1", Key: id.APIKey(presented.Reveal()[8:]), Rights: rights}, time.Time{}, nil
}

func (k *keys) Recheck(_ context.Context, who caller.Caller) (caller.Caller, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.revoked {
		return caller.Caller{}, bearer.Refused()
	}
	return who, nil
}

func (f *front) revoke(t *testing.T) {
	t.Helper()
	f.keys.mu.Lock()
	f.keys.revoked = true
	f.keys.mu.Unlock()
	if err := f.keeper.Changed(t.Context(), key[8:]); err != nil {
		t.Fatal(err)
	}
}

// ledger remembers what it was told.
type ledger struct {
	mu       sync.Mutex
	requests []usage.Request
	outcomes []usage.Outcome
	progress []price.Tokens
	noted    chan struct{} // gives when something was noted
	refuse   error         // of Reserve
	fail     error         // of Durable
	wait     chan struct{} // Durable waits for it
	settled  chan usage.Outcome
}

func (l *ledger) Reserve(r usage.Request) (gateway.Hold, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.refuse != nil {
		return nil, l.refuse
	}
	if l.settled == nil {
		l.settled = make(chan usage.Outcome, 1<<12)
	}
	l.requests = append(l.requests, r)
	return hold{l}, nil
}

type hold struct{ l *ledger }

func (h hold) Durable(ctx context.Context) error {
	if h.l.wait != nil {
		select {
		case <-h.l.wait:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return h.l.fail
}

func (h hold) Progress(used price.Tokens) {
	h.l.mu.Lock()
	h.l.progress = append(h.l.progress, used)
	h.l.mu.Unlock()
	select {
	case h.l.noted <- struct{}{}:
	default:
	}
}

func (h hold) Settle(o usage.Outcome) error {
	h.l.mu.Lock()
	h.l.outcomes = append(h.l.outcomes, o)
	h.l.mu.Unlock()
	h.l.settled <- o
	return nil
}

// next waits for the next settlement.
func (l *ledger) next(t *testing.T) usage.Outcome {
	t.Helper()
	l.mu.Lock()
	settled := l.settled
	l.mu.Unlock()
	if settled == nil {
		t.Fatal("nothing was reserved")
	}
	select {
	case o := <-settled:
		return o
	case <-time.After(10 * time.Second):
		t.Fatal("the request was never settled")
		return usage.Outcome{}
	}
}

var errDisk = errors.New("no space left on device")

type locked struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}
