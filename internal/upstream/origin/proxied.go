package origin

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"os"
	"sync/atomic"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/direct"
)

// proxied reports whether the way to the upstream leads through a proxy, or may.
func proxied(cfg Config, base *url.URL) bool {
	if cfg.Proxy == nil {
		return false
	}
	via, err := cfg.Proxy(&http.Request{Method: http.MethodPost, URL: base, Host: base.Host, Header: http.Header{}})
	return err != nil || via != nil
}

func newPool(cfg Config, base *url.URL) *direct.Pool {
	to := direct.Config{Address: base.Host, Host: base.Host, Dial: cfg.DialContext, ConnectWithin: cfg.ConnectWithin, HeaderWithin: cfg.HeaderWithin, BriefWithin: cfg.BriefWithin}
	port := "80"
	if base.Scheme == "https" {
		port = "443"
		to.TLS = &tls.Config{}
		if cfg.TLS != nil {
			to.TLS = cfg.TLS.Clone()
		}
		to.TLS.NextProtos = []string{"http/1.1"}
		to.TLS.MinVersion = max(to.TLS.MinVersion, tls.VersionTLS12)
		if to.TLS.ServerName == "" {
			to.TLS.ServerName = base.Hostname()
		}
		if to.TLS.ClientSessionCache == nil {
			to.TLS.ClientSessionCache = tls.NewLRUClientSessionCache(64)
		}
	}
	if base.Port() == "" {
		to.Address = net.JoinHostPort(base.Hostname(), port)
	}
	return direct.New(to)
}

// newTransport returns what sends through a proxy, and waits so long for the
// header of an answer.
func newTransport(cfg Config, within time.Duration) *http.Transport {
	connect := cmp.Or(cfg.ConnectWithin, 10*time.Second)
	dial := cfg.DialProxy
	if dial == nil {
		dial = (&net.Dialer{Timeout: connect, KeepAlive: 30 * time.Second}).DialContext
	}
	return &http.Transport{
		Proxy: always(cfg.Proxy), DialContext: dial, TLSClientConfig: cfg.TLS,
		TLSHandshakeTimeout: connect, ResponseHeaderTimeout: within,
		MaxIdleConns: 4096, MaxIdleConnsPerHost: 4096, IdleConnTimeout: 55 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true, // the answer must be readable on its way
	}
}

// always is a proxy without which nothing is sent: what connects to it does not look
// where it goes.
func always(proxy func(*http.Request) (*url.URL, error)) func(*http.Request) (*url.URL, error) {
	return func(r *http.Request) (*url.URL, error) {
		via, err := proxy(r)
		if err == nil && via == nil {
			err = fault.New(fault.Unavailable, "the upstream is reached through a proxy, and there is none any more")
		}
		return via, err
	}
}

// timed is the body of a request that ends with it.
type timed struct {
	io.ReadCloser
	timer *time.Timer // nil: it may take its time
	end   context.CancelCauseFunc
}

func (t *timed) Close() error {
	if t.timer != nil {
		t.timer.Stop()
	}
	err := t.ReadCloser.Close()
	t.end(nil)
	return err
}

// sendProxied sends through a proxy, as net/http does it.
func (o *Origin) sendProxied(ctx context.Context, r *Request) (*http.Response, error) {
	target, err := o.at(r.Target)
	if err != nil {
		return nil, err
	}
	header := make(http.Header, len(r.Header)+len(r.Own))
	maps.Copy(header, r.Header)
	for _, f := range r.Own {
		if header[f.Name] = f.Values; len(f.Values) == 0 {
			delete(header, f.Name)
		}
	}
	delete(header, "Idempotency-Key") // net/http would take it as leave to send twice
	delete(header, "X-Idempotency-Key")
	if header["User-Agent"] == nil {
		header["User-Agent"] = []string{""} // or net/http names itself
	}
	transport := o.patient
	if r.Stream {
		transport = o.transport
	}
	var connected atomic.Bool
	ctx, end := context.WithCancelCause(ctx)
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }})
	response, err := transport.RoundTrip((&http.Request{
		Method: http.MethodPost, URL: target, Host: o.base.Host, Header: header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: r.Reader(), ContentLength: int64(len(r.Body)),
		// For a connection that was closed before anything was sent on it; a
		// request that may have been read is not sent again.
		GetBody: func() (io.ReadCloser, error) { return r.Reader(), nil },
	}).WithContext(ctx))
	if err != nil && !connected.Load() {
		err = &direct.UnsentError{Err: err}
	}
	if err != nil {
		end(nil)
		return nil, err
	}
	body := &timed{response.Body, nil, end}
	if r.Brief || response.StatusCode >= http.StatusBadRequest {
		body.timer = time.AfterFunc(o.brief, func() { end(os.ErrDeadlineExceeded) })
	}
	response.Body = body
	return response, nil
}

// classify says what kind of failure kept us from an answer, and whether the
// upstream has heard of the request.
func classify(err error) error {
	if unsent, ok := errors.AsType[*direct.UnsentError](err); ok {
		err = fmt.Errorf("%w: %w", gateway.ErrNotSent, unsent.Err)
	}
	if errors.Is(err, context.Canceled) {
		return err
	}
	if f, ok := errors.AsType[*fault.Error](err); ok {
		said := *f
		said.Err = err
		return &said
	}
	if timeout, ok := errors.AsType[net.Error](err); (ok && timeout.Timeout()) || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		return fault.Wrap(fault.Timeout, err, "the upstream did not answer in time")
	}
	return fault.Wrap(fault.Unavailable, err, "the upstream cannot be reached").After(2 * time.Second)
}
