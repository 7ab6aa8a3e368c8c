package anthropic

import (
	"cmp"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/direct"
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
	ConnectWithin time.Duration                         // 10 seconds
	// DialContext connects to the upstream, DialProxy to a proxy; nil: a
	// net.Dialer. They are two, because an upstream is where an owner says and a
	// proxy where whoever runs the server says. A *fault.Error among their
	// errors, or Proxy's, is what Send fails with.
	DialContext, DialProxy func(ctx context.Context, network, address string) (net.Conn, error)
	HeaderWithin           time.Duration // from the request to a stream's header: 120 seconds
	// WholeWithin is the same for an answer that is not streamed, whose header
	// comes when the model is done. Clients wait for 10 minutes, and so do we.
	WholeWithin time.Duration
}

// Upstream is one such place. Make it with New, and Close it.
type Upstream struct {
	name      string
	base      *url.URL
	paths     map[gateway.Operation]string // escaped
	auth      string                       // the header that carries the credential, in canonical form
	secret    secret.Text
	oauth     bool            // the credential is a token, so the OAuth beta is ours to send
	whole     time.Duration   // Config.WholeWithin
	direct    *direct.Pool    // nil if there is a proxy in between
	transport *http.Transport // for that case
	patient   *http.Transport // and for answers that are not streamed
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
	cfg.HeaderWithin, cfg.WholeWithin = cmp.Or(cfg.HeaderWithin, 2*time.Minute), cmp.Or(cfg.WholeWithin, 10*time.Minute)
	u := &Upstream{name: cfg.Name, base: base, auth: "X-Api-Key", secret: cfg.Key, whole: cfg.WholeWithin}
	if u.oauth = !cfg.Token.Empty(); u.oauth {
		u.auth, u.secret = "Authorization", secret.New("Bearer "+cfg.Token.Reveal())
	}
	if proxied(cfg, base) {
		u.transport, u.patient = newTransport(cfg, cfg.HeaderWithin), newTransport(cfg, cfg.WholeWithin)
	} else {
		u.direct = newPool(cfg, base)
	}
	prefix := strings.TrimSuffix(base.EscapedPath(), "/")
	u.paths = map[gateway.Operation]string{
		gateway.Messages: prefix + "/v1/messages", gateway.CountTokens: prefix + "/v1/messages/count_tokens"}
	return u, nil
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
func (u *Upstream) Close() {
	if u.direct != nil {
		u.direct.Close()
		return
	}
	u.transport.CloseIdleConnections()
	u.patient.CloseIdleConnections()
}

// Send implements gateway.Upstream.
func (u *Upstream) Send(ctx context.Context, call *gateway.Call) (*gateway.Answer, error) {
	path, ok := u.paths[call.Operation]
	if !ok {
		return nil, fault.New(fault.Unsupported, "the upstream %s cannot do that", u.name)
	}
	var response *http.Response
	var err error
	if u.direct != nil {
		request := &direct.Request{Target: direct.Target(path, call.Query), Header: call.Header, Own: u.own(call.Header), Body: call.Body()}
		if !call.Stream {
			request.HeaderWithin = u.whole
		}
		response, err = u.direct.Send(ctx, request)
	} else {
		response, err = u.sendProxied(ctx, path, call)
	}
	if err != nil {
		return nil, classify(err)
	}
	return &gateway.Answer{Status: response.StatusCode, Header: response.Header, Body: response.Body, Length: response.ContentLength}, nil
}

var identity = []string{"identity"}

// own is what we send instead of what the client sent under the same names.
func (u *Upstream) own(client http.Header) []direct.Field {
	other := "Authorization"
	if u.oauth {
		other = "X-Api-Key"
	}
	fields := append(make([]direct.Field, 0, 4),
		direct.Field{Name: u.auth, Values: []string{u.secret.Reveal()}}, direct.Field{Name: other},
		direct.Field{Name: "Accept-Encoding", Values: identity})
	if betas := client["Anthropic-Beta"]; !u.oauth && len(betas) > 0 {
		fields = append(fields, direct.Field{Name: "Anthropic-Beta", Values: gateway.WithoutBeta(betas, gateway.OAuthBeta)})
	}
	return fields
}
