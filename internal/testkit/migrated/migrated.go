package migrated

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/store"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/postgres"
)

// SQLite returns the path of a new SQLite database, in a folder whose name has
// what URLs and shells trip over.
func SQLite(t testing.TB) string {
	t.Helper()
	laidOut, err := file()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "a folder %41?x", "test.db")
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, laidOut, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Postgres returns the URL of a new PostgreSQL database.
func Postgres(t testing.TB) string {
	t.Helper()
	return postgres.Copy(t, layOut)
}

// file is the content of a database that holds nothing yet.
var file = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "gatehouse-migrated-")
	if err != nil {
		return nil, fmt.Errorf("making a folder for the first database: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "first.db")
	if err := layOut(path); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// layOut runs the migrations. Closing leaves everything in the one file.
func layOut(url string) error {
	db, err := store.Open(context.Background(), url)
	if err != nil {
		return err
	}
	return db.Close()
}
