package exchange

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/login"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/source"
)

const (
	googleScope = "https://www.googleapis.com/auth/cloud-platform"
	// IdentityType is what Google calls our identity tokens.
	IdentityType = "urn:ietf:params:oauth:token-type:id_token"
	accessType   = "urn:ietf:params:oauth:token-type:access_token"
	grantType    = "urn:ietf:params:oauth:grant-type:token-exchange"
)

// GoogleToken is Google's token service, or the one that gcloud is told to use.
func GoogleToken(m source.Machine) string {
	return endpoint(m, "CLOUDSDK_API_ENDPOINT_OVERRIDES_STS", "https://sts.googleapis.com") + "/v1/token"
}

// GoogleAccount is the address at which a service account is taken on.
func GoogleAccount(m source.Machine, account string) string {
	return endpoint(m, "CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS", "https://iamcredentials.googleapis.com") +
		"/v1/projects/-/serviceAccounts/" + account + ":generateAccessToken"
}

func endpoint(m source.Machine, variable, usual string) string {
	if at := m.Getenv(variable); at != "" {
		return strings.TrimRight(at, "/")
	}
	return usual
}

func (s Source) google(ctx context.Context, token secret.Text) (secret.Text, time.Time, error) {
	got, err := s.Machine.Fetch(ctx, source.Request{URL: GoogleToken(s.Machine), JSON: map[string]string{"grantType": grantType, "audience": s.Cloud.Audience,
		"scope": googleScope, "requestedTokenType": accessType, "subjectToken": token.Reveal(), "subjectTokenType": IdentityType}})
	if err != nil {
		return secret.Text{}, time.Time{}, err
	}
	access, expires, err := s.oauth("Google Cloud", got)
	if err != nil || s.Cloud.Account == "" {
		return access, expires, err
	}
	return s.impersonate(ctx, access)
}

// impersonate takes a service account on.
func (s Source) impersonate(ctx context.Context, access secret.Text) (secret.Text, time.Time, error) {
	got, err := s.Machine.Fetch(ctx, source.Request{URL: GoogleAccount(s.Machine, url.PathEscape(s.Cloud.Account)),
		Header: map[string]string{"Authorization": "Bearer " + access.Reveal()}, JSON: map[string][]string{"scope": {googleScope}}})
	if err != nil {
		return secret.Text{}, time.Time{}, err
	}
	var w struct {
		AccessToken string
		ExpireTime  string
		Error       struct{ Status string }
	}
	readable := json.Unmarshal(got.Body, &w) == nil
	if got.Status != http.StatusOK {
		return secret.Text{}, time.Time{}, s.refused("Google Cloud", got.Status, w.Error.Status)
	}
	expires, err := time.Parse(time.RFC3339, w.ExpireTime)
	if !readable || err != nil || w.AccessToken == "" {
		return secret.Text{}, time.Time{}, unreadable("Google Cloud")
	}
	return secret.New(w.AccessToken), expires, nil
}

// oauth reads a token answer of RFC 6749.
func (s Source) oauth(cloud string, got source.Answer) (secret.Text, time.Time, error) {
	var w struct {
		AccessToken string  `json:"access_token"`
		TokenType   string  `json:"token_type"`
		ExpiresIn   float64 `json:"expires_in"`
		Error       string  `json:"error"`
	}
	readable := json.Unmarshal(got.Body, &w) == nil
	if got.Status != http.StatusOK {
		return secret.Text{}, time.Time{}, s.refused(cloud, got.Status, w.Error)
	}
	if !readable || w.AccessToken == "" || !strings.EqualFold(w.TokenType, "Bearer") || w.ExpiresIn <= 0 || w.ExpiresIn > (48*time.Hour).Seconds() {
		return secret.Text{}, time.Time{}, unreadable(cloud)
	}
	return secret.New(w.AccessToken), s.Machine.Now().Add(time.Duration(w.ExpiresIn) * time.Second).Round(0), nil
}

// ExternalAccount is the file by which Google's libraries make the exchange
// themselves, asking a command for the identity token (AIP-4117). It holds no secret.
func ExternalAccount(m source.Machine, c login.Cloud, command string) ([]byte, error) {
	type executable struct {
		Command string `json:"command"`
		Timeout int    `json:"timeout_millis"`
	}
	file := struct {
		Type      string `json:"type"`
		Audience  string `json:"audience"`
		TokenType string `json:"subject_token_type"`
		TokenURL  string `json:"token_url"`
		Account   string `json:"service_account_impersonation_url,omitempty"`
		Source    struct {
			Executable executable `json:"executable"`
		} `json:"credential_source"`
	}{Type: "external_account", Audience: c.Audience, TokenType: IdentityType, TokenURL: GoogleToken(m)}
	if c.Account != "" {
		file.Account = GoogleAccount(m, c.Account)
	}
	file.Source.Executable = executable{command, int(source.TokenLimit.Milliseconds())}
	b, err := json.MarshalIndent(file, "", "  ")
	return append(b, '\n'), err
}

// Executable is what such a command prints (AIP-4117), or with why what it prints
// instead.
func Executable(token login.Identity, why error) ([]byte, error) {
	if why != nil {
		return json.Marshal(map[string]any{"version": 1, "success": false, "code": fault.KindOf(why).String(), "message": fault.Message(why)})
	}
	return json.Marshal(map[string]any{"version": 1, "success": true, "token_type": IdentityType, "id_token": token.Token.Reveal(), "expiration_time": token.Expires.Unix()})
}
