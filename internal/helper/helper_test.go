//go:build unix

package helper_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/helper"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

const canary = "canary-9f8e7d6c5b4a3210-canary"

// clock is a time that stands still until the test moves it. Pauses between
// attempts pass at once, limits and notices when the test says.
type clock struct {
	nanos          atomic.Int64
	limit, reminds chan struct{}
}

func newClock() *clock {
	c := &clock{limit: make(chan struct{}), reminds: make(chan struct{})}
	c.nanos.Store(time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC).UnixNano())
	return c
}

func (c *clock) now() time.Time       { return time.Unix(0, c.nanos.Load()) }
func (c *clock) move(d time.Duration) { c.nanos.Add(int64(d)) }
func (c *clock) wait(ctx context.Context, d time.Duration) error {
	on := c.limit
	switch {
	case d < 5*time.Second:
		return ctx.Err()
	case d == 10*time.Second:
		on = c.reminds
	}
	select {
	case <-on:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// bench is a folder with scripts that count how often they ran.
type bench struct {
	t     *testing.T
	dir   string
	clock *clock
}

func newBench(t *testing.T) *bench {
	t.Parallel()
	return &bench{t: t, dir: t.TempDir(), clock: newClock()}
}

func (b *bench) runner() *helper.Runner {
	return &helper.Runner{Dir: b.dir, Env: []string{"PATH=" + os.Getenv("PATH")}, Keep: filepath.Join(b.dir, "keep"), Now: b.clock.now, Wait: b.clock.wait}
}

// script counts its runs in the file "runs" and then does what body says.
func (b *bench) script(body string) helper.Script {
	return helper.Script{Kind: helper.APIKey, Line: "echo run >> runs\n" + body, File: "/home/ada/.claude/settings.json", Place: helper.User, Server: "https://gate.example.com"}
}

func (b *bench) runs() int {
	raw, _ := os.ReadFile(filepath.Join(b.dir, "runs"))
	return strings.Count(string(raw), "run")
}

func (b *bench) want(r *helper.Runner, s helper.Script, token string, runs int) {
	b.t.Helper()
	got, err := r.Token(b.t.Context(), s)
	if err != nil || got.Reveal() != token {
		b.t.Errorf("got %q, %v, want %q", got.Reveal(), err, token)
	}
	if n := b.runs(); n != runs {
		b.t.Errorf("it ran %d times, want %d", n, runs)
	}
}

func TestATokenIsKeptFiveMinutes(t *testing.T) {
	b := newBench(t)
	r, s := b.runner(), b.script("echo token-$(wc -l < runs)")
	b.want(r, s, "token-1", 1)
	b.clock.move(5*time.Minute - 1)
	b.want(r, s, "token-1", 1)
	b.want(b.runner(), s, "token-1", 1) // another process
	b.clock.move(1)
	b.want(r, s, "token-2", 2)
	b.clock.move(-time.Hour) // the clock was wrong
	b.want(r, s, "token-3", 3)
	soon := time.Minute
	r.Lifetime = &soon
	b.clock.move(time.Minute)
	b.want(r, s, "token-4", 4)
	if info, err := os.Stat(b.kept()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the kept token: %v, %v", info, err)
	}
	raw, _ := os.ReadFile(b.kept())
	if strings.Contains(string(raw), "wc -l") {
		t.Error("the script's line is kept")
	}
}

func (b *bench) kept() string {
	all, err := filepath.Glob(filepath.Join(b.dir, "keep", "*.json"))
	if err != nil || len(all) != 1 {
		b.t.Fatalf("%d kept files, %v", len(all), err)
	}
	return all[0]
}

func TestAnotherCommandFileOrServerGetsNothingKept(t *testing.T) {
	b := newBench(t)
	s := b.script("echo token-$(wc -l < runs)")
	b.want(b.runner(), s, "token-1", 1)
	file, server, line := s, s, s
	file.File = "/home/eve/.claude/settings.json"
	server.Server = "https://gate.example.org" // of the same length
	line.Line += " "
	for i, other := range []helper.Script{file, server, line} {
		b.want(b.runner(), other, fmt.Sprintf("token-%d", i+2), i+2)
	}
}

func TestA401RunsItAgainOnce(t *testing.T) {
	b := newBench(t)
	one, two, s := b.runner(), b.runner(), b.script("echo token-$(wc -l < runs)")
	b.want(one, s, "token-1", 1)
	b.want(two, s, "token-1", 1)
	one.Refused(t.Context(), s, secret.New("token-1"))
	b.want(one, s, "token-2", 2)
	two.Refused(t.Context(), s, secret.New("token-1")) // it heard the same 401, later
	b.want(two, s, "token-2", 2)
	// Without a kept file too, a refusal of what is long replaced costs nothing.
	alone := b.runner()
	alone.Keep = ""
	b.want(alone, s, "token-3", 3)
	alone.Refused(t.Context(), s, secret.New("token-1"))
	b.want(alone, s, "token-3", 3)
	alone.Refused(t.Context(), s, secret.New("token-3"))
	b.want(alone, s, "token-4", 4)
}

func TestAnExpiredJWTIsNotKept(t *testing.T) {
	b := newBench(t)
	payload := fmt.Sprintf(`{"exp":%d}`, b.clock.now().Add(time.Minute).Unix())
	jwt := "h." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + ".s"
	r, s := b.runner(), b.script("echo "+jwt)
	b.want(r, s, jwt, 1)
	b.clock.move(time.Minute - 1)
	b.want(r, s, jwt, 1)
	b.clock.move(1)
	b.want(r, s, jwt, 2)
}

func TestOneFlight(t *testing.T) {
	b := newBench(t)
	r, s := b.runner(), b.script("echo token-$(wc -l < runs)")
	var all sync.WaitGroup
	for i := range 40 {
		mine := r
		if i%2 == 0 {
			mine = b.runner() // as in another process: nothing shared but the folder
		}
		all.Go(func() {
			if got, err := mine.Token(t.Context(), s); err != nil || got.Reveal() != "token-1" {
				t.Errorf("%q, %v", got.Reveal(), err)
			}
		})
	}
	all.Wait()
	if n := b.runs(); n != 1 {
		t.Errorf("it ran %d times", n)
	}
}

func TestWhatIsRefused(t *testing.T) {
	b := newBench(t)
	for body, want := range map[string]string{
		"true":                                 "prints nothing",
		"echo one; echo two":                   "prints more than one word",
		"echo one two":                         "prints more than one word",
		"printf 't\\303\\266ken'":              "is not plain ASCII",
		"printf 'a\\000b'":                     "is not plain ASCII",
		"head -c 16385 /dev/zero | tr '\\0' a": "more than 16,384 characters",
		"yes":                                  "prints without end",
		"echo token; exit 3":                   "failed with exit code 3",
		"kill -9 $$":                           "was ended by a signal",
		"echo '<html><body>Sign in</body></html>'": "prints more than one word",
	} {
		_, err := b.runner().Token(t.Context(), b.script(body))
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", body, err)
		}
	}
	if n := b.runs(); n != 3*10 {
		t.Errorf("%d runs for ten scripts with three attempts each", n)
	}
	b.want(b.runner(), b.script("head -c 16384 /dev/zero | tr '\\0' a; echo"), strings.Repeat("a", 16384), 31)
}

func TestTheThirdAttemptCounts(t *testing.T) {
	b := newBench(t)
	b.want(b.runner(), b.script("test $(wc -l < runs) -eq 3 && echo token"), "token", 3)
}

// What the script says is told, what it prints or lets slip is not.
func TestItsOwnWordsWithoutSecrets(t *testing.T) {
	b := newBench(t)
	_, err := b.runner().Token(t.Context(), b.script("echo "+canary+"; echo 'cannot reach the vault: '"+canary+" >&2; echo 'sent token=hunter2hunter' >&2; exit 1"))
	if err == nil || !strings.Contains(err.Error(), "cannot reach the vault: [redacted] sent token=[redacted]") || strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("%v", err)
	}
	if kept, _ := os.ReadFile(b.kept()); strings.Contains(string(kept), canary) {
		t.Error("the secret of a failed run is kept")
	}
	_, err = b.runner().Token(t.Context(), b.script("yes 'it is broken' | head -c 100000 >&2; exit 1"))
	if err == nil || len(err.Error()) > 1000 {
		t.Errorf("the complaint has no bound: %.60v", err)
	}
}

