package origin

import (
	"cmp"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/direct"
)

// Config says where the origin is and how it is reached. Zero durations take the
// defaults.
type Config struct {
	URL           string                                // such as "https://api.example.com"; a path is kept
	Proxy         func(*http.Request) (*url.URL, error) // nil: none
	TLS           *tls.Config                           // nil: the system's roots
	ConnectWithin time.Duration                         // 10 seconds
	// DialContext connects to the origin, DialProxy to a proxy; nil: a
	// net.Dialer. They are two, because an upstream is where an owner says and a
	// proxy where whoever runs the server says. A *fault.Error among their
	// errors, or Proxy's, is what Send fails with.
	DialContext, DialProxy func(ctx context.Context, network, address string) (net.Conn, error)
	HeaderWithin           time.Duration // from the request to a stream's header: 120 seconds
	// WholeWithin is the same for an answer that is not streamed, whose header
	// comes when the model is done. Clients wait for 10 minutes, and so do we.
	WholeWithin time.Duration
	BriefWithin time.Duration // for the body of a refusal, or of an answer that is brief: 15 seconds
}

// Origin is one such place. Make it with New, and Close it.
type Origin struct {
	base      *url.URL
	whole     time.Duration   // Config.WholeWithin
	brief     time.Duration   // Config.BriefWithin
	direct    *direct.Pool    // nil if there is a proxy in between
	transport *http.Transport // for that case
	patient   *http.Transport // and for answers that are not streamed
}

// New returns an Origin, or says what is wrong with its address.
func New(cfg Config) (*Origin, error) {
	base, err := url.Parse(cfg.URL)
	if err != nil || (base.Scheme != "https" && base.Scheme != "http") || base.Host == "" || base.RawQuery != "" || base.Fragment != "" || base.User != nil {
		return nil, fault.New(fault.Invalid, "the upstream's address is not a plain http or https URL").At("base_url")
	}
	cfg.HeaderWithin, cfg.WholeWithin = cmp.Or(cfg.HeaderWithin, 2*time.Minute), cmp.Or(cfg.WholeWithin, 10*time.Minute)
	cfg.BriefWithin = cmp.Or(cfg.BriefWithin, 15*time.Second)
	o := &Origin{base: base, whole: cfg.WholeWithin, brief: cfg.BriefWithin}
	if proxied(cfg, base) {
		o.transport, o.patient = newTransport(cfg, cfg.HeaderWithin), newTransport(cfg, cfg.WholeWithin)
	} else {
		o.direct = newPool(cfg, base)
	}
	return o, nil
}

// at is the URL of a target. It is put together and not resolved against the base: a
// reference that begins with two slashes would name another host.
func (o *Origin) at(target string) (*url.URL, error) {
	escaped, query, _ := strings.Cut(target, "?")
	plain, err := url.PathUnescape(escaped)
	if err != nil {
		return nil, err
	}
	to := *o.base
	to.Path, to.RawPath, to.RawQuery = plain, escaped, query
	return &to, nil
}

// Base is the address. It must not be changed.
func (o *Origin) Base() *url.URL { return o.base }

// Close ends idle connections.
func (o *Origin) Close() {
	if o.direct != nil {
		o.direct.Close()
		return
	}
	o.transport.CloseIdleConnections()
	o.patient.CloseIdleConnections()
}

// Request is a POST to the origin.
type Request struct {
	Target string // the path, escaped, and the query
	Header http.Header
	Own    []direct.Field // sent instead of what Header has under the same names
	// Body is read only while Send runs. Reader, which the way through a proxy
	// needs, gives the same bytes for as long as it is not closed.
	Body   []byte
	Reader func() io.ReadCloser
	Stream bool // the answer is a stream, whose header comes early
	Brief  bool // the answer is a few words, which come with its header or soon
}

// Send sends a request and returns when the answer's header is there. Whoever
// gets an answer closes its body.
func (o *Origin) Send(ctx context.Context, r *Request) (*http.Response, error) {
	var response *http.Response
	var err error
	if o.direct != nil {
		out := &direct.Request{Target: r.Target, Header: r.Header, Own: r.Own, Body: r.Body, Brief: r.Brief}
		if !r.Stream {
			out.HeaderWithin = o.whole
		}
		response, err = o.direct.Send(ctx, out)
	} else {
		response, err = o.sendProxied(ctx, r)
	}
	if err != nil {
		return nil, classify(err)
	}
	return response, nil
}
