package store_test

import (
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/kms"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/store"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/postgres"
	"golang.org/x/mod/sumdb/tlog"
)

// record is a log of eleven entries, and the same database from behind.
type record struct {
	*store.DB
	proof  store.Instance
	behind *sql.DB // as somebody has it who knows its password or its file, and none of the server's keys
}

// overBoth runs a test over both databases.
func overBoth(t *testing.T, f func(*testing.T, *record)) {
	for name, fresh := range map[string]func() (url, driver, dsn string){
		"sqlite": func() (string, string, string) {
			path := filepath.Join(t.TempDir(), "test.db")
			return path, "sqlite", "file:" + path + "?_pragma=busy_timeout(10000)"
		},
		"postgres": func() (string, string, string) { url := postgres.New(t); return url, "pgx", url },
	} {
		t.Run(name, func(t *testing.T) {
			url, driver, dsn := fresh()
			r := &record{}
			var err error
			r.DB, err = store.Open(t.Context(), url)
			must(t, err)
			defer r.Close()
			ring, err := kms.New(secret.New(base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32)))))
			must(t, err)
			r.proof, err = r.Unlock(t.Context(), ring, time.Unix(1, 0))
			must(t, err)
			r.behind, err = sql.Open(driver, dsn)
			must(t, err)
			defer r.behind.Close()
			for range 11 {
				must(t, r.note(t))
			}
			f(t, r)
		})
	}
}