func TestAProjectMustBeTrusted(t *testing.T) {
	b := newBench(t)
	for place, run := range map[helper.Place]bool{helper.Project: false, helper.Local: false, helper.Place(9): false, helper.Place(-1): false, helper.User: true, helper.Flag: true, helper.Managed: true} {
		s := b.script("echo token")
		s.Place = place
		if _, err := b.runner().Token(t.Context(), s); fault.Is(err, fault.Denied) == run {
			t.Errorf("place %d: %v", place, err)
		}
		if _, err := b.runner().Output(t.Context(), s); fault.Is(err, fault.Denied) == run {
			t.Errorf("place %d: %v", place, err)
		}
	}
	var zero helper.Script
	zero.Line = "echo run >> runs"
	before := b.runs()
	if _, err := b.runner().Token(t.Context(), zero); !fault.Is(err, fault.Denied) || b.runs() != before {
		t.Errorf("the zero script ran: %v", err)
	}
	s := b.script("echo token")
	s.Place, s.Trusted = helper.Project, true
	if _, err := b.runner().Token(t.Context(), s); err != nil {
		t.Errorf("a trusted project: %v", err)
	}
}

// hanging is a script with a child, which both hold a pipe of the test open.
func (b *bench) hanging() (helper.Script, *os.File) {
	b.t.Helper()
	path := filepath.Join(b.dir, "alive")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		b.t.Fatal(err)
	}
	alive, err := os.OpenFile(path, os.O_RDWR|syscall.O_NONBLOCK, 0)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = alive.Close() })
	_ = alive.SetReadDeadline(time.Now().Add(20 * time.Second)) // of a broken test
	return b.script("exec 3>alive; (trap '' TERM HUP INT; sleep 1000) & echo begun >&3; wait"), alive
}

