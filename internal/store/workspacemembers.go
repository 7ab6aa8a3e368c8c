package store

import (
	"context"
	"errors"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/workspace"
)

// workspaceMemberColumns reads who is in a workspace with their names. Members
// who were removed from the organization are in no workspace.
const workspaceMemberColumns = `SELECT x.workspace_id, w.name, x.principal_id, x.role, x.created_at, x.created_by,
	COALESCE(a.name, sa.name, ''), COALESCE(a.email, '') FROM workspace_member x JOIN workspace w ON w.id = x.workspace_id
	LEFT JOIN member m ON m.id = x.principal_id LEFT JOIN account a ON a.id = m.account_id LEFT JOIN service_account sa ON sa.id = x.principal_id `

const stillIn = ` AND (m.status <> 'removed' OR (sa.id IS NOT NULL AND sa.archived_at IS NULL))`

func scanWorkspaceMember(s scanner) (m workspace.Member, err error) {
	var created int64
	err = s.Scan(&m.Workspace, &m.WorkspaceName, &m.Principal, &m.Role, &created, &m.CreatedBy, &m.Name, &m.Email)
	m.CreatedAt = fromMicros(created)
	return m, err
}

// memberPage adds place, order and size of a page of workspace_member, whose
// rows are told apart by one of the columns of its key, the other being fixed.
func (q *query) memberPage(f workspace.MemberFilter, told, fixed, fixedTo string) {
	c := cursor{after: f.After, before: f.Before, limit: f.Limit}
	place, order, to := c.after, `DESC`, `<`
	if c.before != "" {
		place, order, to = c.before, `ASC`, `>`
	}
	if place != "" {
		q.and(`(x.created_at, x.`+told+`) `+to+` (SELECT created_at, `+told+` FROM workspace_member WHERE `+fixed+` = %s AND `+told+` = %s)`, fixedTo, place)
	}
	q.add(` ORDER BY x.created_at ` + order + `, x.` + told + ` ` + order + ` LIMIT ` + q.mark(c.limit+1))
}

func (s Workspaces) Members(ctx context.Context, o id.Organization, w id.Workspace, f workspace.MemberFilter) ([]workspace.Member, bool, error) {
	q := selects(workspaceMemberColumns+`WHERE x.organization_id = $1 AND x.workspace_id = $2`+stillIn, o, w)
	switch f.Sort {
	case workspace.People:
		q.add(` AND m.id IS NOT NULL`)
	case workspace.ServiceAccounts:
		q.add(` AND sa.id IS NOT NULL`)
	}
	if f.Search != "" {
		pattern := containing(f.Search)
		q.and(`(LOWER(COALESCE(a.name, sa.name)) LIKE %s ESCAPE '\' OR LOWER(COALESCE(a.email, '')) LIKE %s ESCAPE '\')`, pattern, pattern)
	}
	q.memberPage(f, "principal_id", "workspace_id", string(w))
	found, err := queryAll(ctx, s.db.read, scanWorkspaceMember, q.text.String(), q.args...)
	page, more := turn(cursor{before: f.Before, limit: f.Limit}, found)
	return page, more, err
}

func (s Workspaces) Of(ctx context.Context, o id.Organization, principal string, f workspace.MemberFilter) ([]workspace.Member, bool, error) {
	q := selects(workspaceMemberColumns+`WHERE x.organization_id = $1 AND x.principal_id = $2 AND w.archived_at IS NULL`, o, principal)
	q.memberPage(f, "workspace_id", "principal_id", principal)
	found, err := queryAll(ctx, s.db.read, scanWorkspaceMember, q.text.String(), q.args...)
	page, more := turn(cursor{before: f.Before, limit: f.Limit}, found)
	return page, more, err
}

func insertWorkspaceMember(t tx, o id.Organization, m workspace.Member, orNot string) (int64, error) {
	return t.exec(`INSERT INTO workspace_member (organization_id, workspace_id, principal_id, role, created_at, created_by) VALUES ($1, $2, $3, $4, $5, $6)`+orNot,
		o, m.Workspace, m.Principal, string(m.Role), micros(m.CreatedAt), m.CreatedBy)
}

