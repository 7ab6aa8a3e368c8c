package claudecode_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/claudecode"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/jsontext"
	"github.com/google/go-cmp/cmp"
)

var to = claudecode.Target{Server: "https://gate.example.com", Command: "/usr/bin/gatehouse token", Profile: "gatehouse"}

func TestRivals(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "settings.json")
	if err := os.WriteFile(file, []byte(`{"env":{"ANTHROPIC_API_KEY":"x","CLAUDE_CODE_USE_VERTEX":"0"},"apiKeyHelper":"mine"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	getenv := func(name string) string {
		return map[string]string{"ANTHROPIC_AUTH_TOKEN": "t", "CLAUDE_CODE_USE_BEDROCK": "1", "ANTHROPIC_BASE_URL": "https://x"}[name]
	}
	env := []claudecode.Conflict{{Name: "CLAUDE_CODE_USE_BEDROCK"}, {Name: "ANTHROPIC_AUTH_TOKEN"}}
	key := claudecode.Conflict{Name: "ANTHROPIC_API_KEY", In: file}
	for door, want := range map[claudecode.Door][]claudecode.Conflict{
		claudecode.Helper:  append(env[:2:2], key),
		claudecode.Profile: append(env[:2:2], claudecode.Conflict{Name: "ANTHROPIC_BASE_URL"}, key, claudecode.Conflict{Name: "apiKeyHelper", In: file}),
		claudecode.Gateway: nil,
	} {
		got, err := claudecode.Rivals(door, []string{file, file + ".none"}, getenv)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", door, err, diff)
		}
	}
	for _, bad := range []string{"{", "[]"} {
		if err := os.WriteFile(file, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := claudecode.Rivals(claudecode.Helper, []string{file}, getenv); !fault.Is(err, fault.Conflict) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// What a door writes is what is recognised as that door, and as no other.
func TestStands(t *testing.T) {
	t.Parallel()
	for _, door := range claudecode.Doors() {
		b, err := claudecode.Fragment(door, to)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := jsontext.Parse(b, jsontext.Strict)
		if err != nil {
			t.Fatal(err)
		}
		if got := claudecode.Stands(parsed, to); got != door {
			t.Errorf("%s is taken for %q", b, got)
		}
		other := claudecode.Target{Server: "https://other.example.com", Command: "/bin/true", Profile: "other"}
		if got := claudecode.Stands(parsed, other); got != "" {
			t.Errorf("%s leads to another place: %q", b, got)
		}
	}
	if _, err := claudecode.Door("window").Changes(to); !fault.Is(err, fault.Invalid) {
		t.Errorf("a window: %v", err)
	}
}
