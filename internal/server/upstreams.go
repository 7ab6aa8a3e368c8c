package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/upstream"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/anthropic"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/anthropicauth"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/anthropicaws"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/awsauth"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/azureauth"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/bedrock"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/foundry"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/googleauth"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/lease"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/mantle"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/origin"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/simulated"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/vertex"
)

// Clouds are the addresses at which clouds hand out credentials, where they are
// others than the clouds' own: a private endpoint, or a test's stand-in. "" is the
// cloud's own.
type Clouds struct {
	STS       string // of AWS
	Token     string // of Google
	IAM       string // of Google
	Authority string // Entra's
}

// newUpstream makes the upstream of an organization's settings.
func (d *directory) newUpstream(u upstream.Upstream) (gateway.Upstream, error) {
	plain := anthropic.Config{Name: u.Name, BaseURL: u.BaseURL, Models: u.Settings.Models, Proxy: d.proxy, DialContext: d.guard.DialContext}
	to := origin.Config{URL: u.BaseURL, Proxy: d.proxy, DialContext: d.guard.DialContext}
	in := u.Settings
	if err := d.upstreams.Lends(u); err != nil {
		return nil, err
	}
	switch u.Provider {
	case upstream.Anthropic:
		return d.anthropic(u, plain)
	case upstream.AnthropicAWS:
		auth, err := d.aws(u, anthropicaws.Service, "X-Api-Key")
		if err != nil {
			return nil, err
		}
		plain.Credential = auth
		return anthropicaws.New(plain, in.Region, in.Workspace, d.catalogue)
	case upstream.Bedrock:
		auth, err := d.aws(u, bedrock.Service, "")
		if err != nil {
			return nil, err
		}
		return bedrock.New(bedrock.Config{Name: u.Name, Region: in.Region, Geography: in.Geography, Models: in.Models, Catalogue: d.catalogue, Auth: auth, Origin: to,
			Guardrail: in.Guardrail, GuardrailVersion: in.GuardrailVersion})
	case upstream.Mantle:
		auth, err := d.aws(u, mantle.Service, "")
		if err != nil {
			return nil, err
		}
		plain.Credential = auth
		return mantle.New(plain, in.Region, d.catalogue)
	case upstream.Vertex:
		auth, err := googleauth.New(googleauth.Config{Key: u.Credential, Ambient: in.Way == upstream.WayAmbient, Impersonate: in.Impersonate,
			TokenURL: d.clouds.Token, IAMURL: d.clouds.IAM, Client: cloudClient, Now: d.now})
		if err != nil {
			return nil, err
		}
		return vertex.New(vertex.Config{Name: u.Name, Project: in.Project, Region: in.Region, Models: in.Models, Catalogue: d.catalogue, Auth: auth, Origin: to})
	case upstream.Foundry:
		return d.foundry(u, plain)
	case upstream.Simulated:
		return simulated.New(u.Name), nil
	}
	return nil, fmt.Errorf("there is no provider %q", u.Provider)
}

// cloudClient asks clouds for credentials. Their addresses are the clouds' own, or
// what whoever runs the server says: no owner of an organization has a say in them.
var cloudClient = &http.Client{Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

func (d *directory) aws(u upstream.Upstream, service, keyName string) (*awsauth.Auth, error) {
	in := u.Settings
	cfg := awsauth.Config{Region: in.Region, Service: service, STS: d.clouds.STS, Now: d.now,
		Role: awsauth.Role{ARN: in.RoleARN, ExternalID: string(u.Organization), PerMember: in.PerMember}}
	switch in.Way {
	case upstream.WayAmbient:
		cfg.Ambient = true
	case upstream.WayAccess:
		cfg.Static = awsauth.Key{ID: in.AccessKeyID, Secret: u.Credential}
	default:
		cfg.Bearer, cfg.KeyName = u.Credential, keyName
	}
	return awsauth.New(cfg)
}

// anthropic is the API itself, or what speaks it.
func (d *directory) anthropic(u upstream.Upstream, cfg anthropic.Config) (gateway.Upstream, error) {
	in := u.Settings
	cfg.Models = nil
	if in.Way == upstream.WayKey {
		cfg.Key = u.Credential
		return anthropic.New(cfg)
	}
	assertion := d.lentIdentity
	if in.Way == upstream.WayIssuer {
		to, err := url.Parse(u.BaseURL)
		if err != nil {
			return nil, err
		}
		assertion = func(ctx context.Context) (secret.Text, error) {
			token, err := d.issuer.Vouch(ctx, caller.OfSystem(u.Organization), to.Scheme+"://"+to.Host)
			return token.Value, err
		}
	}
	auth, err := anthropicauth.New(anthropicauth.Config{BaseURL: u.BaseURL, Rule: in.FederationRule, Organization: in.AnthropicOrg, ServiceAccount: in.ServiceAccount,
		Workspace: in.Workspace, Assertion: assertion, Client: d.guarded, Now: d.now})
	if err != nil {
		return nil, err
	}
	cfg.Credential, cfg.OAuth = auth, true
	return anthropic.New(cfg)
}

const maxIdentity = 64 << 10

// lentIdentity is the identity token of this server's own environment, which is read
// anew each time: whoever puts it there replaces it.
func (d *directory) lentIdentity(context.Context) (secret.Text, error) {
	if d.identityFile == "" {
		return secret.Text{}, errors.New("no file with an identity token is configured (upstreams.identity_token_file)")
	}
	f, err := os.Open(d.identityFile)
	if err != nil {
		return secret.Text{}, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxIdentity))
	return secret.New(string(bytes.TrimSpace(text))), err
}

