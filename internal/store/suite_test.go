package store_test

import (
	"github.com/gatehouse-dev/gatehouse/internal/testkit/migrated"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/store"
	"github.com/gatehouse-dev/gatehouse/internal/store/storetest"
)

func TestSQLite(t *testing.T) {
	t.Parallel()
	storetest.Run(t, migrated.SQLite)
}

func TestPostgres(t *testing.T) {
	t.Parallel()
	storetest.Run(t, migrated.Postgres)
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
