package store

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/apikey"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// APIKeys is the apikey.Store.
type APIKeys struct{ db *DB }

// APIKeys returns the keys.
func (db *DB) APIKeys() APIKeys { return APIKeys{db} }

var _ apikey.Store = APIKeys{}

const keyColumns = `SELECT id, organization_id, kind, name, hint, member_id, created_by, status, created_at, expires_at, used_at FROM api_key `

func scanKey(s scanner) (k apikey.Key, err error) {
	var created int64
	var expires, used sql.NullInt64
	err = s.Scan(&k.ID, &k.Organization, &k.Kind, &k.Name, &k.Hint, &k.Member, &k.CreatedBy, &k.Status, &created, &expires, &used)
	k.CreatedAt, k.ExpiresAt, k.UsedAt = fromMicros(created), fromMaybe(expires), fromMaybe(used)
	return k, err
}

func (s APIKeys) Insert(ctx context.Context, k apikey.Key, hash secret.Hash, e audit.Event) error {
	return s.db.record(ctx, func(t tx) error {
		_, err := t.exec(`INSERT INTO api_key (id, organization_id, kind, name, hash, hint, member_id, created_by, status, created_at, expires_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`, k.ID, k.Organization, string(k.Kind), k.Name, hash[:], k.Hint, k.Member, k.CreatedBy,
			string(k.Status), micros(k.CreatedAt), maybeMicros(k.ExpiresAt))
		return err
	}, e)
}

func (s APIKeys) Key(ctx context.Context, o id.Organization, k id.APIKey) (apikey.Key, bool, error) {
	return first(queryAll(ctx, s.db.read, scanKey, keyColumns+`WHERE organization_id = $1 AND id = $2`, o, k))
}

func (s APIKeys) ByHash(ctx context.Context, hash secret.Hash) (apikey.Key, bool, error) {
	return first(queryAll(ctx, s.db.read, scanKey, keyColumns+`WHERE hash = $1`, hash[:]))
}

func (s APIKeys) List(ctx context.Context, o id.Organization, f apikey.Filter, now time.Time) ([]apikey.Key, bool, error) {
	q := selects(keyColumns+`WHERE organization_id = $1`, o)
	if f.Kind != "" {
		q.and(`kind = %s`, string(f.Kind))
	}
	if f.Member != "" {
		q.and(`member_id = %s`, f.Member)
	}
	if f.CreatedBy != "" {
		q.and(`created_by = %s`, f.CreatedBy)
	}
	switch f.Status {
	case "":
	case apikey.Expired:
		q.and(`status <> 'archived' AND expires_at <= %s`, micros(now))
	case apikey.Archived:
		q.and(`status = 'archived'`)
	default:
		q.and(`status = %s AND (expires_at IS NULL OR expires_at > %s)`, string(f.Status), micros(now))
	}
	c := cursor{table: "api_key", after: string(f.After), before: string(f.Before), limit: f.Limit}
	q.page(c)
	found, err := queryAll(ctx, s.db.read, scanKey, q.text.String(), q.args...)
	keys, more := turn(c, found)
	return keys, more, err
}

func (s APIKeys) Update(ctx context.Context, was, is apikey.Key, e audit.Event) error {
	return s.db.record(ctx, func(t tx) error {
		n, err := t.exec(`UPDATE api_key SET name = $1, status = $2 WHERE organization_id = $3 AND id = $4 AND status = $5`,
			is.Name, string(is.Status), is.Organization, is.ID, string(was.Status))
		if err == nil && n == 0 {
			err = fault.New(fault.Conflict, "somebody else has just changed this key").WithHint("look at it again")
		}
		return err
	}, e)
}

func (s APIKeys) Touch(ctx context.Context, used map[id.APIKey]time.Time) error {
	if len(used) == 0 {
		return nil
	}
	return s.db.upkeep(ctx, func(t tx) error {
		for _, k := range slices.Sorted(maps.Keys(used)) {
			if _, err := t.exec(`UPDATE api_key SET used_at = $1 WHERE id = $2 AND (used_at IS NULL OR used_at < $1)`, micros(used[k]), k); err != nil {
				return err
			}
		}
		return nil
	})
}
