package admin

import (
	"context"

	"github.com/gatehouse-dev/gatehouse/api"
	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/invite"
	"github.com/gatehouse-dev/gatehouse/internal/org"
)

func (d *Door) inviteOperations() []operation {
	return []operation{
		shows("GET /invites", "List invitations", pages(invitesAsked, d.findInvites, invitation, func(i invite.Invite) string { return string(i.ID) }),
			with(ends, "email", "roles[]", "statuses[]")...),
		takes("POST /invites", "Invite somebody", d.createInvite),
		shows("GET /invites/{id}", "One invitation", one(d.cfg.Invites.Get, invitation)),
		shows("DELETE /invites/{id}", "Withdraw an invitation", one(d.cfg.Invites.Withdraw, func(i invite.Invite) api.InviteDeleted {
			return api.InviteDeleted{ID: string(i.ID), Type: "invite_deleted"}
		})),
	}
}

func invitesAsked(_ call, q *asked) invite.Filter {
	f := invite.Filter{Email: q.text("email"), Roles: some[api.Role, access.Role](q, "roles"), Statuses: some[api.InviteStatus, invite.Status](q, "statuses"), Limit: q.limit}
	if f.Statuses == nil { // those that were withdrawn are shown to who asks for them
		f.Statuses = []invite.Status{invite.Pending, invite.Accepted, invite.Expired}
	}
	f.After, f.Before = endsOf[id.Invite](q)
	return f
}

// findInvites refuses a page from an invitation of another organization: it would
// tell when that was made.
func (d *Door) findInvites(ctx context.Context, who caller.Caller, o id.Organization, f invite.Filter) ([]invite.Invite, bool, error) {
	if from := f.After + f.Before; from != "" {
		if _, err := d.cfg.Invites.Get(ctx, who, o, from); fault.Is(err, fault.NotFound) {
			return nil, false, fault.New(fault.Invalid, "there is no invitation %q to page from", from)
		} else if err != nil {
			return nil, false, err
		}
	}
	return d.cfg.Invites.List(ctx, who, o, f)
}

func (d *Door) createInvite(c call, in api.InviteNew) (api.Invite, error) {
	place := invite.Place{Role: access.Role(in.Role)}
	for _, g := range in.RBACGroupIDs {
		if !wellFormed(g) {
			return api.Invite{}, org.NoGroup()
		}
		place.Groups = append(place.Groups, id.Group(g))
	}
	o := c.who.Organization
	if ok, wait := d.cfg.Invitations.Allow(string(o)); !ok {
		return api.Invite{}, fault.New(fault.RateLimited, "more than 1,200 invitations an hour over the Admin API").After(wait).
			WithHint("the console takes 5,000 in one go")
	}
	i, err := d.cfg.Invites.Create(c.Context(), c.who, o, invite.New{Email: in.Email, Place: place})
	if err != nil {
		d.cfg.Invitations.GiveBack(string(o))
	}
	return invitation(i), err
}

func invitation(i invite.Invite) api.Invite {
	out := api.Invite{ID: string(i.ID), Type: "invite", Email: i.Email, Role: api.Role(i.Role), Status: api.InviteStatus(i.Status),
		InvitedAt: api.Time{Time: i.CreatedAt}, ExpiresAt: api.Time{Time: i.ExpiresAt}, RBACGroupIDs: texts(i.Groups)}
	if i.Status == invite.Accepted {
		out.AcceptedAt = api.MaybeTime(i.EndedAt)
	}
	return out
}

// texts is a list as it is written: never null.
func texts[T ~string](all []T) []string { return wires(all, func(v T) string { return string(v) }) }
