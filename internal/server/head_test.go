package server_test

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/server"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/nodes"
)

// behind opens a node's database without the node.
func behind(t testing.TB, w *nodes.World, database string) *sql.DB {
	t.Helper()
	driver, dsn := "pgx", database
	if database == "" {
		driver, dsn = "sqlite", "file:"+filepath.Join(w.DataDir(), "gatehouse.db")+"?_pragma=busy_timeout(10000)"
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// older is a state of the log that was there once.
type older struct {
	size int64
	note string
}

func stateOf(t testing.TB, db *sql.DB) (o older) {
	t.Helper()
	if err := db.QueryRow(`SELECT size, note FROM log_head`).Scan(&o.size, &o.note); err != nil {
		t.Fatal(err)
	}
	return o
}

// putBack makes the log what it was, with the head that was signed then.
func (o older) putBack(t testing.TB, db *sql.DB) {
	t.Helper()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	_, first := tx.Exec(`UPDATE log_head SET size = $1, note = $2`, o.size, o.note)
	_, second := tx.Exec(`DELETE FROM activity WHERE position >= $1`, o.size)
	_, third := tx.Exec(`DELETE FROM log_hash WHERE position >= $1`, audit.Position(o.size))
	if err := errors.Join(first, second, third, tx.Commit()); err != nil {
		t.Fatal(err)
	}
}

func addMembers(t testing.TB, n *nodes.Node, w *nodes.World, prefix string, count int) {
	t.Helper()
	for i := range count {
		_, err := n.Server.Rooms().Orgs.Add(t.Context(), caller.OfOperator(w.Sample.Organization), w.Sample.Organization,
			org.NewMember{Email: fmt.Sprintf("%s%d@example.com", prefix, i), Role: access.User})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// verifyFromShell does what the command does, beside the server or without it.
func verifyFromShell(t testing.TB, w *nodes.World, database string, files ...string) (server.Proof, error) {
	t.Helper()
	s, err := server.OpenShell(t.Context(), server.Config{DataDir: w.DataDir(), Database: database, PublicURL: w.URL, Now: w.Clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	return s.Verify(t.Context(), files...)
}

func breaksAt(t testing.TB, what string, err error, at int64) {
	t.Helper()
	if broken, ok := errors.AsType[*audit.BrokenError](err); !ok || broken.Index != at {
		t.Errorf("%s: %v, want entry %d", what, err, at)
	}
}

// TestOlderStateIsFound puts an older log back, which is signed and holds by
// itself; the head that the server keeps beside the database tells.
func TestOlderStateIsFound(t *testing.T) {
	nodes.Each(t, func(t *testing.T, database string) {
		w := nodes.Start(t, nodes.Options{Database: database})
		db := behind(t, w, database)
		before := stateOf(t, db)
		early := filepath.Join(t.TempDir(), "early.head")
		if err := os.WriteFile(early, []byte(strings.ReplaceAll(before.note, "\n", "\r\n")), 0o644); err != nil {
			t.Fatal(err)
		}
		addMembers(t, w.Node, w, "a", 5)
		w.Stop()
		last := stateOf(t, db)
		file := filepath.Join(w.DataDir(), "record.head")
		if kept, err := os.ReadFile(file); err != nil || string(kept) != last.note {
			t.Fatalf("at the end of the server its kept head is %q, %v; want %q", kept, err, last.note)
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the file: %v, %v", info.Mode(), err)
		}
		proof, err := verifyFromShell(t, w, database, early)
		if err != nil || len(proof.Kept) != 2 || proof.Kept[0].Entries != before.size || proof.Kept[1].Entries != last.size {
			t.Errorf("the log with two kept heads: %+v, %v", proof, err)
		}

		before.putBack(t, db)
		_, err = verifyFromShell(t, w, database)
		breaksAt(t, "an older state", err, before.size)
		again := w.Join(t)
		addMembers(t, again, w, "b", 9)
		again.Stop()
		if kept, _ := os.ReadFile(file); string(kept) != last.note {
			t.Errorf("the kept head was replaced by one that does not continue it: %q", kept)
		}
		if !strings.Contains(w.Logs.String(), "another or older database was put in its place") {
			t.Error("the server did not say that its kept head does not fit")
		}
		_, err = verifyFromShell(t, w, database)
		breaksAt(t, "an older state that grew past the kept head", err, 0)
		_, err = verifyFromShell(t, w, database, early)
		breaksAt(t, "the same, with an early head", err, before.size)
		if err := os.Rename(file, file+".gone"); err != nil {
			t.Fatal(err)
		}
		if proof, err := verifyFromShell(t, w, database); err != nil || len(proof.Kept) != 0 {
			t.Errorf("without the kept head: %+v, %v", proof, err)
		}
		_, err = verifyFromShell(t, w, database, file+".gone")
		breaksAt(t, "with the head kept elsewhere", err, 0)
	})
}

// TestHeadOfAnotherRecordIsRefused gives verify what it cannot compare.
func TestHeadOfAnotherRecordIsRefused(t *testing.T) {
	t.Parallel()
	w, other := nodes.Start(t, nodes.Options{}), nodes.Start(t, nodes.Options{})
	foreign := filepath.Join(t.TempDir(), "foreign.head")
	long := filepath.Join(t.TempDir(), "long")
	if err := errors.Join(os.WriteFile(foreign, []byte(stateOf(t, behind(t, other, "")).note), 0o600), os.WriteFile(long, make([]byte, 1<<20), 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{foreign, long, long + ".missing", t.TempDir()} {
		if _, err := verifyFromShell(t, w, "", file); err == nil {
			t.Errorf("%s is taken for a head", file)
		}
	}
	if _, err := verifyFromShell(t, w, ""); err != nil {
		t.Errorf("beside a running server: %v", err)
	}
}

// TestRestoreUnderARunningNode puts an older log back in which a key is not
// active, while a node runs that knows the key.
func TestRestoreUnderARunningNode(t *testing.T) {
	nodes.Each(t, func(t *testing.T, database string) {
		w := nodes.Start(t, nodes.Options{Database: database})
		key := w.Sample.APIKey.Reveal()
		db := behind(t, w, database)
		before := stateOf(t, db)
		addMembers(t, w.Node, w, "a", 3)
		other := w.Join(t) // it follows the log from here on
		for _, url := range []string{w.URL, other.URL} {
			if got := ask(t, url, key); got != 200 {
				t.Fatalf("the key: %d", got)
			}
		}
		w.Forward(t, 0) // every node has heard of everything
		if _, err := db.Exec(`UPDATE api_key SET status = 'inactive'`); err != nil {
			t.Fatal(err)
		}
		before.putBack(t, db)
		for _, url := range []string{w.URL, other.URL} {
			waitFor(t, "the key to be asked for again", func() bool { return ask(t, url, key) == 401 })
		}
	})
}
