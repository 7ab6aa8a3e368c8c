package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-dev/gatehouse/client"
)

// counter hands out "token-1", "token-2", … with a life of an hour.
type counter struct{ calls atomic.Int64 }

func (c *counter) Token(context.Context) (client.Token, error) {
	return client.NewToken(fmt.Sprintf("token-%d", c.calls.Add(1)), time.Now().Add(time.Hour)), nil
}

type sourceFunc func(context.Context) (client.Token, error)

func (f sourceFunc) Token(ctx context.Context) (client.Token, error) { return f(ctx) }

// door answers 401 to all but the tokens it takes, and notes what it was sent.
type door struct {
	*httptest.Server
	mu     sync.Mutex
	seen   []string // "token body"
	takes  map[string]bool
	status int // of what it takes
}

func newDoor(t *testing.T, takes ...string) *door {
	t.Helper()
	d := &door{takes: map[string]bool{}, status: 200}
	for _, token := range takes {
		d.takes["Bearer "+token] = true
	}
	d.Server = httptest.NewServer(d)
	t.Cleanup(d.Close)
	return d
}

func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	got := r.Header.Get("Authorization")
	d.mu.Lock()
	d.seen = append(d.seen, strings.TrimPrefix(got, "Bearer ")+" "+string(body)+r.Header.Get("X-Api-Key"))
	d.mu.Unlock()
	if !d.takes[got] {
		http.Error(w, "who is that", http.StatusUnauthorized)
		return
	}
	w.WriteHeader(d.status)
	_, _ = io.WriteString(w, "welcome")
}

func (d *door) got() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.Join(d.seen, "|")
}

func through(t *testing.T, base string, source client.Source) *http.Client {
	t.Helper()
	transport, err := client.New(base, source)
	if err != nil {
		t.Fatal(err)
	}
	transport.Next = &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func send(t *testing.T, c *http.Client, url string, body io.Reader) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), "POST", url, body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer mine")
	request.Header.Set("X-Api-Key", "mine")
	response, err := c.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if request.Header.Get("Authorization") != "Bearer mine" || response.Request.Header.Get("Authorization") != "Bearer mine" {
		t.Error("the token is in what the caller holds")
	}
	return response.StatusCode, string(text)
}

// stream is a body that can be read once.
type stream struct{ io.Reader }

func TestRepeatsOnceAndOnlyWhatCanBe(t *testing.T) {
	t.Parallel()
	same := sourceFunc(func(context.Context) (client.Token, error) { return client.NewToken("token-1", time.Time{}), nil })
	for name, tt := range map[string]struct {
		takes  string
		source client.Source
		body   io.Reader
		accept int
		status int
		text   string
		seen   string
	}{
		"taken":             {"token-1", &counter{}, strings.NewReader("b"), 200, 200, "welcome", "token-1 b"},
		"renewed":           {"token-2", &counter{}, strings.NewReader("b"), 200, 200, "welcome", "token-1 b|token-2 b"},
		"renewed, no body":  {"token-2", &counter{}, nil, 200, 200, "welcome", "token-1 |token-2 "},
		"read once":         {"token-2", &counter{}, stream{strings.NewReader("b")}, 200, 401, "who is that\n", "token-1 b"},
		"refused again":     {"token-3", &counter{}, strings.NewReader("b"), 200, 401, "who is that\n", "token-1 b|token-2 b"},
		"nothing new":       {"token-2", same, strings.NewReader("b"), 200, 401, "who is that\n", "token-1 b"},
		"another failure":   {"token-1", &counter{}, strings.NewReader("b"), 503, 503, "welcome", "token-1 b"},
		"a denial":          {"token-1", &counter{}, strings.NewReader("b"), 403, 403, "welcome", "token-1 b"},
		"failure on repeat": {"token-2", &counter{}, strings.NewReader("b"), 500, 500, "welcome", "token-1 b|token-2 b"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDoor(t, tt.takes)
			d.status = tt.accept
			status, text := send(t, through(t, d.URL, tt.source), d.URL+"/v1/messages", tt.body)
			if status != tt.status || text != tt.text || d.got() != tt.seen {
				t.Errorf("%d %q, the server saw %q; want %d %q, %q", status, text, d.got(), tt.status, tt.text, tt.seen)
			}
		})
	}
}

// What could not be repeated still has the next request ask for a new token.
func TestARefusedTokenIsNotUsedAgain(t *testing.T) {
	t.Parallel()
	d := newDoor(t, "token-2")
	c := through(t, d.URL, &counter{})
	send(t, c, d.URL, stream{strings.NewReader("a")})
	if status, _ := send(t, c, d.URL, stream{strings.NewReader("b")}); status != 200 || d.got() != "token-1 a|token-2 b" {
		t.Errorf("%d, the server saw %q", status, d.got())
	}
}

