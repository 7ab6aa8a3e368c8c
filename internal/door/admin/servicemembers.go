package admin

import (
	"context"

	"github.com/gatehouse-dev/gatehouse/api"
	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/workspace"
)

// serviceMemberOperations are about service accounts in workspaces, from either
// side.
func (d *Door) serviceMemberOperations() []operation {
	return []operation{
		shows("GET /workspaces/{id}/service_accounts", "List service accounts in a workspace",
			cursors(servicesInAsked, d.findInside, serviceMember, principal), onward...),
		takes("POST /workspaces/{id}/service_accounts", "Add a service account to a workspace", func(c call, in api.ServiceAccountMemberNew) (api.ServiceAccountMember, error) {
			return d.join(c, place{workspace: named[id.Workspace](c), principal: in.ServiceAccountID}, in.WorkspaceRole)
		}),
		shows("GET /workspaces/{id}/service_accounts/{account}", "What a service account is in a workspace", standing(d, serviceIn, serviceMember)),
		takes("POST /workspaces/{id}/service_accounts/{account}", "Give a service account another role in a workspace", setRole(d, serviceIn, serviceMember)),
		shows("DELETE /workspaces/{id}/service_accounts/{account}", "Take a service account out of a workspace", func(c call) (api.ServiceAccountMemberDeleted, error) {
			return d.part(c, serviceIn(c))
		}),
		shows("GET /service_accounts/{id}/workspaces", "List the workspaces of a service account",
			cursors(workspacesOfAsked, d.findWorkspacesOf, serviceMember, func(m workspace.Member) string { return string(m.Workspace) }), onward...),
		takes("POST /service_accounts/{id}/workspaces", "Add a service account to a workspace", func(c call, in api.ServiceAccountWorkspaceNew) (api.ServiceAccountMember, error) {
			return d.join(c, place{workspace: id.Workspace(in.WorkspaceID), principal: c.PathValue("id")}, in.WorkspaceRole)
		}),
		shows("DELETE /service_accounts/{id}/workspaces/{workspace}", "Take a service account out of a workspace", func(c call) (api.ServiceAccountMemberDeleted, error) {
			return d.part(c, place{id.Workspace(c.PathValue("workspace")), c.PathValue("id"), workspace.ServiceAccounts})
		}),
	}
}

// serviceIn is the place that a path names.
func serviceIn(c call) place {
	return place{named[id.Workspace](c), c.PathValue("account"), workspace.ServiceAccounts}
}

func servicesInAsked(c call, q *asked) inside {
	f := inside{place: place{workspace: named[id.Workspace](c), sort: workspace.ServiceAccounts}}
	f.MemberFilter = workspace.MemberFilter{Sort: f.sort, After: idCursor[string](q), Limit: q.limit}
	f.from = place{f.workspace, f.After, f.sort}
	return f
}

func workspacesOfAsked(c call, q *asked) inside {
	f := inside{place: place{principal: c.PathValue("id"), sort: workspace.ServiceAccounts}}
	f.MemberFilter = workspace.MemberFilter{After: idCursor[string](q), Limit: q.limit}
	f.from = place{id.Workspace(f.After), f.principal, f.sort}
	return f
}

func (d *Door) findWorkspacesOf(ctx context.Context, who caller.Caller, o id.Organization, f inside) ([]workspace.Member, bool, error) {
	if _, err := d.cfg.ServiceAccounts.Get(ctx, who, o, id.ServiceAccount(f.principal)); err != nil {
		return nil, false, err
	}
	if err := d.pageFrom(ctx, who, o, f); err != nil {
		return nil, false, err
	}
	return d.cfg.Workspaces.Of(ctx, who, o, f.principal, f.MemberFilter)
}

// join puts a service account into a workspace.
func (d *Door) join(c call, p place, role api.AssignableWorkspaceRole) (api.ServiceAccountMember, error) {
	if !wellFormed(string(p.workspace)) || !wellFormed(p.principal) {
		return api.ServiceAccountMember{}, fault.New(fault.NotFound, "there is no such workspace or service account in your organization")
	}
	a, err := d.cfg.ServiceAccounts.Get(c.Context(), c.who, c.who.Organization, id.ServiceAccount(p.principal))
	if err != nil {
		return api.ServiceAccountMember{}, err
	}
	m, err := d.cfg.Workspaces.Add(c.Context(), c.who, c.who.Organization, p.workspace, string(a.ID), access.WorkspaceRole(role))
	return serviceMember(m), err
}

// part takes a service account out of a workspace. Nothing happens to one that
// is not in it.
func (d *Door) part(c call, p place) (api.ServiceAccountMemberDeleted, error) {
	gone := api.ServiceAccountMemberDeleted{Type: "service_account_workspace_member_deleted", ServiceAccountID: p.principal, WorkspaceID: string(p.workspace)}
	err := d.leaveWorkspace(c, p)
	if !fault.Is(err, fault.NotFound) {
		return gone, err
	}
	if _, err := d.cfg.Workspaces.Get(c.Context(), c.who, c.who.Organization, p.workspace); err != nil {
		return gone, err
	}
	_, err = d.cfg.ServiceAccounts.Get(c.Context(), c.who, c.who.Organization, id.ServiceAccount(p.principal))
	return gone, err
}

func serviceMember(m workspace.Member) api.ServiceAccountMember {
	return api.ServiceAccountMember{Type: "service_account_workspace_member", ServiceAccountID: m.Principal, WorkspaceID: string(m.Workspace),
		WorkspaceRole: api.WorkspaceRole(m.Role), CreatedByActorID: actor(m.CreatedBy)}
}
