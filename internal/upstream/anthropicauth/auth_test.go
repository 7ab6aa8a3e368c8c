package anthropicauth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/anthropicauth"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/origin"
)

func config(at string) anthropicauth.Config {
	return anthropicauth.Config{BaseURL: at, Rule: "fdrl_1", Organization: "o", ServiceAccount: "svac_1", Now: time.Now,
		Assertion: func(context.Context) (secret.Text, error) { return secret.New("identity-token-0"), nil }}
}

// fields asks a credential for its headers, of an exchange that answers with this.
func fields(t *testing.T, status int, answer string) (map[string][]string, origin.Credential, error) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, answer)
	}))
	t.Cleanup(s.Close)
	a, err := anthropicauth.New(config(s.URL))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	got, err := a.Fields(t.Context(), origin.Sent{})
	all := map[string][]string{}
	for _, f := range got {
		all[f.Name] = f.Values
	}
	return all, a, err
}

func TestWhatTheExchangeAnswers(t *testing.T) {
	t.Parallel()
	got, a, err := fields(t, http.StatusOK, `{"access_token":"sk-ant-oat01-x","token_type":"bearer","expires_in":999999999999999999}`)
	if err != nil || strings.Join(got["Authorization"], "") != "Bearer sk-ant-oat01-x" || got["X-Api-Key"] != nil {
		t.Fatalf("%v, %v", got, err)
	}
	if left := time.Until(a.Status().Expires); left > 24*time.Hour || left < 23*time.Hour {
		t.Errorf("a token that never ends is kept for %s", left)
	}
	for what, answer := range map[string]string{
		"nothing": "", "a page": "<html>", "no token": `{"expires_in":60}`, "no end": `{"access_token":"x"}`, "an end in the past": `{"access_token":"x","expires_in":-1}`,
		"another kind": `{"access_token":"x","token_type":"mac","expires_in":600}`, "a header more": `{"access_token":"x\r\nX-Api-Key: y","expires_in":600}`,
		"a long token": `{"access_token":"` + strings.Repeat("x", 9<<10) + `","expires_in":600}`, "half": `{"access_token":"x","expires_in":6`,
	} {
		if got, _, err := fields(t, http.StatusOK, answer); !fault.Is(err, fault.Unavailable) || !errors.Is(err, gateway.ErrNotSent) {
			t.Errorf("%s: %v, %v", what, got, err)
		}
	}
	_, a, err = fields(t, http.StatusUnauthorized, `{"error":"identity-token-0 of org 42 is not trusted"}`)
	if !fault.Is(err, fault.Unavailable) || strings.Contains(fmt.Sprint(err, a.Status().Err), "42") || strings.Contains(fmt.Sprint(err, a.Status().Err), "identity-token") {
		t.Errorf("a refusal: %v; %v", err, a.Status().Err)
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	for what, spoil := range map[string]func(*anthropicauth.Config){
		"rule": func(c *anthropicauth.Config) { c.Rule = "" }, "organization": func(c *anthropicauth.Config) { c.Organization = "" },
		"account": func(c *anthropicauth.Config) { c.ServiceAccount = "" }, "assertion": func(c *anthropicauth.Config) { c.Assertion = nil },
	} {
		cfg := config("https://api.anthropic.com")
		spoil(&cfg)
		if _, err := anthropicauth.New(cfg); !fault.Is(err, fault.Invalid) {
			t.Errorf("without %s: %v", what, err)
		}
	}
	cfg := config("https://api.anthropic.com")
	cfg.Assertion = func(context.Context) (secret.Text, error) { return secret.Text{}, errors.New("no such file") }
	a, err := anthropicauth.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if _, err := a.Fields(t.Context(), origin.Sent{}); !fault.Is(err, fault.Unavailable) || a.Status().Err == nil {
		t.Errorf("without a token: %v", err)
	}
}
