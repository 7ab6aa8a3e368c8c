package claude

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/testkit/repository"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/terminal"
)

// Options says how a run is set up. The zero value asks "hi" and has no credential.
type Options struct {
	// Home is the home folder; empty makes a new one. Several runs may share one.
	Home string
	// Args are the arguments; nil is `-p hi`.
	Args []string
	// Env is added to the bare environment, which has PATH, HOME and the switch
	// against non-essential traffic.
	Env map[string]string
	// Settings is the content of the user's settings file, when not empty.
	Settings string
	// Managed is the managed-settings.json that the client sees, when not empty.
	// See NeedManaged.
	Managed string
	// DropIns are further managed settings, by the names of their files. They need
	// Managed.
	DropIns map[string]string
	// Limit bounds the run; 0 is one minute.
	Limit time.Duration
}

// Result is what a run left behind.
type Result struct {
	Stdout, Stderr string
	// Exit is 0 for an answer and 1 for an API error, whose text is on Stdout.
	Exit int
}

// Run runs the client to its end, with nothing on its standard input.
func Run(t testing.TB, o Options) Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), o.limit())
	defer cancel()
	argv, env, home := o.prepare(t)
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir, cmd.Env = filepath.Join(home, project), env
	// A child that keeps the pipes open must not keep the test.
	cmd.WaitDelay = 5 * time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("running Claude Code: %v", err)
	}
	if ctx.Err() != nil {
		t.Fatalf("Claude Code did not end within %s\nstdout: %s\nstderr: %s", o.limit(), &stdout, &stderr)
	}
	return Result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// Interactive starts the client on a screen, past its first-start questions.
// Args nil means none.
func Interactive(t testing.TB, o Options) *terminal.Terminal {
	t.Helper()
	if o.Args == nil {
		o.Args = []string{}
	}
	argv, env, home := o.prepare(t)
	seed(t, home)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir, cmd.Env = filepath.Join(home, project), append(env, "TERM=xterm-256color", "LANG=C.UTF-8")
	return terminal.Start(t, cmd, o.limit())
}

// project is the folder below the home that the client works in.
const project = "project"

func (o Options) limit() time.Duration {
	if o.Limit == 0 {
		return time.Minute
	}
	return o.Limit
}

// Home makes an empty home folder.
func Home(t testing.TB) string {
	t.Helper()
	home, err := os.MkdirTemp("", "gatehouse-home-")
	if err != nil {
		t.Fatal(err)
	}
	// The client may still be writing its own cache: what cannot go now may stay.
	t.Cleanup(func() { _ = os.RemoveAll(home) })
	return home
}

func (o Options) prepare(t testing.TB) (argv, env []string, home string) {
	t.Helper()
	program := Program(t)
	if home = o.Home; home == "" {
		home = Home(t)
	}
	write(t, filepath.Join(home, project, "README"), "An empty project.\n")
	if o.Settings != "" {
		write(t, filepath.Join(home, ".claude", "settings.json"), o.Settings)
	}
	args := o.Args
	if args == nil {
		args = []string{"-p", "hi"}
	}
	argv = append([]string{program}, args...)
	if o.Managed != "" {
		argv = o.managed(t, argv)
	}
	return argv, o.environment(home), home
}

func (o Options) environment(home string) []string {
	all := map[string]string{
		"PATH": os.Getenv("PATH"), "HOME": home,
		"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1",
	}
	maps.Copy(all, o.Env)
	env := make([]string, 0, len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		env = append(env, name+"="+all[name])
	}
	return env
}

// seed answers the questions of a first start, which would ask a public address.
func seed(t testing.TB, home string) {
	t.Helper()
	path := filepath.Join(home, ".claude.json")
	state := map[string]any{}
	if content, err := os.ReadFile(path); err == nil {
		if err := json.Unmarshal(content, &state); err != nil {
			t.Fatalf("reading the client's state: %v", err)
		}
	}
	state["hasCompletedOnboarding"], state["theme"] = true, "dark"
	projects, _ := state["projects"].(map[string]any)
	if projects == nil {
		projects = map[string]any{}
	}
	projects[filepath.Join(home, project)] = map[string]any{"hasTrustDialogAccepted": true}
	state["projects"] = projects
	content, err := json.Marshal(state)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, string(content))
}

// Profile writes an SDK profile as sign-in would: configs/NAME.json and
// credentials/NAME.json below the home. Select it with ANTHROPIC_PROFILE.
func Profile(t testing.TB, home, name, config, credentials string) {
	t.Helper()
	folder := filepath.Join(home, ".config", "anthropic")
	write(t, filepath.Join(folder, "configs", name+".json"), config)
	write(t, filepath.Join(folder, "credentials", name+".json"), credentials)
}

// Program returns the path of the client, or ends the test when it is not there.
func Program(t testing.TB) string {
	t.Helper()
	path := filepath.Join(repository.Root(t), "test", "node", "node_modules", ".bin", "claude")
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("Claude Code is not installed: run scripts/test-deps (%v)", err)
	}
	return path
}

func write(t testing.TB, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(fmt.Errorf("writing %s: %w", path, err))
	}
}
