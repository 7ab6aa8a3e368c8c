package anthropicauth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/lease"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/origin"
)

// Config says who gets in, and where. All but Workspace and Client are required.
type Config struct {
	BaseURL        string // of the API, such as "https://api.anthropic.com"
	Rule           string // id of the federation rule, "fdrl_…"
	Organization   string // the id that the organization has at Anthropic, a UUID
	ServiceAccount string // whom the access token is for, "svac_…"
	Workspace      string // "wrkspc_…" or "default"; "": the only one of the rule

	// Assertion is asked for an identity token at every exchange: some are good for
	// one alone.
	Assertion func(context.Context) (secret.Text, error)
	Client    *http.Client // nil: net/http's
	Now       func() time.Time
}

// Auth is an origin.Credential. Make it with New and Close it.
type Auth struct {
	origin.Token
	cfg Config
}

var _ origin.Credential = (*Auth)(nil)

// New returns an Auth, or says what is missing.
func New(cfg Config) (*Auth, error) {
	if cfg.Rule == "" || cfg.Organization == "" || cfg.ServiceAccount == "" || cfg.Assertion == nil {
		return nil, fault.New(fault.Invalid, "a federation rule, an organization and a service account at Anthropic are needed").At("federation_rule")
	}
	if cfg.Client == nil {
		cfg.Client = http.DefaultClient
	}
	a := &Auth{cfg: cfg}
	a.Token = origin.Token{Lease: lease.New(a.fetch, cfg.Now), Cloud: "the Anthropic API"}
	return a, nil
}

const (
	grantType = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	betas     = "oauth-2025-04-20,oidc-federation-2026-04-01"
	maxAnswer = 64 << 10
)

type exchange struct {
	GrantType      string `json:"grant_type"`
	Assertion      string `json:"assertion"`
	Rule           string `json:"federation_rule_id"`
	Organization   string `json:"organization_id"`
	ServiceAccount string `json:"service_account_id"`
	Workspace      string `json:"workspace_id,omitempty"`
}

// fetch exchanges an identity token. Its errors hold nothing of what the other side
// said but the status: who asks for an answer to be repeated chose the address.
func (a *Auth) fetch(ctx context.Context) (lease.Credential[secret.Text], error) {
	none := lease.Credential[secret.Text]{}
	assertion, err := a.cfg.Assertion(ctx)
	if err != nil {
		return none, fmt.Errorf("getting an identity token: %w", err)
	}
	body, err := json.Marshal(exchange{grantType, assertion.Reveal(), a.cfg.Rule, a.cfg.Organization, a.cfg.ServiceAccount, a.cfg.Workspace})
	if err != nil {
		return none, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimRight(a.cfg.BaseURL, "/")+"/v1/oauth/token", bytes.NewReader(body))
	if err != nil {
		return none, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Anthropic-Beta", betas)
	asked := a.cfg.Now()
	response, err := a.cfg.Client.Do(request)
	if err != nil {
		return none, fmt.Errorf("exchanging the identity token: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return none, fmt.Errorf("exchanging the identity token: the answer has status %d", response.StatusCode)
	}
	return read(io.LimitReader(response.Body, maxAnswer), asked)
}

var errAnswer = errors.New("exchanging the identity token: the answer holds no bearer token, or not how long it is good for")

// maxLife bounds what an answer may say: a credential that is never renewed would
// outlive the rule that it came from.
const maxLife = 24 * time.Hour

func read(answer io.Reader, asked time.Time) (lease.Credential[secret.Text], error) {
	var said struct {
		Token   string `json:"access_token"`
		Type    string `json:"token_type"`
		Seconds int64  `json:"expires_in"`
	}
	if json.NewDecoder(answer).Decode(&said) != nil || !bearer(said.Token) || said.Type != "" && !strings.EqualFold(said.Type, "Bearer") || said.Seconds <= 0 {
		return lease.Credential[secret.Text]{}, errAnswer
	}
	life := maxLife
	if said.Seconds < int64(maxLife/time.Second) {
		life = time.Duration(said.Seconds) * time.Second
	}
	return lease.Credential[secret.Text]{Value: secret.New(said.Token), Expires: asked.Add(life)}, nil
}

// bearer reports whether a text can be sent as a bearer token (RFC 6750, section 2.1).
func bearer(token string) bool {
	return token != "" && len(token) <= 8<<10 && !strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' })
}
