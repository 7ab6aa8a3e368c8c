package anthropic_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/upstream"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/anthropic"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/upstreamtest"
	"github.com/google/go-cmp/cmp"
)

func made(t *testing.T, cfg anthropic.Config) *anthropic.Upstream {
	t.Helper()
	if cfg.Name = "main"; cfg.Key.Empty() && cfg.Token.Empty() {
		cfg.Key = secret.New(upstream.Key)
	}
	u, err := anthropic.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(u.Close)
	return u
}

func TestSuite(t *testing.T) {
	t.Parallel()
	t.Run("direct", func(t *testing.T) {
		t.Parallel()
		upstreamtest.Run(t, func(t *testing.T) upstreamtest.Subject {
			server := upstream.New(t)
			server.RequireKey()
			server.Respond(upstream.Slowly)
			return upstreamtest.Subject{Upstream: made(t, anthropic.Config{BaseURL: server.URL}), Model: "claude-a", Slow: "slowly"}
		})
	})
	t.Run("through a proxy", func(t *testing.T) {
		t.Parallel()
		upstreamtest.Run(t, func(t *testing.T) upstreamtest.Subject {
			server := upstream.New(t)
			server.RequireKey()
			server.Respond(upstream.Slowly)
			return upstreamtest.Subject{Upstream: made(t, anthropic.Config{BaseURL: server.URL, Proxy: proxy(t, nil)}), Model: "claude-a", Slow: "slowly"}
		})
	})
}

// proxy starts a forward proxy for plain http that counts.
func proxy(t *testing.T, count *atomic.Int32) func(*http.Request) (*url.URL, error) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if count != nil {
			count.Add(1)
		}
		out := r.Clone(r.Context())
		out.RequestURI = ""
		if out.Header["User-Agent"] == nil {
			out.Header["User-Agent"] = []string{""} // or net/http names itself
		}
		response, err := http.DefaultTransport.RoundTrip(out)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer response.Body.Close()
		for name, values := range response.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(response.StatusCode)
		for piece := make([]byte, 1024); ; {
			n, err := response.Body.Read(piece)
			_, _ = w.Write(piece[:n])
			_ = http.NewResponseController(w).Flush()
			if err != nil {
				return
			}
		}
	}))
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	at, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return func(*http.Request) (*url.URL, error) { return at, nil }
}

func send(t *testing.T, u *anthropic.Upstream, header http.Header) (int, string, error) {
	t.Helper()
	call := gateway.NewCall(gateway.Call{Operation: gateway.Messages, Header: header, Query: "beta=true"}, []byte(`{"model":"claude-a"}`))
	answer, err := u.Send(t.Context(), call)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return answer.Status, string(body), err
}

