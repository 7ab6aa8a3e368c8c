package admin

import (
	"maps"
	"net/http"
	"strings"

	"github.com/gatehouse-dev/gatehouse/api"
	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/door/route"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/workspace"
)

func (d *Door) workspaceRoutes() []route.Route {
	return []route.Route{
		{Pattern: "GET /v1/organizations/workspaces", Handler: d.serve(d.listWorkspaces)},
		{Pattern: "POST /v1/organizations/workspaces", Handler: d.serve(d.createWorkspace)},
		{Pattern: "GET /v1/organizations/workspaces/{id}", Handler: d.serve(d.getWorkspace)},
		{Pattern: "POST /v1/organizations/workspaces/{id}", Handler: d.serve(d.updateWorkspace)},
		{Pattern: "POST /v1/organizations/workspaces/{id}/archive", Handler: d.serve(d.archiveWorkspace)},
		{Pattern: "GET /v1/organizations/workspaces/{id}/members", Handler: d.serve(d.listWorkspaceMembers)},
		{Pattern: "POST /v1/organizations/workspaces/{id}/members", Handler: d.serve(d.addWorkspaceMember)},
		{Pattern: "GET /v1/organizations/workspaces/{id}/members/{user}", Handler: d.serve(d.getWorkspaceMember)},
		{Pattern: "POST /v1/organizations/workspaces/{id}/members/{user}", Handler: d.serve(d.updateWorkspaceMember)},
		{Pattern: "DELETE /v1/organizations/workspaces/{id}/members/{user}", Handler: d.serve(d.removeWorkspaceMember)},
	}
}

func (d *Door) listWorkspaces(r *http.Request, who caller.Caller) (any, error) {
	q := ask(r)
	after, before := q.ends()
	f := workspace.Filter{Archived: q.yes("include_archived"), IDs: q.ids("ids"), After: id.Workspace(after), Before: id.Workspace(before), Limit: q.limit}
	q.yes("include_default") // it has no id here, and is in no list
	if q.err != nil {
		return nil, q.err
	}
	found, more, err := d.cfg.Workspaces.List(r.Context(), who, who.Organization, f)
	if err != nil {
		return nil, err
	}
	return pageOf(found, more, workspaceWire, func(w api.Workspace) string { return w.ID }), nil
}

func (d *Door) createWorkspace(r *http.Request, who caller.Caller) (any, error) {
	var in api.WorkspaceNew
	if err := readBody(r, &in); err != nil {
		return nil, err
	}
	make := workspace.New{Name: in.Name, Tags: in.Tags}
	if in.DisplayColor != nil {
		make.Color = *in.DisplayColor
	}
	w, err := d.cfg.Workspaces.Create(r.Context(), who, who.Organization, make)
	return workspaceWire(w), err
}

func (d *Door) getWorkspace(r *http.Request, who caller.Caller) (any, error) {
	w, err := d.cfg.Workspaces.Get(r.Context(), who, who.Organization, id.Workspace(r.PathValue("id")))
	return workspaceWire(w), err
}

func (d *Door) updateWorkspace(r *http.Request, who caller.Caller) (any, error) {
	var in api.WorkspaceUpdate
	if err := readBody(r, &in); err != nil {
		return nil, err
	}
	c := workspace.Change{Name: in.Name, Color: in.DisplayColor}
	if in.Tags != nil {
		was, err := d.cfg.Workspaces.Get(r.Context(), who, who.Organization, id.Workspace(r.PathValue("id")))
		if err != nil {
			return nil, err
		}
		tags := retag(was.Tags, in.Tags)
		c.Tags, c.Version = &tags, was.Version
	}
	w, err := d.cfg.Workspaces.Update(r.Context(), who, who.Organization, id.Workspace(r.PathValue("id")), c)
	return workspaceWire(w), err
}

// retag returns tags with changes made to them; nil takes one away.
func retag(tags map[string]string, changes map[string]*string) map[string]string {
	is := map[string]string{}
	maps.Copy(is, tags)
	for k, v := range changes {
		if delete(is, k); v != nil {
			is[k] = *v
		}
	}
	return is
}

func (d *Door) archiveWorkspace(r *http.Request, who caller.Caller) (any, error) {
	w, err := d.cfg.Workspaces.Archive(r.Context(), who, who.Organization, id.Workspace(r.PathValue("id")))
	return workspaceWire(w), err
}

func workspaceWire(w workspace.Workspace) api.Workspace {
	out := api.Workspace{ID: string(w.ID), Type: "workspace", Name: w.Name, CreatedAt: api.Time{Time: w.CreatedAt}, ArchivedAt: api.MaybeTime(w.ArchivedAt),
		DisplayColor: w.Color, CompartmentID: "cmpt_" + strings.TrimPrefix(string(w.ID), "wrkspc_"), Tags: w.Tags,
		DataResidency: api.DataResidency{WorkspaceGeo: "us", AllowedInferenceGeos: "unrestricted", DefaultInferenceGeo: "global"}}
	if out.Tags == nil {
		out.Tags = map[string]string{}
	}
	return out
}

