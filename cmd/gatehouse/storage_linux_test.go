package main

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/keystore"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/gatehoused"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/keyring"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/terminal"
	"github.com/rogpeppe/go-internal/testscript"
)

// TestStorageScripts runs the stories in testdata/storage, on machines that have
// no keyring until a script gives them one.
func TestStorageScripts(t *testing.T) {
	t.Parallel()
	p := scripts("testdata/storage", nil)
	var mu sync.Mutex
	last := map[*testscript.TestScript]*keyring.Bus{}
	p.Cmds["keyring"] = func(ts *testscript.TestScript, _ bool, args []string) {
		mu.Lock()
		defer mu.Unlock()
		kinds := map[string]func(testing.TB) *keyring.Bus{"real": keyring.New, "empty": keyring.Empty, "hang": keyring.Hanging}
		if args[0] == "lock" {
			last[ts].Lock()
			return
		}
		last[ts] = kinds[args[0]](t)
		ts.Setenv("DBUS_SESSION_BUS_ADDRESS", last[ts].Address)
	}
	testscript.Run(t, p)
}

// main is the member's command inside this process.
func (m *member) main() *Main {
	env := m.command().Env
	return &Main{System: "linux", Home: m.home, Stderr: io.Discard, Now: time.Now, Getenv: func(name string) string {
		value := ""
		for _, e := range env { // the last one counts
			if v, ok := strings.CutPrefix(e, name+"="); ok {
				value = v
			}
		}
		return value
	}}
}

func (m *member) places() places {
	m.t.Helper()
	at, err := m.main().places()
	if err != nil {
		m.t.Fatal(err)
	}
	return at
}

// Two hundred programs meet an expired token in a real keyring: one refresh, and
// everybody has the same new token.
func TestTwoHundredProcessesRenewOnceInAKeyring(t *testing.T) {
	t.Parallel()
	m := newMember(t)
	m.env = []string{"GATEHOUSE_STORAGE=secret-service", "DBUS_SESSION_BUS_ADDRESS=" + keyring.New(t).Address}
	m.login()
	at := m.places()
	if at.store.Name() != keystore.SecretService {
		t.Fatalf("it is kept in %s", at.store.Name())
	}
	pair, err := at.store.Load(context.Background(), credential.DefaultProfile)
	if err != nil {
		t.Fatal(err)
	}
	pair.Expires = time.Now().Add(-time.Hour)
	if err := at.store.Save(context.Background(), credential.DefaultProfile, pair); err != nil {
		t.Fatal(err)
	}
	const processes = 200
	shipped := gatehoused.Command(t) // without the race detector, which makes each ten times as dear
	tokens := make([]string, processes)
	var all sync.WaitGroup
	for i := range processes {
		all.Go(func() {
			var said strings.Builder
			cmd := m.command("token")
			cmd.Path, cmd.Err = shipped, nil
			cmd.Stderr = &said
			out, err := cmd.Output()
			if err != nil {
				t.Errorf("process %d: %v, %s", i, err, &said)
			}
			tokens[i] = string(out)
		})
	}
	all.Wait()
	if got := slices.Compact(tokens); len(got) != 1 || strings.Count(got[0], "\n") != 1 {
		t.Errorf("%d different answers", len(got))
	}
	if got := m.server.count("refresh_token"); got != 1 {
		t.Errorf("the refresh token was presented %d times", got)
	}
}

// At a terminal the passphrase is asked for, twice, before anything else is
// opened, and not shown.
func TestPassphraseAtTheTerminal(t *testing.T) {
	t.Parallel()
	m := newMember(t)
	m.env = []string{"GATEHOUSE_STORAGE="}
	start := func(args ...string) *terminal.Terminal { return terminal.Start(t, m.command(args...), time.Minute) }
	wrong := start("login", "--server", m.server.URL)
	wrong.Expect(`New passphrase for the sealed storage:`)
	wrong.Type("correct horse" + terminal.Enter)
	wrong.Expect(`The same again:`)
	wrong.Type("correct mouse" + terminal.Enter)
	wrong.Expect(`gatehouse: the two are not the same; run: gatehouse storage list`)
	if m.server.count("device") != 0 {
		t.Error("a sign-in was begun without a place for it")
	}
	right := start("login", "--server", m.server.URL)
	for _, question := range []string{`New passphrase for the sealed storage:`, `The same again:`} {
		right.Expect(question)
		right.Type("correct horse" + terminal.Enter)
	}
	right.Expect(`Programs that call gatehouse need the passphrase too`)
	if screen := right.Screen(); strings.Contains(screen, "horse") {
		t.Errorf("the passphrase is on the screen:\n%s", screen)
	}
	// token asks nobody, also at a terminal.
	start("token").Expect(`gatehouse: the sealed storage needs its passphrase, and GATEHOUSE_PASSPHRASE_FILE names no file`)
	move := start("storage", "move", "file")
	move.Expect(`Passphrase of the sealed storage:`)
	move.Type("correct horse" + terminal.Enter)
	move.Expect(`The credential is now in file`)
	if _, stderr, code := m.run("token"); code != exitOK {
		t.Errorf("token: %d, %s", code, stderr)
	}
	given := start("storage", "move", "sealed")
	given.Expect(`New passphrase for the sealed storage:`)
	given.Type(terminal.CtrlC)
	given.Expect(`gatehouse: no passphrase was given`)
	if _, stderr, code := m.run("token"); code != exitOK {
		t.Errorf("token after it was given up: %d, %s", code, stderr)
	}
}

