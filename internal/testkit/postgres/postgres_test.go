package postgres_test

import (
	"strings"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/testkit/postgres"
	"github.com/jackc/pgx/v5"
)

func TestEveryDatabaseIsItsOwn(t *testing.T) {
	t.Parallel()
	first, second := connect(t, postgres.New(t)), connect(t, postgres.New(t))
	if _, err := first.Exec(t.Context(), "CREATE TABLE only_here (n BIGINT)"); err != nil {
		t.Fatal(err)
	}
	_, err := second.Exec(t.Context(), "SELECT n FROM only_here")
	if err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Fatalf("the second database sees the first one's table: %v", err)
	}
}

func TestAClusterCanGoAndComeBackWithItsData(t *testing.T) {
	t.Parallel()
	cluster := postgres.Own(t)
	url := cluster.Database(t)
	if _, err := connect(t, url).Exec(t.Context(), "CREATE TABLE kept (n BIGINT)"); err != nil {
		t.Fatal(err)
	}
	cluster.Stop()
	if _, err := pgx.Connect(t.Context(), url); err == nil {
		t.Fatal("a stopped cluster answers")
	}
	cluster.Start(t)
	if _, err := connect(t, url).Exec(t.Context(), "SELECT n FROM kept"); err != nil {
		t.Fatal(err)
	}
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	return conn
}
