package editor_test

import (
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/claudecode"
	"github.com/gatehouse-dev/gatehouse/internal/editor"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/jsontext"
	"github.com/google/go-cmp/cmp"
)

func TestUserSettings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, system, variable, value, want string }{
		{"code", "linux", "", "", "/home/ada/.config/Code/User/settings.json"},
		{"code", "linux", "XDG_CONFIG_HOME", "/x", "/x/Code/User/settings.json"},
		{"insiders", "darwin", "", "", "/home/ada/Library/Application Support/Code - Insiders/User/settings.json"},
		{"cursor", "windows", "APPDATA", "/roaming", "/roaming/Cursor/User/settings.json"},
		{"code", "linux", "VSCODE_PORTABLE", "/p", "/p/user-data/User/settings.json"},
	} {
		getenv := func(name string) string {
			if name == tt.variable {
				return tt.value
			}
			return ""
		}
		if got, err := editor.UserSettings(tt.name, tt.system, "/home/ada", getenv); err != nil || got != tt.want {
			t.Errorf("%s on %s: %q, %v", tt.name, tt.system, got, err)
		}
	}
	none := func(string) string { return "" }
	for _, bad := range [][2]string{{"emacs", "/home/ada"}, {"code", ""}} {
		if got, err := editor.UserSettings(bad[0], "linux", bad[1], none); !fault.Is(err, fault.Invalid) {
			t.Errorf("%v: %q, %v", bad, got, err)
		}
	}
}

// The extension's settings keep their comments, and the other variables.
func TestChanges(t *testing.T) {
	t.Parallel()
	to := claudecode.Target{Server: "https://gate.example.com", Profile: "gatehouse"}
	before := "{\n    // mine\n    \"editor.fontSize\": 14, // large\n    \"claudeCode.environmentVariables\": [\n        { \"name\": \"FOO\", \"value\": \"1\" },\n        { \"name\": \"ANTHROPIC_AUTH_TOKEN\", \"value\": \"x\" },\n    ],\n}\n"
	parsed, err := jsontext.Parse([]byte(before), jsontext.Comments)
	if err != nil {
		t.Fatal(err)
	}
	after := parsed
	for _, c := range editor.Changes(claudecode.Helper, to) {
		after = after.Set(c.Path, c.Value)
	}
	want := "{\n    // mine\n    \"editor.fontSize\": 14, // large\n    \"claudeCode.environmentVariables\": [\n        { \"name\": \"FOO\", \"value\": \"1\" },\n        { \"name\": \"ANTHROPIC_AUTH_TOKEN\", \"value\": \"x\" },\n        {\"name\":\"ANTHROPIC_BASE_URL\",\"value\":\"https://gate.example.com\"},\n    ],\n    \"claudeCode.disableLoginPrompt\": true,\n}\n"
	if d := cmp.Diff(want, string(after.Bytes())); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]claudecode.Conflict{{Name: "ANTHROPIC_AUTH_TOKEN", In: "f"}}, editor.Conflicts(claudecode.Helper, after, "f")); d != "" {
		t.Error(d)
	}
	if got := editor.Changes(claudecode.Gateway, to); got != nil {
		t.Errorf("the gateway door sets %v", got)
	}
}
