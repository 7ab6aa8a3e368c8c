package bedrock

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/catalogue"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/gateway/dialect"
	"github.com/gatehouse-dev/gatehouse/internal/price"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/awsauth"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/lease"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/origin"
)

// Service is the name of Bedrock in a signature.
const Service = "bedrock"

// Config says where the upstream is and how to get in.
type Config struct {
	Name   string
	Region string
	// Geography is the prefix of the inference profiles that are used, such as
	// "us" or "global"; "": the model itself, on demand.
	Geography string
	// Models are names that the catalogue does not have, or that are to be others:
	// model → id, profile or ARN on Bedrock.
	Models map[string]string
	// Guardrail is the id or ARN of a guardrail, which every request passes; "": the one
	// that the request names, if it names one.
	Guardrail, GuardrailVersion string
	Catalogue                   *catalogue.Catalogue
	Auth                        origin.Credential // of package awsauth, for Service
	Origin                      origin.Config     // URL "": the region's own
}

// Upstream is Bedrock in one region. Make it with New, and Close it.
type Upstream struct {
	cfg    Config
	rules  catalogue.Rules
	origin *origin.Origin
	prefix string
}

// Endpoint is the address of Bedrock's runtime in a region.
func Endpoint(region string) string { return "https://bedrock-runtime." + region + ".amazonaws.com" }

// New returns an Upstream, or says what is wrong with its address.
func New(cfg Config) (*Upstream, error) {
	if cfg.Origin.URL == "" {
		cfg.Origin.URL = Endpoint(cfg.Region)
	}
	to, err := origin.New(cfg.Origin)
	if err != nil {
		return nil, err
	}
	return &Upstream{cfg: cfg, rules: cfg.Catalogue.Rules(catalogue.Bedrock), origin: to, prefix: strings.TrimSuffix(to.Base().EscapedPath(), "/")}, nil
}

// Name is the upstream's name.
func (u *Upstream) Name() string { return u.cfg.Name }

// Pings is false: Bedrock is silent while a model thinks.
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

// Terms are those of the region, unless the model is asked for wherever there is room.
// What an application's profile stands for is not known: it may be the dearer.
func (u *Upstream) Terms(model string) price.Terms {
	if name, ok := u.model(model); ok && strings.HasPrefix(name, "global.") {
		return 0
	}
	return price.Regional
}

func (u *Upstream) model(asked string) (string, bool) {
	return u.cfg.Catalogue.On(catalogue.Bedrock, catalogue.Place{Geography: u.cfg.Geography, Names: u.cfg.Models}, asked)
}

// Send implements gateway.Upstream.
func (u *Upstream) Send(ctx context.Context, call *gateway.Call) (*gateway.Answer, error) {
	model, ok := u.model(call.Model)
	if !ok && (call.Operation == gateway.Messages || call.Operation == gateway.CountTokens) {
		return nil, gateway.NoSuchModel(u.cfg.Name, call.Model)
	}
	switch call.Operation {
	case gateway.Messages:
		return u.invoke(ctx, call, model)
	case gateway.CountTokens:
		return u.count(ctx, call, model)
	}
	return nil, fault.New(fault.Unsupported, "the upstream %s cannot do that", u.cfg.Name)
}

func (u *Upstream) invoke(ctx context.Context, call *gateway.Call, model string) (*gateway.Answer, error) {
	betas, drop := u.rules.Apply(dialect.Betas(call.Header["Anthropic-Beta"]))
	if u.cfg.Guardrail != "" {
		drop = append(slices.Clone(drop), guardrailConfig)
	}
	body, err := dialect.ToBedrock(call.Body(), betas, drop)
	if err != nil {
		return nil, errors.Join(gateway.ErrNotSent, err)
	}
	action := "/invoke"
	if call.Stream {
		action = "/invoke-with-response-stream"
	}
	response, err := u.post(ctx, call, origin.Request{Header: u.asked(call.Header), Stream: call.Stream, Body: body}, model, action)
	if err != nil {
		return nil, err
	}
	header := origin.Answered(response.Header, "X-Amzn-Requestid")
	if response.StatusCode != http.StatusOK {
		return origin.Refusal(response, header)
	}
	if !call.Stream {
		return &gateway.Answer{Status: response.StatusCode, Header: header, Body: response.Body, Length: response.ContentLength}, nil
	}
	if !strings.HasPrefix(response.Header.Get("Content-Type"), dialect.BedrockType) {
		response.Body.Close()
		return nil, fault.New(fault.Unavailable, "the upstream answered with something that is no stream of Bedrock").
			WithHint("an owner of the organization must check the upstream's address")
	}
	header["Content-Type"] = []string{"text/event-stream; charset=utf-8"}
	return &gateway.Answer{Status: response.StatusCode, Header: header, Body: dialect.Events(response.Body), Length: -1}, nil
}

