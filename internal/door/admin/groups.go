package admin

import (
	"fmt"
	"math"
	"net/http"

	"github.com/gatehouse-dev/gatehouse/api"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/door/route"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
)

func (d *Door) groupRoutes() []route.Route {
	return []route.Route{
		{Pattern: "GET /v1/organizations/rbac_groups", Handler: d.serve(d.listGroups)},
		{Pattern: "POST /v1/organizations/rbac_groups", Handler: d.serve(d.createGroup)},
		{Pattern: "GET /v1/organizations/rbac_groups/{id}", Handler: d.serve(d.getGroup)},
		{Pattern: "POST /v1/organizations/rbac_groups/{id}", Handler: d.serve(d.updateGroup)},
		{Pattern: "DELETE /v1/organizations/rbac_groups/{id}", Handler: d.serve(d.deleteGroup)},
		{Pattern: "GET /v1/organizations/rbac_groups/{id}/members", Handler: d.serve(d.listGroupMembers)},
		{Pattern: "POST /v1/organizations/rbac_groups/{id}/members", Handler: d.serve(d.addGroupMember)},
		{Pattern: "DELETE /v1/organizations/rbac_groups/{id}/members/{user}", Handler: d.serve(d.removeGroupMember)},
		{Pattern: "GET /v1/organizations/rbac_roles", Handler: d.serve(d.listRoles)},
		{Pattern: "GET /v1/organizations/rbac_roles/{id}", Handler: d.serve(d.getRole)},
		{Pattern: "GET /v1/organizations/rbac_roles/{id}/permissions", Handler: d.serve(d.listPermissions)},
	}
}

func (d *Door) listGroups(r *http.Request, who caller.Caller) (any, error) {
	all, err := d.cfg.Orgs.Groups(r.Context(), who, who.Organization)
	if err != nil {
		return nil, err
	}
	return cut(all, ask(r), group, func(g org.Group) string { // the newest first
		return fmt.Sprintf("%020d %s", math.MaxInt64-g.CreatedAt.UnixMicro(), g.ID)
	})
}

func (d *Door) createGroup(r *http.Request, who caller.Caller) (any, error) {
	var in api.RBACGroupNew
	if err := readBody(r, &in); err != nil {
		return nil, err
	}
	g, err := d.cfg.Orgs.CreateGroup(r.Context(), who, who.Organization, org.Group{Name: in.Name})
	return group(g), err
}

func (d *Door) getGroup(r *http.Request, who caller.Caller) (any, error) {
	g, err := d.cfg.Orgs.Group(r.Context(), who, who.Organization, id.Group(r.PathValue("id")))
	return group(g), err
}

// updateGroup changes the name alone, and only of the group as it was read: what
// somebody else has given it in between is not taken back.
func (d *Door) updateGroup(r *http.Request, who caller.Caller) (any, error) {
	var in api.RBACGroupUpdate
	if err := readBody(r, &in); err != nil {
		return nil, err
	}
	g, err := d.cfg.Orgs.Group(r.Context(), who, who.Organization, id.Group(r.PathValue("id")))
	if err != nil {
		return nil, err
	}
	if in.Name != nil {
		g.Name = *in.Name
	}
	g, err = d.cfg.Orgs.UpdateGroup(r.Context(), who, who.Organization, g)
	return group(g), err
}

func (d *Door) deleteGroup(r *http.Request, who caller.Caller) (any, error) {
	g := r.PathValue("id")
	return api.RBACGroupDeleted{ID: g, Type: "rbac_group_deleted"}, d.cfg.Orgs.DeleteGroup(r.Context(), who, who.Organization, id.Group(g))
}

func group(g org.Group) api.RBACGroup {
	out := api.RBACGroup{ID: string(g.ID), Type: "rbac_group", Name: g.Name, RoleIDs: []string{}, SourceType: "direct",
		CreatedAt: api.Time{Time: g.CreatedAt}, UpdatedAt: api.Time{Time: g.UpdatedAt}}
	for _, role := range g.Roles {
		out.RoleIDs = append(out.RoleIDs, string(role))
	}
	return out
}

func (d *Door) listGroupMembers(r *http.Request, who caller.Caller) (any, error) {
	q := ask(r)
	after := q.idCursor()
	if q.err != nil {
		return nil, q.err
	}
	f := org.GroupMemberFilter{Group: id.Group(r.PathValue("id")), After: id.Member(after), Limit: q.limit}
	found, more, err := d.cfg.Orgs.GroupMembers(r.Context(), who, who.Organization, f)
	if err != nil {
		return nil, err
	}
	return cursorPage(q, found, more, groupMember, func(m org.GroupMember) string { return string(m.Member) }), nil
}

func (d *Door) addGroupMember(r *http.Request, who caller.Caller) (any, error) {
	var in api.RBACGroupMemberNew
	if err := readBody(r, &in); err != nil {
		return nil, err
	}
	m, err := d.member(r, who, in.UserID)
	if err != nil {
		return nil, err
	}
	g := id.Group(r.PathValue("id"))
	if err := d.cfg.Orgs.AddToGroup(r.Context(), who, who.Organization, g, m.ID); err != nil {
		return nil, err
	}
	joined, err := d.cfg.Orgs.GroupMember(r.Context(), who, who.Organization, g, m.ID)
	return groupMember(joined), err
}

func (d *Door) removeGroupMember(r *http.Request, who caller.Caller) (any, error) {
	g, u := r.PathValue("id"), r.PathValue("user")
	return api.RBACGroupMemberDeleted{Type: "rbac_group_member_deleted", RBACGroupID: g, UserID: u},
		d.cfg.Orgs.RemoveFromGroup(r.Context(), who, who.Organization, id.Group(g), id.Member(u))
}

func groupMember(m org.GroupMember) api.RBACGroupMember {
	return api.RBACGroupMember{Type: "rbac_group_member", RBACGroupID: string(m.Group), UserID: string(m.Member), Email: m.Email, CreatedAt: api.Time{Time: m.Since}}
}

func (d *Door) listRoles(r *http.Request, who caller.Caller) (any, error) {
	all, err := d.cfg.Orgs.Roles(r.Context(), who, who.Organization)
	if err != nil {
		return nil, err
	}
	return cut(all, ask(r), role, func(v org.Role) string { return v.Name })
}

func (d *Door) getRole(r *http.Request, who caller.Caller) (any, error) {
	v, err := d.cfg.Orgs.Role(r.Context(), who, who.Organization, id.Role(r.PathValue("id")))
	return role(v), err
}

func role(v org.Role) api.RBACRole {
	made := api.Time{Time: v.CreatedAt}
	return api.RBACRole{ID: string(v.ID), Type: "rbac_role", Name: v.Name, DisplayName: v.Name, Source: api.RBACRoleSource{Type: "custom"}, CreatedAt: made, UpdatedAt: made}
}

func (d *Door) listPermissions(r *http.Request, who caller.Caller) (any, error) {
	v, err := d.cfg.Orgs.Role(r.Context(), who, who.Organization, id.Role(r.PathValue("id")))
	if err != nil {
		return nil, err
	}
	var actions []string
	for right := range caller.Right(64) {
		if v.Rights.Has(right) {
			actions = append(actions, right.String())
		}
	}
	of := api.PermissionResource{Type: "organization", OrganizationID: string(who.Organization)}
	return cut(actions, ask(r), func(action string) api.RBACRolePermission {
		return api.RBACRolePermission{Type: "rbac_role_permission", Action: action, Resource: of}
	}, same)
}
