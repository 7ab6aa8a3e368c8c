package claude_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/testkit/claude"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/upstream"
)

func TestItAnswersWithNothingButWhatTheTestSays(t *testing.T) {
	t.Parallel()
	api := upstream.New(t)
	got := claude.Run(t, claude.Options{Env: map[string]string{"ANTHROPIC_BASE_URL": api.URL, "ANTHROPIC_API_KEY": "k-one"}})
	if got.Exit != 0 || strings.TrimSpace(got.Stdout) != strings.TrimSpace(upstream.Text(12)) {
		t.Fatalf("%+v", got)
	}
	for _, r := range api.Requests() {
		if r.Kind == upstream.Messages && r.Credential() != "k-one" {
			t.Errorf("the credential is %q", r.Credential())
		}
	}
}

func TestAnErrorOfTheAPIIsShown(t *testing.T) {
	t.Parallel()
	api := upstream.New(t)
	api.Always(upstream.Plan{Status: 400, Body: `{"type":"error","error":{"type":"invalid_request_error","message":"no such thing here"}}`})
	got := claude.Run(t, claude.Options{Env: map[string]string{"ANTHROPIC_BASE_URL": api.URL, "ANTHROPIC_API_KEY": "k"}})
	if got.Exit != 1 || !strings.Contains(got.Stdout, "no such thing here") {
		t.Errorf("%+v", got)
	}
}

func TestHelperAndProfile(t *testing.T) {
	t.Parallel()
	api := upstream.New(t)
	settings, err := json.Marshal(map[string]any{"apiKeyHelper": "echo from-helper", "env": map[string]string{"ANTHROPIC_BASE_URL": api.URL}})
	if err != nil {
		t.Fatal(err)
	}
	if got := claude.Run(t, claude.Options{Settings: string(settings)}); got.Exit != 0 {
		t.Fatalf("%+v", got)
	}
	if got := lastCredential(api); got != "from-helper" {
		t.Errorf("helper: %q", got)
	}
	home := claude.Home(t)
	claude.Profile(t, home, "here", `{"version":"1.0","authentication":{"type":"user_oauth","client_id":"c"},"base_url":"`+api.URL+`"}`,
		`{"version":"1.0","type":"oauth_token","access_token":"from-profile","refresh_token":"r","expires_at":4102444800}`)
	if got := claude.Run(t, claude.Options{Home: home, Env: map[string]string{"ANTHROPIC_PROFILE": "here"}}); got.Exit != 0 {
		t.Fatalf("%+v", got)
	}
	if got := lastCredential(api); got != "Bearer from-profile" {
		t.Errorf("profile: %q", got)
	}
}

func lastCredential(api *upstream.Server) string {
	last := ""
	for _, r := range api.Requests() {
		if r.Kind == upstream.Messages {
			last = r.Credential()
		}
	}
	return last
}
