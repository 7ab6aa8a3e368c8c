package admin

import (
	"github.com/gatehouse-dev/gatehouse/api"
	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
)

func (d *Door) userOperations() []operation {
	return []operation{
		shows("GET /users", "List members", pages(usersAsked, d.cfg.Orgs.Members, user, memberID), with(ends, "email", "roles[]")...),
		shows("GET /users/{id}", "One member", d.getUser),
		takes("POST /users/{id}", "Give a member another role", d.updateUser),
		shows("DELETE /users/{id}", "Remove a member", one(d.cfg.Orgs.Remove, func(m org.Member) api.UserDeleted {
			return api.UserDeleted{ID: string(m.ID), Type: "user_deleted"}
		})),
	}
}

func usersAsked(_ call, q *asked) org.MemberFilter {
	f := org.MemberFilter{Email: q.text("email"), Roles: some[api.Role, access.Role](q, "roles"), Limit: q.limit}
	f.After, f.Before = endsOf[id.Member](q)
	return f
}

func (d *Door) getUser(c call) (api.User, error) {
	m, err := d.member(c, c.PathValue("id"))
	return user(m), err
}

// member is somebody who is in the organization: not one who was removed.
func (d *Door) member(c call, m string) (org.Member, error) {
	if !wellFormed(m) {
		return org.Member{}, noMember()
	}
	found, err := d.cfg.Orgs.Member(c.Context(), c.who, c.who.Organization, id.Member(m))
	if err == nil && found.Status == org.Removed {
		err = noMember()
	}
	return found, err
}

func noMember() error {
	return fault.New(fault.NotFound, "there is no such member in your organization")
}

func (d *Door) updateUser(c call, in api.UserUpdate) (api.User, error) {
	m, err := d.cfg.Orgs.SetRole(c.Context(), c.who, c.who.Organization, named[id.Member](c), 0, access.Role(in.Role))
	return user(m), err
}

func memberID(m org.Member) string { return string(m.ID) }

func user(m org.Member) api.User {
	return api.User{ID: string(m.ID), Type: "user", AddedAt: api.Time{Time: m.JoinedAt}, Email: m.Email, Name: m.Name, Role: api.Role(m.Role)}
}
