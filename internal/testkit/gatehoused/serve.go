package gatehoused

import (
	"bufio"
	"io"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// Serving is a running `gatehoused serve`: an empty server, as a newcomer has it.
type Serving struct {
	URL      string
	SetupURL string // where the first owner is made
}

var (
	servedAt = regexp.MustCompile(`is serving (http\S+)`)
	setUpAt  = regexp.MustCompile(`(http\S+/setup/\S+)`)
)

// Serve starts an empty server on a free port, with flags of its own, and waits
// until it says where the first owner is made. It is killed when the test ends,
// and what it said is shown when the test has failed.
func Serve(t testing.TB, flags ...string) Serving {
	t.Helper()
	home := t.TempDir()
	cmd := exec.Command(Server(t), append([]string{"serve", "--listen", "127.0.0.1:0", "--data-dir", filepath.Join(home, "data")}, flags...)...)
	cmd.Dir, cmd.Env, cmd.SysProcAttr = home, Environment(home, nil), endWithParent()
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting the server: %v", err)
	}
	said := make(chan string, 1)
	var all strings.Builder
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		lines := bufio.NewReader(io.TeeReader(stderr, &all))
		for told := false; ; {
			line, err := lines.ReadString('\n')
			if !told && (setUpAt.MatchString(line) || err != nil) {
				said <- all.String()
				told = true
			}
			if err != nil {
				_ = cmd.Wait()
				return
			}
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
		if t.Failed() {
			t.Logf("the server said:\n%s", all.String())
		}
	})
	select {
	case text := <-said:
		at, setup := servedAt.FindStringSubmatch(text), setUpAt.FindStringSubmatch(text)
		if at == nil || setup == nil {
			t.Fatalf("the server did not say where it is:\n%s", text)
		}
		return Serving{at[1], setup[1]}
	case <-time.After(startLimit):
		t.Fatalf("the server was not ready within %s", startLimit)
	}
	return Serving{}
}