func TestATokenIsReplacedBeforeItEnds(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		expires time.Time
		calls   int64
	}{
		"an hour left":  {time.Now().Add(time.Hour), 1},
		"no end known":  {time.Time{}, 1},
		"a second left": {time.Now().Add(time.Second), 2},
		"over":          {time.Unix(1, 0), 2},
	} {
		d := newDoor(t, "t")
		var calls atomic.Int64
		c := through(t, d.URL, sourceFunc(func(context.Context) (client.Token, error) {
			calls.Add(1)
			return client.NewToken("t", tt.expires), nil
		}))
		for range 2 {
			if status, _ := send(t, c, d.URL, nil); status != 200 {
				t.Errorf("%s: %d", name, status)
			}
		}
		if calls.Load() != tt.calls {
			t.Errorf("%s: the source was asked %d times, want %d", name, calls.Load(), tt.calls)
		}
	}
}

// Fifty requests that meet a refused token at the same time cause one renewal.
func TestOneRenewalForAll(t *testing.T) {
	t.Parallel()
	const many = 50
	var arrived sync.WaitGroup
	arrived.Add(many)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer token-1" {
			arrived.Done()
			arrived.Wait() // all are refused together
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	t.Cleanup(server.Close)
	source := &counter{}
	c := through(t, server.URL, source)
	var done sync.WaitGroup
	for range many {
		done.Go(func() {
			response, err := c.Post(server.URL, "text/plain", strings.NewReader("b"))
			if err != nil {
				t.Error(err)
				return
			}
			_ = response.Body.Close()
			if response.StatusCode != 200 {
				t.Errorf("status %d", response.StatusCode)
			}
		})
	}
	done.Wait()
	if got := source.calls.Load(); got != 2 {
		t.Errorf("the source was asked %d times, want 2", got)
	}
}

func TestNothingGoesToAnotherOrigin(t *testing.T) {
	t.Parallel()
	other := newDoor(t, "token-1")
	home := httptest.NewServer(http.RedirectHandler(other.URL+"/v1/messages", http.StatusTemporaryRedirect))
	t.Cleanup(home.Close)
	for name, change := range map[string]func(*http.Request){
		"redirect":     func(*http.Request) {},
		"address":      func(r *http.Request) { r.URL.Host = other.Listener.Addr().String() },
		"scheme":       func(r *http.Request) { r.URL.Scheme = "https" },
		"host header":  func(r *http.Request) { r.Host = "other.example.com" },
		"request line": func(r *http.Request) { r.URL.Opaque = "//other.example.com/v1" },
	} {
		source := &counter{}
		c := through(t, home.URL, source)
		request, err := http.NewRequestWithContext(t.Context(), "POST", home.URL+"/", strings.NewReader("b"))
		if err != nil {
			t.Fatal(err)
		}
		change(request)
		response, err := c.Do(request)
		if err == nil {
			_ = response.Body.Close()
		}
		if !errors.Is(err, client.ErrOrigin) {
			t.Errorf("%s: %v", name, err)
		}
		if name != "redirect" && source.calls.Load() != 0 {
			t.Errorf("%s: a token was asked for", name)
		}
	}
	if other.got() != "" {
		t.Errorf("the other server saw %q", other.got())
	}
}

// A redirect within the origin is followed with the token.
func TestRedirectAtHome(t *testing.T) {
	t.Parallel()
	d := newDoor(t, "token-1")
	mux := http.NewServeMux()
	mux.Handle("/old", http.RedirectHandler("/new", http.StatusPermanentRedirect))
	mux.Handle("/", d)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	if status, _ := send(t, through(t, server.URL, &counter{}), server.URL+"/old", strings.NewReader("b")); status != 200 {
		t.Errorf("status %d", status)
	}
}

func TestNewTakesSafeOriginsAlone(t *testing.T) {
	t.Parallel()
	for base, good := range map[string]bool{
		"https://gate.example.com": true, "https://gate.example.com:8443/path": true, "http://localhost:8080": true,
		"http://127.0.0.1": true, "http://[::1]:1": true,
		"": false, "gate.example.com": false, "http://gate.example.com": false, "http://127.0.0.1.example.com": false,
		"https://me:canary@gate.example.com": false, "ftp://localhost": false, "https://": false, "https://canary%zz": false,
	} {
		_, err := client.New(base, &counter{})
		if (err == nil) != good {
			t.Errorf("%s: %v", base, err)
		}
		if err != nil && strings.Contains(err.Error(), "canary") {
			t.Errorf("the error quotes the address: %v", err)
		}
	}
	if _, err := client.New("https://gate.example.com", nil); err == nil {
		t.Error("no source is taken")
	}
	request := httptest.NewRequest("GET", "https://gate.example.com", nil)
	if _, err := new(client.Transport).RoundTrip(request); !errors.Is(err, client.ErrOrigin) { //nolint:bodyclose // there is none
		t.Errorf("the zero transport: %v", err)
	}
}

