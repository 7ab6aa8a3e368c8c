package admin

import (
	"github.com/gatehouse-dev/gatehouse/api"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
)

func (d *Door) roleOperations() []operation {
	return []operation{
		shows("GET /rbac_roles", "List custom roles", whole(d.allRoles, role, func(v org.Role) string { return v.Name }), onward...),
		shows("GET /rbac_roles/{id}", "One custom role", one(d.cfg.Orgs.Role, role)),
		shows("GET /rbac_roles/{id}/permissions", "List what a custom role allows",
			whole(d.allPermissions, allowance.wire, func(a allowance) string { return a.right.String() }), onward...),
	}
}

func (d *Door) allRoles(c call, _ *asked) ([]org.Role, error) {
	return d.cfg.Orgs.Roles(c.Context(), c.who, c.who.Organization)
}

func role(v org.Role) api.RBACRole {
	made := api.Time{Time: v.CreatedAt}
	return api.RBACRole{ID: string(v.ID), Type: "rbac_role", Name: v.Name, DisplayName: v.Name, Source: api.RBACRoleSource{Type: "custom"}, CreatedAt: made, UpdatedAt: made}
}

// allowance is a right in an organization.
type allowance struct {
	right caller.Right
	in    id.Organization
}

func (a allowance) wire() api.RBACRolePermission {
	return api.RBACRolePermission{Type: "rbac_role_permission", Action: a.right.String(),
		Resource: api.PermissionResource{Type: "organization", OrganizationID: string(a.in)}}
}

func (d *Door) allPermissions(c call, _ *asked) ([]allowance, error) {
	v, err := d.cfg.Orgs.Role(c.Context(), c.who, c.who.Organization, named[id.Role](c))
	var all []allowance
	for _, right := range caller.EveryRight() {
		if v.Rights.Has(right) {
			all = append(all, allowance{right, c.who.Organization})
		}
	}
	return all, err
}