func TestCredentialAndHeaders(t *testing.T) {
	t.Parallel()
	betas := http.Header{"Anthropic-Beta": {"oauth-2025-04-20", "a, oauth-2025-04-20 ,b"},
		"Authorization": {"Bearer a-client's"}, "X-Api-Key": {"a client's"}} // the gateway lets none through; if it did, ours would win
	for _, c := range []struct {
		name string
		cfg  anthropic.Config
		want http.Header
	}{
		{"key", anthropic.Config{Key: secret.New("the-key")}, http.Header{"X-Api-Key": {"the-key"}, "Anthropic-Beta": {"a,b"}}},
		{"token", anthropic.Config{Token: secret.New("the-token")}, http.Header{"Authorization": {"Bearer the-token"}, "Anthropic-Beta": betas["Anthropic-Beta"]}},
		{"key, through a proxy", anthropic.Config{Key: secret.New("the-key"), Proxy: proxy(t, nil)}, http.Header{"X-Api-Key": {"the-key"}, "Anthropic-Beta": {"a,b"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := upstream.New(t)
			c.cfg.BaseURL = server.URL + "/"
			if _, _, err := send(t, made(t, c.cfg), betas); err != nil {
				t.Fatal(err)
			}
			got := server.Requests()[0]
			c.want["Accept-Encoding"], c.want["Content-Length"] = []string{"identity"}, []string{"20"}
			if diff := cmp.Diff(c.want, got.Header); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
			if got.Path != "/v1/messages" || got.Query != "beta=true" {
				t.Errorf("it went to %s?%s", got.Path, got.Query)
			}
		})
	}
}

func TestOnlyTheBetaThereWas(t *testing.T) {
	t.Parallel()
	server := upstream.New(t)
	if _, _, err := send(t, made(t, anthropic.Config{BaseURL: server.URL}), http.Header{"Anthropic-Beta": {"oauth-2025-04-20"}}); err != nil {
		t.Fatal(err)
	}
	if values, there := server.Requests()[0].Header["Anthropic-Beta"]; there {
		t.Errorf("an empty header was sent: %q", values)
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.StartTLS()
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	u := made(t, anthropic.Config{BaseURL: server.URL, TLS: &tls.Config{RootCAs: roots}})
	large := `{"model":"claude-a","x":"` + strings.Repeat("x", 1<<20) + `"}`
	for range 3 {
		answer, err := u.Send(t.Context(), gateway.NewCall(gateway.Call{Operation: gateway.Messages}, []byte(large)))
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(answer.Body); err != nil || string(body) != large {
			t.Fatalf("%d bytes came back, %v", len(body), err)
		}
	}
	if _, _, err := send(t, made(t, anthropic.Config{BaseURL: server.URL}), nil); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a certificate nobody signed: %v", err)
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	silent := upstream.New(t)
	silent.Always(upstream.Plan{Hold: make(chan struct{})})
	nowhere := func(*http.Request) (*url.URL, error) { return url.Parse("http://127.0.0.1:1") }
	for _, c := range []struct {
		name string
		cfg  anthropic.Config
		want fault.Kind
		sent bool
	}{
		{"no header in time", anthropic.Config{BaseURL: silent.URL, WholeWithin: 50 * time.Millisecond}, fault.Timeout, true},
		{"no header in time, through a proxy", anthropic.Config{BaseURL: silent.URL, WholeWithin: 50 * time.Millisecond, Proxy: proxy(t, nil)}, fault.Timeout, true},
		{"no connection", anthropic.Config{BaseURL: "http://127.0.0.1:1"}, fault.Unavailable, false},
		{"no connection to the proxy", anthropic.Config{BaseURL: "http://h", Proxy: nowhere}, fault.Unavailable, false},
		{"no proxy", anthropic.Config{BaseURL: "http://h", Proxy: func(*http.Request) (*url.URL, error) { return nil, io.EOF }}, fault.Unavailable, false},
		{"no connection in time", anthropic.Config{BaseURL: "http://h", ConnectWithin: 10 * time.Millisecond, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}}, fault.Timeout, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := send(t, made(t, c.cfg), nil)
			if !fault.Is(err, c.want) {
				t.Errorf("failed with %v", err)
			}
			if errors.Is(err, gateway.ErrNotSent) == c.sent {
				t.Errorf("whether the upstream has heard of it is not said by %v", err)
			}
			if f, ok := err.(*fault.Error); ok && strings.Contains(f.Message, "127.0.0.1") {
				t.Errorf("the message names the address: %s", f.Message)
			}
		})
	}
}

