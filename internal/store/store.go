package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/kms"
	"golang.org/x/mod/sumdb/note"
)

// DB is an open database with its schema in place.
type DB struct {
	write    *sql.DB
	read     *sql.DB
	dialect  dialect
	ring     *kms.Keyring  // seals secrets at rest; set by Unlock
	signer   note.Signer   // signs the head of the activity log; set by Unlock
	verifier note.Verifier // checks the head before it is followed by another; set by Unlock
	wake     func()        // told after every recorded change; set once by OnChange
	answered answered      // who is known to have had an answer
}

// Open opens a database, migrates it under a lock and returns it. The URL is
// "postgres://…" or the path of an SQLite file, which is made if need be.
func Open(ctx context.Context, url string) (*DB, error) {
	d, err := dialectOf(url)
	if err != nil {
		return nil, err
	}
	db := &DB{dialect: d, wake: func() {}}
	if db.write, db.read, err = d.open(url); err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	if err := db.ping(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("reaching the database: %w", err), db.Close())
	}
	if err := db.migrate(ctx, url); err != nil {
		return nil, errors.Join(fmt.Errorf("migrating the database: %w", err), db.Close())
	}
	return db, nil
}

// OnChange has f called after every recorded change of this process, so that
// the feed need not wait for its next look.
func (db *DB) OnChange(f func()) { db.wake = f }

// Kind is "sqlite" or "postgres".
func (db *DB) Kind() string { return db.dialect.name() }

// Ping reports whether the database answers.
func (db *DB) Ping(ctx context.Context) error { return db.ping(ctx) }

func (db *DB) ping(ctx context.Context) error { return db.write.PingContext(ctx) }

// Close closes the database.
func (db *DB) Close() error {
	if db.read == db.write {
		return db.write.Close()
	}
	return errors.Join(db.read.Close(), db.write.Close())
}

// tx is a transaction that writes.
type tx struct {
	*sql.Tx
	ctx context.Context
}

// exec runs a statement and returns how many rows it changed.
func (t tx) exec(query string, args ...any) (int64, error) {
	res, err := t.ExecContext(t.ctx, query, args...)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", verb(query), err)
	}
	return res.RowsAffected()
}

// row runs a query of one row and scans it; sql.ErrNoRows if there is none.
func (t tx) row(dest []any, query string, args ...any) error {
	err := t.QueryRowContext(t.ctx, query, args...).Scan(dest...)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("%s: %w", verb(query), err)
	}
	return err
}

// upkeep runs f in a transaction that leaves no record.
func (db *DB) upkeep(ctx context.Context, f func(tx) error) error {
	begun, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("beginning a transaction: %w", err)
	}
	defer begun.Rollback() // does nothing after a commit
	if err := f(tx{begun, ctx}); err != nil {
		return err
	}
	if err := begun.Commit(); err != nil {
		return fmt.Errorf("committing: %w", err)
	}
	return nil
}

// queryRow scans one row; ok is false if there is none.
func (db *DB) queryRow(ctx context.Context, dest []any, query string, args ...any) (ok bool, err error) {
	err = db.read.QueryRowContext(ctx, query, args...).Scan(dest...)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("%s: %w", verb(query), err)
	}
	return true, nil
}

// queryAll scans every row with scan.
func queryAll[T any](ctx context.Context, q querier, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", verb(query), err)
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", verb(query), err)
		}
		all = append(all, one)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", verb(query), err)
	}
	return all, nil
}

// querier is the database or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// scanner is a row of either sort.
type scanner interface{ Scan(dest ...any) error }

// verb is the beginning of a statement, for errors: never its arguments.
func verb(query string) string {
	words := strings.Fields(query)
	return strings.Join(words[:min(len(words), 4)], " ")
}

func micros(t time.Time) int64 { return t.UnixMicro() }

// maybeMicros is NULL for the zero time.
func maybeMicros(t time.Time) sql.NullInt64 {
	return sql.NullInt64{Int64: t.UnixMicro(), Valid: !t.IsZero()}
}

func fromMicros(us int64) time.Time { return time.UnixMicro(us).UTC() }

func fromMaybe(us sql.NullInt64) time.Time {
	if !us.Valid {
		return time.Time{}
	}
	return fromMicros(us.Int64)
}

// errLost says that somebody else was first; it never leaves the package.
var errLost = errors.New("somebody else was first")

// must runs a statement that has to change something: NotFound if it does not.
func (t tx) must(query string, args ...any) error {
	n, err := t.exec(query, args...)
	if err == nil && n == 0 {
		err = fault.New(fault.NotFound, "it is not there any more")
	}
	return err
}

// first returns the first of what was found.
func first[T any](all []T, err error) (one T, ok bool, _ error) {
	if err != nil || len(all) == 0 {
		return one, false, err
	}
	return all[0], true, nil
}
