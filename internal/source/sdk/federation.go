package sdk

import (
	"context"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/source"
)

const (
	defaultBase = "https://api.anthropic.com"
	tokenPath   = "/v1/oauth/token"
	betas       = "oauth-2025-04-20,oidc-federation-2026-04-01"
	grant       = "urn:ietf:params:oauth:grant-type:jwt-bearer"
)

// rule is what an exchange is made of.
type rule struct {
	origin         string // where it was found
	base           string
	rule           string
	organization   string
	serviceAccount string
	workspace      string
	tokenFile      string
	token          secret.Text
}

type exchange struct {
	GrantType        string `json:"grant_type"`
	Assertion        string `json:"assertion"`
	FederationRuleID string `json:"federation_rule_id"`
	OrganizationID   string `json:"organization_id,omitempty"`
	ServiceAccountID string `json:"service_account_id,omitempty"`
	WorkspaceID      string `json:"workspace_id,omitempty"`
}

// Federation is the exchange that the environment describes. Machine is required.
type Federation struct{ Machine source.Machine }

var _ source.Source = Federation{}

func (f Federation) rule() (rule, bool) {
	get := f.Machine.Getenv
	r := rule{origin: "the federation in ANTHROPIC_FEDERATION_RULE_ID", base: get("ANTHROPIC_BASE_URL"), rule: get("ANTHROPIC_FEDERATION_RULE_ID"),
		organization: get("ANTHROPIC_ORGANIZATION_ID"), serviceAccount: get("ANTHROPIC_SERVICE_ACCOUNT_ID"), workspace: get("ANTHROPIC_WORKSPACE_ID"),
		tokenFile: get("ANTHROPIC_IDENTITY_TOKEN_FILE"), token: secret.New(get("ANTHROPIC_IDENTITY_TOKEN"))}
	return r, r.rule != "" && r.organization != ""
}

// Find looks at the environment.
func (f Federation) Find(context.Context) (source.About, bool) {
	r, found := f.rule()
	if !found {
		return source.About{}, false
	}
	return r.about(), true
}

// Credential exchanges the identity token.
func (f Federation) Credential(ctx context.Context) (source.Credential, error) {
	r, found := f.rule()
	if !found {
		return source.Credential{}, source.None("no federation is set up in the environment")
	}
	return r.exchange(ctx, f.Machine)
}

func (r rule) endpoint() string {
	if r.base == "" {
		return defaultBase
	}
	return strings.TrimRight(r.base, "/")
}

func (r rule) about() source.About {
	payer := "the organization"
	if r.organization != "" {
		payer += " " + r.organization
	}
	about := source.About{Kind: source.Federation, Origin: r.origin, Payer: payer + ", through " + source.Place(r.endpoint())}
	if r.tokenFile == "" && r.token.Empty() {
		about.Problem = "there is no identity token; set ANTHROPIC_IDENTITY_TOKEN_FILE"
	}
	return about
}

func (r rule) assertion(m source.Machine) (secret.Text, error) {
	switch {
	case r.tokenFile != "":
		return m.IdentityToken(r.tokenFile)
	case !r.token.Empty():
		return source.CheckIdentityToken(r.token, "ANTHROPIC_IDENTITY_TOKEN")
	}
	return secret.Text{}, fault.New(fault.Invalid, "%s has no identity token", r.origin).WithHint("export ANTHROPIC_IDENTITY_TOKEN_FILE=FILE")
}

const mend = "gatehouse credential list"

func (r rule) exchange(ctx context.Context, m source.Machine) (source.Credential, error) {
	assertion, err := r.assertion(m)
	if err != nil {
		return source.Credential{}, err
	}
	answer, err := m.Fetch(ctx, source.Request{URL: r.endpoint() + tokenPath, Header: map[string]string{"anthropic-beta": betas},
		JSON: exchange{grant, assertion.Reveal(), r.rule, r.organization, r.serviceAccount, r.workspace}})
	if err != nil {
		return source.Credential{}, err
	}
	var w struct {
		AccessToken string  `json:"access_token"`
		TokenType   string  `json:"token_type"`
		ExpiresIn   float64 `json:"expires_in"`
	}
	if err := answer.Decode(&w, mend); err != nil {
		return source.Credential{}, err
	}
	about := r.about()
	about.Expires = m.After(w.ExpiresIn)
	if w.AccessToken == "" || w.TokenType != "" && !strings.EqualFold(w.TokenType, "Bearer") || about.Expires.IsZero() {
		return source.Credential{}, fault.New(fault.Unavailable, "%s gave no bearer token, or did not say when it ends", source.Place(r.endpoint()))
	}
	return source.Ready(source.Credential{About: about, Scheme: source.Bearer, Value: secret.New(w.AccessToken)}, m.Now(), mend)
}
