package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/testkit/gatehoused"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/keyring"
)

// timed is a command that is run again and again.
type timed struct {
	name string
	argv []string
	env  []string
	took []time.Duration
}

func (s *timed) run(b *testing.B) {
	b.Helper()
	cmd := exec.Command(s.argv[0], s.argv[1:]...)
	cmd.Env = s.env
	begin := time.Now()
	if out, err := cmd.Output(); err != nil {
		b.Fatalf("%s: %v, %s", s.name, err, out)
	}
	s.took = append(s.took, time.Since(begin))
}

// inTurns runs all of them one after the other, again and again: the machine's mood
// is the same for all.
func inTurns(b *testing.B, subjects []*timed) {
	b.Helper()
	for b.Loop() {
		for _, s := range subjects {
			s.run(b)
		}
	}
	b.ReportMetric(0, "ns/op") // of no meaning here
	for _, s := range subjects {
		slices.Sort(s.took)
		for _, p := range []int{50, 99} {
			b.ReportMetric(float64(s.took[len(s.took)*p/100].Microseconds())/1000, fmt.Sprintf("ms-%s-p%d", s.name, p))
		}
	}
}

// BenchmarkToken compares the shipped command, answering from each storage and
// from an agent before a sealed one, with a program that does nothing, and with
// what else hands out a credential on this machine.
func BenchmarkToken(b *testing.B) {
	dir, bus := b.TempDir(), keyring.New(b)
	passphrase := filepath.Join(dir, "passphrase")
	writeFiles(b, dir, map[string]string{"passphrase": "correct horse\n"})
	subjects := []*timed{emptyProgram(b)}
	for _, name := range []string{"file", "secret-service", "sealed", "agent"} {
		m, storage := agentMember(b), name
		if name == "agent" {
			storage = "sealed"
		}
		m.env = append(m.env, "GATEHOUSE_STORAGE="+storage, "DBUS_SESSION_BUS_ADDRESS="+bus.Address, passphraseFile+"="+passphrase)
		m.login()
		if name == "agent" {
			m.startAgent()
		}
		subjects = append(subjects, &timed{name: name, argv: []string{gatehoused.Command(b), "token"}, env: m.command().Env})
	}
	inTurns(b, append(subjects, others(b, bus)...))
}

// BenchmarkExplain is the whole evaluation, on a machine that has something of
// everything.
func BenchmarkExplain(b *testing.B) {
	m := agentMember(b)
	m.env = append(m.env, "GATEHOUSE_STORAGE=file", "ANTHROPIC_PROFILE=gatehouse", "CLAUDE_CODE_USE_BEDROCK=1", "AWS_PROFILE=work")
	m.login()
	writeFiles(b, m.home, map[string]string{
		".aws/config":           "[profile work]\nregion = eu-west-1\n",
		".aws/credentials":      "[work]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = of-no-use\n",
		".claude/settings.json": `{"apiKeyHelper": "/opt/helper", "env": {"ANTHROPIC_BASE_URL": "https://gate.example.com"}}`,
		".claude.json":          `{"primaryApiKey": "of-no-use", "oauthAccount": {"emailAddress": "ada@example.com"}}`,
	})
	inTurns(b, []*timed{emptyProgram(b),
		{name: "explain", argv: []string{gatehoused.Command(b), "status", "--explain"}, env: m.command().Env}})
}

func emptyProgram(b *testing.B) *timed {
	b.Helper()
	dir := b.TempDir()
	writeFiles(b, dir, map[string]string{"main.go": "package main\n\nfunc main() {}\n"})
	build := exec.Command("go", "build", "-ldflags", "-s -w", "-o", "empty", "main.go")
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return &timed{name: "empty", argv: []string{filepath.Join(dir, "empty")}}
}

// others are those that are installed here: what they answer with is set up for
// them, each in its own way.
func others(b *testing.B, bus *keyring.Bus) []*timed {
	b.Helper()
	home := b.TempDir()
	writeFiles(b, home, map[string]string{
		".config/gh/hosts.yml": "github.com:\n    oauth_token: of-no-use\n    user: ada\n",
	})
	env := []string{"HOME=" + home, "PATH=" + os.Getenv("PATH"), "DBUS_SESSION_BUS_ADDRESS=" + bus.Address}
	if tool, err := exec.LookPath("secret-tool"); err == nil {
		store := exec.Command(tool, "store", "--label=benchmark", "for", "benchmark")
		store.Env, store.Stdin = env, strings.NewReader("of-no-use")
		if out, err := store.CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
	}
	var list []*timed
	for _, argv := range [][]string{{"gh", "auth", "token"}, {"secret-tool", "lookup", "for", "benchmark"}} {
		tool, err := exec.LookPath(argv[0])
		if err != nil {
			b.Logf("%s is not installed here", argv[0])
			continue
		}
		list = append(list, &timed{name: argv[0], argv: append([]string{tool}, argv[1:]...), env: env})
	}
	return list
}

func writeFiles(b *testing.B, dir string, files map[string]string) {
	b.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
	}
}
