package sourcetest

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/source"
)

// Canary is in every secret of the suite: where it appears, one has leaked.
const Canary = "canary7canary"

// World is a machine of the test's own.
type World struct {
	T    testing.TB
	Home string
	Env  map[string]string
	// Answer is what the endpoint says when all is well. left is how long the
	// credential shall live.
	Answer func(w http.ResponseWriter, r *http.Request, left time.Duration)
	// URL is the endpoint.
	URL string

	bin       string
	mode      mode
	over      chan struct{} // closed when the waiting is over
	closed    chan struct{} // closed when the test is
	once      sync.Once
	elsewhere atomic.Int64
	asked     atomic.Int64
	other     *httptest.Server
}

// Now is the time of every world.
func Now() time.Time { return time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC) }

// New is a world in which all is well.
func New(t testing.TB) *World { return newWorld(t, well) }

func newWorld(t testing.TB, m mode) *World {
	w := &World{T: t, Home: t.TempDir(), Env: map[string]string{}, mode: m, over: make(chan struct{}), closed: make(chan struct{})}
	w.bin = filepath.Join(w.Home, "bin")
	if err := os.Mkdir(w.bin, 0o700); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(w.serve))
	w.other = httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { w.elsewhere.Add(1) }))
	t.Cleanup(func() {
		w.finish()
		close(w.closed)
		server.CloseClientConnections()
		server.Close()
		w.other.Close()
	})
	w.URL = server.URL
	return w
}

func (w *World) finish() { w.once.Do(func() { close(w.over) }) }

// Machine is this machine.
func (w *World) Machine() source.Machine {
	return source.Machine{System: "linux", Home: w.Home, Getenv: func(name string) string { return w.Env[name] }, Now: Now, Wait: w.wait,
		Environ: []string{"PATH=" + w.bin + ":/usr/bin:/bin"}, Agent: "gatehouse/test", Transport: &http.Transport{DisableKeepAlives: true},
		LookPath: func(name string) (string, error) {
			path := filepath.Join(w.bin, name)
			if _, err := os.Stat(path); err != nil {
				return "", exec.ErrNotFound
			}
			return path, nil
		}}
}

// wait is over when something hangs for sure: a request has arrived that is
// never answered, or a command is about to start that never ends.
func (w *World) wait(ctx context.Context, _ time.Duration) error {
	if w.mode == hangs && w.commands() {
		return nil
	}
	select {
	case <-w.over:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *World) commands() bool {
	all, _ := os.ReadDir(w.bin)
	return len(all) > 0
}

// Write makes a file below the home folder and returns its path.
func (w *World) Write(name, content string, mode os.FileMode) string {
	w.T.Helper()
	path := filepath.Join(w.Home, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		w.T.Fatal(err)
	}
	// A process that is made meanwhile would inherit the open file, and a program
	// that is open for writing cannot be run (ETXTBSY).
	syscall.ForkLock.RLock()
	err := os.WriteFile(path, []byte(content), mode)
	syscall.ForkLock.RUnlock()
	if err != nil {
		w.T.Fatal(err)
	}
	return path
}

// Command puts a program on the PATH that prints what good says when all is
// well. It keeps its arguments in the file "args" below the home folder.
func (w *World) Command(name string, good func(left time.Duration) string) {
	w.T.Helper()
	out := w.Write("out", good(w.mode.left()), 0o600)
	body := "cat " + out
	switch w.mode {
	case hangs:
		body = "sleep 1000"
	case floods:
		body = "yes " + Canary
	case html:
		body = "echo '<!doctype html><title>Sign in, " + Canary + "</title>'"
	case empty:
		body = "true"
	case broken:
		body = "head -c 20 " + out
	case refuses:
		body = "echo 'the refresh token " + Canary + "00112233 has expired' >&2; cat " + out + "; exit 1"
	case fails:
		body = "cat " + out + " >&2; kill -9 $$"
	}
	w.Write("bin/"+name, "#!/bin/sh\necho \"$@\" >> "+w.Home+"/args\n"+body+"\n", 0o700)
}

// JWT is an access token that ends after left and holds the canary.
func JWT(left time.Duration) string {
	enc := base64.RawURLEncoding.EncodeToString
	return "eyJ0." + enc([]byte(fmt.Sprintf(`{"sub":%q,"iat":%d,"exp":%d}`, Canary, Now().Add(left-time.Hour).Unix(), Now().Add(left).Unix()))) + "." + Canary
}

func (w *World) serve(rw http.ResponseWriter, r *http.Request) {
	w.asked.Add(1)
	switch w.mode {
	case hangs:
		w.finish()
		<-w.closed
	case floods:
		rw.WriteHeader(http.StatusOK)
		chunk := []byte(strings.Repeat(Canary, 4096))
		for r.Context().Err() == nil {
			if _, err := rw.Write(chunk); err != nil {
				return
			}
		}
	case redirects:
		http.Redirect(rw, r, w.other.URL+"/?"+Canary, http.StatusTemporaryRedirect)
	case html:
		_, _ = rw.Write([]byte("<!doctype html><title>Sign in, " + Canary + "</title>"))
	case empty:
	case broken:
		_, _ = rw.Write([]byte(`{"access_token":"` + Canary))
	case refuses:
		rw.WriteHeader(http.StatusBadRequest)
		_, _ = rw.Write([]byte(`{"error":"invalid_grant","error_description":"` + Canary + `"}`))
	case fails:
		rw.WriteHeader(http.StatusServiceUnavailable)
		_, _ = rw.Write([]byte(Canary))
	default:
		w.Answer(rw, r, w.mode.left())
	}
}
