package scale

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/kms"
	"github.com/gatehouse-dev/gatehouse/internal/store"
)

// Size is how much of everything there is to be, besides what is there already.
type Size struct {
	Members    int // people with an account
	Keys       int // API keys, of members
	Activities int // entries of the record
	Sessions   int // device sessions
	Invites    int
	Letters    int // in the outbox
	Requests   int // in the ledger, within 30 days
}

// Large is the size of an organization of ten thousand people.
func Large() Size {
	return Size{Members: 10_000, Keys: 50_000, Activities: 1_000_000, Sessions: 20_000, Invites: 5_000, Letters: 20_000, Requests: 300_000}
}

// Fill adds to an organization of a database that no server works on. The URL is
// that of store.Open, the ring the one that the database was made with.
func Fill(ctx context.Context, url string, ring *kms.Keyring, o id.Organization, size Size) (err error) {
	db, err := store.Open(ctx, url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.Unlock(ctx, ring, time.Now()); err != nil {
		return err
	}
	raw, err := open(db.Kind(), url)
	if err != nil {
		return err
	}
	f := &filling{ctx: ctx, size: size, org: o, now: time.Now().UTC(), random: rand.New(rand.NewPCG(1, 2))}
	if err := f.rows(raw); err != nil {
		return errors.Join(err, raw.Close())
	}
	if err := raw.Close(); err != nil {
		return err
	}
	if err := errors.Join(f.record(db), f.requests(db)); err != nil {
		return err
	}
	if raw, err = open(db.Kind(), url); err != nil {
		return err
	}
	// Both databases do this by themselves after a while of use.
	_, err = raw.ExecContext(ctx, `ANALYZE`)
	return errors.Join(err, raw.Close())
}

func open(kind, url string) (*sql.DB, error) {
	driver := map[string]string{"sqlite": "sqlite", "postgres": "pgx"}[kind]
	return sql.Open(driver, url)
}

// filling is one call of Fill.
type filling struct {
	ctx    context.Context
	size   Size
	org    id.Organization
	now    time.Time
	random *rand.Rand
	people []person
	keys   []id.APIKey
	groups []id.Group
	places []id.Workspace
}

type person struct {
	account     id.Account
	member      id.Member
	name, email string
}

// rows fills all tables but those of the record and the ledger.
func (f *filling) rows(raw *sql.DB) error {
	tx, err := raw.BeginTx(f.ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after a commit
	for _, part := range []func(*sql.Tx) error{f.fillPeople, f.fillWorkspaces, f.fillGroups, f.fillKeys, f.fillSessions, f.fillInvites, f.fillLetters} {
		if err := part(tx); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// insert adds n rows to a table, row by row as made, many in a statement. The
// columns are separated by commas.
func (f *filling) insert(tx *sql.Tx, table, columns string, n int, made func(i int) []any) error {
	const atOnce = 100
	width := strings.Count(columns, ",") + 1
	statement := func(rows int) string {
		var b strings.Builder
		fmt.Fprintf(&b, "INSERT INTO %s (%s) VALUES ", table, columns)
		for i := range rows * width {
			switch {
			case i == 0:
				b.WriteString("(")
			case i%width == 0:
				b.WriteString("), (")
			default:
				b.WriteString(", ")
			}
			fmt.Fprintf(&b, "$%d", i+1)
		}
		return b.String() + ")"
	}
	whole, err := tx.PrepareContext(f.ctx, statement(atOnce))
	if err != nil {
		return fmt.Errorf("filling %s: %w", table, err)
	}
	defer whole.Close()
	for at := 0; at < n; at += atOnce {
		rows := min(atOnce, n-at)
		args := make([]any, 0, rows*width)
		for i := range rows {
			args = append(args, made(at+i)...)
		}
		if rows == atOnce {
			_, err = whole.ExecContext(f.ctx, args...)
		} else {
			_, err = tx.ExecContext(f.ctx, statement(rows), args...)
		}
		if err != nil {
			return fmt.Errorf("filling %s: %w", table, err)
		}
	}
	return nil
}

// ago is a moment of the last days, in the database's microseconds.
func (f *filling) ago(days int) int64 {
	return f.now.Add(-time.Duration(f.random.Int64N(int64(days) * int64(24*time.Hour)))).UnixMicro()
}

// one is any of some.
func one[T any](f *filling, some []T) T { return some[f.random.IntN(len(some))] }
