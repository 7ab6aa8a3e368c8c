package store

import (
	"context"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/invite"
	"github.com/gatehouse-dev/gatehouse/internal/org"
)

func (s Invites) Accept(ctx context.Context, a invite.Acceptance) (org.Member, error) {
	m := a.Member
	err := s.db.recordMade(ctx, func(t tx) ([]audit.Event, error) {
		groups, workspaces, mailed, err := useInvite(t, a)
		if err != nil {
			return nil, err
		}
		a.Proven = a.Proven && mailed
		if err := joinAccount(t, &m, a); err != nil {
			return nil, err
		}
		if err := joinMember(t, &m); err != nil {
			return nil, err
		}
		if err := joinPlaces(t, m, groups, workspaces); err != nil {
			return nil, err
		}
		if err := joinBrowser(t, m, a); err != nil {
			return nil, err
		}
		if _, err := t.exec(`UPDATE invite SET member_id = $1 WHERE id = $2`, m.ID, a.Invite); err != nil {
			return nil, err
		}
		if err := t.row([]any{&m.Plan}, `SELECT plan FROM organization WHERE id = $1`, m.Organization); err != nil {
			return nil, err
		}
		return a.Events(m), s.db.dropLetters(t, string(a.Invite))
	})
	return m, err
}

// useInvite uses the invitation up: of two at once, one finds it pending.
func useInvite(t tx, a invite.Acceptance) (groups, workspaces string, mailed bool, err error) {
	found, err := noRows(t.row([]any{&groups, &workspaces, &mailed}, `UPDATE invite SET status = 'accepted', ended_at = $1
		WHERE id = $2 AND status = 'pending' AND expires_at > $1 AND EXISTS (SELECT 1 FROM organization o WHERE o.id = organization_id AND o.deleted_at IS NULL)
		RETURNING groups, workspaces, mailed`, micros(a.At), a.Invite))
	if err == nil && !found {
		err = fault.New(fault.Conflict, "this invitation was accepted, was withdrawn or has run out")
	}
	return groups, workspaces, mailed, err
}

// joinAccount makes the account, or finds the one that is to join.
func joinAccount(t tx, m *org.Member, a invite.Acceptance) error {
	if a.New {
		wanted := m.Account
		if err := insertAccount(t, *m); err != nil {
			return err
		}
		if err := t.row([]any{&m.Account}, `SELECT id FROM account WHERE email = $1`, m.Email); err != nil {
			return err
		}
		if m.Account != wanted {
			return fault.New(fault.Conflict, "%s has an account already", m.Email).WithHint("sign in to accept the invitation")
		}
		if err := savePassword(t, m.Account, a.Password, a.At); err != nil {
			return err
		}
	}
	found, err := noRows(t.row([]any{&m.Name}, `UPDATE account SET verified_at = CASE WHEN $1 THEN $2 ELSE verified_at END WHERE id = $3 AND email = $4 RETURNING name`,
		a.Proven, micros(a.At), m.Account, m.Email))
	if err == nil && !found {
		err = fault.New(fault.Conflict, "the address of your account is not %s any more", m.Email)
	}
	return err
}

// joinMember makes the member, or brings back one who was removed: the row and
// its id stay, and what hung on them before is refused, being older.
func joinMember(t tx, m *org.Member) error {
	var was id.Member
	var status org.Status
	found, err := noRows(t.row([]any{&was, &status}, `SELECT id, status FROM member WHERE organization_id = $1 AND account_id = $2`, m.Organization, m.Account))
	switch {
	case err != nil:
		return err
	case !found:
		return insertMember(t, *m)
	case status != org.Removed:
		return fault.New(fault.Conflict, "you are a member of this organization already")
	}
	m.ID = was
	for _, gone := range []string{`DELETE FROM group_member WHERE member_id = $1`, `DELETE FROM workspace_member WHERE principal_id = $1`} {
		if _, err := t.exec(gone, m.ID); err != nil {
			return err
		}
	}
	var created int64
	err = t.row([]any{&m.Version, &created}, `UPDATE member SET role = $1, status = 'active', joined_at = $2, ended_at = NULL, version = version + 1
		WHERE id = $3 RETURNING version, created_at`, string(m.Role), micros(m.JoinedAt), m.ID)
	m.CreatedAt = fromMicros(created)
	return err
}

// joinPlaces puts the member into groups and workspaces, as far as these are
// still there.
func joinPlaces(t tx, m org.Member, groups, workspaces string) error {
	for g := range strings.FieldsSeq(groups) {
		if _, err := t.exec(`INSERT INTO group_member (organization_id, group_id, member_id, source, created_at)
			SELECT organization_id, id, $1, 'invite', $2 FROM member_group WHERE organization_id = $3 AND id = $4 ON CONFLICT DO NOTHING`,
			m.ID, micros(m.JoinedAt), m.Organization, g); err != nil {
			return err
		}
	}
	for w := range strings.FieldsSeq(workspaces) {
		if _, err := t.exec(`INSERT INTO workspace_member (organization_id, workspace_id, principal_id, role, created_at)
			SELECT organization_id, id, $1, $2, $3 FROM workspace WHERE organization_id = $4 AND id = $5 AND archived_at IS NULL ON CONFLICT DO NOTHING`,
			m.ID, invite.WorkspaceRole(m.Role), micros(m.JoinedAt), m.Organization, w); err != nil {
			return err
		}
	}
	return nil
}

// joinBrowser starts a browser session, or makes the one that there is act in
// the organization.
func joinBrowser(t tx, m org.Member, a invite.Acceptance) error {
	if a.Browser != nil {
		b := *a.Browser
		b.Account, b.Organization = m.Account, m.Organization
		return insertBrowser(t, b)
	}
	if a.Session == nil {
		return nil
	}
	_, err := t.exec(`UPDATE browser_session SET organization_id = $1 WHERE hash = $2 AND account_id = $3 AND ended_at IS NULL`, m.Organization, a.Session[:], m.Account)
	return err
}
