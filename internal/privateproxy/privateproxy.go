package privateproxy

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gatehouse-dev/gatehouse/client"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

const (
	maxHeader   = 64 << 10
	maxBody     = 32 << 20 // of one request that can be repeated; the API takes no more
	maxBodies   = 64 << 20 // of all at once
	maxRequests = 256      // at once
)

// Proxy is one endpoint. Its methods may be called concurrently.
type Proxy struct {
	host   string
	token  secret.Text
	server *http.Server
	proxy  *httputil.ReverseProxy
	room   chan struct{}
	bodies atomic.Int64
}

// Listen opens an endpoint that leads to origin with the tokens of source. next
// sends the requests; nil is a transport of its own that honours the usual proxy
// variables. The caller closes the Proxy.
func Listen(origin string, source client.Source, next http.RoundTripper) (*Proxy, error) {
	target, err := url.Parse(origin)
	if err != nil {
		return nil, fault.New(fault.Invalid, "the server's address is no URL")
	}
	transport, err := client.New(origin, source)
	if err != nil {
		return nil, fault.New(fault.Invalid, "%w", err)
	}
	if transport.Next = next; next == nil {
		own := http.DefaultTransport.(*http.Transport).Clone()
		own.DisableCompression = true // bytes pass as they come
		own.MaxIdleConnsPerHost = 16
		transport.Next = own
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("opening an address on this machine: %w", err)
	}
	p := &Proxy{host: l.Addr().String(), token: secret.New("one-run-" + rand.Text() + rand.Text()), room: make(chan struct{}, maxRequests)}
	silent := log.New(io.Discard, "", 0)
	p.proxy = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.URL.Path, r.Out.URL.RawPath = r.In.URL.Path, r.In.URL.RawPath
			r.Out.URL.RawQuery = r.In.URL.RawQuery // as it came
			for _, name := range []string{"Authorization", "X-Api-Key", "Connection", "Upgrade", "Cookie"} {
				r.Out.Header.Del(name)
			}
		},
		Transport: transport, FlushInterval: -1, ErrorLog: silent, ErrorHandler: refuseUpstream,
	}
	p.server = &http.Server{Handler: p, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: maxHeader, ErrorLog: silent}
	go func() { _ = p.server.Serve(l) }()
	return p, nil
}

// URL is the address of the endpoint.
func (p *Proxy) URL() string { return "http://" + p.host }

// Token is what requests must carry.
func (p *Proxy) Token() secret.Text { return p.token }

// Close ends the endpoint and every request on it.
func (p *Proxy) Close() error { return p.server.Close() }

// ServeHTTP passes a request on, if it is the program's.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Host != p.host:
		refuse(w, http.StatusMisdirectedRequest, "invalid_request_error", "this endpoint is not for that host")
		return
	case r.URL.Host != "" || r.URL.Opaque != "" || r.Method == http.MethodConnect || !strings.HasPrefix(r.URL.Path, "/"):
		refuse(w, http.StatusBadRequest, "invalid_request_error", "this endpoint leads to one server only")
		return
	case fromPage(r):
		refuse(w, http.StatusForbidden, "permission_error", "this endpoint is not for web pages")
		return
	case !p.known(r):
		refuse(w, http.StatusUnauthorized, "authentication_error", "this endpoint of gatehouse run is for the program that it started")
		return
	}
	select {
	case p.room <- struct{}{}:
		defer func() { <-p.room }()
	default:
		w.Header().Set("Retry-After", "1")
		refuse(w, http.StatusServiceUnavailable, "overloaded_error", "too many requests at once")
		return
	}
	done, err := p.keepBody(r)
	defer done()
	if err != nil {
		refuse(w, http.StatusBadRequest, "invalid_request_error", "the body of the request could not be read")
		return
	}
	p.proxy.ServeHTTP(w, r)
}

// fromPage reports whether a browser sent the request for a page.
func fromPage(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	return len(r.Header.Values("Origin")) > 0 || site != "" && site != "none"
}

// known looks for the token where the SDKs put it. What else is sent is wrong,
// also beside the right one.
func (p *Proxy) known(r *http.Request) bool {
	bearer, key := r.Header.Values("Authorization"), r.Header.Values("X-Api-Key")
	if len(bearer)+len(key) == 0 || len(bearer) > 1 || len(key) > 1 {
		return false
	}
	ok := true
	for _, value := range bearer {
		scheme, token, _ := strings.Cut(value, " ")
		ok = ok && strings.EqualFold(scheme, "Bearer") && secret.New(token).Equal(p.token)
	}
	for _, value := range key {
		ok = ok && secret.New(value).Equal(p.token)
	}
	return ok
}

// keepBody reads the body into memory, so that the request can be repeated, if
// there is room. The caller calls done when the request is over.
func (p *Proxy) keepBody(r *http.Request) (done func(), err error) {
	size := r.ContentLength
	if size <= 0 || size > maxBody {
		return func() {}, nil
	}
	if p.bodies.Add(size) > maxBodies {
		p.bodies.Add(-size)
		return func() {}, nil
	}
	done = func() { p.bodies.Add(-size) }
	b := make([]byte, size)
	if _, err := io.ReadFull(r.Body, b); err != nil {
		return done, fmt.Errorf("reading the body: %w", err)
	}
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }
	r.Body, _ = r.GetBody()
	return done, nil
}

// refuseUpstream says why there is no answer of the server.
func refuseUpstream(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, context.Canceled) || r.Context().Err() != nil:
		panic(http.ErrAbortHandler)
	case fault.Is(err, fault.Unauthenticated) || fault.Is(err, fault.NotFound):
		refuse(w, http.StatusUnauthorized, "authentication_error", told(err))
	case isFault(err):
		w.Header().Set("Retry-After", "5")
		refuse(w, http.StatusServiceUnavailable, "api_error", told(err))
	default:
		w.Header().Set("Retry-After", "5")
		refuse(w, http.StatusServiceUnavailable, "api_error", "the server cannot be reached")
	}
}

func isFault(err error) bool {
	_, ok := errors.AsType[*fault.Error](err)
	return ok
}

// told is a fault's sentence and what mends it.
func told(err error) string {
	text := fault.Message(err)
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Hint != "" {
		text += "; run: " + f.Hint
	}
	return text
}

func refuse(w http.ResponseWriter, status int, kind, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"type": "error", "error": map[string]string{"type": kind, "message": message}})
}
