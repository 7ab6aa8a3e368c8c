package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/testkit/gatehoused"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/terminal"
)

// A person at a terminal sees the change, and is asked; only a yes is one.
func TestSetupAsks(t *testing.T) {
	t.Parallel()
	server := newAuthServer()
	t.Cleanup(server.Close)
	home := t.TempDir()
	if ran := gatehoused.Run(t, home, nil, "login", "--server", server.URL, "--no-browser"); ran.Exit != 0 {
		t.Fatalf("login: %+v", ran)
	}
	settings := filepath.Join(home, ".claude", "settings.json")
	for _, tt := range []struct {
		keys, shows string
		exit        int
		written     bool
	}{
		{terminal.Enter, `nothing was changed`, 1, false},
		{"no" + terminal.Enter, `nothing was changed`, 1, false},
		{terminal.CtrlD, `nothing was changed`, 1, false},
		{"y" + terminal.Enter, `Wrote .*settings\.json`, 0, true},
	} {
		cmd := exec.Command(gatehoused.Command(t), "setup", "claude-code")
		cmd.Dir, cmd.Env = home, gatehoused.Environment(home, map[string]string{"TERM": "xterm"})
		x := terminal.Start(t, cmd, time.Minute)
		x.Expect(`\+  "apiKeyHelper": ".*gatehouse token"`)
		x.Expect(`Make this change\? \[y/N\]`)
		x.Type(tt.keys)
		x.Expect(tt.shows)
		if exit := x.Wait(); exit != tt.exit {
			t.Errorf("%q: exit %d", tt.keys, exit)
		}
		if _, err := os.Stat(settings); (err == nil) != tt.written {
			t.Errorf("%q: %v", tt.keys, err)
		}
	}
}
