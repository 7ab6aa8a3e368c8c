package precedence

import (
	"encoding/json"
	"net/url"
	"path/filepath"
	"slices"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/source"
)

// stored is .credentials.json, as far as it is needed here. Anthropic does not
// document it; the form was seen.
type stored struct {
	Login *struct {
		AccessToken      string   `json:"accessToken"`
		RefreshToken     string   `json:"refreshToken"`
		ExpiresAt        int64    `json:"expiresAt"` // milliseconds
		Scopes           []string `json:"scopes"`
		SubscriptionType string   `json:"subscriptionType"`
	} `json:"claudeAiOauth"`
	Trust   map[string]string `json:"gatewayTrust"` // :: host → how
	Gateway *struct {
		URL           string `json:"url"`
		JWT           string `json:"jwt"`
		ExpiresAt     int64  `json:"expiresAt"` // milliseconds
		TokenEndpoint string `json:"tokenEndpoint"`
		RefreshToken  string `json:"idpRefreshToken"`
	} `json:"enterpriseGateway"`
}

// state is .claude.json, as far as it is needed here.
type state struct {
	PrimaryAPIKey string `json:"primaryApiKey"`
	Account       struct {
		Email        string `json:"emailAddress"`
		Organization string `json:"organizationName"`
	} `json:"oauthAccount"`
	Responses struct {
		Rejected []string `json:"rejected"`
	} `json:"customApiKeyResponses"`
	Projects map[string]struct {
		Trusted bool `json:"hasTrustDialogAccepted"`
	} `json:"projects"`
}

// signIns reads what /login has stored. On macOS the tokens are in the keychain,
// which is not opened for this: that there is a login is then told by the state.
func (m Machine) signIns(dir string) (f Facts, s state) {
	f.Found = map[Name]Source{}
	path := filepath.Join(m.Home, ".claude.json")
	if d := m.Getenv("CLAUDE_CONFIG_DIR"); d != "" {
		path = filepath.Join(d, ".claude.json")
	}
	if raw, _, err := m.File(path); err == nil {
		_ = json.Unmarshal(raw, &s) // a broken one counts as none, as it does for Claude Code
	}
	if s.PrimaryAPIKey != "" {
		f.Found[StoredKey] = Source{Where: path, Identity: s.Account.Email, Payer: "the Claude Console organization " + orUnknown(s.Account.Organization)}
	}
	file := filepath.Join(dir, ".credentials.json")
	raw, _, err := m.File(file)
	var c stored
	if err == nil {
		_ = json.Unmarshal(raw, &c)
	}
	if l := c.Login; l != nil && l.AccessToken != "" && slices.Contains(l.Scopes, "user:inference") {
		src := Source{Where: file, Identity: s.Account.Email, Until: ms(l.ExpiresAt), Payer: "the Claude subscription of " + orUnknown(s.Account.Organization)}
		if src.Until.Before(m.Now()) && !src.Until.IsZero() {
			src.Problem = "it has expired"
			if l.RefreshToken != "" {
				src.Problem += ", and Claude Code tries to renew it"
			}
		}
		f.Found[Login] = src
	} else if l == nil && m.System == "darwin" && s.Account.Email != "" && s.PrimaryAPIKey == "" {
		f.Found[Login] = Source{Where: "the keychain", Identity: s.Account.Email, Payer: "the Claude subscription of " + orUnknown(s.Account.Organization), Problem: "the keychain was not opened; what " + path + " says is believed"}
	}
	if g := c.Gateway; g != nil {
		f.Gateway, f.Found[Gateway] = m.gateway(c, file)
		if f.Gateway == "" {
			delete(f.Found, Gateway)
		}
	}
	return f, s
}

// gateway is the session, or "" if Claude Code does not use it: the host must be
// trusted, and the session alive or able to renew itself.
func (m Machine) gateway(c stored, file string) (address string, s Source) {
	g := c.Gateway
	u, err := url.Parse(g.URL)
	if err != nil || g.URL == "" || c.Trust[u.Hostname()] == "" && c.Trust[u.Host] == "" {
		return "", Source{}
	}
	until := ms(g.ExpiresAt)
	alive := until.IsZero() || until.After(m.Now())
	if !alive && (g.RefreshToken == "" || g.TokenEndpoint == "") {
		return "", Source{}
	}
	s = Source{Where: file, Until: until, Identity: person(secret.New(g.JWT)), Payer: "your organization, through " + source.Place(g.URL)}
	switch {
	case g.JWT == "":
		s.Problem = "it holds no token"
	case !alive:
		s.Problem = "it has expired, and Claude Code renews it first"
	}
	return g.URL, s
}

func ms(n int64) time.Time {
	if n <= 0 {
		return time.Time{}
	}
	return time.UnixMilli(n).UTC()
}

func orUnknown(name string) string {
	if name == "" {
		return "an account that is not named"
	}
	return name
}

// person is whom a token names, unverified; "" if it names nobody.
func person(token secret.Text) string {
	claims, err := credential.ReadClaims(token)
	switch {
	case err != nil:
		return ""
	case claims.Email != "":
		return claims.Email
	}
	return claims.Subject
}
