package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	_ "modernc.org/sqlite" // to harm a database behind the server's back
)

// mode fails if a file has not the permissions given: mode 0600 FILE.
func mode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: mode 0600 FILE")
	}
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := fmt.Sprintf("%04o", info.Mode().Perm()); got != args[0] {
		ts.Fatalf("%s has mode %s, not %s", args[1], got, args[0])
	}
}

// serveOnce serves a data folder until the server has said how the first owner gets in, and ends it
// as a signal would: serve-once DIR. What it said is in DIR.log.
func serveOnce(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: serve-once DIR")
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	said := &until{word: "/setup/", then: cancel}
	m := &Main{Stdout: said, Stderr: said, Getenv: func(string) string { return "" }}
	dir := ts.MkAbs(args[0])
	if code := m.Run(ctx, []string{"serve", "--listen", "127.0.0.1:0", "--data-dir", dir}); code != 0 {
		ts.Fatalf("serve: exit %d: %s", code, said.all.String())
	}
	ts.Check(os.WriteFile(dir+".log", said.all.Bytes(), 0o600))
}

// until calls then once a word was written.
type until struct {
	mu   sync.Mutex
	all  bytes.Buffer
	word string
	then func()
}

func (u *until) Write(p []byte) (int, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.all.Write(p)
	if strings.Contains(u.all.String(), u.word) {
		u.then()
	}
	return len(p), nil
}

// harm runs a statement on an SQLite file, as somebody with access to it could:
// harm FILE STATEMENT.
func harm(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: harm FILE STATEMENT")
	}
	db, err := sql.Open("sqlite", "file:"+ts.MkAbs(args[0]))
	ts.Check(err)
	defer db.Close()
	res, err := db.Exec(args[1])
	ts.Check(err)
	if n, _ := res.RowsAffected(); n == 0 {
		ts.Fatalf("the statement harmed nothing")
	}
}

// restore puts a copy of an SQLite file in its place, as an operator does while
// no server runs: restore COPY FILE.
func restore(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: restore COPY FILE")
	}
	file := ts.MkAbs(args[1])
	for _, old := range []string{file + "-wal", file + "-shm"} {
		if err := os.Remove(old); err != nil && !errors.Is(err, os.ErrNotExist) {
			ts.Fatalf("%v", err)
		}
	}
	data, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Check(os.WriteFile(file, data, 0o600))
}

func FuzzParseFile(f *testing.F) {
	f.Add("listen: 127.0.0.1:1\ntls: {cert: a, key: b}\n")
	f.Add("lisen: x\n")
	f.Add("trusted_proxies: [10.0.0.0/8, ::1]\nlimits: {concurrent: 3}\n")
	f.Add("a: &a [*a]")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parseFile([]byte(text))
		if err != nil {
			return
		}
		m := &Main{Getenv: func(string) string { return "" }, Stderr: discard{}}
		if cfg, err := m.config(got); err == nil && strings.HasSuffix(cfg.PublicURL, "/") {
			t.Error("the public URL ends in a slash")
		}
	})
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