// TestPatience measures how long a silent upstream is waited for: the header of
// a stream comes at once, that of a document when the model is done.
func TestPatience(t *testing.T) {
	t.Parallel()
	through := func(*http.Request) (*url.URL, error) { return url.Parse("http://proxy.test") }
	for name, proxy := range map[string]func(*http.Request) (*url.URL, error){"direct": nil, "through a proxy": through} {
		for _, c := range []struct {
			stream bool
			cfg    anthropic.Config
			want   time.Duration
		}{
			{true, anthropic.Config{}, 2 * time.Minute}, {false, anthropic.Config{}, 10 * time.Minute},
			{true, anthropic.Config{HeaderWithin: time.Minute}, time.Minute}, {false, anthropic.Config{WholeWithin: time.Hour}, time.Hour},
		} {
			t.Run(fmt.Sprintf("%s, stream: %v, %v", name, c.stream, c.want), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					c.cfg.BaseURL, c.cfg.Proxy = "http://upstream.test", proxy
					c.cfg.DialContext = func(context.Context, string, string) (net.Conn, error) {
						ours, theirs := net.Pipe()
						go func() { _, _ = io.Copy(io.Discard, theirs) }()
						return ours, nil
					}
					c.cfg.DialProxy = c.cfg.DialContext
					u, asked := made(t, c.cfg), time.Now()
					_, err := u.Send(t.Context(), gateway.NewCall(gateway.Call{Operation: gateway.Messages, Stream: c.stream}, []byte(`{}`)))
					if waited := time.Since(asked); !fault.Is(err, fault.Timeout) || waited != c.want {
						t.Errorf("after %v it fails with %v, want %v", waited, err, c.want)
					}
				})
			})
		}
	}
}

func TestProxyDecidesOnTheWay(t *testing.T) {
	t.Parallel()
	var through atomic.Int32
	server := upstream.New(t)
	if _, _, err := send(t, made(t, anthropic.Config{BaseURL: server.URL, Proxy: proxy(t, &through)}), nil); err != nil || through.Load() != 1 {
		t.Errorf("%d requests went through the proxy, %v", through.Load(), err)
	}
	none := func(*http.Request) (*url.URL, error) { return nil, nil }
	if status, _, err := send(t, made(t, anthropic.Config{BaseURL: server.URL, Proxy: none}), nil); err != nil || status != 200 {
		t.Errorf("%d, %v", status, err)
	}
}

// TestGuarded has the upstream's address refused: by what connects to it, or,
// where a proxy would, by what chooses the proxy.
func TestGuarded(t *testing.T) {
	t.Parallel()
	refused := fault.New(fault.Unavailable, "not there").WithHint("elsewhere")
	no := func(context.Context, string, string) (net.Conn, error) { return nil, refused }
	var through atomic.Int32
	via := proxy(t, &through)
	server := upstream.New(t)
	for name, cfg := range map[string]anthropic.Config{
		"direct":          {BaseURL: server.URL, DialContext: no},
		"through a proxy": {BaseURL: server.URL, Proxy: func(r *http.Request) (*url.URL, error) { u, _ := via(r); return u, refused }},
	} {
		_, _, err := send(t, made(t, cfg), nil)
		f, ok := errors.AsType[*fault.Error](err)
		if !ok || f.Message != refused.Message || f.Hint != refused.Hint || !errors.Is(err, gateway.ErrNotSent) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if through.Load() != 0 || server.Count(upstream.Messages) != 0 {
		t.Error("it was sent all the same")
	}
	if _, _, err := send(t, made(t, anthropic.Config{BaseURL: server.URL, Proxy: via, DialContext: no}), nil); err != nil || through.Load() != 1 {
		t.Errorf("the proxy itself was judged: %v", err)
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	one := secret.New("k")
	for name, cfg := range map[string]anthropic.Config{
		"no address": {Key: one}, "another scheme": {BaseURL: "ftp://h", Key: one}, "a credential in it": {BaseURL: "https://a:b@h", Key: one},
		"a query": {BaseURL: "https://h?a=b", Key: one}, "no credential": {BaseURL: "https://h"}, "two": {BaseURL: "https://h", Key: one, Token: one},
	} {
		if _, err := anthropic.New(cfg); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for address, pings := range map[string]bool{"https://api.anthropic.com": true, "https://anthropic.com.evil.example": false, "http://127.0.0.1:1": false} {
		if u := made(t, anthropic.Config{BaseURL: address}); u.Pings() != pings {
			t.Errorf("%s pings: %v", address, u.Pings())
		}
	}
}
