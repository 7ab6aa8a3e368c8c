package store

import (
	"context"
	"encoding/json"

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

func scanOrganization(s scanner) (o org.Organization, err error) {
	var settings string
	var created int64
	if err := s.Scan(&o.ID, &o.Name, &settings, &created); err != nil {
		return o, err
	}
	o.CreatedAt = fromMicros(created)
	return o, json.Unmarshal([]byte(settings), &o.Settings)
}

func (s Orgs) Organization(ctx context.Context, org_ id.Organization) (org.Organization, bool, error) {
	all, err := queryAll(ctx, s.db.read, scanOrganization, `SELECT id, name, settings, created_at FROM organization WHERE id = $1`, org_)
	return first(all, err)
}

func (s Orgs) Organizations(ctx context.Context) ([]org.Organization, error) {
	return queryAll(ctx, s.db.read, scanOrganization, `SELECT id, name, settings, created_at FROM organization ORDER BY created_at, id`)
}

func (s Orgs) SaveSettings(ctx context.Context, org_ id.Organization, settings org.Settings, e audit.Event) error {
	raw, err := json.Marshal(settings)
	if err != nil {
		return err
	}
	return s.db.record(ctx, func(t tx) error {
		return t.must(`UPDATE organization SET settings = $1 WHERE id = $2`, string(raw), org_)
	}, e)
}

const memberColumns = `SELECT m.id, m.organization_id, o.name, m.account_id, a.email, a.name, m.role, m.status, m.created_at
	FROM member m JOIN account a ON a.id = m.account_id JOIN organization o ON o.id = m.organization_id `

func scanMember(s scanner) (m org.Member, err error) {
	var created int64
	err = s.Scan(&m.ID, &m.Organization, &m.OrganizationName, &m.Account, &m.Email, &m.Name, &m.Role, &m.Status, &created)
	m.CreatedAt = fromMicros(created)
	return m, err
}

func (s Orgs) Members(ctx context.Context, org_ id.Organization) ([]org.Member, error) {
	return queryAll(ctx, s.db.read, scanMember, memberColumns+`WHERE m.organization_id = $1 ORDER BY m.created_at, m.id`, org_)
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

// insertAccount makes the member's account unless the address has one.
func insertAccount(t tx, m org.Member) error {
	_, err := t.exec(`INSERT INTO account (id, email, name, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT (email) DO NOTHING`,
		m.Account, m.Email, m.Name, micros(m.CreatedAt))
	return err
}

func insertMember(t tx, m org.Member) error {
	_, err := t.exec(`INSERT INTO member (id, organization_id, account_id, role, status, created_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		m.ID, m.Organization, m.Account, string(m.Role), string(m.Status), micros(m.CreatedAt))
	if err != nil {
		return err
	}
	return t.insertSetup(m.Organization, m.ID, m.CreatedAt)
}

func (s Orgs) SetStatus(ctx context.Context, org_ id.Organization, m id.Member, status org.Status, e audit.Event) error {
	return s.db.record(ctx, func(t tx) error {
		return t.must(`UPDATE member SET status = $1 WHERE organization_id = $2 AND id = $3`, string(status), org_, m)
	}, e)
}
