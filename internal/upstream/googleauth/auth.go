package googleauth

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/lease"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/origin"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"
	"golang.org/x/oauth2/jwt"
)

// Scope is what tokens are for.
const Scope = "https://www.googleapis.com/auth/cloud-platform"

// Google's own addresses.
const (
	TokenURL = "https://oauth2.googleapis.com/token"
	IAMURL   = "https://iamcredentials.googleapis.com"
)

// Config says how to get in. One of Key and Ambient is set.
type Config struct {
	Key         secret.Text // the JSON file of a service account's key
	Ambient     bool
	Impersonate string // the address of a service account; "": nobody else

	TokenURL, IAMURL string       // "": Google's
	Client           *http.Client // nil: net/http's
	Now              func() time.Time
	Default          func(context.Context) (oauth2.TokenSource, error) // of Ambient; nil: application default credentials
}

// Auth is an origin.Credential. Make it with New and Close it.
type Auth struct {
	origin.Token
	cfg    Config
	source func(context.Context) (oauth2.TokenSource, error)
}

var _ origin.Credential = (*Auth)(nil)

// New returns an Auth, or says what is wrong with its key.
func New(cfg Config) (*Auth, error) {
	cfg.TokenURL, cfg.IAMURL = cmp.Or(cfg.TokenURL, TokenURL), cmp.Or(cfg.IAMURL, IAMURL)
	if cfg.Client == nil {
		cfg.Client = http.DefaultClient
	}
	if cfg.Key.Empty() != cfg.Ambient {
		return nil, fault.New(fault.Invalid, "one way in is needed: the key of a service account, or the server's own credentials").At("credential")
	}
	a := &Auth{cfg: cfg}
	switch {
	case cfg.Ambient && cfg.Default != nil:
		a.source = cfg.Default
	case cfg.Ambient:
		a.source = func(ctx context.Context) (oauth2.TokenSource, error) {
			found, err := google.FindDefaultCredentials(ctx, Scope)
			if err != nil {
				return nil, err
			}
			return found.TokenSource, nil
		}
	default:
		signed, err := readKey(cfg)
		if err != nil {
			return nil, err
		}
		a.source = func(ctx context.Context) (oauth2.TokenSource, error) { return signed.TokenSource(ctx), nil }
	}
	a.Token = origin.Token{Lease: lease.New(a.fetch, cfg.Now), Cloud: "Google Cloud"}
	return a, nil
}

// readKey takes the account and the key of a file, and nothing else: the address
// that it names may be anybody's, and other kinds of files name programs to run.
func readKey(cfg Config) (*jwt.Config, error) {
	var file struct {
		Type         string `json:"type"`
		PrivateKey   string `json:"private_key"`
		PrivateKeyID string `json:"private_key_id"`
		ClientEmail  string `json:"client_email"`
	}
	if json.Unmarshal([]byte(cfg.Key.Reveal()), &file) != nil {
		return nil, fault.New(fault.Invalid, "the key is not the JSON file of a service account's key").At("credential")
	}
	if file.Type != "service_account" || file.PrivateKey == "" || !strings.Contains(file.ClientEmail, "@") {
		return nil, fault.New(fault.Invalid, "the key must be the JSON file of a service account's key: its type is %q", bounded(file.Type)).At("credential")
	}
	return &jwt.Config{Email: file.ClientEmail, PrivateKey: []byte(file.PrivateKey), PrivateKeyID: file.PrivateKeyID, Scopes: []string{Scope}, TokenURL: cfg.TokenURL}, nil
}

func bounded(s string) string { return s[:min(len(s), 40)] }

func (a *Auth) fetch(ctx context.Context) (lease.Credential[secret.Text], error) {
	none := lease.Credential[secret.Text]{}
	ctx = context.WithValue(ctx, oauth2.HTTPClient, a.cfg.Client)
	source, err := a.source(ctx)
	if err != nil {
		return none, fmt.Errorf("finding a credential of Google Cloud: %w", err)
	}
	token, err := source.Token()
	if err != nil {
		return none, fmt.Errorf("getting a token of Google Cloud: %w", plainError(err))
	}
	if a.cfg.Impersonate != "" {
		return a.impersonate(ctx, token.AccessToken)
	}
	return lease.Credential[secret.Text]{Value: secret.New(token.AccessToken), Expires: token.Expiry}, nil
}

// plainError is an error without the answer's body, which may say anything.
func plainError(err error) error {
	if said, ok := errors.AsType[*oauth2.RetrieveError](err); ok && said.Response != nil {
		return fmt.Errorf("the token endpoint answered with status %d (%s)", said.Response.StatusCode, bounded(said.ErrorCode))
	}
	return err
}

// impersonate trades a token for one of another account:
// https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken
func (a *Auth) impersonate(ctx context.Context, token string) (lease.Credential[secret.Text], error) {
	none := lease.Credential[secret.Text]{}
	asked, err := json.Marshal(map[string]any{"scope": []string{Scope}, "lifetime": "3600s"})
	if err != nil {
		return none, err
	}
	to := a.cfg.IAMURL + "/v1/projects/-/serviceAccounts/" + url.PathEscape(a.cfg.Impersonate) + ":generateAccessToken"
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(asked))
	if err != nil {
		return none, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	response, err := a.cfg.Client.Do(request)
	if err != nil {
		return none, fmt.Errorf("taking on the service account: %w", err)
	}
	defer response.Body.Close()
	var got struct {
		AccessToken string    `json:"accessToken"`
		ExpireTime  time.Time `json:"expireTime"`
	}
	if response.StatusCode != http.StatusOK {
		return none, fmt.Errorf("taking on the service account: status %d", response.StatusCode)
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, 64<<10)).Decode(&got); err != nil || got.AccessToken == "" || got.ExpireTime.IsZero() {
		return none, fmt.Errorf("taking on the service account: the answer holds no token")
	}
	return lease.Credential[secret.Text]{Value: secret.New(got.AccessToken), Expires: got.ExpireTime}, nil
}