func (s Workspaces) Join(ctx context.Context, o id.Organization, m workspace.Member, e audit.Event) error {
	err := s.db.record(ctx, func(t tx) error {
		if err := present(t, o, m.Principal, e.Detail); err != nil {
			return err
		}
		_, err := insertWorkspaceMember(t, o, m, "")
		return err
	}, e)
	if s.db.dialect.isDuplicate(err) {
		return fault.Wrap(fault.Conflict, err, "they are in the workspace already").At("user_id")
	}
	return err
}

func (s Workspaces) Principal(ctx context.Context, o id.Organization, called string) (principal string, ok bool, err error) {
	ok, err = s.db.queryRow(ctx, []any{&principal}, `SELECT m.id FROM account a JOIN member m ON m.account_id = a.id AND m.organization_id = $1
		WHERE a.email = $2 AND m.status <> 'removed' UNION ALL SELECT id FROM service_account WHERE organization_id = $1 AND name = $2 AND archived_at IS NULL`, o, called)
	return principal, ok, err
}

// present makes sure that a principal is in the organization, and notes its name.
func present(t tx, o id.Organization, principal string, detail audit.Detail) error {
	query := `SELECT a.name FROM member m JOIN account a ON a.id = m.account_id WHERE m.organization_id = $1 AND m.id = $2 AND m.status <> 'removed'`
	if strings.HasPrefix(principal, string(workspace.ServiceAccounts)) {
		query = `SELECT name FROM service_account WHERE organization_id = $1 AND id = $2 AND archived_at IS NULL`
	}
	var name string
	there, err := noRows(t.row([]any{&name}, query, o, principal))
	if err == nil && !there {
		err = fault.New(fault.NotFound, "there is no member or service account %q in your organization", principal).At("user_id")
	}
	detail["name"] = name
	return err
}

func (s Workspaces) SetRole(ctx context.Context, o id.Organization, w id.Workspace, principal string, was, is access.WorkspaceRole, e audit.Event) error {
	return s.db.record(ctx, func(t tx) error {
		n, err := t.exec(`UPDATE workspace_member SET role = $1 WHERE organization_id = $2 AND workspace_id = $3 AND principal_id = $4 AND role = $5`,
			string(is), o, w, principal, string(was))
		if err == nil && n == 0 {
			err = fault.New(fault.Conflict, "somebody else has just changed what they are in the workspace").WithHint("look at it again")
		}
		return errors.Join(err, nameOf(t, principal, e.Detail))
	}, e)
}

func (s Workspaces) Leave(ctx context.Context, o id.Organization, w id.Workspace, principal string, e audit.Event) error {
	return s.db.record(ctx, func(t tx) error {
		if err := t.must(`DELETE FROM workspace_member WHERE organization_id = $1 AND workspace_id = $2 AND principal_id = $3`, o, w, principal); err != nil {
			return err
		}
		return nameOf(t, principal, e.Detail)
	}, e)
}

// nameOf notes the name of a principal, whatever became of it.
func nameOf(t tx, principal string, detail audit.Detail) error {
	var name string
	_, err := noRows(t.row([]any{&name}, `SELECT a.name FROM member m JOIN account a ON a.id = m.account_id WHERE m.id = $1
		UNION ALL SELECT name FROM service_account WHERE id = $1`, principal))
	detail["name"] = name
	return err
}

func (s Workspaces) JoinClaudeCode(ctx context.Context, fresh workspace.Workspace, m workspace.Member, made, joined audit.Event) error {
	// Who makes it in the same moment waits for us, and then does not make it.
	err := s.db.recordMade(ctx, func(t tx) ([]audit.Event, error) {
		var events []audit.Event
		n, err := insertWorkspace(t, fresh, ` ON CONFLICT DO NOTHING`)
		if err != nil {
			return nil, err
		}
		if err := t.row([]any{&m.Workspace}, `SELECT id FROM workspace WHERE organization_id = $1 AND kind = 'claude_code'`, fresh.Organization); err != nil {
			return nil, err
		}
		if n > 0 {
			made.Target = string(m.Workspace)
			events = append(events, made)
		}
		// Whoever is in without a role for it gets one: they have just been let in.
		n, err = insertWorkspaceMember(t, fresh.Organization, m, ` ON CONFLICT (workspace_id, principal_id) DO UPDATE SET role = excluded.role
			WHERE workspace_member.role NOT IN ('workspace_admin', 'workspace_developer', 'workspace_restricted_developer')`)
		if n > 0 {
			joined.Target = string(m.Workspace)
			events = append(events, joined)
		}
		return events, err
	})
	return err
}
