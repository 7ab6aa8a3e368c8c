package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/testkit/claude"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/upstream"
)

// The real Claude Code runs "gatehouse token", is told 401 in the middle of the
// token's life, runs it again, and goes on with the next one. Its telemetry takes
// the headers that "credential otel-headers" prints.
func TestClaudeCodeGoesOnAfterA401(t *testing.T) {
	t.Parallel()
	m := newMember(t)
	m.login()
	api := upstream.New(t)
	first := ""
	var once sync.Once
	api.Respond(func(r *upstream.Request) upstream.Plan {
		if r.Kind != upstream.Messages {
			return upstream.Plan{}
		}
		once.Do(func() {
			first = r.Credential()
			m.expire(10 * time.Second) // the server's clock was ahead of ours
		})
		if r.Credential() == first {
			return upstream.Plan{Status: http.StatusUnauthorized}
		}
		return upstream.Plan{}
	})
	helper := filepath.Join(m.home, "helper")
	got := claude.Run(t, claude.Options{Home: m.home, Env: map[string]string{"PATH": os.Getenv("PATH"), "NO_PROXY": "*", "GORACE": "atexit_sleep_ms=0", "GOCOVERDIR": m.cover,
		"CLAUDE_CODE_ENABLE_TELEMETRY": "1", "OTEL_METRICS_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json", "OTEL_EXPORTER_OTLP_ENDPOINT": api.URL},
		Settings: fmt.Sprintf(`{"apiKeyHelper":"echo ran >> %s; gatehouse credential api-key","otelHeadersHelper":"gatehouse credential otel-headers","env":{"ANTHROPIC_BASE_URL":%q}}`, helper, api.URL)})
	if got.Exit != 0 || strings.TrimSpace(got.Stdout) != strings.TrimSpace(upstream.Text(12)) {
		t.Fatalf("%+v", got)
	}
	var sent []string
	for _, r := range api.Requests() {
		if r.Kind == upstream.Messages && (len(sent) == 0 || sent[len(sent)-1] != r.Credential()) {
			sent = append(sent, r.Credential())
		}
	}
	if len(sent) != 2 || !strings.Contains(sent[0], "eyJ") || !strings.Contains(sent[1], "eyJ") {
		t.Errorf("%d credentials were sent", len(sent))
	}
	if n := m.server.count("rotated"); n != 1 {
		t.Errorf("renewed %d times", n)
	}
	if ran, err := os.ReadFile(helper); err != nil || strings.Count(string(ran), "ran") < 2 {
		t.Errorf("the helper: %q, %v", ran, err)
	}
	for _, r := range api.Requests() {
		if strings.HasSuffix(r.Path, "/v1/metrics") {
			if value := r.Header.Get("Authorization"); !strings.HasPrefix(value, "Bearer eyJ") {
				t.Errorf("telemetry came with the header %q", value)
			}
			return
		}
	}
	t.Error("no telemetry came")
}

// Signed out, Claude Code shows the one line that says what to do.
func TestClaudeCodeShowsWhatMends(t *testing.T) {
	t.Parallel()
	m := newMember(t)
	api := upstream.New(t)
	api.Always(upstream.Plan{Status: http.StatusUnauthorized})
	got := claude.Run(t, claude.Options{Home: m.home, Env: map[string]string{"NO_PROXY": "*", "GORACE": "atexit_sleep_ms=0", "GOCOVERDIR": m.cover, "CLAUDE_CODE_MAX_RETRIES": "0"},
		Settings: fmt.Sprintf(`{"apiKeyHelper":"gatehouse token","env":{"ANTHROPIC_BASE_URL":%q}}`, api.URL)})
	if got.Exit == 0 || !strings.Contains(got.Stdout+got.Stderr, "exited 3: gatehouse: you are not signed in; run: gatehouse login") {
		t.Errorf("%+v", got)
	}
}

// Claude Code signs its requests to Bedrock with the keys that aws-export prints.
func TestClaudeCodeTakesTheKeysOfAWS(t *testing.T) {
	t.Parallel()
	m := newMember(t)
	api := upstream.New(t)
	keys := filepath.Join(m.home, "keys")
	if err := os.WriteFile(keys, []byte("[default]\naws_access_key_id = AKIAEXPORTED\naws_secret_access_key = secret\naws_session_token = session\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := claude.Run(t, claude.Options{Home: m.home, Env: map[string]string{"NO_PROXY": "*", "GORACE": "atexit_sleep_ms=0", "GOCOVERDIR": m.cover,
		"CLAUDE_CODE_USE_BEDROCK": "1", "ANTHROPIC_BEDROCK_BASE_URL": api.URL, "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true", "CLAUDE_CODE_MAX_RETRIES": "0"},
		Settings: fmt.Sprintf(`{"awsCredentialExport":"AWS_SHARED_CREDENTIALS_FILE=%s gatehouse credential aws-export"}`, keys)})
	for _, r := range api.Requests() {
		if strings.Contains(r.Header.Get("Authorization"), "Credential=AKIAEXPORTED/") && r.Header.Get("X-Amz-Security-Token") == "session" {
			return
		}
	}
	t.Errorf("none of %d requests was signed with the keys: %+v", len(api.Requests()), got)
}

// The real Claude Code runs its helper in the folder that it works in: the
// sign-in is the one that the folder is bound to, and a mix-up asks nobody.
func TestClaudeCodeUsesWhatTheFolderIsBoundTo(t *testing.T) {
	t.Parallel()
	m := newMember(t)
	m.login()
	if _, stderr, code := m.run("login", "--profile", "client-a"); code != 0 {
		t.Fatal(stderr)
	}
	folder := filepath.Join(m.home, "project") // where the kit runs Claude Code
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	bind := m.command("use", "--here", "client-a")
	bind.Dir = folder
	if out, err := bind.CombinedOutput(); err != nil {
		t.Fatalf("%v, %s", err, out)
	}
	want, _, _ := m.run("token", "--profile", "client-a")
	api := upstream.New(t)
	ask := func(helper string) claude.Result {
		return claude.Run(t, claude.Options{Home: m.home, Env: map[string]string{"PATH": os.Getenv("PATH"), "NO_PROXY": "*", "GORACE": "atexit_sleep_ms=0", "GOCOVERDIR": m.cover, "CLAUDE_CODE_MAX_RETRIES": "0"},
			Settings: fmt.Sprintf(`{"apiKeyHelper":%q,"env":{"ANTHROPIC_BASE_URL":%q}}`, helper, api.URL)})
	}
	if got := ask("gatehouse token"); got.Exit != 0 {
		t.Fatalf("%+v", got)
	}
	sent := func() (n int) {
		for _, r := range api.Requests() {
			if r.Kind == upstream.Messages && strings.Contains(r.Credential(), "eyJ") {
				n++
				if !strings.Contains(r.Credential(), strings.TrimSpace(want)) {
					t.Error("another sign-in was used")
				}
			}
		}
		return n
	}
	asked := sent()
	if asked == 0 {
		t.Error("the sign-in was not used")
	}
	if got := ask("gatehouse token --profile default"); !strings.Contains(got.Stdout+got.Stderr, "here belongs client-a") {
		t.Errorf("%+v", got)
	}
	if sent() != asked {
		t.Error("something was asked with a sign-in that does not belong there")
	}
}
