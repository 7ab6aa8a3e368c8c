package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/cloudaccess"
	"github.com/gatehouse-dev/gatehouse/internal/id"
)

// CloudAccess is the cloudaccess.Store.
type CloudAccess struct{ db *DB }

// CloudAccess returns how members reach clouds themselves.
func (db *DB) CloudAccess() CloudAccess { return CloudAccess{db} }

var _ cloudaccess.Store = CloudAccess{}

// Accesses implements cloudaccess.Store.
func (s CloudAccess) Accesses(ctx context.Context, o id.Organization) ([]cloudaccess.Access, error) {
	return queryAll(ctx, s.db.read, func(row scanner) (a cloudaccess.Access, err error) {
		var settings string
		var created, updated int64
		if err := row.Scan(&a.Organization, &a.Cloud, &a.Group, &settings, &created, &updated); err != nil {
			return a, err
		}
		a.CreatedAt, a.UpdatedAt = fromMicros(created), fromMicros(updated)
		if err := json.Unmarshal([]byte(settings), &a.Settings); err != nil {
			return a, fmt.Errorf("reading the settings of %s: %w", a.Cloud, err)
		}
		return a, nil
	}, `SELECT organization_id, cloud, group_id, settings, created_at, updated_at FROM cloud_access WHERE organization_id = $1 ORDER BY cloud`, o)
}

// Set implements cloudaccess.Store.
func (s CloudAccess) Set(ctx context.Context, a cloudaccess.Access, e audit.Event) error {
	settings, err := json.Marshal(a.Settings)
	if err != nil {
		return err
	}
	return s.db.record(ctx, func(t tx) error {
		_, err := t.exec(`INSERT INTO cloud_access (organization_id, cloud, group_id, settings, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (organization_id, cloud) DO UPDATE SET group_id = excluded.group_id, settings = excluded.settings, updated_at = excluded.updated_at`,
			a.Organization, string(a.Cloud), string(a.Group), string(settings), micros(a.CreatedAt), micros(a.UpdatedAt))
		return err
	}, e)
}

// Remove implements cloudaccess.Store.
func (s CloudAccess) Remove(ctx context.Context, o id.Organization, c cloudaccess.Cloud, e audit.Event) error {
	return s.db.record(ctx, func(t tx) error {
		return t.must(`DELETE FROM cloud_access WHERE organization_id = $1 AND cloud = $2`, o, string(c))
	}, e)
}

// Record implements cloudaccess.Store.
func (s CloudAccess) Record(ctx context.Context, e audit.Event) error {
	return s.db.record(ctx, nil, e)
}
