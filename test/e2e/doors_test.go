package e2e_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/testkit/claude"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/gatehoused"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/postgres"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/terminal"
)

var pathOfTests = os.Getenv("PATH")

// Every door with one server on SQLite, which is what a newcomer has.
func TestDoors(t *testing.T) {
	t.Parallel()
	demo := gatehoused.Start(t, gatehoused.Options{})
	for name, door := range map[string]func(*testing.T, *gatehoused.Demo){
		"claude code with a key":        claudeCodeWithAKey,
		"claude code with the helper":   claudeCodeWithTheHelper,
		"claude code, managed helper":   claudeCodeWithAManagedHelper,
		"claude code with the profile":  claudeCodeWithTheProfile,
		"claude code signs in itself":   claudeCodeSignsInItself,
		"a member says no":              aMemberSaysNo,
		"go sdk with a key":             goSDKWithAKey,
		"go sdk with the profile":       goSDKWithTheProfile,
		"node sdk with a key":           nodeSDKWithAKey,
		"node sdk with the profile":     nodeSDKWithTheProfile,
		"a wrong key is told the truth": aWrongKey,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			door(t, demo)
		})
	}
}

// The same with PostgreSQL, through two nodes that share it: signed in at one,
// answered by the other.
func TestDoorsOverTwoNodes(t *testing.T) {
	t.Parallel()
	database, data := postgres.New(t), t.TempDir()
	first := gatehoused.Start(t, gatehoused.Options{Database: database, Data: data})
	second := gatehoused.Start(t, gatehoused.Options{Database: database, Data: data})
	if second.Member.APIKey != "" || second.AdminKey != "" {
		t.Error("the second node prints keys that it did not make")
	}
	home := signedIn(t, first)
	answers(t, claude.Run(t, claude.Options{Home: home, Env: map[string]string{
		"ANTHROPIC_BASE_URL": second.URL, "ANTHROPIC_API_KEY": first.Member.APIKey}}))
	second.Member.APIKey = first.Member.APIKey
	goSDKWithAKey(t, second)
}

// answers says that Claude Code had an answer of the model, and no error.
func answers(t *testing.T, got claude.Result) {
	t.Helper()
	if got.Exit != 0 || strings.TrimSpace(got.Stdout) == "" || strings.Contains(got.Stdout, "API Error") {
		t.Fatalf("Claude Code ended with %d\nstdout: %s\nstderr: %s", got.Exit, got.Stdout, got.Stderr)
	}
}

func claudeCodeWithAKey(t *testing.T, demo *gatehoused.Demo) {
	answers(t, claude.Run(t, claude.Options{Env: map[string]string{
		"ANTHROPIC_BASE_URL": demo.URL, "ANTHROPIC_API_KEY": demo.Member.APIKey}}))
}

func claudeCodeWithTheHelper(t *testing.T, demo *gatehoused.Demo) {
	home := signedIn(t, demo)
	if ran := gatehoused.Run(t, home, nil, "setup", "claude-code", "--door", "helper", "--yes"); ran.Exit != 0 {
		t.Fatalf("gatehouse setup: %+v", ran)
	}
	answers(t, claude.Run(t, claude.Options{Home: home, Env: onPath(t)}))
	// Nothing is left to mend, the real request included.
	ran := gatehoused.Run(t, home, map[string]string{"PATH": withClaude(t)}, "doctor")
	if ran.Exit != 0 || notGreen.MatchString(ran.Stdout) || !strings.Contains(ran.Stdout, "A real request was answered by") {
		t.Errorf("gatehouse doctor: %+v", ran)
	}
}

var notGreen = regexp.MustCompile(`(?m)^(warn|fail|skip) `)

// managed is what our command makes of the managed settings of a machine.
func managed(t *testing.T, demo *gatehoused.Demo, door string) string {
	t.Helper()
	folder := t.TempDir()
	ran := gatehoused.Run(t, claude.Home(t), nil, "setup", "claude-code", "--scope", "managed", "--managed-folder", folder, "--door", door, "--server", demo.URL, "--yes")
	if ran.Exit != 0 {
		t.Fatalf("gatehouse setup: %+v", ran)
	}
	b, err := os.ReadFile(filepath.Join(folder, "managed-settings.json"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func claudeCodeWithAManagedHelper(t *testing.T, demo *gatehoused.Demo) {
	claude.NeedManaged(t)
	answers(t, claude.Run(t, claude.Options{Home: signedIn(t, demo), Managed: managed(t, demo, "helper"), Env: onPath(t)}))
}

func claudeCodeWithTheProfile(t *testing.T, demo *gatehoused.Demo) {
	home := signedIn(t, demo)
	answers(t, claude.Run(t, claude.Options{Home: home, Env: map[string]string{"ANTHROPIC_PROFILE": "gatehouse"}}))
}

func claudeCodeSignsInItself(t *testing.T, demo *gatehoused.Demo) {
	claude.NeedManaged(t)
	o := claude.Options{Home: claude.Home(t), Managed: managed(t, demo, "gateway")}
	x := claude.Interactive(t, o)
	claude.SignIn(t, x, func(code string) { decide(t, demo, code, "approve") })
	x.Type("hi")
	x.Expect(`❯ hi`)
	x.Type(terminal.Enter)
	x.Expect(`●\s+\S+`)
	// The session lasts: the next start needs no sign-in.
	answers(t, claude.Run(t, o))
}

func aMemberSaysNo(t *testing.T, demo *gatehoused.Demo) {
	home := claude.Home(t)
	exit, said := signIn(t, demo, home, "deny")
	if exit != 1 || !strings.Contains(said, "denied") {
		t.Errorf("exit %d: %s", exit, said)
	}
	if ran := gatehoused.Run(t, home, nil, "token"); ran.Exit != 3 || ran.Stdout != "" {
		t.Errorf("a token without a sign-in: %+v", ran)
	}
}

func aWrongKey(t *testing.T, demo *gatehoused.Demo) {
	for name, key := range map[string]string{
		"unknown":     "sk-gate-api01-" + strings.Repeat("0", 49),
		"mistyped":    demo.Member.APIKey[:len(demo.Member.APIKey)-1] + "!",
		"Anthropic's": "sk-ant-api03-" + strings.Repeat("a", 90),
		"none of any": "no-key-at-all",
	} {
		// The client repeats a 401 for minutes unless it is told how often.
		got := claude.Run(t, claude.Options{Env: map[string]string{
			"ANTHROPIC_BASE_URL": demo.URL, "ANTHROPIC_API_KEY": key}})
		if got.Exit != 1 || !strings.Contains(got.Stdout, "401") || !strings.Contains(got.Stdout, "gatehouse login") {
			t.Errorf("%s: %+v", name, got)
		}
		if strings.Contains(demo.Logs(), key) {
			t.Errorf("%s: the server's log shows the key", name)
		}
	}
}
