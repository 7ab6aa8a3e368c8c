package main

import (
	"context"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/keystore"
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

// places are those of the member's command.
func (m *member) places() places {
	m.t.Helper()
	env := m.command().Env
	main := &Main{System: "linux", Home: m.home, Stderr: io.Discard, Now: time.Now, Getenv: func(name string) string {
		value := ""
		for _, e := range env { // the last one counts
			if v, ok := strings.CutPrefix(e, name+"="); ok {
				value = v
			}
		}
		return value
	}}
	at, err := main.places()
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
	tokens := make([]string, processes)
	var all sync.WaitGroup
	for i := range processes {
		all.Go(func() {
			var said strings.Builder
			cmd := m.command("token")
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
