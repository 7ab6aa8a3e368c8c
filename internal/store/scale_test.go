package store_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/apikey"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/store"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/postgres"
)

// BenchmarkFiftyThousandKeys lists and searches among as many keys as a large
// organization has, and reports the slowest twentieth.
func BenchmarkFiftyThousandKeys(b *testing.B) {
	for kind, url := range map[string]string{"sqlite": filepath.Join(b.TempDir(), "x.db"), "postgres": postgres.New(b)} {
		db, err := store.Open(b.Context(), url)
		if err != nil {
			b.Fatal(err)
		}
		defer db.Close()
		driver := map[string]string{"sqlite": "sqlite", "postgres": "pgx"}[kind]
		raw, err := sql.Open(driver, url)
		if err != nil {
			b.Fatal(err)
		}
		defer raw.Close()
		for _, fill := range []string{
			`INSERT INTO organization (id, name, settings, created_at) VALUES ('o', 'o', '{}', 0)`,
			`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) INSERT INTO account (id, email, name, created_at) SELECT 'a' || i, i || '@x', 'Person ' || i, i FROM n`,
			`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) INSERT INTO member (id, organization_id, account_id, role, status, created_at) SELECT 'm' || i, 'o', 'a' || i, 'developer', 'active', i FROM n`,
			`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000) INSERT INTO api_key (id, organization_id, kind, name, hash, hint, member_id, created_by, status, created_at, sought)
				SELECT 'apikey_' || i, 'o', 'api', 'nightly tests on build ' || i, CAST('h' || i AS ` + map[string]string{"sqlite": "BLOB", "postgres": "BYTEA"}[kind] + `), 'sk-gate-api01-' || i, 'm' || (i % 10000 + 1), 'x', 'active', i, 'nightly tests on build ' || i || ' sk-gate-api01-' || i FROM n`,
			`ANALYZE`,
		} {
			if _, err := raw.ExecContext(b.Context(), fill); err != nil {
				b.Fatal(err)
			}
		}
		for name, f := range map[string]apikey.Filter{"first page": {}, "member": {Member: "m77"}, "common text": {Search: "nightly"}, "rare text": {Search: "build 31415"}, "no text": {Search: "zebra"},
			"expired": {Status: apikey.Expired}, "deep page": {After: "apikey_100"}} {
			f.Limit = 50
			b.Run(fmt.Sprintf("%s/%s", kind, name), func(b *testing.B) {
				var took []time.Duration
				for b.Loop() {
					begun := time.Now()
					if _, _, err := db.APIKeys().List(b.Context(), id.Organization("o"), f, time.Now()); err != nil {
						b.Fatal(err)
					}
					took = append(took, time.Since(begun))
				}
				slices.Sort(took)
				b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
			})
		}
	}
}
