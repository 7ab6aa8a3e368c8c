package server_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/testkit/nodes"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/upstream"
)

// TestCanary uses every kind of secret in every way it can think of, good and
// bad, and then looks for them in all that a server leaves behind: its log, its
// metrics, its database, its journal, and what the upstream and other clients
// were told.
func TestCanary(t *testing.T) {
	t.Parallel()
	up := upstream.New(t)
	w := nodes.Start(t, nodes.Options{UpstreamURL: up.URL})
	tokens := signInDevice(t, w)
	refreshed := form(t, w.URL, "/oauth/token", "grant_type", "refresh_token", "refresh_token", tokens.text("refresh_token"))
	waiting := form(t, w.URL, "/oauth/device_authorization")
	const password, foreign, prompt = "canary-password-4711", "sk-ant-api03-canary-canary-canary", "canary-prompt-0815"
	member := w.SignIn(t, w.Sample.Member)
	member.Post(t, "/account/password", url.Values{"current": {""}, "password": {password}, "fresh": {password}, "new": {password}})
	member.Post(t, "/sign-in", url.Values{"email": {w.Sample.Member.Email}, "password": {password + "x"}})
	verifier, hashed := challenge()
	code := approveCode(t, w, member, hashed)
	form(t, w.URL, "/oauth/token", "grant_type", "authorization_code", "client_id", "gatehouse", "code", code, "code_verifier", verifier, "redirect_uri", "http://127.0.0.1:4711/callback")

	secrets := map[string]string{
		"API key": w.Sample.APIKey.Reveal(), "admin key": w.Sample.AdminKey.Reveal(), "sign-in link": w.Sample.Owner.Link.Reveal(),
		"access token": tokens.text("access_token"), "refresh token": tokens.text("refresh_token"), "successor": refreshed.text("refresh_token"),
		"device code": waiting.text("device_code"), "authorization code": code, "code verifier": verifier, "password": password,
		"foreign key": foreign, "upstream key": nodes.UpstreamKey, "prompt": prompt,
	}
	for name, value := range secrets {
		if len(value) < 12 {
			t.Fatalf("the test has no %s", name)
		}
	}
	for _, c := range member.Jar.Cookies(mustParse(t, w.URL)) {
		secrets["cookie "+c.Name] = c.Value
	}
	var said bytes.Buffer
	for _, credential := range secrets {
		said.WriteString(misuse(t, w, credential, prompt))
	}
	w.Stop() // so that everything is on disk

	sinks := map[string]string{"log": w.Logs.String(), "answers": said.String()}
	for _, r := range up.Requests() {
		var header bytes.Buffer
		_ = r.Header.Write(&header)
		sinks["upstream headers"] += header.String() + r.Query
	}
	err := filepath.WalkDir(w.DataDir(), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		sinks["file "+d.Name()] = string(raw)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(sinks) < 5 {
		t.Fatalf("only %d sinks were looked at", len(sinks))
	}
	for where, text := range sinks {
		for name, value := range secrets {
			if where == "upstream headers" && name == "upstream key" {
				continue // that is where it belongs
			}
			for _, form := range []string{value, hex.EncodeToString([]byte(value)), base64.StdEncoding.EncodeToString([]byte(value))} {
				if strings.Contains(text, form) {
					t.Errorf("the %s is in the %s", name, where)
				}
			}
		}
	}
}

// misuse presents a credential everywhere, in right ways and wrong, and returns
// what was answered.
func misuse(t testing.TB, w *nodes.World, credential, prompt string) string {
	t.Helper()
	var said strings.Builder
	try := func(method, path, body string, header http.Header) {
		r, err := http.NewRequest(method, w.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header = header
		got, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			return // a credential that no header can carry
		}
		defer got.Body.Close()
		raw, _ := io.ReadAll(got.Body)
		if !strings.HasPrefix(path, "/link/") && !bytes.Contains(raw, []byte(`"access_token"`)) {
			_ = got.Header.Write(&said)
			said.Write(raw)
		}
	}
	bearer := http.Header{"Authorization": {"Bearer " + credential}}
	body := strings.Replace(hello, "Hello", prompt, 1)
	for _, header := range []http.Header{bearer, {"X-Api-Key": {credential}}, {"Authorization": {credential}}, {"Authorization": {"Basic " + credential}},
		{"Authorization": {"Bearer " + credential}, "X-Api-Key": {"another"}}, {"Cookie": {"gatehouse_session=" + credential}}} {
		try("POST", "/v1/messages", body, header.Clone())
		try("POST", "/v1/messages", `{"model":`, header.Clone())
		try("POST", "/v1/messages", strings.Replace(body, "claude-sonnet-5", credential, 1), http.Header{"X-Api-Key": {"nobody"}})
		try("GET", "/v1/models", "", header.Clone())
		try("GET", "/v1/organizations/me", "", header.Clone())
		try("GET", "/managed/settings", "", header.Clone())
		try("GET", "/", "", header.Clone())
	}
	asForm := func() http.Header { return http.Header{"Content-Type": {"application/x-www-form-urlencoded"}} }
	for _, field := range []string{"device_code", "refresh_token", "code", "token"} {
		for _, grant := range []string{deviceGrant, "refresh_token", "authorization_code", "unknown"} {
			try("POST", "/oauth/token", url.Values{"grant_type": {grant}, field: {credential}}.Encode(), asForm())
		}
	}
	try("POST", "/oauth/introspect", url.Values{"token": {credential}}.Encode(), http.Header{"Authorization": {"Bearer " + w.Sample.AdminKey.Reveal()}, "Content-Type": {"application/x-www-form-urlencoded"}})
	try("POST", "/sign-in", url.Values{"email": {"nobody@example.com"}, "password": {credential}}.Encode(), asForm())
	try("GET", "/link/"+url.PathEscape(credential), "", nil)
	try("GET", "/setup/"+url.PathEscape(credential), "", nil)
	try("GET", "/metrics", "", nil)
	return said.String()
}

func mustParse(t testing.TB, raw string) *url.URL {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
