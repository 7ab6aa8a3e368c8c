package store

import (
	"context"
	"database/sql"
	"fmt"
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
	query, args := keyColumns+`WHERE organization_id = $1`, []any{o}
	and := func(clause string, values ...any) {
		marks := make([]any, len(values))
		for i, v := range values {
			args = append(args, v)
			marks[i] = fmt.Sprintf("$%d", len(args))
		}
		query += ` AND ` + fmt.Sprintf(clause, marks...)
	}
	if f.Kind != "" {
		and(`kind = %s`, string(f.Kind))
	}
	if f.Member != "" {
		and(`member_id = %s`, f.Member)
	}
	if f.CreatedBy != "" {
		and(`created_by = %s`, f.CreatedBy)
	}
	switch f.Status {
	case "":
	case apikey.Expired:
		and(`status <> 'archived' AND expires_at <= %s`, micros(now))
	case apikey.Archived:
		and(`status = 'archived'`)
	default:
		and(`status = %s AND (expires_at IS NULL OR expires_at > %s)`, string(f.Status), micros(now))
	}
	order := `DESC`
	switch {
	case f.After != "":
		and(`(created_at, id) < (SELECT created_at, id FROM api_key WHERE id = %s)`, f.After)
	case f.Before != "":
		and(`(created_at, id) > (SELECT created_at, id FROM api_key WHERE id = %s)`, f.Before)
		order = `ASC`
	}
	args = append(args, f.Limit+1)
	query += fmt.Sprintf(` ORDER BY created_at %s, id %s LIMIT $%d`, order, order, len(args))
	keys, err := queryAll(ctx, s.db.read, scanKey, query, args...)
	if err != nil {
		return nil, false, err
	}
	more := len(keys) > f.Limit
	keys = keys[:min(len(keys), f.Limit)]
	if f.Before != "" {
		slices.Reverse(keys)
	}
	return keys, more, nil
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
