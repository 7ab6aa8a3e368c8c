package anthropic

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// Config says where the upstream is and how to get in. One of Key and Token is
// set. Zero durations take the defaults.
type Config struct {
	Name          string
	BaseURL       string                                // such as "https://api.anthropic.com"; a path is kept
	Key           secret.Text                           // sent as x-api-key
	Token         secret.Text                           // sent as Authorization: Bearer
	Proxy         func(*http.Request) (*url.URL, error) // nil: none
	TLS           *tls.Config                           // nil: the system's roots
	DialContext   func(ctx context.Context, network, address string) (net.Conn, error)
	ConnectWithin time.Duration // 10 seconds
	HeaderWithin  time.Duration // from the request to the answer's header: 120 seconds
}

// Upstream is one such place. Make it with New, and Close it.
type Upstream struct {
	name      string
	base      *url.URL
	paths     map[gateway.Operation]string
	auth      string // the header that carries the credential, in canonical form
	secret    secret.Text
	oauth     bool // the credential is a token, so the OAuth beta is ours to send
	transport *http.Transport
}

// New returns an Upstream, or says what is wrong with its address or credential.
func New(cfg Config) (*Upstream, error) {
	base, err := url.Parse(cfg.BaseURL)
	if err != nil || (base.Scheme != "https" && base.Scheme != "http") || base.Host == "" || base.RawQuery != "" || base.Fragment != "" || base.User != nil {
		return nil, fault.New(fault.Invalid, "the upstream's address is not a plain http or https URL").At("base_url")
	}
	if cfg.Key.Empty() == cfg.Token.Empty() {
		return nil, fault.New(fault.Invalid, "an upstream needs one credential, a key or a token").At("key")
	}
	u := &Upstream{name: cfg.Name, base: base, transport: newTransport(cfg), auth: "X-Api-Key", secret: cfg.Key}
	if u.oauth = !cfg.Token.Empty(); u.oauth {
		u.auth, u.secret = "Authorization", secret.New("Bearer "+cfg.Token.Reveal())
	}
	prefix := strings.TrimSuffix(base.Path, "/")
	u.paths = map[gateway.Operation]string{
		gateway.Messages: prefix + "/v1/messages", gateway.CountTokens: prefix + "/v1/messages/count_tokens"}
	return u, nil
}

func newTransport(cfg Config) *http.Transport {
	if cfg.ConnectWithin == 0 {
		cfg.ConnectWithin = 10 * time.Second
	}
	if cfg.HeaderWithin == 0 {
		cfg.HeaderWithin = 120 * time.Second
	}
	dial := cfg.DialContext
	if dial == nil {
		dial = (&net.Dialer{Timeout: cfg.ConnectWithin, KeepAlive: 30 * time.Second}).DialContext
	}
	return &http.Transport{
		Proxy: cfg.Proxy, DialContext: dial, TLSClientConfig: cfg.TLS,
		TLSHandshakeTimeout: cfg.ConnectWithin, ResponseHeaderTimeout: cfg.HeaderWithin,
		MaxIdleConns: 4096, MaxIdleConnsPerHost: 4096, IdleConnTimeout: 90 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true, // the answer must be readable on its way
		// One connection carries one request: a stream never waits for another's
		// flow control, and what is read is ours alone to hand over.
		ForceAttemptHTTP2: false,
	}
}

// Name is the upstream's name.
func (u *Upstream) Name() string { return u.name }

// Pings is true of the Anthropic API itself, which fills its silences. Nothing
// is known of other servers in its format.
func (u *Upstream) Pings() bool {
	host := u.base.Hostname()
	return host == "anthropic.com" || strings.HasSuffix(host, ".anthropic.com")
}

// Close ends idle connections.
func (u *Upstream) Close() { u.transport.CloseIdleConnections() }

var (
	identity = []string{"identity"}
	none     = []string{""}
)

// Send implements gateway.Upstream.
func (u *Upstream) Send(ctx context.Context, call *gateway.Call) (*gateway.Answer, error) {
	path, ok := u.paths[call.Operation]
	if !ok {
		return nil, fault.New(fault.Unsupported, "the upstream %s cannot do that", u.name)
	}
	target := *u.base
	target.Path, target.RawPath, target.RawQuery = path, "", call.Query
	request := (&http.Request{
		Method: http.MethodPost, URL: &target, Host: u.base.Host, Header: u.header(call.Header),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: call.Reader(), ContentLength: int64(len(call.Body())),
		// For a connection that was closed before anything was sent on it; a
		// request that may have been read is not sent again.
		GetBody: func() (io.ReadCloser, error) { return call.Reader(), nil },
	}).WithContext(ctx)
	response, err := u.transport.RoundTrip(request)
	if err != nil {
		return nil, classify(err)
	}
	return &gateway.Answer{Status: response.StatusCode, Header: response.Header, Body: response.Body, Length: response.ContentLength}, nil
}

// header adds our credential to what the client sent.
func (u *Upstream) header(from http.Header) http.Header {
	to := make(http.Header, len(from)+3)
	for name, values := range from {
		to[name] = values
	}
	if betas := to["Anthropic-Beta"]; !u.oauth && len(betas) > 0 {
		if betas = gateway.WithoutBeta(betas, gateway.OAuthBeta); len(betas) == 0 {
			delete(to, "Anthropic-Beta")
		} else {
			to["Anthropic-Beta"] = betas
		}
	}
	delete(to, "Idempotency-Key") // net/http would take it as leave to send twice
	delete(to, "X-Idempotency-Key")
	if to["User-Agent"] == nil {
		to["User-Agent"] = none // or net/http names itself
	}
	to["Accept-Encoding"] = identity
	to[u.auth] = []string{u.secret.Reveal()}
	return to
}

// classify says what kind of failure kept us from an answer.
func classify(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() || errors.Is(err, os.ErrDeadlineExceeded) {
		return fault.Wrap(fault.Timeout, err, "the upstream did not answer in time")
	}
	return fault.Wrap(fault.Unavailable, err, "the upstream cannot be reached").After(2 * time.Second)
}
