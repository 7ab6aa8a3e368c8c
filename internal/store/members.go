package store

import (
	"context"
	"database/sql"
	"encoding/json"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
)

// memberColumns reads members with what their groups give them. A member of a
// deleted organization is nobody.
const memberColumns = `SELECT m.id, m.organization_id, o.name, o.settings, o.plan, m.account_id, a.email, a.name, m.role, m.status, m.version,
	m.created_at, m.joined_at, m.ended_at,
	COALESCE((SELECT string_agg(g.group_id, ' ') FROM group_member g WHERE g.member_id = m.id), ''),
	COALESCE((SELECT string_agg(r.permissions, ' ') FROM group_member g JOIN group_role x ON x.group_id = g.group_id
		JOIN role r ON r.id = x.role_id WHERE g.member_id = m.id), '')
	FROM member m JOIN account a ON a.id = m.account_id JOIN organization o ON o.id = m.organization_id AND o.deleted_at IS NULL `

func scanMember(s scanner) (m org.Member, err error) {
	var created, joined int64
	var ended sql.NullInt64
	var permissions, settings string
	err = s.Scan(&m.ID, &m.Organization, &m.OrganizationName, &settings, &m.Plan, &m.Account, &m.Email, &m.Name, &m.Role, &m.Status, &m.Version,
		&created, &joined, &ended, &m.Groups, &permissions)
	m.CreatedAt, m.JoinedAt, m.EndedAt = fromMicros(created), fromMicros(joined), fromMaybe(ended)
	m.Grants = caller.ParseRights(permissions)
	m.OrganizationColor = colorIn(settings)
	return m, err
}

// colorIn is the colour of an organization's mark. Settings that cannot be read
// keep nobody out: they have none.
func colorIn(settings string) string {
	var s struct {
		Color string `json:"color"`
	}
	_ = json.Unmarshal([]byte(settings), &s)
	return s.Color
}

// memberOrders are the columns that lists are sorted by, and in which direction.
// A list that is in the order of accounts begins with them: a CROSS JOIN is how
// SQLite is told so.
var memberOrders = map[org.Order]struct{ from, by, direction, back string }{
	org.ByJoining: {"member m CROSS JOIN account a", "m.created_at", "DESC", "ASC"},
	org.ByName:    {"account a CROSS JOIN member m", "LOWER(a.name)", "ASC", "DESC"},
	org.ByEmail:   {"account a CROSS JOIN member m", "a.email", "ASC", "DESC"},
}

// Members finds the ids of a page first: what goes with each is only read of
// those that are shown.
func (s Orgs) Members(ctx context.Context, o id.Organization, f org.MemberFilter) ([]org.Member, bool, error) {
	order, ok := memberOrders[f.Order]
	if !ok {
		order = memberOrders[org.ByJoining]
	}
	q := selects(memberColumns+`WHERE m.id IN (SELECT m.id FROM `+order.from+` WHERE a.id = m.account_id AND m.organization_id = $1`, o)
	narrow(q, f)
	switch {
	case f.Text == "":
	case order.by == "m.created_at":
		q.ofPeople(`m.account_id`, f.Text)
	default: // accounts are gone through in their order, until there are enough
		q.and(nameOrEmail(`a`), containing(f.Text), containing(f.Text))
	}
	place, direction := string(f.After), order.direction
	if f.Before != "" {
		place, direction = string(f.Before), order.back
	}
	if place != "" {
		to := map[string]string{"ASC": ">", "DESC": "<"}[direction]
		q.and(`(`+order.by+`, m.id) `+to+` (SELECT `+order.by+`, m.id FROM member m JOIN account a ON a.id = m.account_id WHERE m.id = %s)`, place)
	}
	by := ` ORDER BY ` + order.by + ` ` + direction + `, m.id ` + direction
	q.add(by + ` LIMIT ` + q.mark(f.Limit+1) + `)` + by)
	found, err := queryAll(ctx, s.db.read, scanMember, q.text.String(), q.args...)
	members, more := turn(cursor{before: string(f.Before), limit: f.Limit}, found)
	return members, more, err
}

func narrow(q *query, f org.MemberFilter) {
	if f.Status != "" {
		q.and(`m.status = %s`, string(f.Status))
	} else {
		q.and(`m.status <> 'removed'`)
	}
	among(q, "m.role", f.Roles)
	if f.Group != "" {
		q.and(`m.id IN (SELECT member_id FROM group_member WHERE group_id = %s)`, f.Group)
	}
	q.address("a.email", f.Email)
}

