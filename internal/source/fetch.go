package source

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

const (
	maxAnswer = 1 << 20
	// TokenLimit is how long a public token endpoint may take, MetadataLimit one
	// on this machine or link: where there is none, nothing answers at all.
	TokenLimit    = 30 * time.Second
	MetadataLimit = 2 * time.Second
)

// Request is one question to a token endpoint.
type Request struct {
	Method string // empty is GET, or POST with a body
	URL    string
	Header map[string]string
	Form   url.Values // the body, as a form
	JSON   any        // the body, as JSON
	// Metadata says that it goes to a metadata service: by http to a link-local or
	// loopback address, and by no proxy.
	Metadata bool
}

// Answer is what came back.
type Answer struct {
	Status int
	Body   []byte
	from   string
}

// Fetch asks a token endpoint. It fails with Invalid for an address that a
// credential must not go to, or that points elsewhere, with Timeout or
// Unavailable if nothing answers or too much does. Errors name the origin alone.
func (m Machine) Fetch(ctx context.Context, r Request) (Answer, error) {
	u, err := url.Parse(r.URL)
	if err != nil || u.Host == "" || u.User != nil {
		return Answer{}, fault.New(fault.Invalid, "the address of a token endpoint cannot be used")
	}
	origin := u.Scheme + "://" + u.Host
	if err := allowed(u, origin, r.Metadata); err != nil {
		return Answer{}, err
	}
	limit := TokenLimit
	if r.Metadata {
		limit = MetadataLimit
	}
	ctx, stop := m.Wait.Limit(ctx, limit)
	defer stop()
	req, err := r.build(ctx, m.Agent)
	if err != nil {
		return Answer{}, fault.Wrap(fault.Invalid, err, "the request to "+origin+" cannot be made")
	}
	resp, err := m.way(r.Metadata).Do(req)
	if err != nil {
		return Answer{}, unreachable(ctx, origin, limit, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return Answer{}, unreachable(ctx, origin, limit, err)
	case len(body) > maxAnswer:
		return Answer{}, fault.New(fault.Unavailable, "%s answers without end", origin)
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		return Answer{}, fault.New(fault.Invalid, "%s points elsewhere, which a credential must not follow", origin)
	}
	return Answer{Status: resp.StatusCode, Body: body, from: origin}, nil
}

func allowed(u *url.URL, origin string, metadata bool) error {
	local := u.Scheme == "http" && isLoopback(u.Hostname())
	switch {
	case metadata && u.Scheme == "http", local, u.Scheme == "https":
		return nil
	}
	return fault.New(fault.Invalid, "%s is not asked for a credential, because it is not reached by https", origin)
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback()
}

func (r Request) build(ctx context.Context, agent string) (*http.Request, error) {
	method, kind, body := r.Method, "", io.Reader(nil)
	switch {
	case r.Form != nil:
		kind, body = "application/x-www-form-urlencoded", strings.NewReader(r.Form.Encode())
	case r.JSON != nil:
		raw, err := json.Marshal(r.JSON)
		if err != nil {
			return nil, err
		}
		kind, body = "application/json", bytes.NewReader(raw)
	}
	if method == "" {
		method = http.MethodGet
		if body != nil {
			method = http.MethodPost
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, r.URL, body)
	if err != nil {
		return nil, err
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", agent)
	for name, value := range r.Header {
		req.Header.Set(name, value)
	}
	return req, nil
}

// way is a client that follows nothing. A redirect would carry a header or body,
// and with it a credential, to an origin that nobody checked.
func (m Machine) way(metadata bool) *http.Client {
	transport := m.Transport
	if metadata {
		transport = &http.Transport{Proxy: nil, DisableKeepAlives: true, DialContext: (&net.Dialer{Control: nearby}).DialContext}
	}
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// isAmazon reports whether an address is where AWS has its metadata services in
// IPv6, fd00:ec2::/32.
func isAmazon(ip netip.Addr) bool {
	b := ip.As16()
	return ip.Is6() && b[0] == 0xfd && b[1] == 0 && b[2] == 0x0e && b[3] == 0xc2
}

var errFar = errors.New("the address is not on this machine or its link")

// nearby looks at the address that is really dialled: a name that leads to
// somewhere else gets no metadata request.
func nearby(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return errFar
	}
	ip := at.Addr().Unmap().WithZone("")
	if ip.IsLoopback() || ip.IsLinkLocalUnicast() || isAmazon(ip) {
		return nil
	}
	return errFar
}

func unreachable(ctx context.Context, origin string, limit time.Duration, err error) error {
	if errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		return fault.Wrap(fault.Timeout, err, fmt.Sprintf("%s did not answer within %s", origin, limit))
	}
	if errors.Is(err, errFar) {
		return fault.Wrap(fault.Invalid, errFar, origin+" is no metadata service of this machine")
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err // the rest of it is the whole address
	}
	return fault.Wrap(fault.Unavailable, err, "cannot reach "+origin)
}

// isErrorCode reports whether a text is an error code, and nothing that a server
// might have put a secret into.
func isErrorCode(s string) bool {
	return s != "" && len(s) <= 60 && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
}

// Decode reads the JSON of a success. Anything else is an error that names the
// status and the error code of RFC 6749, section 5.2, and quotes nothing: a 4xx
// with such a code is Unauthenticated, which mend mends, a 404 NotFound, another
// 4xx Invalid, everything else Unavailable.
func (a Answer) Decode(into any, mend string) error {
	if a.Status == http.StatusOK {
		if json.Unmarshal(a.Body, into) != nil {
			return fault.New(fault.Unavailable, "%s gave an answer that is not the JSON it should be", a.from)
		}
		return nil
	}
	var said struct {
		Error any `json:"error"`
	}
	_ = json.Unmarshal(a.Body, &said)
	code, _ := said.Error.(string)
	switch {
	case a.Status >= 500, a.Status == http.StatusTooManyRequests:
		return fault.New(fault.Unavailable, "%s answered %d", a.from, a.Status)
	case a.Status == http.StatusNotFound:
		return fault.New(fault.NotFound, "%s has no credential for this machine", a.from)
	case isErrorCode(code):
		return fault.New(fault.Unauthenticated, "%s refused: %s", a.from, code).WithHint(mend)
	case a.Status == http.StatusUnauthorized, a.Status == http.StatusForbidden, a.Status == http.StatusBadRequest:
		return fault.New(fault.Unauthenticated, "%s refused with status %d", a.from, a.Status).WithHint(mend)
	}
	return fault.New(fault.Invalid, "%s answered %d", a.from, a.Status)
}

// After is the moment so many seconds from now; zero for what is no length of
// time, or longer than a year.
func (m Machine) After(seconds float64) time.Time {
	if !(seconds > 0 && seconds <= 366*24*3600) {
		return time.Time{}
	}
	return m.Now().Add(time.Duration(seconds * float64(time.Second)))
}
