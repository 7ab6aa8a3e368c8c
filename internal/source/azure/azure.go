package azure

import (
	"context"
	"net/url"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/source"
)

const (
	resource  = "https://ai.azure.com"
	scope     = resource + "/.default"
	mend      = "az login"
	toolLimit = 30 * time.Second

	tokenVariable = "ANTHROPIC_FOUNDRY_AUTH_TOKEN"
	keyVariable   = "ANTHROPIC_FOUNDRY_API_KEY"
)

// Source is the credential for Foundry. Machine is required.
type Source struct {
	Machine source.Machine
	// Authority is where Entra gives tokens, Metadata the metadata service; empty
	// are AZURE_AUTHORITY_HOST or the public one, and the real one.
	Authority, Metadata string
}

var _ source.Source = Source{}

type step struct {
	origin string
	there  bool
	get    func(context.Context, source.About) (source.Credential, error)
}

func (s Source) chain() []step {
	has := func(names ...string) bool {
		for _, name := range names {
			if s.Machine.Getenv(name) == "" {
				return false
			}
		}
		return true
	}
	return []step{
		{"the variable " + tokenVariable, has(tokenVariable), s.variable(tokenVariable, source.Bearer)},
		{"the variable " + keyVariable, has(keyVariable), s.variable(keyVariable, source.Header)},
		{"the service principal in AZURE_CLIENT_ID", has("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"), s.principal},
		{"the workload identity in AZURE_FEDERATED_TOKEN_FILE", has("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE"), s.workload},
		{"the identity of this app", has("IDENTITY_ENDPOINT", "IDENTITY_HEADER"), s.app},
		{"az account get-access-token", s.signedIn(), s.tool},
	}
}

// Find names the first link of the chain that is set up.
func (s Source) Find(context.Context) (source.About, bool) {
	for _, step := range s.chain() {
		if step.there {
			return s.about(step.origin), true
		}
	}
	return source.About{}, false
}

// Credential is what the first link of the chain gives.
func (s Source) Credential(ctx context.Context) (source.Credential, error) {
	for _, step := range append(s.chain(), step{"the identity of this virtual machine", true, s.instance}) {
		if !step.there {
			continue
		}
		c, err := step.get(ctx, s.about(step.origin))
		if err != nil {
			return source.Credential{}, err
		}
		return source.Ready(c, s.Machine.Now(), mend)
	}
	return source.Credential{}, source.None("there is no credential for Azure")
}

func (s Source) about(origin string) source.About {
	payer := "the Azure subscription of the Foundry resource"
	if name := s.Machine.Getenv("ANTHROPIC_FOUNDRY_RESOURCE"); name != "" {
		payer += " " + name
	} else if base := s.Machine.Getenv("ANTHROPIC_FOUNDRY_BASE_URL"); base != "" {
		payer += " at " + source.Place(base)
	}
	return source.About{Kind: source.Azure, Origin: origin, Payer: payer}
}

func (s Source) variable(name string, scheme source.Scheme) func(context.Context, source.About) (source.Credential, error) {
	return func(_ context.Context, about source.About) (source.Credential, error) {
		return source.Credential{About: about, Scheme: scheme, Value: secret.New(s.Machine.Getenv(name))}, nil
	}
}

// signedIn reports whether az is here and has accounts.
func (s Source) signedIn() bool {
	dir := s.Machine.Getenv("AZURE_CONFIG_DIR")
	if dir == "" {
		dir = s.Machine.At(".azure")
	}
	if dir == "" || !s.Machine.Has("az") {
		return false
	}
	_, _, err := s.Machine.File(dir + "/azureProfile.json")
	return err == nil || !fault.Is(err, fault.NotFound)
}

func (s Source) principal(ctx context.Context, about source.About) (source.Credential, error) {
	return s.entra(ctx, about, url.Values{"client_secret": {s.Machine.Getenv("AZURE_CLIENT_SECRET")}})
}

func (s Source) workload(ctx context.Context, about source.About) (source.Credential, error) {
	token, err := s.Machine.IdentityToken(s.Machine.Getenv("AZURE_FEDERATED_TOKEN_FILE"))
	if err != nil {
		return source.Credential{}, err
	}
	return s.entra(ctx, about, url.Values{"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {token.Reveal()}})
}

// entra asks the authority for a token by client credentials (RFC 6749, section 4.4).
func (s Source) entra(ctx context.Context, about source.About, form url.Values) (source.Credential, error) {
	base := s.Authority
	if base == "" {
		base = s.Machine.Getenv("AZURE_AUTHORITY_HOST")
	}
	if base == "" {
		base = "https://login.microsoftonline.com"
	}
	address, err := url.JoinPath(base, url.PathEscape(s.Machine.Getenv("AZURE_TENANT_ID")), "oauth2/v2.0/token")
	if err != nil {
		return source.Credential{}, fault.New(fault.Invalid, "AZURE_AUTHORITY_HOST is not an address").WithHint("unset AZURE_AUTHORITY_HOST")
	}
	form.Set("grant_type", "client_credentials")
	form.Set("client_id", s.Machine.Getenv("AZURE_CLIENT_ID"))
	form.Set("scope", scope)
	return s.ask(ctx, about, source.Request{URL: address, Form: form})
}
