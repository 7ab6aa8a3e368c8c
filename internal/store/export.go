package store

import (
	"context"
	"fmt"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
)

// exported are the tables of an export and the columns of each that are no
// secret. A column that is not here stays here.
var exported = []struct{ table, columns, from string }{
	{"organization", "id, name, plan, seats, settings, created_at", `organization WHERE id = $1`},
	{"members", "m.id, a.email, a.name, m.role, m.status, m.created_at, m.joined_at, m.ended_at", `member m JOIN account a ON a.id = m.account_id WHERE m.organization_id = $1 ORDER BY m.created_at, m.id`},
	{"roles", "id, name, description, permissions, created_at", `role WHERE organization_id = $1 ORDER BY created_at, id`},
	{"groups", "id, name, description, created_at", `member_group WHERE organization_id = $1 ORDER BY created_at, id`},
	{"group_members", "group_id, member_id, source, created_at", `group_member WHERE organization_id = $1 ORDER BY created_at, group_id, member_id`},
	{"workspaces", "id, name, kind, color, models, tags, created_at, archived_at", `workspace WHERE organization_id = $1 ORDER BY created_at, id`},
	{"workspace_members", "workspace_id, principal_id, role, created_at", `workspace_member WHERE organization_id = $1 ORDER BY created_at, workspace_id, principal_id`},
	{"service_accounts", "id, name, description, created_by, created_at, archived_at", `service_account WHERE organization_id = $1 ORDER BY created_at, id`},
	{"api_keys", "id, kind, name, hint, member_id, service_account_id, workspace_id, scopes, created_by, status, created_at, expires_at, used_at", `api_key WHERE organization_id = $1 ORDER BY created_at, id`},
	{"device_sessions", "id, member_id, client_id, name, system, client_version, address, created_at, used_at, ended_at, ended_why", `device_session WHERE organization_id = $1 ORDER BY created_at, id`},
	{"upstreams", "id, name, provider, base_url, settings, place, created_at", `upstream WHERE organization_id = $1 ORDER BY place, id`},
	{"cloud_access", "cloud, group_id, settings, created_at, updated_at", `cloud_access WHERE organization_id = $1 ORDER BY cloud`},
	{"usage", "request_id, kind, at, member_id, api_key_id, device_session_id, model, status, input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cost_nanos", `ledger_entry WHERE organization_id = $1 ORDER BY sequence`},
	{"activities", "position, id, at, type, actor, target, detail", `activity WHERE organization_id = $1 ORDER BY position`},
}

// Export streams the tables. That it happened is recorded first.
func (s Orgs) Export(ctx context.Context, o id.Organization, to org.Sink, e audit.Event) error {
	if err := s.db.record(ctx, nil, e); err != nil {
		return err
	}
	for _, x := range exported {
		if err := s.exportTable(ctx, o, x.table, `SELECT `+x.columns+` FROM `+x.from, to); err != nil {
			return fmt.Errorf("exporting %s: %w", x.table, err)
		}
	}
	return nil
}

func (s Orgs) exportTable(ctx context.Context, o id.Organization, table, query string, to org.Sink) error {
	rows, err := s.db.read.QueryContext(ctx, query, o)
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	row, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range row {
		into[i] = &row[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		if err := to(table, columns, row); err != nil {
			return err
		}
	}
	return rows.Err()
}
