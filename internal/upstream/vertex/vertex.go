package vertex

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/catalogue"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/gateway/dialect"
	"github.com/gatehouse-dev/gatehouse/internal/price"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/direct"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/lease"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/origin"
)

// Config says where the upstream is and how to get in.
type Config struct {
	Name      string
	Project   string
	Region    string            // "global", "us", "eu", or a region such as "europe-west1"
	Models    map[string]string // :: model → name there; they come before the catalogue's
	Catalogue *catalogue.Catalogue
	Auth      origin.Credential
	Origin    origin.Config // URL "": the region's own
}

// Upstream is Vertex AI in one project and region. Make it with New, and Close it.
type Upstream struct {
	cfg    Config
	rules  catalogue.Rules
	origin *origin.Origin
	models string // the path of the models
}

// Endpoint is the address of Vertex AI for a region.
func Endpoint(region string) string {
	switch region {
	case "global":
		return "https://aiplatform.googleapis.com"
	case "us", "eu":
		return "https://aiplatform." + region + ".rep.googleapis.com"
	}
	return "https://" + region + "-aiplatform.googleapis.com"
}

// New returns an Upstream, or says what is wrong with its address.
func New(cfg Config) (*Upstream, error) {
	if cfg.Project == "" || cfg.Region == "" {
		return nil, fault.New(fault.Invalid, "a project and a region are needed").At("project")
	}
	if cfg.Origin.URL == "" {
		cfg.Origin.URL = Endpoint(cfg.Region)
	}
	to, err := origin.New(cfg.Origin)
	if err != nil {
		return nil, err
	}
	return &Upstream{cfg: cfg, rules: cfg.Catalogue.Rules(catalogue.Vertex), origin: to,
		models: strings.TrimSuffix(to.Base().EscapedPath(), "/") + "/v1/projects/" + url.PathEscape(cfg.Project) + "/locations/" +
			url.PathEscape(cfg.Region) + "/publishers/anthropic/models/"}, nil
}

// Name is the upstream's name.
func (u *Upstream) Name() string { return u.cfg.Name }

// Pings is false: nothing says that Google fills a model's silences.
func (u *Upstream) Pings() bool { return false }

// Status is how its credential stands.
func (u *Upstream) Status() lease.Status { return u.cfg.Auth.Status() }

// Close ends idle connections, and renewing.
func (u *Upstream) Close() {
	u.origin.Close()
	u.cfg.Auth.Close()
}

// Serves reports whether the upstream has a name for a model.
func (u *Upstream) Serves(model string) bool {
	_, ok := u.model(model)
	return ok
}

// Terms are those of the region; "global" is none.
func (u *Upstream) Terms(string) price.Terms {
	if u.cfg.Region == "global" {
		return 0
	}
	return price.Regional
}

func (u *Upstream) model(asked string) (string, bool) {
	return u.cfg.Catalogue.On(catalogue.Vertex, catalogue.Place{Names: u.cfg.Models}, asked)
}

// Send implements gateway.Upstream.
func (u *Upstream) Send(ctx context.Context, call *gateway.Call) (*gateway.Answer, error) {
	if call.Operation != gateway.Messages && call.Operation != gateway.CountTokens {
		return nil, fault.New(fault.Unsupported, "the upstream %s cannot do that", u.cfg.Name)
	}
	model, ok := u.model(call.Model)
	if !ok {
		return nil, gateway.NoSuchModel(u.cfg.Name, call.Model)
	}
	betas, drop := u.rules.Apply(dialect.Betas(call.Header["Anthropic-Beta"]))
	target, countAs := u.models+url.PathEscape(model)+":rawPredict", ""
	switch {
	case call.Operation == gateway.CountTokens:
		target, countAs = u.models+"count-tokens:rawPredict", model
	case call.Stream:
		target = u.models + url.PathEscape(model) + ":streamRawPredict"
	}
	body, err := dialect.ToVertex(call.Body(), drop, countAs)
	if err != nil {
		return nil, errors.Join(gateway.ErrNotSent, err)
	}
	header := origin.Passed(call.Header)
	if len(betas) > 0 {
		header["Anthropic-Beta"] = []string{strings.Join(betas, ",")}
	}
	response, err := u.origin.Prove(ctx, origin.Request{Target: target, Header: header, Own: own, Body: body, Reader: origin.NewReader(body), Stream: call.Stream},
		u.cfg.Auth, call.Who, ranOut)
	if err != nil {
		return nil, err
	}
	answered := origin.Answered(response.Header, "Request-Id")
	if response.StatusCode >= http.StatusBadRequest {
		return origin.Refusal(response, answered)
	}
	return &gateway.Answer{Status: response.StatusCode, Header: answered, Body: response.Body, Length: response.ContentLength}, nil
}

var own = []direct.Field{{Name: "X-Goog-Api-Client", Values: []string{"gatehouse"}}}

func ranOut(r *http.Response) bool { return r.StatusCode == http.StatusUnauthorized }
