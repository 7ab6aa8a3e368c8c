package gateway_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/price"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/upstream"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/anthropic"
	"github.com/gatehouse-dev/gatehouse/internal/usage"
)

// through has the front ask another upstream.
func (f *front) through(t *testing.T, cfg anthropic.Config) {
	t.Helper()
	cfg.Name, cfg.Key = "main", secret.New(upstream.Key)
	u, err := anthropic.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(u.Close)
	f.route.Upstreams = []gateway.Upstream{u}
}

// TestNoAnswerIsNotFree has upstreams fail to answer. One that has heard of the
// request may charge for it.
func TestNoAnswerIsNotFree(t *testing.T) {
	t.Parallel()
	silent := upstream.New(t)
	silent.Always(upstream.Plan{Hold: make(chan struct{})})
	rude := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	t.Cleanup(rude.Close)
	const soon = 50 * time.Millisecond
	short := strings.Replace(plain, "100", "3", 1)
	long := strings.Replace(plain, "100", "100000", 1)
	input := func(body string) int64 { return int64(len(body)+3) / 4 }
	for _, c := range []struct {
		name, body string
		cfg        anthropic.Config
		status     int
		ending     usage.Ending
		least      price.Tokens // and estimated, unless zero
		most       int64        // of output
	}{
		{"too late, bounded by what was asked for", short, anthropic.Config{BaseURL: silent.URL, WholeWithin: soon}, 504, usage.Broken, price.Tokens{Input: input(short), Output: 3}, 3},
		{"too late, bounded by the time it took", long, anthropic.Config{BaseURL: silent.URL, WholeWithin: soon}, 504, usage.Broken, price.Tokens{Input: input(long), Output: 5}, 5000},
		{"a stream that did not begin", streamed, anthropic.Config{BaseURL: silent.URL, HeaderWithin: soon}, 504, usage.Broken, price.Tokens{Input: input(streamed)}, 0},
		{"broken off", plain, anthropic.Config{BaseURL: rude.URL}, 503, usage.Broken, price.Tokens{Input: input(plain)}, 100},
		{"no connection", plain, anthropic.Config{BaseURL: "http://127.0.0.1:1"}, 503, usage.Refused, price.Tokens{}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFront(t)
			f.through(t, c.cfg)
			if response, body := f.ask(t, "POST", "/v1/messages", c.body); response.StatusCode != c.status {
				t.Errorf("answered %d %s", response.StatusCode, body)
			}
			o := f.ledger.next(t)
			if o.Ending != c.ending || o.Status != c.status || o.Estimated != (c.least.Input > 0) {
				t.Errorf("settled as %+v", o)
			}
			if o.Tokens.Input != c.least.Input || o.Tokens.Output < c.least.Output || o.Tokens.Output > c.most {
				t.Errorf("settled with %+v, want at least %+v and at most %d of output", o.Tokens, c.least, c.most)
			}
		})
	}
}

// TestClientGoesWhileConnecting leaves before the upstream has heard anything.
func TestClientGoesWhileConnecting(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	ctx, leave := context.WithCancel(t.Context())
	f.through(t, anthropic.Config{BaseURL: "http://h", DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		leave()
		<-ctx.Done()
		return nil, ctx.Err()
	}})
	request, _ := http.NewRequestWithContext(ctx, "POST", f.url+"/v1/messages", strings.NewReader(plain))
	request.Header.Set("Authorization", "Bearer "+key)
	if response, err := http.DefaultTransport.RoundTrip(request); err == nil {
		response.Body.Close()
		t.Fatal("somebody answered")
	}
	if o := f.ledger.next(t); o.Ending != usage.Aborted || o.Tokens != (price.Tokens{}) || o.Estimated {
		t.Errorf("settled as %+v", o)
	}
}

// TestUnrecordedIsNotFree has the disk fail when the upstream has answered.
func TestUnrecordedIsNotFree(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	f.ledger.fail = errDisk
	f.ask(t, "POST", "/v1/messages", plain)
	if o := f.ledger.next(t); o.Ending != usage.Broken || !o.Estimated || o.Tokens.Input == 0 {
		t.Errorf("settled as %+v", o)
	}
}

// TestErrorsAreFreeEvenInPart has an error's document break off.
func TestErrorsAreFreeEvenInPart(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	cut := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		w.WriteHeader(529)
		_, _ = w.Write([]byte(`{"type":"error"`))
	}))
	t.Cleanup(cut.Close)
	f.through(t, anthropic.Config{BaseURL: cut.URL})
	f.open(t, "POST", "/v1/messages", plain)
	if o := f.ledger.next(t); o.Ending != usage.Broken || o.Tokens != (price.Tokens{}) || o.Estimated {
		t.Errorf("settled as %+v", o)
	}
}
