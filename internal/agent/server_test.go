//go:build unix

package agent_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/agent"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

// TestMain is also a program that says one line to a socket and prints the answer:
// another user's.
func TestMain(m *testing.M) {
	socket := os.Getenv("AGENT_TEST_SOCKET")
	if socket == "" {
		os.Exit(m.Run())
	}
	conn, err := net.Dial("unix", socket)
	if err == nil {
		_, _ = io.WriteString(conn, `{"v":1,"verb":"token"}`+"\n")
		_, err = io.Copy(os.Stdout, conn)
	}
	if err != nil {
		fmt.Println(err)
	}
	os.Exit(0)
}

// serve starts an agent that ends with the test, in a folder with a short path.
func serve(t *testing.T) (dir string, ended chan error) {
	t.Helper()
	dir, err := os.MkdirTemp("", "gh-")
	if err != nil {
		t.Fatal(err)
	}
	s := &agent.Server{Keeper: keep(&signIn{}), Dir: dir, Home: agent.HomeOf("a"), Idle: time.Hour}
	ctx, stop := context.WithCancel(context.Background())
	ready, ended := make(chan string, 1), make(chan error, 1)
	go func() { ended <- s.Run(ctx, func(socket string) { ready <- socket }) }()
	t.Cleanup(func() {
		stop()
		_ = os.Chmod(dir, 0o700)
		_ = os.RemoveAll(dir)
	})
	select {
	case <-ready:
	case err := <-ended:
		t.Fatal(err)
	}
	return dir, ended
}

func ask(t *testing.T, dir string, r agent.Request) (agent.Answer, error) {
	t.Helper()
	return agent.Ask(t.Context(), agent.SocketIn(dir), false, r)
}

func TestOneAgentInAFolder(t *testing.T) {
	t.Parallel()
	dir, ended := serve(t)
	second := &agent.Server{Keeper: keep(&signIn{}), Dir: dir, Idle: time.Hour}
	if err := second.Run(t.Context(), func(string) { t.Error("two answer") }); !errors.Is(err, agent.ErrRuns) {
		t.Errorf("%v", err)
	}
	if a, err := ask(t, dir, agent.Request{Verb: agent.VerbToken, Home: agent.HomeOf("a")}); err != nil || a.Token == nil {
		t.Errorf("%v", err)
	}
	if _, err := ask(t, dir, agent.Request{Verb: agent.VerbToken, Home: agent.HomeOf("b")}); !errors.Is(err, agent.ErrElsewhere) {
		t.Errorf("%v", err)
	}
	if _, err := ask(t, dir, agent.Request{Verb: "refresh"}); !fault.Is(err, fault.Unsupported) {
		t.Errorf("%v", err)
	}
	if _, err := ask(t, dir, agent.Request{Verb: agent.VerbStop}); err != nil {
		t.Error(err)
	}
	if _, err := ask(t, dir, agent.Request{Verb: agent.VerbStatus}); !errors.Is(err, agent.ErrNone) {
		t.Errorf("after its end: %v", err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// Another user gets no token, also where the file's mode would let them in.
func TestAnotherUserIsRefused(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can be another user")
	}
	t.Parallel()
	dir, _ := serve(t)
	a, err := ask(t, dir, agent.Request{Verb: agent.VerbShare})
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "program")
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Skip(err)
	}
	if err := os.WriteFile(program, self, 0o755); err != nil {
		t.Fatal(err)
	}
	for path, mode := range map[string]os.FileMode{dir: 0o755, filepath.Dir(a.Path): 0o755, filepath.Dir(filepath.Dir(a.Path)): 0o755, agent.SocketIn(dir): 0o666, a.Path: 0o666} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, socket := range []string{agent.SocketIn(dir), a.Path} {
		for uid, want := range map[uint32]string{65534: "another user's", 0: "access_token"} {
			cmd := exec.Command(program)
			cmd.Dir, cmd.Env = dir, []string{"AGENT_TEST_SOCKET=" + socket}
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
			if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), want) || uid != 0 && strings.Contains(string(out), "access_token") {
				t.Errorf("%s, as %d: %v, %s", socket, uid, err, out)
			}
		}
	}
	// And we say nothing to what another user can have put there.
	for _, socket := range []string{agent.SocketIn(dir), a.Path} {
		for _, named := range []bool{true, false} {
			if _, err := agent.Ask(t.Context(), socket, named, agent.Request{Verb: agent.VerbStatus}); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %v", socket, err)
			}
		}
	}
	for _, path := range []string{agent.SocketIn(dir), dir} {
		if err := os.Chmod(agent.SocketIn(dir), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(path, 65534, 65534); err != nil {
			t.Fatal(err)
		}
		if _, err := ask(t, dir, agent.Request{Verb: agent.VerbStatus}); !errors.Is(err, agent.ErrNone) {
			t.Errorf("%s is another user's: %v", path, err)
		}
		if err := os.Chown(path, 0, 0); err != nil {
			t.Fatal(err)
		}
	}
}

