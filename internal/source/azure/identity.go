package azure

import (
	"context"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/source"
)

// app asks the identity endpoint of App Service, Functions and Container Apps,
// which is on the app's own machine or link.
func (s Source) app(ctx context.Context, about source.About) (source.Credential, error) {
	u, err := url.Parse(s.Machine.Getenv("IDENTITY_ENDPOINT"))
	if err != nil || u.Host == "" {
		return source.Credential{}, fault.New(fault.Invalid, "IDENTITY_ENDPOINT is not an address").WithHint("unset IDENTITY_ENDPOINT")
	}
	u.RawQuery = s.query("2019-08-01").Encode()
	return s.ask(ctx, about, source.Request{URL: u.String(), Metadata: u.Scheme == "http",
		Header: map[string]string{"X-IDENTITY-HEADER": s.Machine.Getenv("IDENTITY_HEADER")}})
}

// instance asks the metadata service of Azure's virtual machines. Where nothing
// answers there is none.
func (s Source) instance(ctx context.Context, about source.About) (source.Credential, error) {
	base := s.Metadata
	if base == "" {
		base = "http://169.254.169.254"
	}
	c, err := s.ask(ctx, about, source.Request{URL: base + "/metadata/identity/oauth2/token?" + s.query("2018-02-01").Encode(),
		Header: map[string]string{"Metadata": "true"}, Metadata: true})
	if fault.Is(err, fault.Unavailable) || fault.Is(err, fault.Timeout) {
		return source.Credential{}, source.None("there is no credential for Azure")
	}
	return c, err
}

func (s Source) query(version string) url.Values {
	q := url.Values{"api-version": {version}, "resource": {resource}}
	if id := s.Machine.Getenv("AZURE_CLIENT_ID"); id != "" {
		q.Set("client_id", id)
	}
	return q
}

func (s Source) ask(ctx context.Context, about source.About, r source.Request) (source.Credential, error) {
	answer, err := s.Machine.Fetch(ctx, r)
	if err != nil {
		return source.Credential{}, err
	}
	var w struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   number `json:"expires_in"`
		ExpiresOn   number `json:"expires_on"`
	}
	if err := answer.Decode(&w, mend); err != nil {
		return source.Credential{}, err
	}
	about.Expires = s.Machine.After(float64(w.ExpiresIn))
	if about.Expires.IsZero() {
		about.Expires = w.ExpiresOn.time()
	}
	if w.AccessToken == "" || about.Expires.IsZero() {
		return source.Credential{}, fault.New(fault.Unavailable, "Azure gave an answer without a token or without its end")
	}
	return source.Credential{About: about, Scheme: source.Bearer, Value: secret.New(w.AccessToken)}, nil
}

// number is one that some endpoints write as a text.
type number float64

// UnmarshalJSON takes 3599, "3599" and, as nothing, anything else.
func (n *number) UnmarshalJSON(raw []byte) error {
	if f, err := strconv.ParseFloat(strings.Trim(string(raw), `"`), 64); err == nil {
		*n = number(f)
	}
	return nil
}

func (n number) time() time.Time {
	const year9999 = 253402300800
	if !(n > 0 && n < year9999) {
		return time.Time{}
	}
	return time.Unix(int64(n), 0)
}

// tool asks az. Versions to come print the token only when told to.
func (s Source) tool(ctx context.Context, about source.About) (source.Credential, error) {
	argv := []string{"az", "account", "get-access-token", "--scope", scope, "--output", "json"}
	out, err := s.Machine.Command(ctx, toolLimit, mend, argv...)
	if err != nil {
		return source.Credential{}, err
	}
	token, expires, err := parseTool([]byte(out.Reveal()))
	if err == nil && hidden(token) {
		if out, err = s.Machine.Command(ctx, toolLimit, mend, append(argv, "--plaintext")...); err != nil {
			return source.Credential{}, err
		}
		token, expires, err = parseTool([]byte(out.Reveal()))
	}
	if err != nil {
		return source.Credential{}, fault.New(fault.Invalid, "what az printed cannot be used, because %w", err).WithHint(mend)
	}
	about.Expires = expires
	return source.Credential{About: about, Scheme: source.Bearer, Value: token}, nil
}

// hidden reports whether a value stands for a token that is not shown: a token
// of Entra is a JWT.
func hidden(token secret.Text) bool { return strings.Count(token.Reveal(), ".") < 2 }

// parseTool reads what "az account get-access-token" prints. It fails with
// Invalid and quotes nothing. Old versions say the end only by the local clock
// without its zone; then nobody says.
func parseTool(raw []byte) (token secret.Text, expires time.Time, err error) {
	var w struct {
		AccessToken string `json:"accessToken"`
		TokenType   string `json:"tokenType"`
		ExpiresOn   number `json:"expires_on"`
	}
	switch {
	case json.Unmarshal(raw, &w) != nil:
		return secret.Text{}, time.Time{}, fault.New(fault.Invalid, "it is not the JSON that it should be")
	case w.AccessToken == "":
		return secret.Text{}, time.Time{}, fault.New(fault.Invalid, "it holds no token")
	case w.TokenType != "" && !strings.EqualFold(w.TokenType, "Bearer"):
		return secret.Text{}, time.Time{}, fault.New(fault.Invalid, "the token is not a bearer token")
	}
	return secret.New(w.AccessToken), w.ExpiresOn.time(), nil
}
