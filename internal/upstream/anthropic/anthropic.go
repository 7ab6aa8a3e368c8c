package anthropic

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/catalogue"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/gateway/dialect"
	"github.com/gatehouse-dev/gatehouse/internal/price"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/direct"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/lease"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/origin"
)

// Config says where the upstream is and how to get in. One of Key, Token and
// Credential is set. The rest is as in origin.Config.
type Config struct {
	Name       string
	BaseURL    string      // such as "https://api.anthropic.com"; a path is kept
	Key        secret.Text // sent as x-api-key
	Token      secret.Text // sent as Authorization: Bearer
	Credential origin.Credential
	OAuth      bool                      // Credential is an access token of OAuth
	RanOut     func(*http.Response) bool // whether an answer says that Credential's time is over; nil: a 401 does

	// Provider is whose names and abilities hold; "": what clients ask for and say
	// goes out as it is.
	Provider  catalogue.Provider
	Catalogue *catalogue.Catalogue
	Models    map[string]string // :: model → name there
	Always    []direct.Field    // sent with every request
	Mute      bool              // the upstream sends no pings, wherever it is
	Terms     price.Terms       // of its prices

	Proxy                     func(*http.Request) (*url.URL, error)
	TLS                       *tls.Config
	ConnectWithin             time.Duration
	DialContext, DialProxy    func(ctx context.Context, network, address string) (net.Conn, error)
	HeaderWithin, WholeWithin time.Duration
}

// Upstream is one such place. Make it with New, and Close it.
type Upstream struct {
	cfg    Config
	paths  map[gateway.Operation]string // escaped
	rules  catalogue.Rules
	oauth  bool // the credential is a token, so the OAuth beta is ours to send
	origin *origin.Origin
}

// New returns an Upstream, or says what is wrong with its address or credential.
func New(cfg Config) (*Upstream, error) {
	to, err := origin.New(origin.Config{URL: cfg.BaseURL, Proxy: cfg.Proxy, TLS: cfg.TLS, ConnectWithin: cfg.ConnectWithin,
		DialContext: cfg.DialContext, DialProxy: cfg.DialProxy, HeaderWithin: cfg.HeaderWithin, WholeWithin: cfg.WholeWithin})
	if err != nil {
		return nil, err
	}
	u := &Upstream{origin: to, oauth: !cfg.Token.Empty() || cfg.OAuth}
	switch {
	case cfg.Credential != nil && cfg.Key.Empty() && cfg.Token.Empty():
	case cfg.Credential == nil && !cfg.Key.Empty() && !u.oauth:
		cfg.Credential = origin.Key("X-Api-Key", cfg.Key)
	case cfg.Credential == nil && cfg.Key.Empty() && !cfg.Token.Empty():
		cfg.Credential = origin.Key("Authorization", secret.New("Bearer "+cfg.Token.Reveal()))
	default:
		return nil, fault.New(fault.Invalid, "an upstream needs one credential, a key or a token").At("key")
	}
	if cfg.RanOut == nil {
		cfg.RanOut = func(r *http.Response) bool { return r.StatusCode == http.StatusUnauthorized }
	}
	if cfg.Provider != "" {
		u.rules = cfg.Catalogue.Rules(cfg.Provider)
	}
	u.cfg = cfg
	prefix := strings.TrimSuffix(to.Base().EscapedPath(), "/")
	u.paths = map[gateway.Operation]string{
		gateway.Messages: prefix + "/v1/messages", gateway.CountTokens: prefix + "/v1/messages/count_tokens"}
	return u, nil
}

// Name is the upstream's name.
func (u *Upstream) Name() string { return u.cfg.Name }

// Pings is true of the Anthropic API itself, which fills its silences. Nothing
// is known of other servers in its format.
func (u *Upstream) Pings() bool {
	if u.cfg.Mute {
		return false
	}
	host := u.origin.Base().Hostname()
	return host == "anthropic.com" || strings.HasSuffix(host, ".anthropic.com")
}