const (
	guardrailHeader = "X-Amzn-Bedrock-Guardrailidentifier"
	versionHeader   = "X-Amzn-Bedrock-Guardrailversion"
)

// guardrailConfig is the member of a body that can have a guardrail look at a part of a
// prompt only, or at an answer when it is out: with a guardrail of the organization's,
// no client says that.
const guardrailConfig = "amazon-bedrock-guardrailConfig"

// ours are the headers of Bedrock that clients set for InvokeModel.
var ours = []string{guardrailHeader, versionHeader, "X-Amzn-Bedrock-Trace", "X-Amzn-Bedrock-Service-Tier", "X-Amzn-Bedrock-Performanceconfig-Latency"}

// asked is the header of InvokeModel. The organization's guardrail comes before a
// client's.
func (u *Upstream) asked(client http.Header) http.Header {
	header := origin.Passed(client)
	for _, name := range ours {
		if values := client[name]; len(values) > 0 {
			header[name] = values
		}
	}
	if u.cfg.Guardrail != "" {
		header[guardrailHeader], header[versionHeader] = []string{u.cfg.Guardrail}, []string{u.cfg.GuardrailVersion}
	}
	return header
}

func (u *Upstream) post(ctx context.Context, call *gateway.Call, r origin.Request, model, action string) (*http.Response, error) {
	r.Target, r.Reader = u.prefix+"/model/"+escape(model)+action, origin.NewReader(r.Body)
	return u.origin.Prove(ctx, r, u.cfg.Auth, call.Who, awsauth.RanOut)
}

// escape is a model's id as a segment of a path: an ARN's slash and colons too.
func escape(model string) string { return strings.ReplaceAll(url.QueryEscape(model), "+", "%20") }

// count asks CountTokens, which wants the body of an InvokeModel in base64.
func (u *Upstream) count(ctx context.Context, call *gateway.Call, model string) (*gateway.Answer, error) {
	betas, drop := u.rules.Apply(dialect.Betas(call.Header["Anthropic-Beta"]))
	inner, err := dialect.ToBedrock(call.Body(), betas, drop)
	if err != nil {
		return nil, errors.Join(gateway.ErrNotSent, err)
	}
	if inner, err = dialect.WithMaxTokens(inner); err != nil {
		return nil, errors.Join(gateway.ErrNotSent, err)
	}
	response, err := u.post(ctx, call, origin.Request{Header: origin.Passed(call.Header), Brief: true, Body: dialect.CountToBedrock(inner)}, model, "/count-tokens")
	if err != nil {
		return nil, err
	}
	header := origin.Answered(response.Header, "X-Amzn-Requestid")
	if response.StatusCode != http.StatusOK {
		return origin.Refusal(response, header)
	}
	defer response.Body.Close()
	var counted struct {
		InputTokens *int64 `json:"inputTokens"`
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, 4<<10)).Decode(&counted); err != nil || counted.InputTokens == nil {
		return nil, fault.New(fault.Unavailable, "the upstream did not say how many tokens there are")
	}
	answer, err := json.Marshal(map[string]int64{"input_tokens": *counted.InputTokens})
	if err != nil {
		return nil, err
	}
	return origin.Document(http.StatusOK, header, answer), nil
}
