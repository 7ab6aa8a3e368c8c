package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/testkit/gatehoused"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/keyring"
)

// BenchmarkToken compares the shipped command, answering from each storage and
// from an agent before a sealed one, with a program that does nothing, in turns in
// one run: the machine's mood is the same for all.
func BenchmarkToken(b *testing.B) {
	dir := b.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte("package main\n\nfunc main() {}\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	build := exec.Command("go", "build", "-ldflags", "-s -w", "-o", "empty", "main.go")
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	passphrase := filepath.Join(dir, "passphrase")
	if err := os.WriteFile(passphrase, []byte("correct horse\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	gatehouse, empty := gatehoused.Command(b), filepath.Join(dir, "empty")
	type subject struct {
		name, program string
		env           []string
		took          []time.Duration
	}
	subjects := []*subject{{name: "empty", program: empty}, {name: "file"}, {name: "secret-service"}, {name: "sealed"}, {name: "agent"}}
	bus := keyring.New(b)
	for _, s := range subjects[1:] {
		m, storage := agentMember(b), s.name
		if s.name == "agent" {
			storage = "sealed"
		}
		m.env = append(m.env, "GATEHOUSE_STORAGE="+storage, "DBUS_SESSION_BUS_ADDRESS="+bus.Address, passphraseFile+"="+passphrase)
		m.login()
		if s.name == "agent" {
			m.startAgent()
		}
		s.program, s.env = gatehouse, m.command().Env
	}
	for b.Loop() {
		for _, s := range subjects {
			cmd := exec.Command(s.program, "token")
			cmd.Env = s.env
			begin := time.Now()
			if out, err := cmd.Output(); err != nil {
				b.Fatalf("%s: %v, %s", s.name, err, out)
			}
			s.took = append(s.took, time.Since(begin))
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