// inWorkspace is what somebody of a sort is in the workspace of the path.
func (d *Door) inWorkspace(r *http.Request, who caller.Caller, w, principal string, sort workspace.Sort) (workspace.Member, error) {
	if !wellFormed(principal) || !strings.HasPrefix(principal, string(sort)) {
		return workspace.Member{}, fault.New(fault.NotFound, "%.100q is not in the workspace", principal)
	}
	return d.cfg.Workspaces.Member(r.Context(), who, who.Organization, id.Workspace(w), principal)
}

// pageFrom refuses to page from somebody who is not there any more: the page
// would be empty, and look like the end of the list.
func (d *Door) pageFrom(r *http.Request, who caller.Caller, w, principal string, sort workspace.Sort) error {
	_, err := d.inWorkspace(r, who, w, principal, sort)
	if fault.Is(err, fault.NotFound) {
		err = fault.New(fault.Invalid, "what this page begins at is not in the list any more").WithHint("list again from the beginning")
	}
	return err
}

func (d *Door) listWorkspaceMembers(r *http.Request, who caller.Caller) (any, error) {
	q := ask(r)
	after, before := q.ends()
	if q.err != nil {
		return nil, q.err
	}
	w := id.Workspace(r.PathValue("id"))
	if _, err := d.cfg.Workspaces.Get(r.Context(), who, who.Organization, w); err != nil {
		return nil, err
	}
	if from := after + before; from != "" {
		if err := d.pageFrom(r, who, string(w), from, workspace.People); err != nil {
			return nil, err
		}
	}
	found, more, err := d.cfg.Workspaces.Members(r.Context(), who, who.Organization, w,
		workspace.MemberFilter{Sort: workspace.People, After: after, Before: before, Limit: q.limit})
	if err != nil {
		return nil, err
	}
	return pageOf(found, more, workspaceMember, func(m api.WorkspaceMember) string { return m.UserID }), nil
}

func (d *Door) addWorkspaceMember(r *http.Request, who caller.Caller) (any, error) {
	var in api.WorkspaceMemberNew
	if err := readBody(r, &in); err != nil {
		return nil, err
	}
	if _, err := d.member(r, who, in.UserID); err != nil {
		return nil, err
	}
	m, err := d.cfg.Workspaces.Add(r.Context(), who, who.Organization, id.Workspace(r.PathValue("id")), in.UserID, access.WorkspaceRole(in.WorkspaceRole))
	return workspaceMember(m), err
}

func (d *Door) getWorkspaceMember(r *http.Request, who caller.Caller) (any, error) {
	m, err := d.inWorkspace(r, who, r.PathValue("id"), r.PathValue("user"), workspace.People)
	return workspaceMember(m), err
}

func (d *Door) updateWorkspaceMember(r *http.Request, who caller.Caller) (any, error) {
	m, err := d.setWorkspaceRole(r, who, r.PathValue("user"), workspace.People)
	return workspaceMember(m), err
}

func (d *Door) setWorkspaceRole(r *http.Request, who caller.Caller, principal string, sort workspace.Sort) (workspace.Member, error) {
	var in api.WorkspaceMemberUpdate
	if err := readBody(r, &in); err != nil {
		return workspace.Member{}, err
	}
	if _, err := d.inWorkspace(r, who, r.PathValue("id"), principal, sort); err != nil {
		return workspace.Member{}, err
	}
	return d.cfg.Workspaces.SetRole(r.Context(), who, who.Organization, id.Workspace(r.PathValue("id")), principal, access.WorkspaceRole(in.WorkspaceRole))
}

func (d *Door) removeWorkspaceMember(r *http.Request, who caller.Caller) (any, error) {
	w, u := r.PathValue("id"), r.PathValue("user")
	return api.WorkspaceMemberDeleted{Type: "workspace_member_deleted", UserID: u, WorkspaceID: w}, d.leaveWorkspace(r, who, w, u, workspace.People)
}

func (d *Door) leaveWorkspace(r *http.Request, who caller.Caller, w, principal string, sort workspace.Sort) error {
	if _, err := d.inWorkspace(r, who, w, principal, sort); err != nil {
		return err
	}
	return d.cfg.Workspaces.Remove(r.Context(), who, who.Organization, id.Workspace(w), principal)
}

func workspaceMember(m workspace.Member) api.WorkspaceMember {
	return api.WorkspaceMember{Type: "workspace_member", UserID: m.Principal, WorkspaceID: string(m.Workspace), WorkspaceRole: api.WorkspaceRole(m.Role)}
}
