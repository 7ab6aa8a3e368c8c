package store_test

import (
	"path/filepath"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/store"
	"github.com/gatehouse-dev/gatehouse/internal/store/storetest"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/postgres"
)

func TestSQLite(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t testing.TB) string { return filepath.Join(t.TempDir(), "a folder %41?x", "test.db") })
}

func TestPostgres(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t testing.TB) string { return postgres.New(t) })
}

func TestOpenRefusesWhatIsNoDatabase(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "mysql://x", "postgres://127.0.0.1:1/x?connect_timeout=1", t.TempDir()} {
		if db, err := store.Open(t.Context(), url); err == nil {
			_ = db.Close()
			t.Errorf("%q is opened", url)
		}
	}
}