// inNamespace runs a command of the member's where a script has mounted what it
// wants. It needs a private mount namespace.
func (m *member) inNamespace(script string, args ...string) *exec.Cmd {
	m.t.Helper()
	for _, way := range [][]string{{"unshare", "-m"}, {"unshare", "-m", "-r"}} {
		if exec.Command(way[0], append(way[1:], "mount", "--make-rprivate", "/")...).Run() != nil {
			continue
		}
		inner := m.command(args...)
		argv := append(append(way, "sh", "-ec", "mount --make-rprivate /\n"+script+"\nexec \"$@\"", "sh"), inner.Args...)
		cmd := exec.Command(argv[0], argv[1:]...)
		cmd.Env = inner.Env
		return cmd
	}
	const why = "a full disk needs a private mount namespace: Linux, as root or where users may make namespaces"
	if os.Getenv("CI") != "" {
		m.t.Fatal(why)
	}
	m.t.Skip(why)
	return nil
}

// A disk without room and a home that cannot be written end no sign-in: the
// refresh token is not used up, a token that still serves is handed out, and the
// rest is one line.
func TestFullDiskAndReadOnlyHome(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]string{
		"full": `c=$HOME/.config/anthropic/credentials; cp -a "$c" "$HOME/copy"
			mount -t tmpfs -o size=64k,mode=0700 tmpfs "$c"; cp -a "$HOME"/copy/. "$c"; rm -r "$HOME/copy"
			head -c 65536 /dev/zero >"$c/fill" 2>/dev/null || true`,
		"read-only": `mount --bind "$HOME" "$HOME"; mount -o remount,ro,bind "$HOME"`,
	} {
		m := newMember(t)
		m.cover = t.TempDir()
		m.login()
		run := func(left time.Duration) (out, said string, err error) {
			m.expire(left)
			var stdout, stderr strings.Builder
			cmd := m.inNamespace(script, "token")
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			err = cmd.Run()
			return stdout.String(), stderr.String(), err
		}
		if out, said, err := run(20 * time.Minute); err != nil || out == "" {
			t.Errorf("%s, with a token that still serves: %v, %s", name, err, said)
		}
		out, said, err := run(-time.Hour)
		if err == nil || out != "" || strings.Count(said, "\n") != 1 || !strings.HasPrefix(said, "gatehouse: ") || strings.Contains(said, "gatehouse login") {
			t.Errorf("%s, with an expired token: %v, said %q", name, err, said)
		}
		if m.server.count("refresh_token") != 0 {
			t.Errorf("%s: the refresh token was used up", name)
		}
		if _, stderr, code := m.run("token"); code != exitOK || m.server.count("rotated") != 1 {
			t.Errorf("%s, afterwards: %d, %s", name, code, stderr)
		}
	}
}

// crashing is a home whose process dies after the n-th call.
type crashing struct {
	keystore.Home
	left *int
}

type crash struct{}

func (c crashing) at(do func()) {
	do()
	if *c.left--; *c.left == 0 {
		panic(crash{})
	}
}

func (c crashing) Load(ctx context.Context, p credential.Profile) (pair credential.Pair, err error) {
	c.at(func() { pair, err = c.Home.Load(ctx, p) })
	return pair, err
}

func (c crashing) Save(ctx context.Context, p credential.Profile, pair credential.Pair) (err error) {
	c.at(func() { err = c.Home.Save(ctx, p, pair) })
	return err
}

func (c crashing) Delete(ctx context.Context, p credential.Profile) (err error) {
	c.at(func() { err = c.Home.Delete(ctx, p) })
	return err
}

// Wherever a move is broken off, the sign-in goes on in the one place or the
// other, and the next move completes it.
func TestMoveIsBrokenOffAnywhere(t *testing.T) {
	t.Parallel()
	m := newMember(t)
	passphrase := filepath.Join(m.home, "passphrase")
	if err := os.WriteFile(passphrase, []byte("correct horse\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m.env = []string{passphraseFile + "=" + passphrase}
	m.login()
	want, err := m.places().store.Load(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	moves := 0
	for n := 1; n <= 6; n++ {
		for _, to := range []string{keystore.Sealed, keystore.File} {
			main, at := m.main(), m.places()
			home, err := at.open(main, to, at.known.Origin)
			if err != nil {
				t.Fatal(err)
			}
			left := n
			at.store = crashing{at.store, &left}
			broken := func() (broken bool) {
				defer func() { broken = recover() != nil }()
				err = main.transfer(t.Context(), at, crashing{home, &left}, "a test")
				return false
			}()
			if !broken && err != nil {
				t.Fatal(err)
			}
			if got, err := m.places().store.Load(t.Context(), ""); err != nil || !got.SameChain(want) {
				t.Fatalf("to %s, broken off at %d: %v", to, n, err)
			}
			if _, stderr, code := m.run("storage", "move", to); code != exitOK {
				t.Fatalf("to %s, broken off at %d, and again: %s", to, n, stderr)
			}
			if broken {
				moves++
			}
		}
	}
	if moves < 12 {
		t.Errorf("only %d moves were broken off", moves)
	}
}

// Programs that ask while the credential is moved to and fro get it.
func TestTokensDuringMoves(t *testing.T) {
	t.Parallel()
	m := newMember(t)
	m.env = []string{"DBUS_SESSION_BUS_ADDRESS=" + keyring.New(t).Address}
	m.login()
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			for ctx.Err() == nil {
				if out, err := m.command("token").Output(); err != nil || len(out) == 0 {
					t.Errorf("%v", err)
					return
				}
			}
		})
	}
	for _, to := range []string{keystore.SecretService, keystore.File, keystore.SecretService, keystore.File, keystore.SecretService} {
		if _, stderr, code := m.run("storage", "move", to); code != exitOK {
			t.Errorf("move to %s: %s", to, stderr)
		}
	}
	stop()
	all.Wait()
}
