package gatehoused

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Options says how a demo server is started.
type Options struct {
	// Data is the data folder; empty makes a new one.
	Data string
	// Database is the URL of a PostgreSQL database; empty is SQLite in Data.
	Database string
	// Args are further arguments, such as --access-token-ttl.
	Args []string
	// Env is added to PATH and HOME.
	Env map[string]string
}

// Facts is the one line that `gatehoused demo --json` prints. What another node
// made is missing on a second start.
type Facts struct {
	URL            string `json:"url"`
	OrganizationID string `json:"organization_id"`
	Owner          Person `json:"owner"`
	Member         Person `json:"member"`
	AdminKey       string `json:"admin_key"`
}

// Person is one of the two people of a demo.
type Person struct {
	Email     string `json:"email"`
	SignInURL string `json:"sign_in_url"`
	APIKey    string `json:"api_key"`
}

// Demo is a running demo server.
type Demo struct {
	// Facts of the last start that printed them; keys are kept over a restart
	// that leaves them out.
	Facts
	// Data is its data folder.
	Data string
	// Took is the time from start to the line on standard output.
	Took time.Duration

	t       testing.TB
	options Options
	cmd     *exec.Cmd
	ended   chan struct{}

	mu   sync.Mutex
	logs strings.Builder
}

const (
	startLimit = 60 * time.Second // machines under the race detector are slow
	stopLimit  = 60 * time.Second // more than the server takes to drain
)

// Start starts a demo server and waits until it is ready. It is killed when the
// test ends, and its log is shown when the test has failed.
func Start(t testing.TB, o Options) *Demo {
	t.Helper()
	if o.Data == "" {
		o.Data = t.TempDir()
	}
	d := &Demo{t: t, options: o, Data: o.Data}
	t.Cleanup(func() {
		d.Kill9()
		if t.Failed() {
			t.Logf("the server's log:\n%s", d.Logs())
		}
	})
	d.start()
	return d
}

func (d *Demo) start() {
	d.t.Helper()
	args := []string{"demo", "--json", "--listen", "127.0.0.1:0", "--data", d.Data}
	if d.options.Database != "" {
		args = append(args, "--database", d.options.Database)
	}
	program := Server(d.t)
	cmd := exec.Command(program, append(args, d.options.Args...)...)
	cmd.Env = Environment(d.Data, d.options.Env)
	cmd.SysProcAttr = endWithParent()
	cmd.Stderr = &tee{d: d}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		d.t.Fatalf("starting the server: %v", err)
	}
	d.cmd, d.ended = cmd, make(chan struct{})
	line := make(chan string, 1)
	go d.follow(cmd, stdout, line)
	select {
	case first := <-line:
		d.Took = time.Since(began)
		d.read(first)
	case <-time.After(startLimit):
		d.t.Fatalf("the server was not ready within %s\n%s", startLimit, d.Logs())
	}
}

// follow hands on the first line, drains the rest and takes the exit.
func (d *Demo) follow(cmd *exec.Cmd, stdout io.Reader, line chan<- string) {
	defer close(d.ended)
	lines := bufio.NewReader(stdout)
	first, _ := lines.ReadString('\n')
	line <- first
	_, _ = io.Copy(&tee{d: d}, lines)
	_ = cmd.Wait()
}

func (d *Demo) read(line string) {
	d.t.Helper()
	before := d.Facts
	facts := Facts{}
	if err := json.Unmarshal([]byte(line), &facts); err != nil {
		d.t.Fatalf("the server said %q instead of one JSON line: %v\n%s", line, err, d.Logs())
	}
	keep := func(now *string, before string) {
		if *now == "" {
			*now = before
		}
	}
	keep(&facts.AdminKey, before.AdminKey)
	keep(&facts.Member.APIKey, before.Member.APIKey)
	d.Facts = facts
}

// PID is the server's process id.
func (d *Demo) PID() int { return d.cmd.Process.Pid }

// Kill9 ends the server as a power cut would, and waits until it is gone.
func (d *Demo) Kill9() {
	if d.cmd == nil || d.cmd.Process == nil {
		return
	}
	_ = d.cmd.Process.Kill()
	<-d.ended
}

// Signal sends SIGTERM and does not wait.
func (d *Demo) Signal() { _ = d.cmd.Process.Signal(syscall.SIGTERM) }

// Stop sends SIGTERM and returns the exit code. The test fails when the server
// does not end.
func (d *Demo) Stop() int {
	d.t.Helper()
	d.Signal()
	select {
	case <-d.ended:
	case <-time.After(stopLimit):
		d.t.Fatalf("the server did not end within %s of SIGTERM\n%s", stopLimit, d.Logs())
	}
	return d.cmd.ProcessState.ExitCode()
}

// Restart ends the server, if it still runs, and starts it again on the same
// data, on another port.
func (d *Demo) Restart() {
	d.t.Helper()
	d.Kill9()
	d.start()
}

// Logs is what the server wrote to standard error, and to standard output after
// its first line, over all starts.
func (d *Demo) Logs() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.logs.String()
}

type tee struct{ d *Demo }

func (w *tee) Write(p []byte) (int, error) {
	w.d.mu.Lock()
	defer w.d.mu.Unlock()
	const most = 8 << 20
	if w.d.logs.Len() < most {
		w.d.logs.Write(p)
	}
	// A person who looks for a fault may want to see it as it comes.
	if os.Getenv("GATEHOUSE_TEST_LOGS") != "" {
		fmt.Fprintf(os.Stderr, "%s", p)
	}
	return len(p), nil
}
