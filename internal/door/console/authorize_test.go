package console_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/oauth"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

const verifier = "a-verifier-of-at-least-forty-three-characters-it-is"

func codeRequest(redirect string) url.Values {
	sum := sha256.Sum256([]byte(verifier))
	return url.Values{"response_type": {"code"}, "client_id": {"gatehouse"}, "redirect_uri": {redirect}, "code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])},
		"code_challenge_method": {"S256"}, "state": {"s-1"}, "device_name": {"maple"}, "device_system": {"linux/amd64"}}
}

const loopback = "http://127.0.0.1:49152/callback"

func TestAnAuthorizationCode(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	page := "/oauth/authorize?" + codeRequest(loopback).Encode()
	got := w.visitor().get(page)
	next, err := url.Parse(got.location)
	if err != nil || next.Path != "/sign-in" || !strings.HasPrefix(next.Query().Get("next"), "/oauth/authorize?") {
		t.Fatalf("signed out: %d to %q", got.status, got.location)
	}
	v := w.as(w.member)
	if got = v.get(next.Query().Get("next")); got.status != http.StatusOK || !strings.Contains(got.body, "maple") || !strings.Contains(got.header.Get("Content-Security-Policy"), "form-action 'self' http://127.0.0.1:49152;") {
		t.Fatalf("the consent page: %d, policy %q\n%s", got.status, got.header.Get("Content-Security-Policy"), got.body)
	}
	in := codeRequest(loopback)
	in.Set("decision", "approve")
	got = v.post("/oauth/authorize", in)
	to, err := url.Parse(got.location)
	if err != nil || got.status != http.StatusSeeOther || to.Host != "127.0.0.1:49152" || to.Query().Get("state") != "s-1" || to.Query().Get("iss") != w.url {
		t.Fatalf("approving: %d to %q", got.status, got.location)
	}
	tokens, err := w.devices.Redeem(t.Context(), oauth.Exchange{Code: secret.New(to.Query().Get("code")), Verifier: secret.New(verifier), RedirectURI: loopback, ClientID: "gatehouse"})
	if err != nil || tokens.Session.Member != w.member.ID || tokens.Session.Device.Name != "maple" {
		t.Errorf("the code gives %v, %+v", err, tokens.Session)
	}
	in.Set("decision", "deny")
	if to, _ := url.Parse(v.post("/oauth/authorize", in).location); to.Query().Get("error") != "access_denied" || to.Query().Get("code") != "" || to.Query().Get("state") != "s-1" || to.Query().Get("iss") != w.url {
		t.Errorf("denying leads to %q", to)
	}
}

func TestAuthorizationRequestsThatAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	v := w.as(w.member)
	for name, c := range map[string]struct {
		change func(url.Values)
		error  string // told to the client; empty: a page, and nothing is sent anywhere
	}{
		"another host":           {func(q url.Values) { q.Set("redirect_uri", "http://evil.example/callback") }, ""},
		"a host that looks like": {func(q url.Values) { q.Set("redirect_uri", "http://127.0.0.1.evil.example:80/callback") }, ""},
		"user information":       {func(q url.Values) { q.Set("redirect_uri", "http://127.0.0.1@evil.example/callback") }, ""},
		"another path":           {func(q url.Values) { q.Set("redirect_uri", "http://127.0.0.1:1/other") }, ""},
		"a script":               {func(q url.Values) { q.Set("redirect_uri", "javascript:alert(1)") }, ""},
		"no redirect":            {func(q url.Values) { q.Del("redirect_uri") }, ""},
		"two redirects":          {func(q url.Values) { q.Add("redirect_uri", "http://evil.example/callback") }, ""},
		"an unknown client":      {func(q url.Values) { q.Set("client_id", "other") }, ""},
		"a token at once":        {func(q url.Values) { q.Set("response_type", "token") }, "unsupported_response_type"},
		"no challenge":           {func(q url.Values) { q.Del("code_challenge") }, "invalid_request"},
		"a plain challenge":      {func(q url.Values) { q.Set("code_challenge_method", "plain") }, "invalid_request"},
		"two states":             {func(q url.Values) { q.Add("state", "s-2") }, "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			in := codeRequest(loopback)
			c.change(in)
			posted := url.Values{"decision": {"approve"}}
			for k, values := range in {
				posted[k] = values
			}
			for _, got := range []answer{v.get("/oauth/authorize?" + in.Encode()), v.post("/oauth/authorize", posted)} {
				if c.error == "" {
					if got.status != http.StatusBadRequest || got.location != "" {
						t.Errorf("%d to %q", got.status, got.location)
					}
					continue
				}
				to, _ := url.Parse(got.location)
				if got.status != http.StatusSeeOther || to.Host != "127.0.0.1:49152" || to.Query().Get("error") != c.error || to.Query().Get("iss") != w.url || to.Query().Get("code") != "" {
					t.Errorf("%d to %q", got.status, got.location)
				}
			}
		})
	}
}