func (r *record) note(t testing.TB) error {
	e := audit.New(caller.OfSystem("org"), time.Unix(1, 0), audit.SignInFailed, "target", audit.Detail{"k": "v"})
	return r.Accounts().Note(t.Context(), e)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func harm(t testing.TB, db *sql.DB, statement string, args ...any) {
	t.Helper()
	res, err := db.Exec(statement, args...)
	must(t, err)
	if n, _ := res.RowsAffected(); n == 0 {
		t.Fatalf("it harmed nothing: %s", statement)
	}
}

// rehash computes every hash of the log anew from the leaves that are there.
func rehash(t testing.TB, db *sql.DB) {
	t.Helper()
	rows, err := db.Query(`SELECT leaf FROM activity ORDER BY position`)
	must(t, err)
	defer rows.Close()
	var all []audit.Hash
	read := tlog.HashReaderFunc(func(at []int64) (out []audit.Hash, _ error) {
		for _, p := range at {
			out = append(out, all[p])
		}
		return out, nil
	})
	for n := int64(0); rows.Next(); n++ {
		var leaf []byte
		must(t, rows.Scan(&leaf))
		hashes, err := tlog.StoredHashes(n, leaf, read)
		must(t, err)
		all = append(all, hashes...)
	}
	must(t, rows.Err())
	_, err = db.Exec(`DELETE FROM log_hash`)
	must(t, err)
	for i, h := range all {
		harm(t, db, `INSERT INTO log_hash (position, hash) VALUES ($1, $2)`, i, h[:])
	}
}

func rewriteLeaf(t testing.TB, db *sql.DB, position int) {
	t.Helper()
	var leaf []byte
	must(t, db.QueryRow(`SELECT leaf FROM activity WHERE position = $1`, position).Scan(&leaf))
	changed := strings.Replace(string(leaf), `"target":"target"`, `"target":"tarnet"`, 1)
	harm(t, db, `UPDATE activity SET leaf = $1, target = 'tarnet' WHERE position = $2`, []byte(changed), position)
}

const forged = `INSERT INTO activity (position, id, organization_id, at, type, actor, target, affects, leaf)
	SELECT %d, 'activity_forged', organization_id, at, type, actor, target, affects, leaf FROM activity WHERE position = 1`

// tamperings are what can be done to a log of eleven entries from behind, and
// the entry at which the log cannot hold any more.
var tamperings = map[string]struct {
	harm  func(t testing.TB, db *sql.DB)
	at    int64
	signs bool // the edge of the log is as it was signed, so it goes on; a replay finds the harm
}{
	"an entry rewritten": {harm: func(t testing.TB, db *sql.DB) { rewriteLeaf(t, db, 3) }, at: 3, signs: true},
	"an entry rewritten with every hash": {harm: func(t testing.TB, db *sql.DB) {
		rewriteLeaf(t, db, 3)
		rehash(t, db)
	}, at: 0},
	"the end cut off": {harm: func(t testing.TB, db *sql.DB) {
		harm(t, db, `DELETE FROM activity WHERE position >= 4`)
		harm(t, db, `DELETE FROM log_hash WHERE position >= $1`, audit.Position(4))
		harm(t, db, `UPDATE log_head SET size = 4`)
	}, at: 4},
	"everything reset": {harm: func(t testing.TB, db *sql.DB) {
		harm(t, db, `DELETE FROM activity`)
		harm(t, db, `DELETE FROM log_hash`)
		harm(t, db, `UPDATE log_head SET size = 0, note = ''`)
	}, at: 0},
	"the head removed": {harm: func(t testing.TB, db *sql.DB) { harm(t, db, `DELETE FROM log_head`) }, at: 0},
	"the head emptied": {harm: func(t testing.TB, db *sql.DB) { harm(t, db, `UPDATE log_head SET note = ''`) }, at: 0},
	"a hash of the edge": {harm: func(t testing.TB, db *sql.DB) {
		harm(t, db, `UPDATE log_hash SET hash = $1 WHERE position = 14`, make([]byte, 32))
	}, at: 0},
	"a hash cut short": {harm: func(t testing.TB, db *sql.DB) {
		harm(t, db, `UPDATE log_hash SET hash = $1 WHERE position = 14`, make([]byte, 31))
	}, at: 0},
	"an entry put at its end": {harm: func(t testing.TB, db *sql.DB) { harm(t, db, fmt.Sprintf(forged, 11)) }, at: 11},
	"a hash put at its end": {harm: func(t testing.TB, db *sql.DB) {
		harm(t, db, `INSERT INTO log_hash (position, hash) VALUES ($1, $2)`, audit.Position(11), make([]byte, 32))
	}, at: 11},
	"an entry put far out":    {harm: func(t testing.TB, db *sql.DB) { harm(t, db, fmt.Sprintf(forged, 5000)) }, at: 5000, signs: true},
	"an entry put before all": {harm: func(t testing.TB, db *sql.DB) { harm(t, db, fmt.Sprintf(forged, -1)) }, at: -1, signs: true},
	"a hash put far out": {harm: func(t testing.TB, db *sql.DB) {
		harm(t, db, `INSERT INTO log_hash (position, hash) VALUES (5000, $1)`, make([]byte, 32))
	}, at: 11, signs: true},
	"a hash put before all": {harm: func(t testing.TB, db *sql.DB) {
		harm(t, db, `INSERT INTO log_hash (position, hash) VALUES (-7, $1)`, make([]byte, 32))
	}, at: 11, signs: true},
	"the organization": {harm: func(t testing.TB, db *sql.DB) {
		harm(t, db, `UPDATE activity SET organization_id = 'x' WHERE position = 5`)
	}, at: 5, signs: true},
	"the type": {harm: func(t testing.TB, db *sql.DB) { harm(t, db, `UPDATE activity SET type = 'x' WHERE position = 5`) }, at: 5, signs: true},
	"what is affected": {harm: func(t testing.TB, db *sql.DB) {
		harm(t, db, `UPDATE activity SET affects = '["x"]' WHERE position = 5`)
	}, at: 5, signs: true},
	"the time": {harm: func(t testing.TB, db *sql.DB) { harm(t, db, `UPDATE activity SET at = at + 1 WHERE position = 5`) }, at: 5, signs: true},
	"the detail": {harm: func(t testing.TB, db *sql.DB) {
		harm(t, db, `UPDATE activity SET detail = $1 WHERE position = 5`, []byte(`{"k":"w"}`))
	}, at: 5, signs: true},
}

// TestTampering harms the log from behind and wants both: that it is found, and
// that nothing is recorded, and so nothing changed, over what was not signed.
func TestTampering(t *testing.T) {
	t.Parallel()
	overBoth(t, func(t *testing.T, r *record) {
		sound := dump(t, r.behind)
		for name, c := range tamperings {
			c.harm(t, r.behind)
			if at, err := r.firstBroken(t); err == nil || at != c.at {
				t.Errorf("%s: the log breaks at %d, want %d: %v", name, at, c.at, err)
			}
			switch err := r.note(t); {
			case c.signs:
				must(t, err)
			case !fault.Is(err, fault.Internal) || !strings.Contains(err.Error(), "nothing can be changed"):
				t.Errorf("%s, and recording goes on: %v", name, err)
			}
			if at, err := r.firstBroken(t); err == nil {
				t.Errorf("%s: after another event the log holds again (%d)", name, at)
			}
			restore(t, r.behind, sound)
		}
		if at, err := r.firstBroken(t); err != nil {
			t.Errorf("the log that was not harmed breaks at %d: %v", at, err)
		}
		must(t, r.note(t))
	})
}

// firstBroken replays the log as a verifier does.
func (r *record) firstBroken(t testing.TB) (int64, error) {
	t.Helper()
	extent, err := r.Activities().Extent(t.Context())
	if err != nil {
		return 0, err
	}
	if extent.Before != nil {
		return *extent.Before, fmt.Errorf("an entry before all")
	}
	entries, err := r.Activities().Proof(t.Context(), 0, extent.Size)
	must(t, err)
	var v audit.Verifier
	at := func(err error) (int64, error) {
		if broken, ok := errors.AsType[*audit.BrokenError](err); ok {
			return broken.Index, err
		}
		return -99, err
	}
	for _, e := range entries {
		if err := v.Add(e); err != nil {
			return at(err)
		}
	}
	head, err := audit.OpenHead(extent.Signed, r.proof.LogVerifier)
	if err != nil {
		return 0, err
	}
	if err := v.Finish(head); err != nil {
		return at(err)
	}
	switch {
	case extent.After != nil:
		return *extent.After, fmt.Errorf("an entry after all")
	case extent.Hash != nil:
		return extent.Size, fmt.Errorf("a hash of nothing: %d", *extent.Hash)
	}
	return 0, nil
}

// dumped is the log's tables by statement that puts a row back.
type dumped map[string][][]any

func dump(t testing.TB, db *sql.DB) dumped {
	t.Helper()
	all := dumped{}
	for table, columns := range map[string]string{"log_head": "id, size, note", "log_hash": "position, hash",
		"activity": "position, id, organization_id, at, type, actor, target, affects, leaf, detail, salt"} {
		n := strings.Count(columns, ",") + 1
		marks := make([]string, n)
		for i := range marks {
			marks[i] = fmt.Sprintf("$%d", i+1)
		}
		insert := fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", table, columns, strings.Join(marks, ", "))
		rows, err := db.Query("SELECT " + columns + " FROM " + table)
		must(t, err)
		for rows.Next() {
			row, to := make([]any, n), make([]any, n)
			for i := range row {
				to[i] = &row[i]
			}
			must(t, rows.Scan(to...))
			all[insert] = append(all[insert], row)
		}
		must(t, rows.Err())
		must(t, rows.Close())
	}
	return all
}

func restore(t testing.TB, db *sql.DB, all dumped) {
	t.Helper()
	for insert, rows := range all {
		_, err := db.Exec("DELETE FROM " + strings.Fields(insert)[2])
		must(t, err)
		for _, row := range rows {
			harm(t, db, insert, row...)
		}
	}
}

// TestErasure counts the details that are gone, and takes nothing else for it.
func TestErasure(t *testing.T) {
	t.Parallel()
	overBoth(t, func(t *testing.T, r *record) {
		for statement, want := range map[string]int64{
			`UPDATE activity SET detail = NULL, salt = NULL WHERE position = 0`: 1,
			`UPDATE activity SET detail = '' WHERE position = 0`:                -1,
			`UPDATE activity SET detail = 'null' WHERE position = 0`:            -1,
		} {
			harm(t, r.behind, statement)
			entries, err := r.Activities().Proof(t.Context(), 0, 1)
			must(t, err)
			var v audit.Verifier
			if err := v.Add(entries[0]); (err == nil) != (want >= 0) || err == nil && v.Erased() != want {
				t.Errorf("%s: %v, and %d erased", statement, err, v.Erased())
			}
		}
	})
}
