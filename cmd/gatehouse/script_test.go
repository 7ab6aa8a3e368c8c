package main

import (
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"gatehouse": func() {
			rootFolder = os.Getenv("MACHINE") // the tests' own machine may be a container
			os.Exit(run())
		},
		"visit": func() { os.Exit(visit(os.Args[len(os.Args)-1])) },
	})
}

// visit stands for a browser whose owner is signed in and says yes.
func visit(address string) int {
	resp, err := http.Get(address)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil {
		err = os.WriteFile(filepath.Join(os.Getenv("WORK"), "page.html"), b, 0o600)
	}
	if err != nil || resp.StatusCode != http.StatusOK {
		return 1
	}
	return 0
}

type serverKey struct{}

// TestScripts runs one story for each file in testdata/script, with the real
// command and an authorization server of its own at $SERVER.
func TestScripts(t *testing.T) {
	t.Parallel()
	// What goes for one storage goes for the others: testdata/storage is about those.
	testscript.Run(t, scripts("testdata/script", map[string]string{"GATEHOUSE_STORAGE": "file"}))
}

func scripts(dir string, more map[string]string) testscript.Params {
	return testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			s := newAuthServer()
			env.Defer(s.Close)
			env.Values[serverKey{}] = s
			env.Setenv("SERVER", s.URL)
			_, port, _ := net.SplitHostPort(strings.TrimPrefix(s.URL, "http://"))
			env.Setenv("BUSY", port) // a port that is taken
			env.Setenv("HOME", filepath.Join(env.WorkDir, "home"))
			env.Setenv("CREDENTIALS", filepath.Join(env.WorkDir, "home/.config/anthropic/credentials/gatehouse.json"))
			env.Setenv("NO_PROXY", "*")
			env.Setenv("MACHINE", filepath.Join(env.WorkDir, "machine"))
			for name, value := range more {
				env.Setenv(name, value)
			}
			env.Setenv("GORACE", "atexit_sleep_ms=0") // the race detector waits a second at the end of every program
			return os.Mkdir(filepath.Join(env.WorkDir, "home"), 0o700)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"server": scriptServer,
			"age":    scriptAge,
			"mode":   scriptMode,
			"json":   scriptJSON,
			"exits":  scriptExits,
		},
	}
}

// scriptServer is "server approve|deny|wait|up|down|forget|wrongiss",
// "server instance ID", "server odd portal|page|refusal|no", "server tls HOST
// ORGANIZATION NAME", "server proxy STATUS", "server ttl 10s", "server late 10m", "server count WHAT N" and "server seen TEXT".
func scriptServer(ts *testscript.TestScript, neg bool, args []string) {
	s := ts.Value(serverKey{}).(*authServer)
	arg := func(i int) string {
		if i >= len(args) {
			ts.Fatalf("server: too few words")
		}
		return args[i]
	}
	switch arg(0) {
	case "approve", "deny", "wait":
		s.set(func() { s.decision = args[0] })
	case "up", "down":
		s.set(func() { s.down = args[0] == "down" })
	case "instance": // "server instance inst_two"; "" says none
		s.set(func() { s.instance = arg(1) })
	case "odd":
		s.set(func() { s.odd = arg(1) })
	case "tls": // "server tls HOST ORGANIZATION NAME" writes ca.pem and sets $TLS
		address, root := s.overTLS(pkix.Name{Organization: []string{arg(2)}, CommonName: arg(3)}, arg(1))
		ts.Setenv("TLS", address)
		ts.Check(os.WriteFile(ts.MkAbs("ca.pem"), root, 0o600))
	case "proxy": // "server proxy 200" sets $PROXY
		status, err := strconv.Atoi(arg(1))
		ts.Check(err)
		ts.Setenv("PROXY", s.proxy(status))
	case "wrongiss":
		s.set(func() { s.wrongIss = true })
	case "forget":
		s.set(func() {
			for _, f := range s.families {
				f.revoked = true
			}
		})
	case "late":
		d, err := time.ParseDuration(arg(1))
		ts.Check(err)
		s.set(func() { s.late = d })
	case "ttl":
		d, err := time.ParseDuration(arg(1))
		ts.Check(err)
		s.set(func() { s.ttl = d })
	case "count":
		want, err := strconv.Atoi(arg(2))
		ts.Check(err)
		if got := s.count(args[1]); (got == want) == neg {
			ts.Fatalf("the server counted %d of %q", got, args[1])
		}
	case "seen":
		s.mu.Lock()
		defer s.mu.Unlock()
		if strings.Contains(strings.Join(s.seen, "\n"), arg(1)) == neg {
			ts.Fatalf("the server saw %q", s.seen)
		}
	default:
		ts.Fatalf("server: unknown word %q", args[0])
	}
}

// scriptAge is "age FILE LEFT": the credential in FILE ends LEFT from now.
func scriptAge(ts *testscript.TestScript, _ bool, args []string) {
	left, err := time.ParseDuration(args[1])
	ts.Check(err)
	path := ts.MkAbs(args[0])
	b, err := os.ReadFile(path)
	ts.Check(err)
	var w map[string]any
	ts.Check(json.Unmarshal(b, &w))
	w["expires_at"] = time.Now().Add(left).Unix()
	b, err = json.Marshal(w)
	ts.Check(err)
	ts.Check(os.WriteFile(path, b, 0o600))
}

// scriptMode is "mode FILE 0600".
func scriptMode(ts *testscript.TestScript, neg bool, args []string) {
	info, err := os.Lstat(ts.MkAbs(args[0]))
	ts.Check(err)
	if got := fmt.Sprintf("%04o", info.Mode().Perm()); (got == args[1]) == neg {
		ts.Fatalf("%s has mode %s", args[0], got)
	}
}

// scriptExits is "exits 3 PROGRAM ARGS": the exit code of a program.
func scriptExits(ts *testscript.TestScript, neg bool, args []string) {
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if (fmt.Sprint(got) == args[0]) == neg {
		ts.Fatalf("%s exits with %d", strings.Join(args[1:], " "), got)
	}
}

// scriptJSON is "json FILE PATH VALUE": the value at a dotted path, as text.
func scriptJSON(ts *testscript.TestScript, neg bool, args []string) {
	var v any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &v))
	for _, key := range strings.Split(args[1], ".") {
		object, _ := v.(map[string]any)
		v = object[key]
	}
	if got := fmt.Sprint(v); (got == args[2]) == neg {
		ts.Fatalf("%s is %s", args[1], got)
	}
}
