package admin

import (
	"fmt"
	"math"

	"github.com/gatehouse-dev/gatehouse/api"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
)

func (d *Door) groupOperations() []operation {
	return []operation{
		shows("GET /rbac_groups", "List groups", whole(d.allGroups, group, newest), onward...),
		takes("POST /rbac_groups", "Make a group", d.createGroup),
		shows("GET /rbac_groups/{id}", "One group", one(d.cfg.Orgs.Group, group)),
		takes("POST /rbac_groups/{id}", "Rename a group", d.updateGroup),
		shows("DELETE /rbac_groups/{id}", "Delete a group", d.deleteGroup),
		shows("GET /rbac_groups/{id}/members", "List who is in a group",
			cursors(groupMembersAsked, d.cfg.Orgs.GroupMembers, groupMember, func(m org.GroupMember) string { return string(m.Member) }), onward...),
		takes("POST /rbac_groups/{id}/members", "Add a member to a group", d.addGroupMember),
		shows("DELETE /rbac_groups/{id}/members/{user}", "Take a member out of a group", d.removeGroupMember),
	}
}

func (d *Door) allGroups(c call, _ *asked) ([]org.Group, error) {
	return d.cfg.Orgs.Groups(c.Context(), c.who, c.who.Organization)
}

// newest orders groups by when they were made.
func newest(g org.Group) string {
	return fmt.Sprintf("%020d %s", math.MaxInt64-g.CreatedAt.UnixMicro(), g.ID)
}

func (d *Door) createGroup(c call, in api.RBACGroupNew) (api.RBACGroup, error) {
	g, err := d.cfg.Orgs.CreateGroup(c.Context(), c.who, c.who.Organization, org.Group{Name: in.Name})
	return group(g), err
}

// updateGroup changes the name alone, and only of the group as it was read: what
// somebody else has given it in between is not taken back.
func (d *Door) updateGroup(c call, in api.RBACGroupUpdate) (api.RBACGroup, error) {
	g, err := d.cfg.Orgs.Group(c.Context(), c.who, c.who.Organization, named[id.Group](c))
	if err != nil {
		return api.RBACGroup{}, err
	}
	if in.Name != nil {
		g.Name = *in.Name
	}
	g, err = d.cfg.Orgs.UpdateGroup(c.Context(), c.who, c.who.Organization, g)
	return group(g), err
}

func (d *Door) deleteGroup(c call) (api.RBACGroupDeleted, error) {
	g := named[id.Group](c)
	return api.RBACGroupDeleted{ID: string(g), Type: "rbac_group_deleted"}, d.cfg.Orgs.DeleteGroup(c.Context(), c.who, c.who.Organization, g)
}

func group(g org.Group) api.RBACGroup {
	return api.RBACGroup{ID: string(g.ID), Type: "rbac_group", Name: g.Name, RoleIDs: texts(g.Roles), SourceType: "direct",
		CreatedAt: api.Time{Time: g.CreatedAt}, UpdatedAt: api.Time{Time: g.UpdatedAt}}
}

func groupMembersAsked(c call, q *asked) org.GroupMemberFilter {
	return org.GroupMemberFilter{Group: named[id.Group](c), After: idCursor[id.Member](q), Limit: q.limit}
}

func (d *Door) addGroupMember(c call, in api.RBACGroupMemberNew) (api.RBACGroupMember, error) {
	m, err := d.member(c, in.UserID)
	if err != nil {
		return api.RBACGroupMember{}, err
	}
	g := named[id.Group](c)
	if err := d.cfg.Orgs.AddToGroup(c.Context(), c.who, c.who.Organization, g, m.ID); err != nil {
		return api.RBACGroupMember{}, err
	}
	joined, err := d.cfg.Orgs.GroupMember(c.Context(), c.who, c.who.Organization, g, m.ID)
	return groupMember(joined), err
}

func (d *Door) removeGroupMember(c call) (api.RBACGroupMemberDeleted, error) {
	g, u := named[id.Group](c), c.PathValue("user")
	return api.RBACGroupMemberDeleted{Type: "rbac_group_member_deleted", RBACGroupID: string(g), UserID: u},
		d.cfg.Orgs.RemoveFromGroup(c.Context(), c.who, c.who.Organization, g, id.Member(u))
}

func groupMember(m org.GroupMember) api.RBACGroupMember {
	return api.RBACGroupMember{Type: "rbac_group_member", RBACGroupID: string(m.Group), UserID: string(m.Member), Email: m.Email, CreatedAt: api.Time{Time: m.Since}}
}
