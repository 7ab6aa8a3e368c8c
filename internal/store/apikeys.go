package store

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/apikey"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/letter"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// APIKeys is the apikey.Store.
type APIKeys struct{ db *DB }

// APIKeys returns the keys.
func (db *DB) APIKeys() APIKeys { return APIKeys{db} }

var (
	_ apikey.Store           = APIKeys{}
	_ apikey.ServiceAccounts = ServiceAccounts{}
)

const (
	keyFields = `k.id, k.organization_id, k.kind, k.name, k.hint, k.member_id, k.service_account_id, k.workspace_id, k.scopes, k.created_by, k.status,
	k.created_at, k.expires_at, k.ended_at, k.replaced_by, k.used_at, k.used_address, k.refused_at, COALESCE(a.name, s.name, ''), COALESCE(a.email, ''), COALESCE(w.name, '')`
	keyJoins = ` FROM api_key k LEFT JOIN member m ON m.id = k.member_id LEFT JOIN account a ON a.id = m.account_id
	LEFT JOIN service_account s ON s.id = k.service_account_id LEFT JOIN workspace w ON w.id = k.workspace_id `
	keyColumns = `SELECT ` + keyFields + keyJoins
)

// keyRow is where a row of keyFields is scanned into.
type keyRow struct {
	k                             apikey.Key
	scopes                        string
	created                       int64
	expires, ended, used, refused sql.NullInt64
}

func (r *keyRow) dest(more ...any) []any {
	k := &r.k
	return append([]any{&k.ID, &k.Organization, &k.Kind, &k.Name, &k.Hint, &k.Member, &k.ServiceAccount, &k.Workspace, &r.scopes, &k.CreatedBy, &k.Status,
		&r.created, &r.expires, &r.ended, &k.ReplacedBy, &r.used, &k.UsedAddress, &r.refused, &k.Owner, &k.OwnerEmail, &k.WorkspaceName}, more...)
}

func (r *keyRow) read() apikey.Key {
	r.k.CreatedAt, r.k.ExpiresAt, r.k.EndedAt = fromMicros(r.created), fromMaybe(r.expires), fromMaybe(r.ended)
	r.k.UsedAt, r.k.RefusedAt, r.k.Scopes = fromMaybe(r.used), fromMaybe(r.refused), caller.ParseRights(r.scopes)
	return r.k
}

func scanKey(s scanner) (apikey.Key, error) {
	var r keyRow
	err := s.Scan(r.dest()...)
	return r.read(), err
}

// soughtIn is what a key is searched in.
func soughtIn(k apikey.Key) string { return strings.ToLower(k.Name + " " + k.Hint) }

func insertKey(t tx, k apikey.Key, hash secret.Hash) error {
	_, err := t.exec(`INSERT INTO api_key (id, organization_id, kind, name, hash, hint, member_id, service_account_id, workspace_id, scopes, created_by, status, created_at, expires_at, sought)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`, k.ID, k.Organization, string(k.Kind), k.Name, hash[:], k.Hint, k.Member, k.ServiceAccount, k.Workspace,
		k.Scopes.String(), k.CreatedBy, string(k.Status), micros(k.CreatedAt), maybeMicros(k.ExpiresAt), soughtIn(k))
	return err
}

func (s APIKeys) Insert(ctx context.Context, k apikey.Key, hash secret.Hash, e audit.Event) error {
	return s.db.record(ctx, func(t tx) error { return insertKey(t, k, hash) }, e)
}

func (s APIKeys) Key(ctx context.Context, o id.Organization, k id.APIKey) (apikey.Key, bool, error) {
	return first(queryAll(ctx, s.db.read, scanKey, keyColumns+`WHERE k.organization_id = $1 AND k.id = $2`, o, k))
}

func (s APIKeys) ByHash(ctx context.Context, hash secret.Hash) (apikey.Key, bool, error) {
	return first(queryAll(ctx, s.db.read, scanKey, keyColumns+`WHERE k.hash = $1`, hash[:]))
}

