package postgres

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/testkit/leash"
	"github.com/jackc/pgx/v5"
)

var (
	once   sync.Once
	shared *Cluster
	failed error
)

// New returns the URL of a new and empty database, which is dropped when the
// test ends. Safe for concurrent use.
func New(t testing.TB) string {
	t.Helper()
	once.Do(func() { shared, failed = start() })
	if failed != nil {
		t.Fatal(failed)
	}
	return shared.Database(t)
}

var (
	first       sync.Once
	firstFailed error
)

// Copy is New with what layOut makes of the first of them in it: it is called
// once in a process, and must leave no connection.
func Copy(t testing.TB, layOut func(url string) error) string {
	t.Helper()
	once.Do(func() { shared, failed = start() })
	if failed != nil {
		t.Fatal(failed)
	}
	first.Do(func() {
		if firstFailed = shared.admin("CREATE DATABASE laid_out"); firstFailed == nil {
			firstFailed = layOut(shared.url("laid_out"))
		}
	})
	if firstFailed != nil {
		t.Fatal(firstFailed)
	}
	return shared.database(t, " TEMPLATE laid_out")
}

// Cluster is a PostgreSQL server of its own.
type Cluster struct {
	bin, dir string
	program  *leash.Program
	as       *syscall.Credential
	made     atomic.Int64
}

// Own returns a cluster that the test has for itself: one that may be stopped
// and started again to see what its users do meanwhile.
func Own(t testing.TB) *Cluster {
	t.Helper()
	c, err := start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Stop()
		_ = os.RemoveAll(c.dir)
	})
	return c
}

// Database makes a new and empty database and returns its URL.
func (c *Cluster) Database(t testing.TB) string {
	t.Helper()
	return c.database(t, "")
}

func (c *Cluster) database(t testing.TB, from string) string {
	t.Helper()
	name := fmt.Sprintf("t%d_%d", os.Getpid(), c.made.Add(1))
	if err := c.admin("CREATE DATABASE " + name + from); err != nil {
		t.Fatal(err)
	}
	// Nobody may be left on it: a forgotten connection is not this kit's to judge.
	t.Cleanup(func() { _ = c.admin("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)") })
	return c.url(name)
}

// Stop ends the server and keeps its data.
func (c *Cluster) Stop() {
	if c.program != nil {
		c.program.Rest()
		c.program = nil
	}
}

// Start serves the data again, at the same URLs.
func (c *Cluster) Start(t testing.TB) {
	t.Helper()
	if err := c.serve(); err != nil {
		t.Fatal(err)
	}
}

func (c *Cluster) url(database string) string {
	u := url.URL{Scheme: "postgres", User: url.User(superuser), Path: "/" + database,
		RawQuery: url.Values{"host": {c.dir}, "sslmode": {"disable"}}.Encode()}
	return u.String()
}

func (c *Cluster) admin(statement string) error {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, c.url("postgres"))
	if err != nil {
		return fmt.Errorf("reaching the test database: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, statement); err != nil {
		return fmt.Errorf("running %q: %w", statement, err)
	}
	return nil
}

const superuser = "gatehouse"

func start() (*Cluster, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	as, err := notRoot()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "gatehouse-pg-")
	if err != nil {
		return nil, fmt.Errorf("making a folder for the cluster: %w", err)
	}
	c := &Cluster{bin: bin, dir: dir, as: as}
	if err := c.init(); err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	if err := c.serve(); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *Cluster) init() error {
	if c.as != nil {
		if err := os.Chown(c.dir, int(c.as.Uid), int(c.as.Gid)); err != nil {
			return fmt.Errorf("giving the cluster's folder away: %w", err)
		}
	}
	cmd := exec.Command(filepath.Join(c.bin, "initdb"), "--pgdata", filepath.Join(c.dir, "data"),
		"--username", superuser, "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions")
	cmd.Dir = c.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.as}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("making a cluster: %w\n%s", err, out)
	}
	return nil
}

// settings trade every durability for speed: the data lives for one test run.
var settings = []string{"listen_addresses=", "fsync=off", "synchronous_commit=off", "full_page_writes=off",
	"wal_level=minimal", "max_wal_senders=0", "max_connections=300", "shared_buffers=64MB",
	"autovacuum=off", "log_min_messages=log", "logging_collector=off", "timezone=UTC"}

func (c *Cluster) serve() error {
	argv := []string{filepath.Join(c.bin, "postgres"), "-D", filepath.Join(c.dir, "data"), "-k", c.dir}
	for _, setting := range settings {
		argv = append(argv, "-c", setting)
	}
	program, err := leash.Start(leash.Options{
		Argv: argv, Dir: c.dir, Remove: true, Signal: "INT", Credential: c.as,
		Env:   append(os.Environ(), "LC_ALL=C"),
		Ready: func(line string) bool { return strings.Contains(line, "ready to accept connections") },
	})
	if err != nil {
		return fmt.Errorf("starting PostgreSQL: %w", err)
	}
	c.program = program
	return nil
}

// binaries finds the folder of initdb and postgres: beside the one in PATH, or
// the newest of those that Debian keeps out of PATH.
func binaries() (string, error) {
	if found, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(found), nil
	}
	folders, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	slices.SortFunc(folders, func(a, b string) int { return version(b) - version(a) })
	for _, folder := range folders {
		if _, ok := leash.Lookup("initdb", folder); ok {
			return folder, nil
		}
	}
	return "", fmt.Errorf("PostgreSQL is not installed: run scripts/test-deps")
}

func version(folder string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(folder)))
	return n
}

// notRoot names another user when this process is root, whom PostgreSQL refuses.
func notRoot() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err1 == nil && err2 == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, fmt.Errorf("PostgreSQL refuses to run as root and there is no user postgres or nobody to run it as")
}
