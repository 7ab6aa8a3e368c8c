package claudecode_test

import (
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/claudecode"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/jsontext"
	"github.com/google/go-cmp/cmp"
)

var to = claudecode.Target{Server: "https://gate.example.com", Command: "/usr/bin/gatehouse token", Profile: "gatehouse",
	Cloud: [][2]string{{"CLAUDE_CODE_USE_BEDROCK", "1"}, {"AWS_REGION", "eu-central-1"}}, Export: "/usr/bin/gatehouse credential aws --format export",
	Refresh: "/usr/bin/gatehouse login --if-needed", Renews: claudecode.AWSRefresh}

func TestConflicts(t *testing.T) {
	t.Parallel()
	settings, err := jsontext.Parse([]byte(`{"env":{"ANTHROPIC_API_KEY":"x","CLAUDE_CODE_USE_VERTEX":"0"},"apiKeyHelper":"mine"}`), jsontext.Strict)
	if err != nil {
		t.Fatal(err)
	}
	getenv := func(name string) string {
		return map[string]string{"ANTHROPIC_AUTH_TOKEN": "t", "CLAUDE_CODE_USE_BEDROCK": "1", "ANTHROPIC_BASE_URL": "https://x"}[name]
	}
	env := []claudecode.Conflict{{Name: "CLAUDE_CODE_USE_BEDROCK"}, {Name: "ANTHROPIC_AUTH_TOKEN"}}
	key := claudecode.Conflict{Name: "ANTHROPIC_API_KEY", In: "f"}
	for door, want := range map[claudecode.Door][]claudecode.Conflict{
		claudecode.Helper:  append(env[:2:2], key),
		claudecode.Profile: append(env[:2:2], claudecode.Conflict{Name: "ANTHROPIC_BASE_URL"}, key, claudecode.Conflict{Name: "apiKeyHelper", In: "f"}),
		claudecode.Gateway: nil,
		claudecode.Direct:  {{Name: "CLAUDE_CODE_USE_BEDROCK"}},
	} {
		got := append(door.InEnvironment(getenv), door.InSettings(settings, "f")...)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", door, diff)
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
