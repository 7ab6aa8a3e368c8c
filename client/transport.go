package client

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// ErrOrigin says that a request, or a redirect, was for another origin than the
// transport's own. Nothing of it was sent.
var ErrOrigin = errors.New("the request is for another origin than the Gatehouse server")

// Transport is an http.RoundTripper that puts a source's token on every request
// to one origin (RFC 6454), and refuses requests to any other. It takes off the
// caller's own Authorization and x-api-key. It is safe for many goroutines, and
// must not be copied. Its zero value refuses everything.
//
// A request that is answered with 401 is sent once more with a new token, if
// there is one and the request can be repeated: it has no body, or has GetBody.
// Any other answer, and any error, is handed on as it is. A request whose new
// token cannot be had fails with the source's error.
type Transport struct {
	// Next sends the requests; nil means http.DefaultTransport. It is set before
	// the first request.
	Next http.RoundTripper

	base   *url.URL
	source Source
	tokens tokens
}

// New makes a transport for the server at base, an https URL, or an http one of
// this machine: localhost or a loopback address. A path is not looked at.
func New(base string, source Source) (*Transport, error) {
	u, err := url.Parse(base)
	switch {
	case err != nil || u.Hostname() == "":
		return nil, errors.New("the server's address is not a URL with a host")
	case u.User != nil:
		return nil, errors.New("the server's address has a user name or password in it")
	case u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())):
		return nil, errors.New("the server's address must begin with https://, but for this machine's own")
	case source == nil:
		return nil, errors.New("a transport needs a source of tokens")
	}
	return &Transport{base: u, source: source}, nil
}

func loopback(host string) bool {
	return strings.EqualFold(host, "localhost") || net.ParseIP(host).IsLoopback()
}

// RoundTrip sends one request, or the same one twice after a 401.
func (t *Transport) RoundTrip(request *http.Request) (*http.Response, error) {
	if !t.ours(request) {
		closeBody(request)
		return nil, fmt.Errorf("%w: %s", ErrOrigin, host(request.URL))
	}
	token, number, err := t.tokens.get(request.Context(), t.source)
	if err != nil {
		closeBody(request)
		return nil, fmt.Errorf("getting a token: %w", err)
	}
	response, err := t.send(request, request.Body, token)
	if err != nil || response.StatusCode != http.StatusUnauthorized {
		return response, err
	}
	t.tokens.refuse(number)
	return t.again(request, response, token)
}

// again repeats what was answered with refusal, or returns the refusal.
func (t *Transport) again(request *http.Request, refusal *http.Response, refused Token) (*http.Response, error) {
	if !repeatable(request) {
		return refusal, nil
	}
	token, number, err := t.tokens.get(request.Context(), t.source)
	if err != nil {
		discard(refusal)
		return nil, fmt.Errorf("getting a new token after a 401: %w", err)
	}
	if token.equal(refused) {
		t.tokens.refuse(number)
		return refusal, nil
	}
	body := request.Body
	if request.GetBody != nil {
		if body, err = request.GetBody(); err != nil {
			return refusal, nil
		}
	}
	discard(refusal)
	response, err := t.send(request, body, token)
	if err == nil && response.StatusCode == http.StatusUnauthorized {
		t.tokens.refuse(number)
	}
	return response, err
}

func (t *Transport) send(request *http.Request, body io.ReadCloser, token Token) (*http.Response, error) {
	signed := request.Clone(request.Context())
	if signed.Header == nil {
		signed.Header = http.Header{}
	}
	signed.Body = body
	signed.Header.Del("X-Api-Key")
	signed.Header.Set("Authorization", "Bearer "+token.Reveal())
	response, err := t.next().RoundTrip(signed)
	if response != nil {
		response.Request = request // the one without the token: answers are logged
	}
	return response, err
}

func (t *Transport) next() http.RoundTripper {
	if t.Next == nil {
		return http.DefaultTransport
	}
	return t.Next
}

// CloseIdleConnections closes those of Next, if it can.
func (t *Transport) CloseIdleConnections() {
	if c, ok := t.next().(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// ours reports whether a request is for the base's origin, by its address, by
// its Host and by its request line.
func (t *Transport) ours(r *http.Request) bool {
	if t.base == nil || r.URL == nil || r.URL.Opaque != "" || r.URL.Scheme != t.base.Scheme || host(r.URL) != host(t.base) {
		return false
	}
	return r.Host == "" || host(&url.URL{Scheme: r.URL.Scheme, Host: r.Host}) == host(t.base)
}

// host is an address's host and port, written in one way.
func host(u *url.URL) string {
	if u == nil {
		return "no address"
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

func repeatable(r *http.Request) bool {
	return r.Body == nil || r.Body == http.NoBody || r.GetBody != nil
}

func closeBody(r *http.Request) {
	if r.Body != nil {
		_ = r.Body.Close()
	}
}

// discard reads the rest of a short answer, so that its connection is used again.
func discard(r *http.Response) {
	const short = 4 << 10
	if r.ContentLength >= 0 && r.ContentLength <= short {
		_, _ = io.CopyN(io.Discard, r.Body, short)
	}
	_ = r.Body.Close()
}