// Status is how its credential stands.
func (u *Upstream) Status() lease.Status { return u.cfg.Credential.Status() }

// Terms are those of its prices.
func (u *Upstream) Terms(string) price.Terms { return u.cfg.Terms }

// Close ends idle connections, and renewing.
func (u *Upstream) Close() {
	u.origin.Close()
	u.cfg.Credential.Close()
}

// Serves reports whether the upstream has a name for a model.
func (u *Upstream) Serves(model string) bool {
	_, ok := u.model(model)
	return ok
}

func (u *Upstream) model(asked string) (string, bool) {
	if u.cfg.Provider == "" {
		return asked, true
	}
	return u.cfg.Catalogue.On(u.cfg.Provider, catalogue.Place{Names: u.cfg.Models}, asked)
}

// Send implements gateway.Upstream.
func (u *Upstream) Send(ctx context.Context, call *gateway.Call) (*gateway.Answer, error) {
	path, ok := u.paths[call.Operation]
	if !ok {
		return nil, fault.New(fault.Unsupported, "the upstream %s cannot do that", u.cfg.Name)
	}
	request := origin.Request{Target: direct.Target(path, call.Query), Header: call.Header, Own: u.cfg.Always, Body: call.Body(), Reader: call.Reader, Stream: call.Stream}
	if u.cfg.Provider == "" {
		request.Own = u.own(call.Header)
	} else if err := u.adapt(&request, call); err != nil {
		return nil, err
	}
	response, err := u.origin.Prove(ctx, request, u.cfg.Credential, call.Who, u.cfg.RanOut)
	if err != nil {
		return nil, err
	}
	if u.cfg.Provider != "" && response.StatusCode >= http.StatusBadRequest {
		return origin.Refusal(response, response.Header)
	}
	return &gateway.Answer{Status: response.StatusCode, Header: response.Header, Body: response.Body, Length: response.ContentLength}, nil
}

var identity = []string{"identity"}

// own is what we send instead of what the client sent under the same names.
func (u *Upstream) own(client http.Header) []direct.Field {
	fields := append(make([]direct.Field, 0, 2+len(u.cfg.Always)), direct.Field{Name: "Accept-Encoding", Values: identity})
	betas := client["Anthropic-Beta"]
	switch {
	case u.oauth && !slices.Contains(dialect.Betas(betas), gateway.OAuthBeta):
		fields = append(fields, direct.Field{Name: "Anthropic-Beta", Values: append(slices.Clone(betas), gateway.OAuthBeta)})
	case !u.oauth && len(betas) > 0:
		fields = append(fields, direct.Field{Name: "Anthropic-Beta", Values: gateway.WithoutBeta(betas, gateway.OAuthBeta)})
	}
	return append(fields, u.cfg.Always...)
}

// adapt makes of a request what another provider of this format takes: its name
// of the model, and of betas and their members those that it knows.
func (u *Upstream) adapt(r *origin.Request, call *gateway.Call) error {
	model, ok := u.model(call.Model)
	if !ok {
		return gateway.NoSuchModel(u.cfg.Name, call.Model)
	}
	betas, drop := u.rules.Apply(dialect.Betas(call.Header["Anthropic-Beta"]))
	body, err := dialect.Rename(call.Body(), call.Model, model, drop)
	if err != nil {
		return errors.Join(gateway.ErrNotSent, err)
	}
	r.Body = body
	if len(body) == 0 || &body[0] != &call.Body()[0] {
		r.Reader = origin.NewReader(body)
	}
	r.Own = append(make([]direct.Field, 0, 2+len(u.cfg.Always)), direct.Field{Name: "Accept-Encoding", Values: identity})
	line := direct.Field{Name: "Anthropic-Beta"}
	if len(betas) > 0 {
		line.Values = []string{strings.Join(betas, ",")}
	}
	r.Own = append(append(r.Own, line), u.cfg.Always...)
	return nil
}
