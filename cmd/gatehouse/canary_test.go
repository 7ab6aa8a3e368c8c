package main

import (
	"archive/zip"
	"bytes"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/testkit/gatehoused"
)

// A secret in any place that doctor looks at, or that answers it, is in nothing
// that it prints but what the server itself says to the person, and nowhere in
// the bundle.
func TestNoSecretGetsIntoTheBundle(t *testing.T) {
	t.Parallel()
	server := newAuthServer()
	t.Cleanup(server.Close)
	home := t.TempDir()
	env := map[string]string{"NO_PROXY": "*"}
	run := func(args ...string) gatehoused.Ran { return gatehoused.Run(t, home, env, args...) }
	if ran := run("login", "--server", server.URL, "--no-browser"); ran.Exit != 0 {
		t.Fatalf("login: %+v", ran)
	}
	credentials, err := os.ReadFile(filepath.Join(home, ".config/anthropic/credentials/gatehouse.json"))
	if err != nil {
		t.Fatal(err)
	}
	if ran := run("setup", "vscode", "--yes"); ran.Exit != 0 {
		t.Fatalf("setup: %+v", ran)
	}
	for file, content := range map[string]string{
		".claude/settings.json":             `{"env":{"ANTHROPIC_AUTH_TOKEN":"canary-1","canary 3":"x"},"apiKeyHelper":"echo canary-4","mcpServers":{"x":{"headers":{"A":"canary-5"},"args":["canary-6"]}}}`,
		".claude/settings.local.json":       `{"env":{"HTTPS_PROXY":"http://ada:canary-7@canary-8"}}`,
		".config/Code/User/settings.json":   "{ // canary-9\n \"claudeCode.environmentVariables\": [{\"name\":\"ANTHROPIC_API_KEY\",\"value\":\"canary-10\"}]}",
		".config/environment.d/1.conf":      "ANTHROPIC_API_KEY=canary-11\n",
		".config/Cursor/User/settings.json": "not JSON: canary-12",
		"bin/claude":                        "#!/bin/sh\necho '2.1.200 canary-13'; echo canary-14 >&2\n",
		".claude/.credentials.json":         `{"claudeAiOauth":{"accessToken":"canary-15"}}`,
	} {
		path := filepath.Join(home, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	server.set(func() { server.denial = "canary-said: you may not" })
	maps.Copy(env, map[string]string{"PATH": filepath.Join(home, "bin") + ":" + os.Getenv("PATH"), "ANTHROPIC_API_KEY": "canary-16", "MY_canary_17": "x",
		"HTTPS_PROXY": "http://ada:canary-18@127.0.0.1:1", "ANTHROPIC_CUSTOM_HEADERS": "X: canary-19", "ANTHROPIC_canary 20": "x", "GATEHOUSE_TOKEN": "canary-21"})
	ran := run("doctor", "--bundle", "support.zip", "--json")
	said := strings.ReplaceAll(strings.ToLower(ran.Stdout+ran.Stderr), "canary-said", "")
	if strings.Contains(said, "canary") || !strings.Contains(ran.Stdout, "canary-said") {
		t.Errorf("doctor says:\n%s%s", ran.Stdout, ran.Stderr)
	}
	for _, args := range [][]string{{"--server", "https://ada:canary-22@gate.example.com"}, {"--report", "canary-23"}, {"--profile", "canary/24"}} {
		more := run(append([]string{"doctor", "--bundle", "more.zip"}, args...)...)
		if args[0] != "--profile" && strings.Contains(more.Stdout+more.Stderr, "canary-2") {
			t.Errorf("%v says:\n%s%s", args, more.Stdout, more.Stderr)
		}
	}
	secrets := []string{"canary", "Ada", "ada@example.com", home}
	for _, part := range strings.FieldsFunc(string(credentials), func(r rune) bool { return strings.ContainsRune("\"{}:, \n", r) }) {
		if strings.HasPrefix(part, "eyJ") || strings.HasPrefix(part, "sk-") {
			secrets = append(secrets, part[:20], part[len(part)-20:])
		}
	}
	if len(secrets) != 8 {
		t.Fatalf("the stored sign-in holds %d parts of tokens", len(secrets)-4)
	}
	for _, name := range []string{"support.zip", "more.zip"} {
		checkBundle(t, filepath.Join(home, name), secrets)
	}
}

func checkBundle(t *testing.T, path string, secrets []string) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	all := ""
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		all += f.Name + "\n" + string(b)
	}
	for _, secret := range secrets {
		if at := strings.Index(all, secret); at >= 0 {
			t.Errorf("%s holds %q: …%s…", filepath.Base(path), secret, all[max(at-80, 0):min(at+80, len(all))])
		}
	}
	for _, told := range []string{`"outranked"`, "ANTHROPIC_API_KEY", "settings/claude-code-", "settings/editor-code.json", `"claude_version": "2.1.200"`} {
		if !strings.Contains(all, told) {
			t.Errorf("%s does not say %s", filepath.Base(path), told)
		}
	}
}
