package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib" // also the driver "pgx"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"modernc.org/sqlite" // also the driver "sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// dialect is what differs between the databases.
type dialect interface {
	name() string
	open(url string) (write, read *sql.DB, err error)
	migrations(url string) (goose.Dialect, []goose.ProviderOption, func(context.Context) (unlock func() error, err error), error)
	isDuplicate(err error) bool // a unique key is taken
	find() string               // the function of a text and what is sought in it, which is more than 0 if it is there
	measure(all bool) string    // has the planner's statistics made: all, or what has changed; may be empty
	skipLocked() string         // ends a SELECT that locks what it finds, but for what others have locked
}

func dialectOf(url string) (dialect, error) {
	switch {
	case strings.HasPrefix(url, "postgres://"), strings.HasPrefix(url, "postgresql://"):
		return postgres{}, nil
	case strings.Contains(url, "://"):
		return nil, errors.New("the database URL must begin with postgres:// or be the path of an SQLite file")
	case url == "":
		return nil, errors.New("no database is named")
	}
	return sqliteFile{}, nil
}

//go:embed migrations/*.sql
var migrationFiles embed.FS

func (db *DB) migrate(ctx context.Context, url string) error {
	kind, options, lock, err := db.dialect.migrations(url)
	if err != nil {
		return err
	}
	unlock, err := lock(ctx)
	if err != nil {
		return fmt.Errorf("waiting for another process to finish: %w", err)
	}
	files, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(kind, db.write, files, options...)
	if err != nil {
		return errors.Join(err, unlock())
	}
	applied, err := provider.Up(ctx)
	if err == nil {
		err = refuseNewer(ctx, provider)
	}
	if err == nil && len(applied) > 0 {
		err = db.measure(ctx, db.dialect.measure(true))
	}
	return errors.Join(err, unlock())
}

// Measure brings what the database knows of the sizes of its tables up to date,
// where it does not do that by itself. Without it, it may choose another index
// than the one that was made for a list.
func (db *DB) Measure(ctx context.Context) error { return db.measure(ctx, db.dialect.measure(false)) }

func (db *DB) measure(ctx context.Context, statement string) error {
	if statement == "" {
		return nil
	}
	if _, err := db.write.ExecContext(ctx, statement); err != nil {
		return fmt.Errorf("measuring the tables: %w", err)
	}
	return nil
}

// refuseNewer fails if the database was migrated by a newer program than this.
func refuseNewer(ctx context.Context, p *goose.Provider) error {
	current, target, err := p.GetVersions(ctx)
	if err == nil && current > target {
		err = fmt.Errorf("its schema has version %d and this program knows %d: start a newer gatehoused", current, target)
	}
	return err
}

type sqliteFile struct{}

func (sqliteFile) name() string { return "sqlite" }

// One connection writes, so writers queue here and not on the file's lock;
// readers see the last commit and never wait for it.
func (sqliteFile) open(path string) (write, read *sql.DB, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, nil, err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, nil, err
	}
	if err := file.Close(); err != nil {
		return nil, nil, err
	}
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() + "?_txlock=immediate&_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)" +
		"&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&_pragma=journal_size_limit(67108864)&_pragma=temp_store(2)"
	if write, err = sql.Open("sqlite", dsn); err != nil {
		return nil, nil, err
	}
	write.SetMaxOpenConns(1)
	if read, err = sql.Open("sqlite", dsn); err != nil {
		return nil, nil, errors.Join(err, write.Close())
	}
	read.SetMaxOpenConns(4)
	read.SetMaxIdleConns(4)
	return write, read, nil
}

func (sqliteFile) migrations(path string) (goose.Dialect, []goose.ProviderOption, func(context.Context) (func() error, error), error) {
	file := flock.New(path + ".migrate")
	take := func(ctx context.Context) (func() error, error) {
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		_, err := file.TryLockContext(ctx, 50*time.Millisecond)
		return file.Unlock, err
	}
	return goose.DialectSQLite3, nil, take, nil
}

func (sqliteFile) isDuplicate(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && (e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || e.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
}

func (sqliteFile) find() string { return `instr` }

func (sqliteFile) measure(all bool) string {
	if all {
		return `PRAGMA analysis_limit = 1000; ANALYZE`
	}
	return `PRAGMA optimize = 0x10002`
}

// One connection writes: nothing is locked by others.
func (sqliteFile) skipLocked() string { return "" }

type postgres struct{}

func (postgres) name() string { return "postgres" }

func (postgres) open(url string) (write, read *sql.DB, err error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, nil, err
	}
	// A plan that is to fit every search fits none: with their arguments known,
	// the planner sees which index leads to few rows.
	db := stdlib.OpenDB(*config, stdlib.OptionAfterConnect(func(ctx context.Context, c *pgx.Conn) error {
		_, err := c.Exec(ctx, `SET plan_cache_mode = force_custom_plan`)
		return err
	}))
	db.SetMaxOpenConns(16)
	db.SetMaxIdleConns(8)
	db.SetConnMaxIdleTime(5 * time.Minute)
	return db, db, nil
}

func (postgres) migrations(string) (goose.Dialect, []goose.ProviderOption, func(context.Context) (func() error, error), error) {
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 60))
	if err != nil {
		return "", nil, nil, err
	}
	none := func(context.Context) (func() error, error) { return func() error { return nil }, nil }
	return goose.DialectPostgres, []goose.ProviderOption{goose.WithSessionLocker(locker)}, none, nil
}

func (postgres) find() string { return `strpos` }

func (postgres) measure(all bool) string {
	if all {
		return `ANALYZE`
	}
	return `` // autovacuum does it
}

func (postgres) isDuplicate(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code == "23505"
}

func (postgres) skipLocked() string { return ` FOR UPDATE SKIP LOCKED` }
