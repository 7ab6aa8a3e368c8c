package main

import (
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/manual"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/gatehoused"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/terminal"
)

// The real bash, without bash-completion, completes what is typed before Tab.
func TestBashCompletes(t *testing.T) {
	t.Parallel()
	server := newAuthServer()
	t.Cleanup(server.Close)
	home := t.TempDir()
	if ran := gatehoused.Run(t, home, nil, "login", "--server", server.URL, "--no-browser", "--profile", "workshop"); ran.Exit != 0 {
		t.Fatalf("login: %+v", ran)
	}
	cmd := exec.Command("bash", "--norc", "--noprofile", "-i")
	cmd.Dir = home
	cmd.Env = gatehoused.Environment(home, map[string]string{"PATH": filepath.Dir(gatehoused.Command(t)) + ":" + os.Getenv("PATH"), "TERM": "xterm", "PS1": "ready> "})
	x := terminal.Start(t, cmd, time.Minute)
	x.Expect(`ready>`)
	x.Type("source <(gatehouse completion bash); echo lo''aded" + terminal.Enter)
	x.Expect(`loaded`)
	x.Type("gatehouse setup cl" + terminal.Tab)
	x.Expect(`gatehouse setup claude-code`)
	x.Type("--door ga" + terminal.Tab)
	x.Expect(`--door gateway`)
	x.Type("--profile wo" + terminal.Tab)
	x.Expect(`--profile workshop`)
	const killLine = "\x15"
	x.Type(killLine + "gatehouse completion pow" + terminal.Tab)
	x.Expect(`completion powershell`)
	x.Type(killLine + "exit" + terminal.Enter)
	x.Wait()
}

// The manual says of exit codes and variables what doc.go says.
func TestTheManualAgreesWithTheDocumentation(t *testing.T) {
	t.Parallel()
	doc, err := parser.ParseFile(token.NewFileSet(), "doc.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	text := doc.Doc.Text()
	_, codes, _ := strings.Cut(text, "Exit codes:")
	codes, variables, _ := strings.Cut(codes, "Environment:")
	variables, _, _ = strings.Cut(variables, "It must never")
	for name, tt := range map[string]struct {
		part  string
		items []manual.Item
	}{"exit codes": {codes, exitStatus}, "variables": {variables, environment}} {
		var said []manual.Item
		for line := range strings.Lines(tt.part) {
			if term, rest, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
				said = append(said, manual.Item{Term: term, Text: strings.TrimSpace(rest)})
			}
		}
		if len(said) != len(tt.items) {
			t.Errorf("%s: doc.go has %d, the manual %d", name, len(said), len(tt.items))
			continue
		}
		for i, item := range tt.items {
			if said[i] != item {
				t.Errorf("%s: doc.go says %q, the manual %q", name, said[i], item)
			}
		}
	}
}

// Every page of every command is one that mandoc has nothing against.
func TestManualPages(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("mandoc")
	if err != nil {
		t.Fatal("mandoc is missing: run scripts/test-deps")
	}
	dir := t.TempDir()
	if ran := gatehoused.Run(t, dir, nil, "man", dir); ran.Exit != 0 {
		t.Fatalf("man: %+v", ran)
	}
	pages, err := filepath.Glob(filepath.Join(dir, "*.1"))
	if err != nil || len(pages) < 10 {
		t.Fatalf("%v, %v", pages, err)
	}
	if out, err := exec.Command(program, append([]string{"-T", "lint", "-W", "warning"}, pages...)...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
