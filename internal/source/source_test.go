package source_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/helper"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/source"
	st "github.com/gatehouse-dev/gatehouse/internal/source/sourcetest"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	jwt := func(w *st.World, left time.Duration) credential.Pair {
		return credential.Pair{Access: secret.New(st.JWT(left)), Expires: st.Now().Add(left)}
	}
	st.Run(t,
		st.Case{Name: "a variable with a token that says its end", Kind: source.APIKey, Scheme: source.Bearer, Origin: "ANTHROPIC_AUTH_TOKEN", Payer: "whoever runs https://gate.example.com",
			New: func(w *st.World, left time.Duration) (source.Source, string) {
				w.Env["ANTHROPIC_AUTH_TOKEN"], w.Env["ANTHROPIC_BASE_URL"] = st.JWT(left), "https://user:"+st.Canary+"@gate.example.com/x"
				return source.Variables(w.Machine())[0], st.JWT(left)
			}},
		st.Case{Name: "a key", Kind: source.APIKey, Scheme: source.Header, Origin: "ANTHROPIC_API_KEY", Payer: "the Anthropic organization", Endless: true,
			New: func(w *st.World, _ time.Duration) (source.Source, string) {
				w.Env["ANTHROPIC_API_KEY"] = "sk-ant-api03-" + st.Canary
				return source.Variables(w.Machine())[1], "sk-ant-api03-" + st.Canary
			}},
		st.Case{Name: "a subscription's token", Kind: source.APIKey, Scheme: source.Bearer, Origin: "CLAUDE_CODE_OAUTH_TOKEN", Payer: "the Claude subscription", Endless: true,
			New: func(w *st.World, _ time.Duration) (source.Source, string) {
				w.Env["CLAUDE_CODE_OAUTH_TOKEN"] = "sk-ant-oat01-" + st.Canary
				return source.Variables(w.Machine())[2], "sk-ant-oat01-" + st.Canary
			}},
		st.Case{Name: "a sign-in", Kind: source.Account, Scheme: source.Both, Origin: "the sign-in at https://gate.example.com", Payer: "your organization",
			New: func(w *st.World, left time.Duration) (source.Source, string) {
				get := func(context.Context) (credential.Pair, error) { return jwt(w, left), nil }
				return source.SignIn{Server: "https://gate.example.com", Stored: get, Pair: get, Now: st.Now}, st.JWT(left)
			}},
		st.Case{Name: "a script", Kind: source.Helper, Scheme: source.Both, Origin: "the apiKeyHelper in /home/ada/.claude/settings.json", Payer: "https://gate.example.com",
			New: func(w *st.World, left time.Duration) (source.Source, string) {
				path := w.Write("token", st.JWT(left)+"\n", 0o600)
				r := &helper.Runner{Dir: w.Home, Now: st.Now, Wait: st.Patient}
				return source.Script{Runner: r, Script: helper.Script{Kind: helper.APIKey, Line: "cat " + path, Place: helper.User,
					File: "/home/ada/.claude/settings.json", Server: "https://gate.example.com"}}, st.JWT(left)
			}},
	)
}

func TestWhatIsNotThere(t *testing.T) {
	t.Parallel()
	m := source.Machine{System: "linux", Getenv: func(string) string { return "" }, Now: st.Now, Wait: st.Patient}
	for _, s := range append(source.Variables(m), source.SignIn{Now: st.Now}, source.Script{}) {
		if about, found := s.Find(t.Context()); found {
			t.Errorf("%+v was found", about)
		}
		if _, err := s.Credential(t.Context()); !fault.Is(err, fault.NotFound) {
			t.Errorf("%T: %v", s, err)
		}
	}
}

func TestAValueOfTwoLinesIsNotHandedOut(t *testing.T) {
	t.Parallel()
	m := source.Machine{System: "linux", Getenv: func(string) string { return st.Canary + "\nsecond" }, Now: st.Now, Wait: st.Patient}
	s := source.Variables(m)[0]
	if _, err := s.Credential(t.Context()); !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), st.Canary) {
		t.Errorf("%v", err)
	}
	if about, _ := s.Find(t.Context()); about.Problem == "" {
		t.Error("nothing is said of it")
	}
}

func TestWhereACredentialIsNeverSent(t *testing.T) {
	t.Parallel()
	m := source.Machine{Getenv: func(string) string { return "" }, Now: st.Now, Wait: st.Patient}
	for _, r := range []source.Request{
		{URL: "http://example.com/token"}, {URL: "http://169.254.169.254/token"}, {URL: "https://user:" + st.Canary + "@example.com/"}, {URL: "//example.com"}, {URL: "ftp://127.0.0.1/"},
		{URL: "http://93.184.216.34/", Metadata: true}, {URL: "http://[2606:2800:220:1::1]/", Metadata: true},
	} {
		if _, err := m.Fetch(t.Context(), r); !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), st.Canary) {
			t.Errorf("%s: %v", r.URL, err)
		}
	}
}

func FuzzAnswers(f *testing.F) {
	f.Add(400, []byte(`{"error":"invalid_grant","error_description":"canary7"}`))
	f.Add(200, []byte(`<html>canary7`))
	f.Add(401, []byte(`{"error":{"message":"canary7"}}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		var into struct {
			AccessToken string `json:"access_token"`
		}
		err := source.Answer{Status: status, Body: body}.Decode(&into, "mend")
		if (err == nil) && status != 200 {
			t.Errorf("%d is a success", status)
		}
		if err != nil && strings.Contains(err.Error(), "canary7") {
			t.Error(err)
		}
	})
}
