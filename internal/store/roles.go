package store

import (
	"context"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
)

const roleColumns = `SELECT r.id, r.organization_id, r.name, r.description, r.permissions, r.version, r.created_at,
	(SELECT COUNT(*) FROM group_role g WHERE g.role_id = r.id) FROM role r `

func scanRole(s scanner) (r org.Role, err error) {
	var permissions string
	var created int64
	err = s.Scan(&r.ID, &r.Organization, &r.Name, &r.Description, &permissions, &r.Version, &created, &r.Groups)
	r.Rights, r.CreatedAt = caller.ParseRights(permissions), fromMicros(created)
	return r, err
}

func (s Orgs) Roles(ctx context.Context, o id.Organization) ([]org.Role, error) {
	return queryAll(ctx, s.db.read, scanRole, roleColumns+`WHERE r.organization_id = $1 ORDER BY r.name, r.id`, o)
}

func (s Orgs) Role(ctx context.Context, o id.Organization, r id.Role) (org.Role, bool, error) {
	return first(queryAll(ctx, s.db.read, scanRole, roleColumns+`WHERE r.organization_id = $1 AND r.id = $2`, o, r))
}

// named turns a taken name into what the person who chose it is told.
func (db *DB) named(err error, thing string) error {
	if err != nil && db.dialect.isDuplicate(err) {
		return fault.New(fault.Conflict, "there is a %s of this name already", thing).At("name")
	}
	return err
}

// atMost fails if an organization has so many rows of a table already.
func atMost(t tx, table string, o id.Organization, most int) error {
	var n int
	if err := t.row([]any{&n}, `SELECT COUNT(*) FROM `+table+` WHERE organization_id = $1`, o); err != nil {
		return err
	}
	if n >= most {
		return fault.New(fault.Conflict, "there are %d already, and there can be no more", n)
	}
	return nil
}

func (s Orgs) AddRole(ctx context.Context, r org.Role, most int, e audit.Event) error {
	return s.db.named(s.db.record(ctx, func(t tx) error {
		if err := atMost(t, "role", r.Organization, most); err != nil {
			return err
		}
		_, err := t.exec(`INSERT INTO role (id, organization_id, name, description, permissions, version, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			r.ID, r.Organization, r.Name, r.Description, r.Rights.String(), r.Version, micros(r.CreatedAt))
		return err
	}, e), "role")
}

func (s Orgs) SaveRole(ctx context.Context, r org.Role, e audit.Event) (org.Role, error) {
	err := s.db.named(s.db.record(ctx, func(t tx) error {
		return changed(t.exec(`UPDATE role SET name = $1, description = $2, permissions = $3, version = version + 1
			WHERE organization_id = $4 AND id = $5 AND ($6 = 0 OR version = $6)`, r.Name, r.Description, r.Rights.String(), r.Organization, r.ID, r.Version))
	}, e), "role")
	r.Version++
	return r, err
}

func (s Orgs) DeleteRole(ctx context.Context, o id.Organization, r id.Role, e audit.Event) error {
	return s.db.record(ctx, func(t tx) error {
		return t.must(`DELETE FROM role WHERE organization_id = $1 AND id = $2`, o, r)
	}, e)
}

func (s Orgs) GroupsWith(ctx context.Context, o id.Organization, r id.Role) ([]string, error) {
	return queryAll(ctx, s.db.read, func(row scanner) (g string, err error) {
		err = row.Scan(&g)
		return g, err
	}, `SELECT x.group_id FROM group_role x JOIN member_group g ON g.id = x.group_id WHERE g.organization_id = $1 AND x.role_id = $2`, o, r)
}