// guardedClient asks for credentials at addresses of which an owner has the say. Where
// the proxy is, whoever runs the server has said.
func (d *directory) guardedClient() *http.Client {
	straight := &http.Transport{DialContext: d.guard.DialContext, DisableKeepAlives: true, TLSHandshakeTimeout: 10 * time.Second}
	return &http.Client{Timeout: cloudClient.Timeout, CheckRedirect: cloudClient.CheckRedirect, Transport: guarded{d.proxy, straight}}
}

// guarded sends through the proxy if there is one for a request, and else straight.
type guarded struct {
	proxy    func(*http.Request) (*url.URL, error)
	straight *http.Transport
}

func (g guarded) RoundTrip(r *http.Request) (*http.Response, error) {
	via, err := g.proxy(r)
	if err != nil {
		return nil, err
	}
	if via == nil {
		return g.straight.RoundTrip(r)
	}
	through := g.straight.Clone() // for this proxy and no other way: what it dials, nobody looks at
	through.Proxy, through.DialContext = http.ProxyURL(via), nil
	return through.RoundTrip(r)
}

// unusable is an upstream of which nothing can be made as it is stored, such as one that
// wants what this server lends no more. The others go on without it.
type unusable struct {
	name string
	err  error
}

func (u unusable) Name() string { return u.name }

func (unusable) Pings() bool { return false }

func (u unusable) Send(context.Context, *gateway.Call) (*gateway.Answer, error) {
	return nil, errors.Join(gateway.ErrNotSent, fault.Wrap(fault.Unavailable, u.err, "the upstream "+u.name+" cannot be used as it is set").
		WithHint("an owner of the organization must change or remove it"))
}

// Status says it on the page of upstreams.
func (u unusable) Status() lease.Status { return lease.Status{Err: u.err} }

func (d *directory) foundry(u upstream.Upstream, cfg anthropic.Config) (gateway.Upstream, error) {
	in := u.Settings
	if cfg.BaseURL == "" {
		cfg.BaseURL = foundry.Endpoint(in.Resource)
	}
	if in.Way == upstream.WayKey {
		cfg.Key = u.Credential
		return foundry.New(cfg, d.catalogue)
	}
	auth, err := azureauth.New(azureauth.Config{Tenant: in.Tenant, Client: in.Client, Secret: u.Credential, Ambient: in.Way == upstream.WayAmbient,
		Authority: d.clouds.Authority, HTTP: cloudClient, Now: d.now})
	if err != nil {
		return nil, err
	}
	cfg.Credential = auth
	return foundry.New(cfg, d.catalogue)
}

const (
	probeModel  = "claude-haiku-4-5-20251001"
	probeWithin = 30 * time.Second
	maxProbe    = 64 << 10
)

// Probe implements upstream.Prober: one token of a real model, paid for like any.
func (d *directory) Probe(ctx context.Context, u upstream.Upstream, model string) upstream.Probe {
	if model == "" {
		model = probeModel
	}
	found := upstream.Probe{Model: model}
	made, err := d.newUpstream(u)
	if err != nil {
		found.Problem = fault.Message(err)
		return found
	}
	defer closeUpstream(made)
	ctx, cancel := context.WithTimeout(ctx, probeWithin)
	defer cancel()
	quoted, err := json.Marshal(model)
	if err != nil {
		found.Problem = err.Error()
		return found
	}
	body := append(append([]byte(`{"model":`), quoted...), `,"max_tokens":1,"messages":[{"role":"user","content":"."}]}`...)
	began := time.Now()
	answer, err := made.Send(ctx, gateway.NewCall(gateway.Call{ID: id.NewRequest(), Operation: gateway.Messages, Model: model, MaxTokens: 1,
		Header: http.Header{"Content-Type": {"application/json"}, "Anthropic-Version": {"2023-06-01"}, "User-Agent": {"gatehouse"}},
		Who:    caller.OfSystem(u.Organization)}, body))
	found.Took = time.Since(began)
	if held, ok := made.(interface{ Status() lease.Status }); ok {
		found.Expires = held.Status().Expires
	}
	if err != nil {
		found.Problem = fault.Message(err)
		if f, ok := errors.AsType[*fault.Error](err); ok {
			found.Hint = f.Hint
		}
		return found
	}
	defer answer.Body.Close()
	readProbe(&found, answer)
	return found
}

func readProbe(found *upstream.Probe, answer *gateway.Answer) {
	found.Status = answer.Status
	raw, err := io.ReadAll(io.LimitReader(answer.Body, maxProbe))
	if err != nil {
		found.Problem = "the answer broke off"
		return
	}
	var said struct {
		Content []struct{ Text string }
		Error   struct{ Message string }
	}
	if json.Unmarshal(bytes.TrimSpace(raw), &said) != nil {
		found.Problem = "the answer is not one of the Messages API"
		return
	}
	switch {
	case answer.Status != http.StatusOK && said.Error.Message != "":
		found.Problem = said.Error.Message
	case answer.Status != http.StatusOK:
		found.Problem = fmt.Sprintf("the provider answered with status %d", answer.Status)
	case len(said.Content) > 0:
		found.Answer = said.Content[0].Text
	}
}
