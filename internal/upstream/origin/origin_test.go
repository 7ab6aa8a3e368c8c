package origin

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/gateway"
)

// TestATargetStaysAtItsOrigin sends targets that, read as references, are other hosts:
// through a proxy, which says where each was to go.
func TestATargetStaysAtItsOrigin(t *testing.T) {
	t.Parallel()
	went := make(chan string, 1)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		went <- r.RequestURI
	}))
	t.Cleanup(proxy.Close)
	via, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	o, err := New(Config{URL: "http://api.test", Proxy: http.ProxyURL(via)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.Close)
	for target, want := range map[string]string{
		"/v1/messages?beta=true":       "http://api.test/v1/messages?beta=true",
		"//evil.test/v1/messages":      "http://api.test//evil.test/v1/messages",
		"/model/arn%3Aaws%2Fx/invoke":  "http://api.test/model/arn%3Aaws%2Fx/invoke",
		"/%2fevil.test/../v1/messages": "http://api.test/%2fevil.test/../v1/messages",
	} {
		response, err := o.Send(t.Context(), &Request{Target: target, Body: []byte("{}"), Reader: NewReader([]byte("{}"))})
		if err != nil {
			t.Errorf("%s: %v", target, err)
			continue
		}
		response.Body.Close()
		if got := <-went; got != want {
			t.Errorf("%s went to %s", target, got)
		}
	}
}

// TestNoProxyAnyMore has the proxy of an origin go away: nothing is sent without it.
func TestNoProxyAnyMore(t *testing.T) {
	t.Parallel()
	first := true
	o, err := New(Config{URL: "http://127.0.0.1:9", Proxy: func(*http.Request) (*url.URL, error) {
		if first {
			first = false
			return url.Parse("http://proxy.test")
		}
		return nil, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.Close)
	if _, err := o.Send(t.Context(), &Request{Target: "/", Reader: NewReader(nil)}); !errors.Is(err, gateway.ErrNotSent) || !strings.HasPrefix(err.Error(), "the upstream is reached through a proxy, and there is none any more") {
		t.Errorf("sent without a proxy: %v", err)
	}
}

// TestRefusalWithoutABody announces the body of an error and never sends it, on both ways
// to an origin: it is late, and not what a client would have ended.
func TestRefusalWithoutABody(t *testing.T) {
	t.Parallel()
	for name, straight := range map[string]bool{"straight": true, "through a proxy": false} {
		stalled := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Length", "2")
			w.WriteHeader(http.StatusServiceUnavailable)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}))
		t.Cleanup(stalled.Close)
		cfg := Config{URL: stalled.URL, BriefWithin: 20 * time.Millisecond}
		if !straight {
			via, err := url.Parse(stalled.URL)
			if err != nil {
				t.Fatal(err)
			}
			cfg.URL, cfg.Proxy = "http://api.test", http.ProxyURL(via)
		}
		o, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(o.Close)
		response, err := o.Send(t.Context(), &Request{Target: "/", Reader: NewReader(nil)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Refusal(response, http.Header{}); !fault.Is(err, fault.Timeout) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