func (s Orgs) CountMembers(ctx context.Context, o id.Organization) (map[org.Status]int, error) {
	counts := map[org.Status]int{}
	_, err := queryAll(ctx, s.db.read, func(row scanner) (status org.Status, err error) {
		var n int
		err = row.Scan(&status, &n)
		counts[status] = n
		return status, err
	}, `SELECT status, COUNT(*) FROM member WHERE organization_id = $1 GROUP BY status`, o)
	return counts, err
}

func (s Orgs) Member(ctx context.Context, org_ id.Organization, m id.Member) (org.Member, bool, error) {
	all, err := queryAll(ctx, s.db.read, scanMember, memberColumns+`WHERE m.organization_id = $1 AND m.id = $2`, org_, m)
	return first(all, err)
}

func (s Orgs) MembershipsOf(ctx context.Context, account id.Account) ([]org.Member, error) {
	return queryAll(ctx, s.db.read, scanMember, memberColumns+`WHERE m.account_id = $1 AND m.status = 'active' ORDER BY m.created_at, m.id`, account)
}

func (s Orgs) MemberByEmail(ctx context.Context, email string) ([]org.Member, error) {
	return queryAll(ctx, s.db.read, scanMember, memberColumns+`WHERE a.email = $1 ORDER BY m.created_at, m.id`, email)
}

func (s Orgs) AddMember(ctx context.Context, m org.Member, e audit.Event) (org.Member, error) {
	err := s.db.record(ctx, func(t tx) error {
		if err := takeSeats(t, m.Organization, 1); err != nil {
			return err
		}
		if err := insertAccount(t, m); err != nil {
			return err
		}
		wanted := m.Account
		if err := t.row([]any{&m.Account, &m.Name}, `SELECT id, name FROM account WHERE email = $1`, m.Email); err != nil {
			return err
		}
		if m.Account != wanted {
			return taken(t, m)
		}
		return insertMember(t, m)
	}, e)
	return m, err
}

// taken says why an address that has an account cannot simply be added.
func taken(t tx, m org.Member) error {
	here, err := noRows(t.row([]any{new(int)}, `SELECT 1 FROM member WHERE organization_id = $1 AND account_id = $2`, m.Organization, m.Account))
	if err != nil {
		return err
	}
	if here {
		return fault.New(fault.Conflict, "%s is in this organization already", m.Email).At("email")
	}
	return fault.New(fault.Conflict, "%s has an account on this server already", m.Email).At("email").
		WithHint("an account joins another organization only when its owner agrees, by an invitation")
}

// insertAccount makes the member's account unless the address has one. It fails
// with Conflict if the address can still come back to an account that had it.
func insertAccount(t tx, m org.Member) error {
	n, err := t.exec(`INSERT INTO account (id, email, name, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT (email) DO NOTHING`,
		m.Account, m.Email, m.Name, micros(m.CreatedAt))
	if err != nil || n == 0 {
		return err
	}
	taken, err := reserved(t, m.Email, m.Account, m.CreatedAt)
	if err == nil && taken {
		err = errEmailTaken(m.Email)
	}
	return err
}

func insertMember(t tx, m org.Member) error {
	_, err := t.exec(`INSERT INTO member (id, organization_id, account_id, role, status, created_at, joined_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		m.ID, m.Organization, m.Account, string(m.Role), string(m.Status), micros(m.CreatedAt), micros(m.JoinedAt))
	if err != nil {
		return err
	}
	return t.insertSetup(m.Organization, m.ID, m.CreatedAt)
}

func (s Orgs) SaveMember(ctx context.Context, m org.Member, e audit.Event) (org.Member, error) {
	err := s.db.record(ctx, func(t tx) error {
		if err := changed(t.exec(`UPDATE member SET role = $1, status = $2, ended_at = $3, version = version + 1
			WHERE organization_id = $4 AND id = $5 AND role <> 'primary_owner' AND ($6 = 0 OR version = $6)`,
			string(m.Role), string(m.Status), maybeMicros(m.EndedAt), m.Organization, m.ID, m.Version)); err != nil {
			return err
		}
		if m.Status != org.Removed {
			return nil
		}
		if err := s.db.withdrawInvites(t, m.Organization, m.Email, m.EndedAt); err != nil {
			return err
		}
		return detach(t, m)
	}, e)
	m.Version++
	return m, err
}

// detach takes a removed member out of what members are in. Credentials need no
// such thing: they are nothing without an active member.
func detach(t tx, m org.Member) error {
	for _, statement := range []string{
		`DELETE FROM group_member WHERE organization_id = $1 AND member_id = $2`,
		`DELETE FROM workspace_member WHERE organization_id = $1 AND principal_id = $2`,
		`DELETE FROM ownership_offer WHERE organization_id = $1 AND to_member_id = $2`,
	} {
		if _, err := t.exec(statement, m.Organization, m.ID); err != nil {
			return err
		}
	}
	return nil
}
