package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/serviceaccount"
)

// ServiceAccounts is the serviceaccount.Store.
type ServiceAccounts struct{ db *DB }

// ServiceAccounts returns the service accounts.
func (db *DB) ServiceAccounts() ServiceAccounts { return ServiceAccounts{db} }

var _ serviceaccount.Store = ServiceAccounts{}

var serviceAccountColumns = fmt.Sprintf(`SELECT s.id, s.organization_id, s.name, s.description, s.version, s.created_at, s.created_by, s.updated_at, s.updated_by, s.archived_at, s.archived_by,
	(SELECT COUNT(*) FROM (SELECT 1 FROM api_key k WHERE k.service_account_id = s.id AND k.status = 'active' LIMIT %[1]d) AS keys),
	(SELECT COUNT(*) FROM (SELECT 1 FROM workspace_member x WHERE x.principal_id = s.id LIMIT %[1]d) AS places) FROM service_account s `, countedMost)

func scanServiceAccount(s scanner) (a serviceaccount.Account, err error) {
	var created, updated int64
	var archived sql.NullInt64
	err = s.Scan(&a.ID, &a.Organization, &a.Name, &a.Description, &a.Version, &created, &a.CreatedBy, &updated, &a.UpdatedBy, &archived, &a.ArchivedBy, &a.Keys, &a.Workspaces)
	a.CreatedAt, a.ArchivedAt = fromMicros(created), fromMaybe(archived)
	if updated != 0 {
		a.UpdatedAt = fromMicros(updated)
	}
	return a, err
}

func (s ServiceAccounts) Add(ctx context.Context, a serviceaccount.Account, e audit.Event) error {
	err := s.db.record(ctx, func(t tx) error {
		_, err := t.exec(`INSERT INTO service_account (id, organization_id, name, description, version, created_by, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			a.ID, a.Organization, a.Name, a.Description, a.Version, a.CreatedBy, micros(a.CreatedAt))
		return err
	}, e)
	return s.orTaken(err, a.Name)
}

func (s ServiceAccounts) orTaken(err error, name string) error {
	if s.db.dialect.isDuplicate(err) {
		return fault.Wrap(fault.Conflict, err, "there is a service account with the name "+name+" already").At("name")
	}
	return err
}

func (s ServiceAccounts) ServiceAccount(ctx context.Context, o id.Organization, a id.ServiceAccount) (serviceaccount.Account, bool, error) {
	return first(queryAll(ctx, s.db.read, scanServiceAccount, serviceAccountColumns+`WHERE s.organization_id = $1 AND s.id = $2`, o, a))
}

func (s ServiceAccounts) List(ctx context.Context, o id.Organization, f serviceaccount.Filter) ([]serviceaccount.Account, bool, error) {
	q := selects(serviceAccountColumns+`WHERE s.organization_id = $1`, o)
	if !f.Archived {
		q.add(` AND s.archived_at IS NULL`)
	}
	if f.Search != "" {
		pattern := containing(f.Search)
		q.and(`(LOWER(s.name) LIKE %s ESCAPE '\' OR LOWER(s.description) LIKE %s ESCAPE '\')`, pattern, pattern)
	}
	c := cursor{table: "service_account", alias: "s.", after: string(f.After), before: string(f.Before), limit: f.Limit}
	q.page(c)
	found, err := queryAll(ctx, s.db.read, scanServiceAccount, q.text.String(), q.args...)
	page, more := turn(c, found)
	return page, more, err
}

func (s ServiceAccounts) Update(ctx context.Context, was, is serviceaccount.Account, e audit.Event) error {
	updated := int64(0)
	if !is.UpdatedAt.IsZero() {
		updated = micros(is.UpdatedAt)
	}
	err := s.db.record(ctx, func(t tx) error {
		n, err := t.exec(`UPDATE service_account SET name = $1, description = $2, version = $3, updated_at = $4, updated_by = $5, archived_at = $6, archived_by = $7
			WHERE organization_id = $8 AND id = $9 AND version = $10 AND archived_at IS NULL`, is.Name, is.Description, is.Version, updated, is.UpdatedBy,
			maybeMicros(is.ArchivedAt), is.ArchivedBy, is.Organization, is.ID, was.Version)
		if err == nil && n == 0 {
			err = serviceaccount.Changed(was.Name)
		}
		return err
	}, e)
	return s.orTaken(err, is.Name)
}

// Serving makes ServiceAccounts what package apikey asks.
func (s ServiceAccounts) Serving(ctx context.Context, o id.Organization, a id.ServiceAccount) (name, organization string, ok bool, err error) {
	ok, err = s.db.queryRow(ctx, []any{&name, &organization}, `SELECT s.name, o.name FROM service_account s
		JOIN organization o ON o.id = s.organization_id AND o.deleted_at IS NULL WHERE s.organization_id = $1 AND s.id = $2 AND s.archived_at IS NULL`, o, a)
	return name, organization, ok, err
}
