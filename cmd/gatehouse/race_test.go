package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/keystore/file"
)

// member is a home folder with the real command in it.
type member struct {
	t      testing.TB
	home   string
	cover  string // where a measured command writes what it covered
	server *authServer
	store  file.Store
	env    []string // beside what every command gets
}

func newMember(t testing.TB) *member {
	t.Helper()
	s := newAuthServer()
	t.Cleanup(s.Close)
	home := t.TempDir()
	return &member{t: t, home: home, cover: t.TempDir(), server: s, store: file.Store{Dir: filepath.Join(home, ".config/anthropic/credentials")}}
}

func (m *member) command(args ...string) *exec.Cmd {
	cmd := exec.Command("gatehouse", args...)
	// The race detector waits a second at the end of every program, unless told not to.
	cmd.Env = []string{"HOME=" + m.home, "PATH=" + os.Getenv("PATH"), "NO_PROXY=*", "GATEHOUSE_STORAGE=file", "GORACE=atexit_sleep_ms=0", "GOCOVERDIR=" + m.cover}
	cmd.Env = append(cmd.Env, m.env...)
	return cmd
}

func (m *member) run(args ...string) (stdout, stderr string, code int) {
	m.t.Helper()
	var out, said bytes.Buffer
	cmd := m.command(args...)
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			m.t.Fatal(err)
		}
		code = exit.ExitCode()
	}
	return out.String(), said.String(), code
}

func (m *member) login() {
	m.t.Helper()
	if _, stderr, code := m.run("login", "--server", m.server.URL); code != 0 {
		m.t.Fatalf("login: %d, %s", code, stderr)
	}
}

// expire makes the stored access token end in left.
func (m *member) expire(left time.Duration) credential.Pair {
	m.t.Helper()
	pair, err := m.store.Load(context.Background(), credential.DefaultProfile)
	if err != nil {
		m.t.Fatal(err)
	}
	pair.Expires = time.Now().Add(left)
	if err := m.store.Save(context.Background(), credential.DefaultProfile, pair); err != nil {
		m.t.Fatal(err)
	}
	return pair
}

// Many programs ask at the moment when the token has expired. The refresh token
// is used exactly once, and everybody gets the same new token.
func TestManyProcessesRenewOnce(t *testing.T) {
	t.Parallel()
	m := newMember(t)
	m.login()
	for round := range 2 {
		m.expire(-time.Hour)
		const processes = 50
		tokens := make([]string, processes)
		var all sync.WaitGroup
		for i := range processes {
			all.Go(func() {
				out, err := m.command("token").Output()
				if err != nil {
					t.Errorf("process %d: %v", i, err)
				}
				tokens[i] = string(out)
			})
		}
		all.Wait()
		for _, token := range tokens {
			if token != tokens[0] || strings.Count(token, "\n") != 1 {
				t.Fatal("not everybody got the same token")
			}
		}
		if got := m.server.count("refresh_token"); got != round+1 {
			t.Errorf("the refresh token was presented %d times in %d rounds", got, round+1)
		}
	}
}

// A process that is killed while it holds the lock holds nobody up.
func TestKilledHolderFreesTheLock(t *testing.T) {
	t.Parallel()
	m := newMember(t)
	m.login()
	m.expire(-time.Hour)
	held := make(chan struct{})
	m.server.set(func() { m.server.onRefresh = func() { close(held) } })
	victim := m.command("token")
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	<-held
	if err := victim.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = victim.Wait()
	m.server.set(func() { m.server.onRefresh = nil })
	if _, stderr, code := m.run("token"); code != 0 {
		t.Fatalf("after the holder was killed: %d, %s", code, stderr)
	}
	// The killed one may have rotated the token without keeping the answer: the
	// grace window gives the same successor again.
	if m.server.count("reuse") != 0 {
		t.Error("the family was revoked")
	}
}

// A process that is killed after the server has rotated the token, and before it
// has written the answer down, loses nothing: the same answer comes again.
func TestKilledBetweenAnswerAndWrite(t *testing.T) {
	t.Parallel()
	m := newMember(t)
	m.login()
	m.expire(-time.Hour)
	rotated, dead := make(chan struct{}), make(chan struct{})
	m.server.set(func() { m.server.onRotated = func() { close(rotated); <-dead } })
	victim := m.command("token")
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	<-rotated
	if err := victim.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = victim.Wait()
	close(dead)
	m.server.set(func() { m.server.onRotated = nil })
	if _, stderr, code := m.run("token"); code != exitOK {
		t.Fatalf("after the kill: %d, %s", code, stderr)
	}
	if m.server.count("rotated") != 1 || m.server.count("grace") != 1 || m.server.count("reuse") != 0 {
		t.Errorf("rotated %d, again %d, revoked %d", m.server.count("rotated"), m.server.count("grace"), m.server.count("reuse"))
	}
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	m := newMember(t)
	check := func(want int, args ...string) {
		t.Helper()
		stdout, stderr, code := m.run(args...)
		if code != want {
			t.Errorf("gatehouse %s: exit code %d, want %d", strings.Join(args, " "), code, want)
		}
		if code != 0 && (strings.Count(stderr, "\n") != 1 || !strings.HasPrefix(stderr, "gatehouse: ") || !strings.Contains(stderr, "; run: ")) {
			t.Errorf("gatehouse %s: said %q", strings.Join(args, " "), stderr)
		}
		if code != 0 && stdout != "" {
			t.Errorf("gatehouse %s: printed %q", strings.Join(args, " "), stdout)
		}
	}
	check(exitOK, "version")
	check(exitUsage, "token", "--nope")
	check(exitUsage, "nope")
	check(exitUsage, "login")
	check(exitUsage, "token", "--profile", "a/b")
	check(exitSignedOut, "token")
	check(exitSignedOut, "status")
	check(exitUnreachable, "login", "--server", "http://127.0.0.1:1")
	m.login()
	check(exitOK, "token")
	m.expire(-time.Hour)
	m.server.set(func() { m.server.down = true })
	check(exitUnreachable, "token")
	m.server.set(func() {
		m.server.down = false
		for _, f := range m.server.families {
			f.revoked = true
		}
	})
	check(exitSignedOut, "token")
	if runtime.GOOS != "windows" {
		if err := os.Chmod(m.store.Where(credential.DefaultProfile), 0o640); err != nil {
			t.Fatal(err)
		}
		check(exitFailed, "token")
	}
}
