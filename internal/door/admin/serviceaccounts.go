package admin

import (
	"net/http"
	"strings"

	"github.com/gatehouse-dev/gatehouse/api"
	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/door/route"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/serviceaccount"
	"github.com/gatehouse-dev/gatehouse/internal/workspace"
)

func (d *Door) serviceAccountRoutes() []route.Route {
	return []route.Route{
		{Pattern: "GET /v1/organizations/service_accounts", Handler: d.serve(d.listServiceAccounts)},
		{Pattern: "POST /v1/organizations/service_accounts", Handler: d.serve(d.createServiceAccount)},
		{Pattern: "GET /v1/organizations/service_accounts/{id}", Handler: d.serve(d.getServiceAccount)},
		{Pattern: "POST /v1/organizations/service_accounts/{id}", Handler: d.serve(d.updateServiceAccount)},
		{Pattern: "POST /v1/organizations/service_accounts/{id}/archive", Handler: d.serve(d.archiveServiceAccount)},
		{Pattern: "GET /v1/organizations/service_accounts/{id}/workspaces", Handler: d.serve(d.listWorkspacesOf)},
		{Pattern: "POST /v1/organizations/service_accounts/{id}/workspaces", Handler: d.serve(d.addWorkspaceOf)},
		{Pattern: "DELETE /v1/organizations/service_accounts/{id}/workspaces/{workspace}", Handler: d.serve(d.removeWorkspaceOf)},
		{Pattern: "GET /v1/organizations/workspaces/{id}/service_accounts", Handler: d.serve(d.listServicesIn)},
		{Pattern: "POST /v1/organizations/workspaces/{id}/service_accounts", Handler: d.serve(d.addServiceIn)},
		{Pattern: "GET /v1/organizations/workspaces/{id}/service_accounts/{account}", Handler: d.serve(d.getServiceIn)},
		{Pattern: "POST /v1/organizations/workspaces/{id}/service_accounts/{account}", Handler: d.serve(d.updateServiceIn)},
		{Pattern: "DELETE /v1/organizations/workspaces/{id}/service_accounts/{account}", Handler: d.serve(d.removeServiceIn)},
	}
}

func (d *Door) listServiceAccounts(r *http.Request, who caller.Caller) (any, error) {
	q := ask(r)
	f := serviceaccount.Filter{Archived: q.yes("include_archived"), After: id.ServiceAccount(q.idCursor()), Limit: q.limit}
	if q.err != nil {
		return nil, q.err
	}
	found, more, err := d.cfg.ServiceAccounts.List(r.Context(), who, who.Organization, f)
	if err != nil {
		return nil, err
	}
	return cursorPage(q, found, more, serviceAccount, func(a serviceaccount.Account) string { return string(a.ID) }), nil
}

func (d *Door) createServiceAccount(r *http.Request, who caller.Caller) (any, error) {
	var in api.ServiceAccountNew
	if err := readBody(r, &in); err != nil {
		return nil, err
	}
	make := serviceaccount.New{Name: in.Name}
	if in.Description != nil {
		make.Description = *in.Description
	}
	a, err := d.cfg.ServiceAccounts.Create(r.Context(), who, who.Organization, make)
	return serviceAccount(a), err
}

func (d *Door) getServiceAccount(r *http.Request, who caller.Caller) (any, error) {
	a, err := d.cfg.ServiceAccounts.Get(r.Context(), who, who.Organization, id.ServiceAccount(r.PathValue("id")))
	return serviceAccount(a), err
}

func (d *Door) updateServiceAccount(r *http.Request, who caller.Caller) (any, error) {
	var in api.ServiceAccountUpdate
	if err := readBody(r, &in); err != nil {
		return nil, err
	}
	c := serviceaccount.Change{Description: in.Description.Value}
	if in.Description.Given && c.Description == nil {
		c.Description = new(string)
	}
	a, err := d.cfg.ServiceAccounts.Update(r.Context(), who, who.Organization, id.ServiceAccount(r.PathValue("id")), c)
	return serviceAccount(a), err
}

func (d *Door) archiveServiceAccount(r *http.Request, who caller.Caller) (any, error) {
	a, err := d.cfg.ServiceAccounts.Archive(r.Context(), who, who.Organization, id.ServiceAccount(r.PathValue("id")))
	return serviceAccount(a), err
}

func serviceAccount(a serviceaccount.Account) api.ServiceAccount {
	out := api.ServiceAccount{ID: string(a.ID), Type: "service_account", Name: a.Name, Description: a.Description, OrganizationRole: "developer",
		CreatedAt: api.Time{Time: a.CreatedAt}, CreatedByActorID: actor(a.CreatedBy), UpdatedAt: api.Time{Time: a.CreatedAt}, UpdatedByActorID: actor(a.UpdatedBy),
		ArchivedAt: api.MaybeTime(a.ArchivedAt), ArchivedByActorID: actor(a.ArchivedBy)}
	if !a.UpdatedAt.IsZero() {
		out.UpdatedAt = api.Time{Time: a.UpdatedAt}
	}
	return out
}

// actor is the id of who did something; nil for those who have none.
func actor(by string) *string {
	for _, kind := range []string{"user_", "svac_", "apikey_"} {
		if strings.HasPrefix(by, kind) {
			return &by
		}
	}
	return nil
}

func serviceMember(m workspace.Member) api.ServiceAccountMember {
	return api.ServiceAccountMember{Type: "service_account_workspace_member", ServiceAccountID: m.Principal, WorkspaceID: string(m.Workspace),
		WorkspaceRole: api.WorkspaceRole(m.Role), CreatedByActorID: actor(m.CreatedBy)}
}

