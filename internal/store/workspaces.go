package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/workspace"
)

// Workspaces is the workspace.Store.
type Workspaces struct{ db *DB }

// Workspaces returns the workspaces and who is in them.
func (db *DB) Workspaces() Workspaces { return Workspaces{db} }

var _ workspace.Store = Workspaces{}

const workspaceFields = `w.id, w.organization_id, w.name, w.kind, w.color, w.models, w.tags, w.requests_per_minute, w.concurrent_requests, w.version, w.created_at, w.archived_at`

// workspaceRow is where a row of workspaceFields is scanned into.
type workspaceRow struct {
	w                     workspace.Workspace
	models, tags          string
	created               int64
	perMinute, concurrent sql.NullInt64
	archived              sql.NullInt64
}

func (r *workspaceRow) dest(more ...any) []any {
	return append([]any{&r.w.ID, &r.w.Organization, &r.w.Name, &r.w.Kind, &r.w.Color, &r.models, &r.tags, &r.perMinute, &r.concurrent, &r.w.Version, &r.created, &r.archived}, more...)
}

func (r *workspaceRow) read() (workspace.Workspace, error) {
	r.w.CreatedAt, r.w.ArchivedAt = fromMicros(r.created), fromMaybe(r.archived)
	r.w.Limits = workspace.Limits{PerMinute: int(r.perMinute.Int64), Concurrent: int(r.concurrent.Int64)}
	if err := json.Unmarshal([]byte(r.models), &r.w.Models); err != nil {
		return r.w, fmt.Errorf("the models of %s: %w", r.w.ID, err)
	}
	if err := json.Unmarshal([]byte(r.tags), &r.w.Tags); err != nil {
		return r.w, fmt.Errorf("the tags of %s: %w", r.w.ID, err)
	}
	return r.w, nil
}

func scanWorkspace(s scanner) (workspace.Workspace, error) {
	var r workspaceRow
	if err := s.Scan(r.dest()...); err != nil {
		return workspace.Workspace{}, err
	}
	return r.read()
}

func scanCountedWorkspace(s scanner) (workspace.Workspace, error) {
	var r workspaceRow
	if err := s.Scan(r.dest(&r.w.Members, &r.w.Keys)...); err != nil {
		return workspace.Workspace{}, err
	}
	return r.read()
}

// counted are how many members and active keys a workspace has, as far as
// countedMost: a list must not count thousands for each of its rows.
const countedMost = 250

var counted = fmt.Sprintf(`(SELECT COUNT(*) FROM (SELECT 1 FROM workspace_member x WHERE x.workspace_id = w.id LIMIT %[1]d) AS members),
	(SELECT COUNT(*) FROM (SELECT 1 FROM api_key k WHERE k.organization_id = w.organization_id AND k.workspace_id = w.id AND k.status = 'active' LIMIT %[1]d) AS keys)`, countedMost)

// texts are the columns that hold JSON.
func texts(w workspace.Workspace) (models, tags string, err error) {
	m, err := json.Marshal(w.Models)
	if err != nil {
		return "", "", err
	}
	t, err := json.Marshal(w.Tags)
	return string(m), string(t), err
}

func insertWorkspace(t tx, w workspace.Workspace, orNot string) (int64, error) {
	models, tags, err := texts(w)
	if err != nil {
		return 0, err
	}
	return t.exec(`INSERT INTO workspace (id, organization_id, name, kind, color, models, tags, version, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`+orNot, w.ID, w.Organization, w.Name, string(w.Kind), w.Color, models, tags, w.Version, micros(w.CreatedAt))
}

func (s Workspaces) Add(ctx context.Context, w workspace.Workspace, e audit.Event) error {
	err := s.db.record(ctx, func(t tx) error {
		// One after the other, so that no two are the hundredth.
		if err := t.must(`UPDATE organization SET version = version WHERE id = $1`, w.Organization); err != nil {
			return err
		}
		var n int
		if err := t.row([]any{&n}, `SELECT COUNT(*) FROM workspace WHERE organization_id = $1 AND archived_at IS NULL`, w.Organization); err != nil {
			return err
		}
		if n >= workspace.Most {
			return fault.New(fault.Conflict, "your organization has %d workspaces already, which is the most it can have", n).WithHint("archive one that is not needed any more")
		}
		_, err := insertWorkspace(t, w, "")
		return err
	}, e)
	return s.orTaken(err, w.Name)
}

