package admin

import (
	"context"
	"strings"

	"github.com/gatehouse-dev/gatehouse/api"
	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/workspace"
)

func (d *Door) workspaceMemberOperations() []operation {
	return []operation{
		shows("GET /workspaces/{id}/members", "List who is in a workspace", pages(peopleAsked, d.findInside, workspaceMember, principal), ends...),
		takes("POST /workspaces/{id}/members", "Add a member to a workspace", d.addWorkspaceMember),
		shows("GET /workspaces/{id}/members/{user}", "What a member is in a workspace", standing(d, person, workspaceMember)),
		takes("POST /workspaces/{id}/members/{user}", "Give a member another role in a workspace", setRole(d, person, workspaceMember)),
		shows("DELETE /workspaces/{id}/members/{user}", "Take a member out of a workspace", d.removeWorkspaceMember),
	}
}

// place is a principal of a sort, in a workspace.
type place struct {
	workspace id.Workspace
	principal string
	sort      workspace.Sort
}

// inside is what lists of principals in a workspace, or of workspaces of a
// principal, are asked with.
type inside struct {
	place
	workspace.MemberFilter
	from place // of the row that the page is after or before
}

func peopleAsked(c call, q *asked) inside {
	f := inside{place: place{workspace: named[id.Workspace](c), sort: workspace.People}}
	f.MemberFilter = workspace.MemberFilter{Sort: f.sort, Limit: q.limit}
	f.After, f.Before = endsOf[string](q)
	f.from = place{f.workspace, f.After + f.Before, f.sort}
	return f
}

// findInside lists who is in a workspace.
func (d *Door) findInside(ctx context.Context, who caller.Caller, o id.Organization, f inside) ([]workspace.Member, bool, error) {
	if _, err := d.cfg.Workspaces.Get(ctx, who, o, f.workspace); err != nil {
		return nil, false, err
	}
	if err := d.pageFrom(ctx, who, o, f); err != nil {
		return nil, false, err
	}
	return d.cfg.Workspaces.Members(ctx, who, o, f.workspace, f.MemberFilter)
}

// pageFrom refuses to page from what is not there any more: the page would be
// empty, and look like the end of the list.
func (d *Door) pageFrom(ctx context.Context, who caller.Caller, o id.Organization, f inside) error {
	if f.After+f.Before == "" {
		return nil
	}
	_, err := d.inWorkspace(ctx, who, o, f.from)
	if fault.Is(err, fault.NotFound) {
		err = fault.New(fault.Invalid, "what this page begins at is not in the list any more").WithHint("list again from the beginning")
	}
	return err
}

// inWorkspace is what somebody of a sort is in a workspace.
func (d *Door) inWorkspace(ctx context.Context, who caller.Caller, o id.Organization, p place) (workspace.Member, error) {
	if !wellFormed(p.principal) || !strings.HasPrefix(p.principal, string(p.sort)) {
		return workspace.Member{}, fault.New(fault.NotFound, "%.100q is not in the workspace", p.principal)
	}
	return d.cfg.Workspaces.Member(ctx, who, o, p.workspace, p.principal)
}

// person is the place that a path names.
func person(c call) place {
	return place{named[id.Workspace](c), c.PathValue("user"), workspace.People}
}

func (d *Door) addWorkspaceMember(c call, in api.WorkspaceMemberNew) (api.WorkspaceMember, error) {
	if _, err := d.member(c, in.UserID); err != nil {
		return api.WorkspaceMember{}, err
	}
	m, err := d.cfg.Workspaces.Add(c.Context(), c.who, c.who.Organization, named[id.Workspace](c), in.UserID, access.WorkspaceRole(in.WorkspaceRole))
	return workspaceMember(m), err
}

// standing answers with what somebody is in a workspace, where the path says.
func standing[Out any](d *Door, where func(call) place, wire func(workspace.Member) Out) func(call) (Out, error) {
	return func(c call) (Out, error) {
		m, err := d.inWorkspace(c.Context(), c.who, c.who.Organization, where(c))
		return wire(m), err
	}
}

// setRole makes them something else there.
func setRole[Out any](d *Door, where func(call) place, wire func(workspace.Member) Out) func(call, api.WorkspaceMemberUpdate) (Out, error) {
	return func(c call, in api.WorkspaceMemberUpdate) (Out, error) {
		p := where(c)
		m, err := d.inWorkspace(c.Context(), c.who, c.who.Organization, p)
		if err == nil {
			m, err = d.cfg.Workspaces.SetRole(c.Context(), c.who, c.who.Organization, p.workspace, p.principal, access.WorkspaceRole(in.WorkspaceRole))
		}
		return wire(m), err
	}
}

func (d *Door) removeWorkspaceMember(c call) (api.WorkspaceMemberDeleted, error) {
	p := person(c)
	return api.WorkspaceMemberDeleted{Type: "workspace_member_deleted", UserID: p.principal, WorkspaceID: string(p.workspace)}, d.leaveWorkspace(c, p)
}

func (d *Door) leaveWorkspace(c call, p place) error {
	if _, err := d.inWorkspace(c.Context(), c.who, c.who.Organization, p); err != nil {
		return err
	}
	return d.cfg.Workspaces.Remove(c.Context(), c.who, c.who.Organization, p.workspace, p.principal)
}

func principal(m workspace.Member) string { return m.Principal }

func workspaceMember(m workspace.Member) api.WorkspaceMember {
	return api.WorkspaceMember{Type: "workspace_member", UserID: m.Principal, WorkspaceID: string(m.Workspace), WorkspaceRole: api.WorkspaceRole(m.Role)}
}
