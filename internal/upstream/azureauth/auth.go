package azureauth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/lease"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/origin"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// Scope is what tokens are for.
const Scope = "https://ai.azure.com/.default"

// Authority is where Entra is, in the public cloud.
const Authority = "https://login.microsoftonline.com"

// Config says how to get in. One of Secret and Ambient is set.
type Config struct {
	Tenant, Client string // ids of the directory and of the app registration
	Secret         secret.Text
	Ambient        bool

	Authority string       // "": Authority
	HTTP      *http.Client // nil: net/http's
	Now       func() time.Time
	Default   azcore.TokenCredential // of Ambient; nil: the identity of this server
}

// Auth is an origin.Credential. Make it with New and Close it.
type Auth struct {
	origin.Token
	cfg   Config
	fetch func(context.Context) (lease.Credential[secret.Text], error)
}

var _ origin.Credential = (*Auth)(nil)

// New returns an Auth, or says what is missing.
func New(cfg Config) (*Auth, error) {
	cfg.Authority = cmp.Or(cfg.Authority, Authority)
	if cfg.HTTP == nil {
		cfg.HTTP = http.DefaultClient
	}
	a := &Auth{cfg: cfg}
	switch {
	case cfg.Ambient && cfg.Secret.Empty():
		a.fetch = a.ambient
	case !cfg.Ambient && !cfg.Secret.Empty() && id(cfg.Tenant) && id(cfg.Client):
		a.fetch = a.secret
	default:
		return nil, fault.New(fault.Invalid, "a tenant, a client and its secret are needed, or the server's own identity").At("credential")
	}
	a.Token = origin.Token{Lease: lease.New(a.fetch, cfg.Now), Cloud: "Microsoft Foundry"}
	return a, nil
}

// id reports whether a text can be an id of Entra or a directory's domain.
func id(s string) bool {
	return s != "" && len(s) <= 100 && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '.'
	})
}

// secret is the client credentials grant of Entra:
// https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
func (a *Auth) secret(ctx context.Context) (lease.Credential[secret.Text], error) {
	flow := clientcredentials.Config{ClientID: a.cfg.Client, ClientSecret: a.cfg.Secret.Reveal(), Scopes: []string{Scope},
		TokenURL: a.cfg.Authority + "/" + url.PathEscape(a.cfg.Tenant) + "/oauth2/v2.0/token", AuthStyle: oauth2.AuthStyleInParams}
	token, err := flow.Token(context.WithValue(ctx, oauth2.HTTPClient, a.cfg.HTTP))
	if said, ok := errors.AsType[*oauth2.RetrieveError](err); ok && said.Response != nil {
		err = fmt.Errorf("the answer has status %d (%.40s)", said.Response.StatusCode, said.ErrorCode) // the rest names the directory
	}
	if err != nil {
		return lease.Credential[secret.Text]{}, fmt.Errorf("getting a token of Entra: %w", err)
	}
	return lease.Credential[secret.Text]{Value: secret.New(token.AccessToken), Expires: token.Expiry}, nil
}

func (a *Auth) ambient(ctx context.Context) (lease.Credential[secret.Text], error) {
	none := lease.Credential[secret.Text]{}
	source := a.cfg.Default
	if source == nil {
		var err error
		if source, err = ownIdentity(a.cfg.HTTP); err != nil {
			return none, fmt.Errorf("finding the identity of this server: %w", err)
		}
	}
	token, err := source.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{Scope}})
	if err != nil {
		return none, fmt.Errorf("getting a token of Entra: %w", err)
	}
	return lease.Credential[secret.Text]{Value: secret.New(token.Token), Expires: token.ExpiresOn}, nil
}

// ownIdentity is a workload's federated token where there is one, else the managed
// identity. Tools that people sign in to are not asked: this is a server.
func ownIdentity(client *http.Client) (azcore.TokenCredential, error) {
	options := azcore.ClientOptions{Transport: client}
	var chain []azcore.TokenCredential
	if workload, err := azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{ClientOptions: options}); err == nil {
		chain = append(chain, workload)
	}
	managed, err := azidentity.NewManagedIdentityCredential(&azidentity.ManagedIdentityCredentialOptions{ClientOptions: options})
	if err != nil {
		return nil, err
	}
	return azidentity.NewChainedTokenCredential(append(chain, managed), nil)
}