func (s Workspaces) orTaken(err error, name string) error {
	if s.db.dialect.isDuplicate(err) {
		return fault.Wrap(fault.Conflict, err, "there is a workspace with the name "+name+" already").At("name")
	}
	return err
}

func (s Workspaces) Workspace(ctx context.Context, o id.Organization, w id.Workspace) (workspace.Workspace, bool, error) {
	return first(queryAll(ctx, s.db.read, scanWorkspace, `SELECT `+workspaceFields+` FROM workspace w WHERE w.organization_id = $1 AND w.id = $2`, o, w))
}

func (s Workspaces) List(ctx context.Context, o id.Organization, f workspace.Filter) ([]workspace.Workspace, bool, error) {
	q := selects(`SELECT `+workspaceFields+`, `+counted+` FROM workspace w WHERE w.organization_id = $1`, o)
	if !f.Archived {
		q.add(` AND w.archived_at IS NULL`)
	}
	among(q, "w.id", f.IDs)
	if f.Member != "" {
		q.and(`EXISTS (SELECT 1 FROM workspace_member m WHERE m.workspace_id = w.id AND m.principal_id = %s)`, f.Member)
	}
	if f.Search != "" {
		q.and(`LOWER(w.name) LIKE %s ESCAPE '\'`, containing(f.Search))
	}
	c := cursor{table: "workspace", alias: "w.", after: string(f.After), before: string(f.Before), limit: f.Limit}
	q.page(c)
	found, err := queryAll(ctx, s.db.read, scanCountedWorkspace, q.text.String(), q.args...)
	page, more := turn(c, found)
	return page, more, err
}

func (s Workspaces) Update(ctx context.Context, was, is workspace.Workspace, e audit.Event) error {
	models, tags, err := texts(is)
	if err != nil {
		return err
	}
	limit := func(n int) sql.NullInt64 { return sql.NullInt64{Int64: int64(n), Valid: n > 0} }
	err = s.db.record(ctx, func(t tx) error {
		n, err := t.exec(`UPDATE workspace SET name = $1, color = $2, models = $3, tags = $4, requests_per_minute = $5, concurrent_requests = $6, version = $7, archived_at = $8
			WHERE organization_id = $9 AND id = $10 AND version = $11 AND archived_at IS NULL`, is.Name, is.Color, models, tags, limit(is.Limits.PerMinute), limit(is.Limits.Concurrent),
			is.Version, maybeMicros(is.ArchivedAt), is.Organization, is.ID, was.Version)
		if err == nil && n == 0 {
			err = workspace.Changed(was.Name)
		}
		return err
	}, e)
	return s.orTaken(err, is.Name)
}

func (s Workspaces) ClaudeCode(ctx context.Context, o id.Organization, m id.Member) (workspace.Standing, bool, error) {
	return first(queryAll(ctx, s.db.read, scanStanding, `SELECT `+workspaceFields+standingColumns+`$2 `+standingNames+`WHERE w.organization_id = $1 AND w.kind = 'claude_code'`, o, m))
}

const (
	standingColumns = `, COALESCE(m.role, ''), COALESCE(m.created_at, 0), COALESCE(m.created_by, ''), COALESCE(a.name, sa.name, '') FROM workspace w
		LEFT JOIN workspace_member m ON m.workspace_id = w.id AND m.principal_id = `
	standingNames = `LEFT JOIN member om ON om.id = m.principal_id LEFT JOIN account a ON a.id = om.account_id LEFT JOIN service_account sa ON sa.id = m.principal_id `
)

func scanStanding(s scanner) (workspace.Standing, error) {
	var r workspaceRow
	var at workspace.Standing
	var since int64
	if err := s.Scan(r.dest(&at.Role, &since, &at.AddedBy, &at.Name)...); err != nil {
		return at, err
	}
	if since != 0 {
		at.Since = fromMicros(since)
	}
	var err error
	at.Workspace, err = r.read()
	return at, err
}

func (s Workspaces) Standing(ctx context.Context, o id.Organization, w id.Workspace, principal string) (workspace.Standing, bool, error) {
	return first(queryAll(ctx, s.db.read, scanStanding, `SELECT `+workspaceFields+standingColumns+`$3 `+standingNames+`WHERE w.organization_id = $1 AND w.id = $2`, o, w, principal))
}
