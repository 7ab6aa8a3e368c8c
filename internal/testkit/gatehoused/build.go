package gatehoused

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/testkit/repository"
	"github.com/gofrs/flock"
)

var building sync.Mutex

// Server returns the path of the server's program, built from this tree.
func Server(t testing.TB) string { return build(t, "gatehoused") }

// Command returns the path of the member's program, built from this tree.
func Command(t testing.TB) string { return build(t, "gatehouse") }

// Built names the environment variable of a folder in which whoever runs all tests
// has built the programs already, as the tests themselves are built.
const Built = "GATEHOUSE_BUILT"

// build runs the Go tool, unless that was done, under a lock that holds across
// processes: packages are tested at the same time, and each asks for the same file.
func build(t testing.TB, name string) string {
	t.Helper()
	if folder := os.Getenv(Built); folder != "" {
		return filepath.Join(folder, name)
	}
	building.Lock()
	defer building.Unlock()
	root := repository.Root(t)
	folder := filepath.Join(root, ".cache", "testkit")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	lock := flock.New(filepath.Join(folder, "build.lock"))
	if err := lock.Lock(); err != nil {
		t.Fatalf("waiting for the build: %v", err)
	}
	defer func() { _ = lock.Unlock() }()
	path := filepath.Join(folder, name)
	cmd := exec.Command("go", "build", "-o", path, "./cmd/"+name)
	cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", name, err, out)
	}
	return path
}

// Ran is what a program left behind.
type Ran struct {
	Stdout, Stderr string
	Exit           int
}

// Run runs the member's program in a home folder, with nothing on its standard
// input and no environment but PATH, HOME and env. It ends the test when the
// program does not end within a minute.
func Run(t testing.TB, home string, env map[string]string, args ...string) Ran {
	t.Helper()
	return run(t, Command(t), home, env, args...)
}

// RunServer runs a verb of the server's program that ends by itself, such as
// `owner link` or `verify`.
func RunServer(t testing.TB, home string, env map[string]string, args ...string) Ran {
	t.Helper()
	return run(t, Server(t), home, env, args...)
}

func run(t testing.TB, program, home string, env map[string]string, args ...string) Ran {
	t.Helper()
	const limit = time.Minute
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env = home, Environment(home, env)
	cmd.WaitDelay = time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("running %s: %v", filepath.Base(program), err)
	}
	if ctx.Err() != nil {
		t.Fatalf("%s %s did not end within %s\n%s", filepath.Base(program), strings.Join(args, " "), limit, &stderr)
	}
	return Ran{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// Environment is all that a program of ours gets to see: PATH, HOME and env, and
// that sign-ins are kept in files, which need no keyring and no passphrase.
func Environment(home string, env map[string]string) []string {
	all := map[string]string{"PATH": os.Getenv("PATH"), "HOME": home, "GATEHOUSE_STORAGE": "file"}
	maps.Copy(all, env)
	list := make([]string, 0, len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		list = append(list, fmt.Sprintf("%s=%s", name, all[name]))
	}
	return list
}
