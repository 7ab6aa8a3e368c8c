package admin

import (
	"net/http"

	"github.com/gatehouse-dev/gatehouse/api"
	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/door/route"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/invite"
	"github.com/gatehouse-dev/gatehouse/internal/org"
)

func (d *Door) inviteRoutes() []route.Route {
	return []route.Route{
		{Pattern: "GET /v1/organizations/invites", Handler: d.serve(d.listInvites)},
		{Pattern: "POST /v1/organizations/invites", Handler: d.serve(d.createInvite)},
		{Pattern: "GET /v1/organizations/invites/{id}", Handler: d.serve(d.getInvite)},
		{Pattern: "DELETE /v1/organizations/invites/{id}", Handler: d.serve(d.deleteInvite)},
	}
}

func (d *Door) listInvites(r *http.Request, who caller.Caller) (any, error) {
	q := ask(r)
	after, before := q.ends()
	f := invite.Filter{Email: q.text("email"), After: id.Invite(after), Before: id.Invite(before), Limit: q.limit}
	for _, role := range some[api.Role](q, "roles") {
		f.Roles = append(f.Roles, access.Role(role))
	}
	for _, status := range some[api.InviteStatus](q, "statuses") {
		f.Statuses = append(f.Statuses, invite.Status(status))
	}
	if f.Statuses == nil { // those that were withdrawn are shown to who asks for them
		f.Statuses = []invite.Status{invite.Pending, invite.Accepted, invite.Expired}
	}
	if q.err != nil {
		return nil, q.err
	}
	// A page from an invitation of another organization would tell when it was made.
	if from := id.Invite(after + before); from != "" {
		if _, err := d.cfg.Invites.Get(r.Context(), who, who.Organization, from); fault.Is(err, fault.NotFound) {
			return nil, fault.New(fault.Invalid, "there is no invitation %q to page from", from)
		} else if err != nil {
			return nil, err
		}
	}
	found, more, err := d.cfg.Invites.List(r.Context(), who, who.Organization, f)
	if err != nil {
		return nil, err
	}
	return pageOf(found, more, invitation, func(i api.Invite) string { return i.ID }), nil
}

func (d *Door) createInvite(r *http.Request, who caller.Caller) (any, error) {
	var in api.InviteNew
	if err := readBody(r, &in); err != nil {
		return nil, err
	}
	place := invite.Place{Role: access.Role(in.Role)}
	for _, g := range in.RBACGroupIDs {
		if !wellFormed(g) {
			return nil, org.NoGroup()
		}
		place.Groups = append(place.Groups, id.Group(g))
	}
	if ok, wait := d.cfg.Invitations.Allow(string(who.Organization)); !ok {
		return nil, fault.New(fault.RateLimited, "more than 1,200 invitations an hour over the Admin API").After(wait).
			WithHint("the console takes 5,000 in one go")
	}
	i, err := d.cfg.Invites.Create(r.Context(), who, who.Organization, invite.New{Email: in.Email, Place: place})
	if err != nil {
		d.cfg.Invitations.GiveBack(string(who.Organization))
	}
	return invitation(i), err
}

func (d *Door) getInvite(r *http.Request, who caller.Caller) (any, error) {
	i, err := d.cfg.Invites.Get(r.Context(), who, who.Organization, id.Invite(r.PathValue("id")))
	return invitation(i), err
}

func (d *Door) deleteInvite(r *http.Request, who caller.Caller) (any, error) {
	i, err := d.cfg.Invites.Withdraw(r.Context(), who, who.Organization, id.Invite(r.PathValue("id")))
	return api.InviteDeleted{ID: string(i.ID), Type: "invite_deleted"}, err
}

func invitation(i invite.Invite) api.Invite {
	out := api.Invite{ID: string(i.ID), Type: "invite", Email: i.Email, Role: api.Role(i.Role), Status: api.InviteStatus(i.Status),
		InvitedAt: api.Time{Time: i.CreatedAt}, ExpiresAt: api.Time{Time: i.ExpiresAt}, RBACGroupIDs: []string{}}
	if i.Status == invite.Accepted {
		out.AcceptedAt = api.MaybeTime(i.EndedAt)
	}
	for _, g := range i.Groups {
		out.RBACGroupIDs = append(out.RBACGroupIDs, string(g))
	}
	return out
}
