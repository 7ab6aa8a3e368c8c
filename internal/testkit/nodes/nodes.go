package nodes

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/server"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/postgres"
)

// Clock is a clock that goes on by itself and can be turned forward.
type Clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

// Now is the time by this clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

// Forward turns the clock.
func (c *Clock) Forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

// DataDir is the data folder of all the world's nodes.
func (w *World) DataDir() string { return w.config.DataDir }

// World is a sample organization, served.
type World struct {
	*Node
	Sample server.Sample
	Clock  *Clock
	Logs   *Logs
	config server.Config
	nodes  []*Node
}

// Forward turns the clock and waits until the servers have looked at the
// database since: to them it is as if they had been without it for so long.
func (w *World) Forward(t testing.TB, d time.Duration) {
	t.Helper()
	w.Clock.Forward(d)
	turned := w.Clock.Now()
	for _, n := range w.nodes {
		for n.Server.Heard().Before(turned) {
			runtime.Gosched()
		}
	}
}

// Node is one running server.
type Node struct {
	Server *server.Server
	URL    string
	stop   func()
}

// Stop ends the node, as SIGTERM does.
func (n *Node) Stop() { n.stop() }

// UpstreamKey is the key that the world's upstream is asked with.
const UpstreamKey = "upstream-key-of-the-test"

// Options say what is to be different from a plain demo.
type Options struct {
	Database    string // empty: SQLite
	UpstreamURL string // empty: the simulated model
	Change      func(*server.Config)
}

// Each runs a test over every database, beside other tests.
func Each(t *testing.T, f func(t *testing.T, database string)) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); f(t, "") })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); f(t, postgres.New(t)) })
}

// Start serves a sample organization until the test ends.
func Start(t testing.TB, o Options) *World {
	t.Helper()
	w := &World{Clock: &Clock{}, Logs: &Logs{}}
	w.config = server.Config{Listen: "127.0.0.1:0", DataDir: t.TempDir(), Database: o.Database, MetricsOpen: true, Demo: true, AllowLocal: true,
		DeviceAuthorizations: 10_000, Drain: 5 * time.Second, Now: w.Clock.Now, Log: slog.New(slog.NewJSONHandler(w.Logs, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	if o.Change != nil {
		o.Change(&w.config)
	}
	w.Node = w.open(t)
	w.nodes = []*Node{w.Node}
	demo := server.Demo{UpstreamURL: o.UpstreamURL}
	if o.UpstreamURL != "" {
		demo.UpstreamKey = secret.New(UpstreamKey)
	}
	sample, err := w.Server.MakeSample(context.Background(), demo)
	if err != nil {
		t.Fatal(err)
	}
	w.Sample = sample
	w.run(t, w.Node)
	return w
}

// Join starts another node on the same data and database, at a URL of its own.
func (w *World) Join(t testing.TB) *Node {
	t.Helper()
	n := w.open(t)
	w.nodes = append(w.nodes, n)
	w.run(t, n)
	return n
}

func (w *World) open(t testing.TB) *Node {
	t.Helper()
	s, err := server.Open(context.Background(), w.config)
	if err != nil {
		t.Fatal(err)
	}
	return &Node{Server: s, URL: s.URL()}
}

func (w *World) run(t testing.TB, n *Node) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := n.Server.Run(ctx); err != nil {
			t.Errorf("running the server: %v", err)
		}
		if err := n.Server.Close(); err != nil {
			t.Logf("closing the server: %v", err)
		}
	}()
	n.stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(n.stop)
}

// Browser is somebody's browser: it keeps cookies and follows no redirect.
type Browser struct {
	*http.Client
	base string
}

// SignIn signs a sample person in at the real page.
func (w *World) SignIn(t testing.TB, who server.SamplePerson) *Browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &Browser{base: w.URL, Client: &http.Client{Jar: jar, Timeout: 20 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	if status, _ := b.Post(t, "/link/"+who.Link.Reveal(), nil); status != http.StatusSeeOther {
		t.Fatalf("signing %s in: status %d", who.Email, status)
	}
	return b
}

// Get fetches a page.
func (b *Browser) Get(t testing.TB, path string) (status int, body string) {
	t.Helper()
	return b.do(t, http.MethodGet, path, "")
}

// Post sends a form.
func (b *Browser) Post(t testing.TB, path string, form url.Values) (status int, body string) {
	t.Helper()
	return b.do(t, http.MethodPost, path, form.Encode())
}

func (b *Browser) do(t testing.TB, method, path, form string) (int, string) {
	t.Helper()
	r, err := http.NewRequest(method, b.base+path, strings.NewReader(form))
	if err != nil {
		t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	answer, err := b.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(answer.Body); err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, body.String()
}

// Decide presses a button on the device page: "approve" or "deny".
func (b *Browser) Decide(t testing.TB, userCode, decision string) (status int, body string) {
	t.Helper()
	return b.Post(t, "/device", url.Values{"user_code": {userCode}, "decision": {decision}})
}

// Logs collects what servers log.
type Logs struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (l *Logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(p)
}

func (l *Logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}
