package store

import (
	"context"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
)

const groupColumns = `SELECT g.id, g.organization_id, g.name, g.description, g.models, g.version, g.created_at, g.updated_at,
	(SELECT COUNT(*) FROM group_member m WHERE m.group_id = g.id),
	COALESCE((SELECT string_agg(x.role_id, ' ') FROM group_role x WHERE x.group_id = g.id), ''),
	COALESCE((SELECT string_agg(r.permissions, ' ') FROM group_role x JOIN role r ON r.id = x.role_id WHERE x.group_id = g.id), '')
	FROM member_group g `

func scanGroup(s scanner) (g org.Group, err error) {
	var models, roles, permissions string
	var created, updated int64
	err = s.Scan(&g.ID, &g.Organization, &g.Name, &g.Description, &models, &g.Version, &created, &updated, &g.Members, &roles, &permissions)
	for r := range strings.FieldsSeq(roles) {
		g.Roles = append(g.Roles, id.Role(r))
	}
	if models != "" {
		g.Models = strings.Fields(models)
	}
	g.Rights, g.CreatedAt, g.UpdatedAt = caller.ParseRights(permissions), fromMicros(created), fromMicros(updated)
	return g, err
}

func (s Orgs) Groups(ctx context.Context, o id.Organization) ([]org.Group, error) {
	return queryAll(ctx, s.db.read, scanGroup, groupColumns+`WHERE g.organization_id = $1 ORDER BY g.created_at DESC, g.id DESC`, o)
}

func (s Orgs) Group(ctx context.Context, o id.Organization, g id.Group) (org.Group, bool, error) {
	return first(queryAll(ctx, s.db.read, scanGroup, groupColumns+`WHERE g.organization_id = $1 AND g.id = $2`, o, g))
}

func (s Orgs) AddGroup(ctx context.Context, g org.Group, most int, e audit.Event) error {
	return s.db.named(s.db.record(ctx, func(t tx) error {
		if err := atMost(t, "member_group", g.Organization, most); err != nil {
			return err
		}
		if _, err := t.exec(`INSERT INTO member_group (id, organization_id, name, description, models, version, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			g.ID, g.Organization, g.Name, g.Description, strings.Join(g.Models, " "), g.Version, micros(g.CreatedAt), micros(g.UpdatedAt)); err != nil {
			return err
		}
		return insertGroupRoles(t, g)
	}, e), "group")
}

func insertGroupRoles(t tx, g org.Group) error {
	for _, r := range g.Roles {
		if _, err := t.exec(`INSERT INTO group_role (group_id, role_id) VALUES ($1, $2)`, g.ID, r); err != nil {
			return err
		}
	}
	return nil
}

func (s Orgs) SaveGroup(ctx context.Context, g org.Group, e audit.Event) (org.Group, error) {
	err := s.db.named(s.db.record(ctx, func(t tx) error {
		if err := changed(t.exec(`UPDATE member_group SET name = $1, description = $2, models = $3, updated_at = $4, version = version + 1
			WHERE organization_id = $5 AND id = $6 AND ($7 = 0 OR version = $7)`,
			g.Name, g.Description, strings.Join(g.Models, " "), micros(g.UpdatedAt), g.Organization, g.ID, g.Version)); err != nil {
			return err
		}
		if _, err := t.exec(`DELETE FROM group_role WHERE group_id = $1`, g.ID); err != nil {
			return err
		}
		return insertGroupRoles(t, g)
	}, e), "group")
	g.Version++
	return g, err
}

func (s Orgs) DeleteGroup(ctx context.Context, o id.Organization, g id.Group, e audit.Event) error {
	return s.db.record(ctx, func(t tx) error {
		return t.must(`DELETE FROM member_group WHERE organization_id = $1 AND id = $2`, o, g)
	}, e)
}

const groupMemberColumns = `SELECT x.group_id, x.member_id, a.email, x.created_at FROM group_member x
	JOIN member m ON m.id = x.member_id JOIN account a ON a.id = m.account_id WHERE x.organization_id = $1 AND x.group_id = $2`

func scanGroupMember(s scanner) (m org.GroupMember, err error) {
	var since int64
	err = s.Scan(&m.Group, &m.Member, &m.Email, &since)
	m.Since = fromMicros(since)
	return m, err
}

func (s Orgs) GroupMembers(ctx context.Context, o id.Organization, f org.GroupMemberFilter) ([]org.GroupMember, bool, error) {
	q := selects(groupMemberColumns, o, f.Group)
	if f.After != "" {
		q.and(`(x.created_at, x.member_id) < (SELECT created_at, member_id FROM group_member WHERE group_id = %s AND member_id = %s)`, f.Group, f.After)
	}
	q.add(` ORDER BY x.created_at DESC, x.member_id DESC LIMIT ` + q.mark(f.Limit+1))
	found, err := queryAll(ctx, s.db.read, scanGroupMember, q.text.String(), q.args...)
	page, more := turn(cursor{limit: f.Limit}, found)
	return page, more, err
}

func (s Orgs) GroupMember(ctx context.Context, o id.Organization, g id.Group, m id.Member) (org.GroupMember, bool, error) {
	return first(queryAll(ctx, s.db.read, scanGroupMember, groupMemberColumns+` AND x.member_id = $3`, o, g, m))
}

func (s Orgs) AddToGroup(ctx context.Context, o id.Organization, g id.Group, m id.Member, by org.Source, at time.Time, e audit.Event) error {
	return s.db.record(ctx, func(t tx) error { return insertGroupMember(t, o, g, m, by, at) }, e)
}

func insertGroupMember(t tx, o id.Organization, g id.Group, m id.Member, by org.Source, at time.Time) error {
	_, err := t.exec(`INSERT INTO group_member (organization_id, group_id, member_id, source, created_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (group_id, member_id) DO NOTHING`, o, g, m, string(by), micros(at))
	return err
}

func (s Orgs) RemoveFromGroup(ctx context.Context, o id.Organization, g id.Group, m id.Member, e audit.Event) error {
	return s.db.record(ctx, func(t tx) error {
		return t.must(`DELETE FROM group_member WHERE organization_id = $1 AND group_id = $2 AND member_id = $3`, o, g, m)
	}, e)
}