func TestTheSourcesErrorIsTheRequests(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	var calls atomic.Int64
	late := sourceFunc(func(context.Context) (client.Token, error) {
		if calls.Add(1) == 1 {
			return client.NewToken("t", time.Time{}), nil
		}
		return client.Token{}, client.ErrSignedOut
	})
	_, err := through(t, d.URL, late).Post(d.URL, "", nil) //nolint:bodyclose // there is none
	if !errors.Is(err, client.ErrSignedOut) {
		t.Errorf("after a 401: %v", err)
	}
	for _, bad := range []string{"", "a b", "a\r\nX-Evil: 1", "ä", strings.Repeat("a", 16385)} {
		source := sourceFunc(func(context.Context) (client.Token, error) { return client.NewToken(bad, time.Time{}), nil })
		if _, err := through(t, d.URL, source).Get(d.URL); !errors.Is(err, client.ErrNoToken) { //nolint:bodyclose // there is none
			t.Errorf("%.10q: %v", bad, err)
		}
	}
	if d.got() != "t " {
		t.Errorf("the server saw %q", d.got())
	}
}

type nextFunc func(*http.Request) (*http.Response, error)

func (f nextFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Who gives up leaves the others their token; when all have, the source stops,
// and whoever comes next has it asked anew.
func TestContextOfEach(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		asked, give := 0, make(chan struct{})
		transport, err := client.New("https://gate.example.com", sourceFunc(func(ctx context.Context) (client.Token, error) {
			asked++
			select {
			case <-give:
				return client.NewToken("t", time.Time{}), nil
			case <-ctx.Done():
				return client.Token{}, ctx.Err()
			}
		}))
		if err != nil {
			t.Fatal(err)
		}
		transport.Next = nextFunc(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: http.NoBody, Request: r}, nil
		})
		start := func(ctx context.Context) chan error {
			done := make(chan error, 1)
			go func() {
				response, err := transport.RoundTrip(httptest.NewRequest("GET", "https://gate.example.com", nil).WithContext(ctx))
				if err == nil {
					err = response.Body.Close()
				}
				done <- err
			}()
			synctest.Wait()
			return done
		}
		first, cancelFirst := context.WithCancel(t.Context())
		second, cancelSecond := context.WithCancel(t.Context())
		one, two := start(first), start(second)
		cancelFirst()
		if err := <-one; !errors.Is(err, context.Canceled) {
			t.Errorf("who gave up got %v", err)
		}
		three := start(t.Context())
		if asked != 1 {
			t.Errorf("the source was asked %d times for three", asked)
		}
		cancelSecond()
		if err := <-two; !errors.Is(err, context.Canceled) {
			t.Errorf("who gave up got %v", err)
		}
		close(give)
		if err := <-three; err != nil {
			t.Errorf("who stayed got %v", err)
		}
	})
}

func TestTheSourceStopsWhenNobodyWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stopped := 0
		transport, err := client.New("https://gate.example.com", sourceFunc(func(ctx context.Context) (client.Token, error) {
			<-ctx.Done()
			stopped++
			return client.Token{}, ctx.Err()
		}))
		if err != nil {
			t.Fatal(err)
		}
		for i := range 2 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			request := httptest.NewRequest("GET", "https://gate.example.com", nil).WithContext(ctx)
			if _, err := transport.RoundTrip(request); !errors.Is(err, context.DeadlineExceeded) { //nolint:bodyclose // there is none
				t.Errorf("got %v", err)
			}
			cancel()
			synctest.Wait()
			if stopped != i+1 {
				t.Errorf("the source was stopped %d times, want %d", stopped, i+1)
			}
		}
	})
}

type closer struct {
	http.RoundTripper
	closed bool
}

func (c *closer) CloseIdleConnections() { c.closed = true }

func TestCloseIdleConnections(t *testing.T) {
	t.Parallel()
	transport, err := client.New("https://gate.example.com", &counter{})
	if err != nil {
		t.Fatal(err)
	}
	next := &closer{}
	transport.Next = next
	(&http.Client{Transport: transport}).CloseIdleConnections()
	if !next.closed {
		t.Error("it does not reach what sends")
	}
}
