package admin

import (
	"net/http"

	"github.com/gatehouse-dev/gatehouse/api"
	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/door/route"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
)

func (d *Door) userRoutes() []route.Route {
	return []route.Route{
		{Pattern: "GET /v1/organizations/users", Handler: d.serve(d.listUsers)},
		{Pattern: "GET /v1/organizations/users/{id}", Handler: d.serve(d.getUser)},
		{Pattern: "POST /v1/organizations/users/{id}", Handler: d.serve(d.updateUser)},
		{Pattern: "DELETE /v1/organizations/users/{id}", Handler: d.serve(d.removeUser)},
	}
}

func (d *Door) listUsers(r *http.Request, who caller.Caller) (any, error) {
	q := ask(r)
	after, before := q.ends()
	f := org.MemberFilter{Email: q.text("email"), After: id.Member(after), Before: id.Member(before), Limit: q.limit}
	for _, role := range some[api.Role](q, "roles") {
		f.Roles = append(f.Roles, access.Role(role))
	}
	if q.err != nil {
		return nil, q.err
	}
	found, more, err := d.cfg.Orgs.Members(r.Context(), who, who.Organization, f)
	if err != nil {
		return nil, err
	}
	return pageOf(found, more, user, func(u api.User) string { return u.ID }), nil
}

func (d *Door) getUser(r *http.Request, who caller.Caller) (any, error) {
	m, err := d.member(r, who, r.PathValue("id"))
	return user(m), err
}

// member is somebody who is in the organization: not one who was removed.
func (d *Door) member(r *http.Request, who caller.Caller, m string) (org.Member, error) {
	if !wellFormed(m) {
		return org.Member{}, noMember()
	}
	found, err := d.cfg.Orgs.Member(r.Context(), who, who.Organization, id.Member(m))
	if err == nil && found.Status == org.Removed {
		err = noMember()
	}
	return found, err
}

func noMember() error {
	return fault.New(fault.NotFound, "there is no such member in your organization")
}

func (d *Door) updateUser(r *http.Request, who caller.Caller) (any, error) {
	var in api.UserUpdate
	if err := readBody(r, &in); err != nil {
		return nil, err
	}
	m, err := d.cfg.Orgs.SetRole(r.Context(), who, who.Organization, id.Member(r.PathValue("id")), 0, access.Role(in.Role))
	return user(m), err
}

func (d *Door) removeUser(r *http.Request, who caller.Caller) (any, error) {
	m, err := d.cfg.Orgs.Remove(r.Context(), who, who.Organization, id.Member(r.PathValue("id")))
	return api.UserDeleted{ID: string(m.ID), Type: "user_deleted"}, err
}

func user(m org.Member) api.User {
	return api.User{ID: string(m.ID), Type: "user", AddedAt: api.Time{Time: m.JoinedAt}, Email: m.Email, Name: m.Name, Role: api.Role(m.Role)}
}
