package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
)

// Orgs is the org.Store.
type Orgs struct{ db *DB }

// Orgs returns the organizations and members.
func (db *DB) Orgs() Orgs { return Orgs{db} }

var _ org.Store = Orgs{}

const organizationColumns = `SELECT id, name, plan, seats, settings, version, created_at, deleted_at FROM organization `

func scanOrganization(s scanner) (o org.Organization, err error) {
	var settings string
	var created int64
	var deleted sql.NullInt64
	if err := s.Scan(&o.ID, &o.Name, &o.Plan, &o.Seats, &settings, &o.Version, &created, &deleted); err != nil {
		return o, err
	}
	o.CreatedAt, o.DeletedAt = fromMicros(created), fromMaybe(deleted)
	return o, json.Unmarshal([]byte(settings), &o.Settings)
}

func (s Orgs) Organization(ctx context.Context, org_ id.Organization) (org.Organization, bool, error) {
	return first(queryAll(ctx, s.db.read, scanOrganization, organizationColumns+`WHERE id = $1 AND deleted_at IS NULL`, org_))
}

func (s Orgs) Organizations(ctx context.Context) ([]org.Organization, error) {
	return queryAll(ctx, s.db.read, scanOrganization, organizationColumns+`WHERE deleted_at IS NULL ORDER BY created_at, id`)
}

func (s Orgs) AddOrganization(ctx context.Context, o org.Organization, m org.Member, most int, events ...audit.Event) error {
	return s.db.record(ctx, func(t tx) error {
		// The account's row is the lock: two at once must not both be the last one.
		if err := t.must(`UPDATE account SET name = name WHERE id = $1`, m.Account); err != nil {
			return err
		}
		var owned int
		if err := t.row([]any{&owned}, `SELECT COUNT(*) FROM member m JOIN organization o ON o.id = m.organization_id AND o.deleted_at IS NULL
			WHERE m.account_id = $1 AND m.role = 'primary_owner' AND m.status = 'active'`, m.Account); err != nil {
			return err
		}
		if owned >= most {
			return fault.New(fault.Conflict, "you are the primary owner of %d organizations, and nobody is of more", owned)
		}
		if err := insertOrganization(t, o); err != nil {
			return err
		}
		return insertMember(t, m)
	}, events...)
}

func insertOrganization(t tx, o org.Organization) error {
	settings, err := json.Marshal(o.Settings)
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO organization (id, name, plan, seats, settings, version, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		o.ID, o.Name, string(o.Plan), o.Seats, string(settings), o.Version, micros(o.CreatedAt))
	return err
}

// changed says that somebody else changed a thing first, if nothing was updated.
func changed(n int64, err error) error {
	if err == nil && n == 0 {
		err = fault.New(fault.Conflict, "somebody else has changed this in the meantime, and nothing of yours was saved").
			WithHint("look at it again and repeat your change")
	}
	return err
}

func (s Orgs) SaveOrganization(ctx context.Context, o org.Organization, e audit.Event) (org.Organization, error) {
	settings, err := json.Marshal(o.Settings)
	if err != nil {
		return org.Organization{}, err
	}
	err = s.db.record(ctx, func(t tx) error {
		return changed(t.exec(`UPDATE organization SET name = $1, plan = $2, seats = $3, settings = $4, version = version + 1
			WHERE id = $5 AND deleted_at IS NULL AND version = $6`, o.Name, string(o.Plan), o.Seats, string(settings), o.ID, o.Version))
	}, e)
	o.Version++
	return o, err
}

func (s Orgs) DeleteOrganization(ctx context.Context, o id.Organization, at time.Time, e audit.Event) error {
	return s.db.record(ctx, func(t tx) error {
		return t.must(`UPDATE organization SET deleted_at = $1, version = version + 1 WHERE id = $2 AND deleted_at IS NULL`, micros(at), o)
	}, e)
}

func (s Orgs) Taken(ctx context.Context, o id.Organization) (org.Taken, error) {
	var taken org.Taken
	_, err := s.db.queryRow(ctx, []any{&taken.Members, &taken.Invited}, `SELECT
		(SELECT COUNT(*) FROM member WHERE organization_id = $1 AND status <> 'removed'),
		(SELECT COUNT(*) FROM invite WHERE organization_id = $1 AND status = 'pending')`, o)
	return taken, err
}