// choose adds the filter's conditions.
func (q *query) choose(d dialect, f apikey.Filter, now time.Time) {
	equal := func(column, value string) {
		if value != "" {
			q.and(column+` = %s`, value)
		}
	}
	equal(`k.kind`, string(f.Kind))
	equal(`k.member_id`, string(f.Member))
	equal(`k.service_account_id`, string(f.ServiceAccount))
	equal(`k.created_by`, f.CreatedBy)
	if f.NotAdmin {
		q.add(` AND k.kind <> 'admin'`)
	}
	if f.Workspace != nil {
		q.and(`k.workspace_id = %s`, *f.Workspace)
	}
	if f.Search != "" {
		q.and(d.find()+`(k.sought, %s) > 0`, strings.ToLower(f.Search))
	}
	switch f.Status {
	case "":
	case apikey.Expired:
		q.and(`k.status <> 'archived' AND k.expires_at <= %s`, micros(now))
	case apikey.Archived:
		q.add(` AND k.status = 'archived'`)
	default:
		q.and(`k.status = %s AND (k.expires_at IS NULL OR k.expires_at > %s)`, string(f.Status), micros(now))
	}
}

func (s APIKeys) List(ctx context.Context, o id.Organization, f apikey.Filter, now time.Time) ([]apikey.Key, bool, error) {
	// The page is chosen in the index alone, and only what is on it is looked at.
	q := selects(keyColumns+`WHERE k.id IN (SELECT k.id FROM api_key k WHERE k.organization_id = $1`, o)
	q.choose(s.db.dialect, f, now)
	c := cursor{table: "api_key", alias: "k.", after: string(f.After), before: string(f.Before), limit: f.Limit}
	q.page(c)
	order := `DESC`
	if f.Before != "" {
		order = `ASC`
	}
	q.add(`) ORDER BY k.created_at ` + order + `, k.id ` + order)
	found, err := queryAll(ctx, s.db.read, scanKey, q.text.String(), q.args...)
	keys, more := turn(c, found)
	return keys, more, err
}

func (s APIKeys) Count(ctx context.Context, o id.Organization, f apikey.Filter, now time.Time) (n int, err error) {
	q := selects(`SELECT COUNT(*) FROM api_key k WHERE k.organization_id = $1`, o)
	q.choose(s.db.dialect, f, now)
	_, err = s.db.queryRow(ctx, []any{&n}, q.text.String(), q.args...)
	return n, err
}

func updateKey(t tx, was, is apikey.Key) error {
	n, err := t.exec(`UPDATE api_key SET name = $1, status = $2, expires_at = $3, replaced_by = $4, ended_at = $5, refused_at = $6, sought = $12
		WHERE organization_id = $7 AND id = $8 AND status = $9 AND name = $10 AND replaced_by = $11`,
		is.Name, string(is.Status), maybeMicros(is.ExpiresAt), is.ReplacedBy, maybeMicros(is.EndedAt), maybeMicros(is.RefusedAt),
		is.Organization, is.ID, string(was.Status), was.Name, was.ReplacedBy, soughtIn(is))
	if err == nil && n == 0 {
		err = apikey.Changed()
	}
	return err
}

func (s APIKeys) Update(ctx context.Context, was, is apikey.Key, e audit.Event) error {
	return s.db.record(ctx, func(t tx) error { return updateKey(t, was, is) }, e)
}

func (s APIKeys) Rotate(ctx context.Context, was, is, next apikey.Key, hash secret.Hash, e audit.Event) error {
	return s.db.record(ctx, func(t tx) error {
		if err := updateKey(t, was, is); err != nil {
			return err
		}
		return insertKey(t, next, hash)
	}, e)
}