func (d *Door) listWorkspacesOf(r *http.Request, who caller.Caller) (any, error) {
	q := ask(r)
	after := q.idCursor()
	if q.err != nil {
		return nil, q.err
	}
	a, err := d.cfg.ServiceAccounts.Get(r.Context(), who, who.Organization, id.ServiceAccount(r.PathValue("id")))
	if err != nil {
		return nil, err
	}
	if after != "" {
		if err := d.pageFrom(r, who, after, string(a.ID), workspace.ServiceAccounts); err != nil {
			return nil, err
		}
	}
	found, more, err := d.cfg.Workspaces.Of(r.Context(), who, who.Organization, string(a.ID), workspace.MemberFilter{After: after, Limit: q.limit})
	if err != nil {
		return nil, err
	}
	return cursorPage(q, found, more, serviceMember, func(m workspace.Member) string { return string(m.Workspace) }), nil
}

func (d *Door) addWorkspaceOf(r *http.Request, who caller.Caller) (any, error) {
	var in api.ServiceAccountWorkspaceNew
	if err := readBody(r, &in); err != nil {
		return nil, err
	}
	return d.join(r, who, in.WorkspaceID, r.PathValue("id"), in.WorkspaceRole)
}

func (d *Door) addServiceIn(r *http.Request, who caller.Caller) (any, error) {
	var in api.ServiceAccountMemberNew
	if err := readBody(r, &in); err != nil {
		return nil, err
	}
	return d.join(r, who, r.PathValue("id"), in.ServiceAccountID, in.WorkspaceRole)
}

// join puts a service account into a workspace.
func (d *Door) join(r *http.Request, who caller.Caller, w, account string, role api.AssignableWorkspaceRole) (any, error) {
	if !wellFormed(w) || !wellFormed(account) {
		return nil, fault.New(fault.NotFound, "there is no such workspace or service account in your organization")
	}
	a, err := d.cfg.ServiceAccounts.Get(r.Context(), who, who.Organization, id.ServiceAccount(account))
	if err != nil {
		return nil, err
	}
	m, err := d.cfg.Workspaces.Add(r.Context(), who, who.Organization, id.Workspace(w), string(a.ID), access.WorkspaceRole(role))
	return serviceMember(m), err
}

func (d *Door) removeWorkspaceOf(r *http.Request, who caller.Caller) (any, error) {
	return d.part(r, who, r.PathValue("workspace"), r.PathValue("id"))
}

func (d *Door) removeServiceIn(r *http.Request, who caller.Caller) (any, error) {
	return d.part(r, who, r.PathValue("id"), r.PathValue("account"))
}

// part takes a service account out of a workspace. Nothing happens to one that
// is not in it.
func (d *Door) part(r *http.Request, who caller.Caller, w, account string) (any, error) {
	gone := api.ServiceAccountMemberDeleted{Type: "service_account_workspace_member_deleted", ServiceAccountID: account, WorkspaceID: w}
	err := d.leaveWorkspace(r, who, w, account, workspace.ServiceAccounts)
	if !fault.Is(err, fault.NotFound) {
		return gone, err
	}
	if _, err := d.cfg.Workspaces.Get(r.Context(), who, who.Organization, id.Workspace(w)); err != nil {
		return nil, err
	}
	_, err = d.cfg.ServiceAccounts.Get(r.Context(), who, who.Organization, id.ServiceAccount(account))
	return gone, err
}

func (d *Door) listServicesIn(r *http.Request, who caller.Caller) (any, error) {
	q := ask(r)
	after := q.idCursor()
	if q.err != nil {
		return nil, q.err
	}
	w := id.Workspace(r.PathValue("id"))
	if _, err := d.cfg.Workspaces.Get(r.Context(), who, who.Organization, w); err != nil {
		return nil, err
	}
	if after != "" {
		if err := d.pageFrom(r, who, string(w), after, workspace.ServiceAccounts); err != nil {
			return nil, err
		}
	}
	found, more, err := d.cfg.Workspaces.Members(r.Context(), who, who.Organization, w,
		workspace.MemberFilter{Sort: workspace.ServiceAccounts, After: after, Limit: q.limit})
	if err != nil {
		return nil, err
	}
	return cursorPage(q, found, more, serviceMember, func(m workspace.Member) string { return m.Principal }), nil
}

func (d *Door) getServiceIn(r *http.Request, who caller.Caller) (any, error) {
	m, err := d.inWorkspace(r, who, r.PathValue("id"), r.PathValue("account"), workspace.ServiceAccounts)
	if err != nil {
		return nil, err
	}
	return d.whole(r, who, m)
}

func (d *Door) updateServiceIn(r *http.Request, who caller.Caller) (any, error) {
	m, err := d.setWorkspaceRole(r, who, r.PathValue("account"), workspace.ServiceAccounts)
	if err != nil {
		return nil, err
	}
	return d.whole(r, who, m)
}

// whole adds who put a service account into a workspace, which lists alone say.
func (d *Door) whole(r *http.Request, who caller.Caller, m workspace.Member) (any, error) {
	all, _, err := d.cfg.Workspaces.Of(r.Context(), who, who.Organization, m.Principal, workspace.MemberFilter{Limit: maxLimit})
	for _, in := range all {
		if in.Workspace == m.Workspace {
			m.CreatedBy = in.CreatedBy
		}
	}
	return serviceMember(m), err
}