// A folder that is not private is not used, nor what is in the way of the socket.
func TestUnsafePlaces(t *testing.T) {
	t.Parallel()
	run := func(dir string) error {
		s := &agent.Server{Keeper: keep(&signIn{}), Dir: dir, Idle: time.Hour}
		return s.Run(t.Context(), func(string) { t.Error("it serves"); s.Keeper.Lock() })
	}
	open := t.TempDir()
	if err := os.Chmod(open, 0o755); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(t.TempDir(), link); err != nil {
		t.Fatal(err)
	}
	inTheWay, err := os.MkdirTemp("", "gh-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(inTheWay) })
	if err := os.WriteFile(agent.SocketIn(inTheWay), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	long := filepath.Join(t.TempDir(), strings.Repeat("x", 100))
	for dir, says := range map[string]string{open: "open to others", link: "is not a folder", inTheWay: "in the way", long: "longer than 99 bytes"} {
		if err := run(dir); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
	if b, err := os.ReadFile(agent.SocketIn(inTheWay)); err != nil || string(b) != "mine" {
		t.Errorf("what was in the way: %q, %v", b, err)
	}
}

// Somebody who connects and says nothing, or half a line, keeps nobody else.
func TestSilentClientsKeepNobody(t *testing.T) {
	t.Parallel()
	dir, _ := serve(t)
	for i := range 100 {
		conn, err := net.Dial("unix", agent.SocketIn(dir))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if i%2 == 0 {
			_, _ = io.WriteString(conn, `{"v":1,`)
		}
	}
	if a, err := ask(t, dir, agent.Request{Verb: agent.VerbToken}); err != nil || a.Token == nil {
		t.Errorf("%v", err)
	}
}

// Nobody asks, and the agent ends by itself; so it does when its socket is gone.
func TestAnIdleAgentEnds(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(dir string){"idle": func(string) {}, "socket gone": func(dir string) { _ = os.Remove(agent.SocketIn(dir)) }} {
		dir, err := os.MkdirTemp("", "gh-")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		k := keep(&signIn{})
		began := time.Now()
		waits := make(chan time.Duration)
		k.Now = func() time.Time { return began }
		k.Wait = func(ctx context.Context, d time.Duration) error {
			waits <- d
			<-waits
			return ctx.Err()
		}
		ended := make(chan error, 1)
		s := &agent.Server{Keeper: k, Dir: dir, Idle: 90 * time.Second}
		go func() { ended <- s.Run(context.Background(), func(string) {}) }()
		if d := <-waits; d != time.Minute {
			t.Errorf("%s: waits %s", name, d)
		}
		change(dir)
		began = began.Add(time.Minute)
		waits <- 0
		if name == "idle" {
			if d := <-waits; d != 30*time.Second {
				t.Errorf("waits %s", d)
			}
			began = began.Add(30 * time.Second)
			waits <- 0
		}
		if err := <-ended; err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Lstat(agent.SocketIn(dir)); err == nil {
			t.Errorf("%s: the socket is still there", name)
		}
	}
}