// gone waits until nobody but the test holds the pipe.
func gone(t *testing.T, b *bench, alive *os.File) {
	t.Helper()
	reader, err := os.OpenFile(filepath.Join(b.dir, "alive"), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	_ = alive.Close() // our own writing end
	_ = reader.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.ReadAll(reader); err != nil {
		t.Errorf("a child lives on: %v", err)
	}
}

func TestOneThatHangsIsEndedWithItsChildren(t *testing.T) {
	b := newBench(t)
	s, alive := b.hanging()
	r := b.runner()
	notices := make(chan time.Duration)
	r.Notice = func(kind helper.Kind, sofar time.Duration) { notices <- sofar }
	failed := make(chan error)
	go func() {
		_, err := r.Token(context.Background(), s)
		failed <- err
	}()
	if _, err := bufio.NewReader(alive).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	for _, want := range []time.Duration{10 * time.Second, 20 * time.Second} {
		b.clock.reminds <- struct{}{}
		if got := <-notices; got != want {
			t.Errorf("a notice after %s", got)
		}
	}
	close(b.clock.limit)
	if err := <-failed; !fault.Is(err, fault.Timeout) || !strings.Contains(err.Error(), "did not end within 1m0s") {
		t.Errorf("%v", err)
	}
	gone(t, b, alive)
	if n := b.runs(); n != 1 {
		t.Errorf("a script that hangs ran %d times", n)
	}
}

func TestAnInterruptedCommandLeavesNothingRunning(t *testing.T) {
	b := newBench(t)
	s, alive := b.hanging()
	r := b.runner()
	ctx, stop := context.WithCancel(context.Background())
	failed := make(chan error)
	go func() {
		_, err := r.Token(ctx, s)
		failed <- err
	}()
	if _, err := bufio.NewReader(alive).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	stop()
	if err := <-failed; !fault.Is(err, fault.Unavailable) {
		t.Errorf("%v", err)
	}
	gone(t, b, alive)
}

// A child that keeps the output open does not keep us.
func TestOneThatForksIsNotWaitedFor(t *testing.T) {
	b := newBench(t)
	b.want(b.runner(), b.script("sleep 30 & echo token"), "token", 1)
}

func TestItHasNoTerminalAndNoInput(t *testing.T) {
	b := newBench(t)
	b.want(b.runner(), b.script("cat; (: </dev/tty) 2>/dev/null && echo tty; echo token"), "token", 1)
}

func TestWhatWasKeptBadlyIsRunAgain(t *testing.T) {
	b := newBench(t)
	s := b.script("echo token-$(wc -l < runs)")
	b.want(b.runner(), s, "token-1", 1)
	path := b.kept()
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i, spoil := range []func() error{
		func() error { return os.Chmod(path, 0o644) },
		func() error { return os.WriteFile(path, good[:10], 0o600) },
		func() error { return os.WriteFile(path, nil, 0o600) },
		func() error { return os.WriteFile(path, make([]byte, 1<<20), 0o600) },
		func() error {
			return os.WriteFile(path, []byte(strings.Replace(string(good), "token-", `x\ny`, 1)), 0o600)
		},
		func() error { return os.Remove(path) },
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		b.want(b.runner(), s, fmt.Sprintf("token-%d", i+2), i+2)
	}
	// A link is neither read nor written over, and costs only the keeping.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(b.dir, "elsewhere"), path); err != nil {
		t.Fatal(err)
	}
	b.want(b.runner(), s, "token-8", 8)
	if _, err := os.Stat(filepath.Join(b.dir, "elsewhere")); err == nil {
		t.Error("the token went through a link")
	}
	// No folder at all.
	r := b.runner()
	r.Keep = filepath.Join(b.dir, "runs", "below-a-file")
	b.want(r, s, "token-9", 9)
	b.want(r, s, "token-9", 9)
}

func TestProxyAndOutput(t *testing.T) {
	b := newBench(t)
	s := b.script("echo 'Basic dXNlcjpwYXNz'")
	s.Kind = helper.Proxy
	b.want(b.runner(), s, "Basic dXNlcjpwYXNz", 1)
	b.want(b.runner(), s, "Basic dXNlcjpwYXNz", 1)
	s = b.script(`echo '{"X-One":"1"}'`)
	s.Kind = helper.OTelHeaders
	got, err := b.runner().Output(t.Context(), s)
	if err != nil || got.Reveal() != "{\"X-One\":\"1\"}\n" {
		t.Errorf("%q, %v", got.Reveal(), err)
	}
}

func TestTTL(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]time.Duration{"": helper.DefaultTTL, "60000": time.Minute, "0": 0, "-1": helper.DefaultTTL, "1e3": helper.DefaultTTL, "soon": helper.DefaultTTL, "999999999999": helper.DefaultTTL} {
		if got := helper.TTL(value); got != want {
			t.Errorf("%q: %s", value, got)
		}
	}
}