func (s APIKeys) Touch(ctx context.Context, used map[id.APIKey]apikey.Use) error {
	if len(used) == 0 {
		return nil
	}
	return s.db.upkeep(ctx, func(t tx) error {
		for _, k := range slices.Sorted(maps.Keys(used)) { // in one order everywhere, so that nodes cannot deadlock
			if _, err := t.exec(`UPDATE api_key SET used_at = $1, used_address = $3 WHERE id = $2 AND (used_at IS NULL OR used_at < $1)`,
				micros(used[k].At), k, used[k].Address); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s APIKeys) Refuse(ctx context.Context, refused map[id.APIKey]time.Time) error {
	if len(refused) == 0 {
		return nil
	}
	return s.db.upkeep(ctx, func(t tx) error {
		for _, k := range slices.Sorted(maps.Keys(refused)) {
			if _, err := t.exec(`UPDATE api_key SET refused_at = $1 WHERE id = $2 AND (refused_at IS NULL OR refused_at < used_at)`, micros(refused[k]), k); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s APIKeys) Proof(ctx context.Context, o id.Organization, m id.Member, until time.Time) (p apikey.Proof, err error) {
	var accepted, refused sql.NullInt64
	from := int64(0)
	if !until.IsZero() {
		from = micros(until)
	}
	_, err = s.db.queryRow(ctx, []any{&p.Keys, &accepted, &refused}, `SELECT COUNT(*), MAX(used_at), MIN(CASE WHEN refused_at >= COALESCE(used_at, 0) AND refused_at >= $3 THEN refused_at END)
		FROM api_key WHERE member_id = $2 AND organization_id = $1 AND (status = 'active' OR (ended_at >= $3 AND $3 > 0)) AND (expires_at IS NULL OR expires_at > $3)`, o, m, from)
	p.LastAccepted, p.FirstRefused = fromMaybe(accepted), fromMaybe(refused)
	return p, err
}

const (
	week   = int64(7 * 24 * time.Hour / time.Microsecond)
	oneDay = week / 7
)

func (s APIKeys) Expiring(ctx context.Context, now time.Time, limit int) ([]apikey.Expiring, error) {
	// A key of a service account, or an admin key, is its maker's to care for.
	// Told since the reminder was due: seven days before, or one.
	return queryAll(ctx, s.db.read, scanExpiring, `SELECT `+keyFields+`, o.name, ta.email, ta.name`+keyJoins+`
		JOIN organization o ON o.id = k.organization_id AND o.deleted_at IS NULL
		JOIN member tm ON tm.id = CASE WHEN k.member_id <> '' THEN k.member_id ELSE k.created_by END AND tm.status = 'active' AND tm.joined_at <= k.created_at
		JOIN account ta ON ta.id = tm.account_id
		WHERE k.status = 'active' AND k.replaced_by = '' AND k.expires_at > $1 AND k.expires_at <= $1 + $2
		AND ((k.expires_at - k.created_at >= 2 * $2 AND (k.notified_at IS NULL OR k.notified_at < k.expires_at - $2))
			OR (k.expires_at - k.created_at >= $2 AND k.expires_at <= $1 + $3 AND (k.notified_at IS NULL OR k.notified_at < k.expires_at - $3)))
		ORDER BY k.expires_at, k.id LIMIT $4`, micros(now), week, oneDay, limit)
}

func scanExpiring(s scanner) (x apikey.Expiring, err error) {
	var r keyRow
	err = s.Scan(r.dest(&x.Organization, &x.Email, &x.Name)...)
	x.Key = r.read()
	return x, err
}

func (s APIKeys) Told(ctx context.Context, k id.APIKey, since, at time.Time, l letter.Letter) (bool, error) {
	told := false
	err := s.db.upkeep(ctx, func(t tx) error {
		n, err := t.exec(`UPDATE api_key SET notified_at = $1 WHERE id = $2 AND (notified_at IS NULL OR notified_at < $3)`, micros(at), k, micros(since))
		if err != nil || n == 0 {
			return err
		}
		told = true
		return s.db.queueLetters(t, l)
	})
	return told && err == nil, err
}
