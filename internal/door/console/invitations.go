package console

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/invite"
	"github.com/gatehouse-dev/gatehouse/internal/org"
)

var inviteRoutes = []route{
	get("/invitations", member, (*Console).invitations),
	get("/invitations/new", member, (*Console).newInvitations),
	get("/invitations/sample.csv", member, (*Console).sampleList),
	post("/invitations/batches", member, (*Console).checkList),
	get("/invitations/batches/{id}", member, (*Console).batchPage),
	post("/invitations/batches/{id}/send", member, (*Console).sendBatch),
	post("/invitations/batches/{id}/retry", member, (*Console).retryBatch),
	post("/invitations/batches/{id}/mend", member, (*Console).mendBatch),
	post("/invitations/proposals/{id}", member, (*Console).decideProposal),
	get("/invitations/{id}/{act}", member, (*Console).withdrawForm),
	post("/invitations/{id}/{act}", member, (*Console).inviteAct),
}

// inviteGroups are the choices of the list's filter.
var inviteGroups = []struct {
	value, text, nothing string
	status               invite.Status
}{
	{"waiting", "Waiting", "No invitation is waiting.", invite.Pending},
	{"accepted", "Accepted", "No invitation was accepted yet.", invite.Accepted},
	{"expired", "Expired", "No invitation has expired.", invite.Expired},
	{"withdrawn", "Withdrawn", "No invitation was withdrawn.", invite.Deleted},
}

type inviteRow struct {
	ID, Email, Name, Role, By  string
	Member                     string
	Sent, Ends, Ended          moment
	Waiting, Accepted, Expired bool
}

func (c *Console) inviteRow(i invite.Invite) inviteRow {
	return inviteRow{ID: string(i.ID), Email: i.Email, Name: short(i.Name), Role: roleName(string(i.Role)), By: short(i.ByName), Member: string(i.Member),
		Sent: c.moment(i.SentAt), Ends: c.moment(i.ExpiresAt), Ended: c.moment(i.EndedAt),
		Waiting: i.Status == invite.Pending, Accepted: i.Status == invite.Accepted, Expired: i.Status == invite.Expired}
}

// batchRow is a list that was checked or sent lately.
type batchRow struct {
	ID, Says string
	Made     moment
}

func (c *Console) batchRow(b invite.Batch) batchRow {
	row := batchRow{ID: string(b.ID), Made: c.moment(b.CreatedAt)}
	switch n := b.Counts; b.State {
	case invite.Draft:
		row.Says = fmt.Sprintf("%s to invite, not sent yet", people(n.Ready))
	case invite.Sending:
		row.Says = fmt.Sprintf("%d of %d under way", n.Sent+n.Failed, n.Ready+n.Sent+n.Failed)
	default:
		row.Says = people(n.Sent) + " invited"
		if n.Failed > 0 {
			row.Says += fmt.Sprintf(", %d failed", n.Failed)
		}
	}
	return row
}

type proposalRow struct {
	ID, Email, Name, Why, By string
	Made                     moment
}

func (c *Console) proposalRows(all []invite.Proposal) []proposalRow {
	var rows []proposalRow
	for _, p := range all {
		rows = append(rows, proposalRow{p.ID, p.Email, short(p.Name), p.Why, short(p.ByName), c.moment(p.CreatedAt)})
	}
	return rows
}

// invitesBody is what the list's page shows.
type invitesBody struct {
	Rows      []inviteRow
	Tabs      []tab
	Search    search
	Status    string
	Nothing   string
	None      bool // there is no invitation of any kind
	CanManage bool
	Paging    paging
	Lists     []batchRow
	Proposals []proposalRow
	Roles     []option
}

func (c *Console) invitations(v *visit) error {
	ctx, o := v.r.Context(), v.who.Organization
	counts, err := c.cfg.Invitations.Count(ctx, v.who, o)
	if err != nil {
		return err
	}
	body := invitesBody{None: true, CanManage: v.who.Rights.Has(caller.ManageMembers)}
	var pairs [][2]string
	for _, g := range inviteGroups {
		pairs = append(pairs, [2]string{g.value, g.text + " " + number(int64(counts[g.status]))})
		body.None = body.None && counts[g.status] == 0
	}
	body.Tabs, body.Status = tabs(v.r.URL, "status", pairs...)
	group := inviteGroups[slices.IndexFunc(pairs, func(p [2]string) bool { return p[0] == body.Status })]
	body.Nothing = group.nothing
	var text string
	body.Search, text = sought(v.r.URL, "Search by address or name", "Address or name")
	query := v.r.URL.Query()
	f := invite.Filter{Statuses: []invite.Status{group.status}, Text: org.CleanText(text, 200), After: id.Invite(query.Get("after")), Before: id.Invite(query.Get("before")), Limit: pageRows}
	if f.After != "" {
		f.Before = ""
	}
	found, more, err := c.cfg.Invitations.List(ctx, v.who, o, f)
	if err != nil {
		return err
	}
	for _, i := range found {
		body.Rows = append(body.Rows, c.inviteRow(i))
	}
	body.Paging = turnOf(v.r.URL, found, more, func(i invite.Invite) string { return string(i.ID) })
	w := view{Title: "Invitations", Lead: "Who was asked to join, and what became of it.", Notice: v.notice()}
	if body.CanManage {
		w.Action = &link{"/invitations/new", "Invite people"}
		if err := c.addPending(v, &body); err != nil {
			return err
		}
	}
	w.Body = body
	return v.show(http.StatusOK, "invitations", w)
}

// addPending adds what waits for those who may invite.
func (c *Console) addPending(v *visit, body *invitesBody) error {
	proposals, err := c.cfg.Invitations.Proposals(v.r.Context(), v.who, v.who.Organization)
	if err != nil {
		return err
	}
	lists, err := c.cfg.Invitations.Batches(v.r.Context(), v.who, v.who.Organization)
	if err != nil {
		return err
	}
	for _, b := range lists {
		body.Lists = append(body.Lists, c.batchRow(b))
	}
	body.Proposals, body.Roles = c.proposalRows(proposals), givenRoles(v.who, access.ClaudeCodeUser)
	return nil
}

func (v *visit) namedInvite() id.Invite { return id.Invite(v.r.PathValue("id")) }

func (c *Console) withdrawForm(v *visit) error {
	if v.r.PathValue("act") != "withdraw" {
		return noPage()
	}
	if err := access.Check(v.who, caller.ManageMembers, v.who.Organization); err != nil {
		return err
	}
	i, err := c.cfg.Invitations.Get(v.r.Context(), v.who, v.who.Organization, v.namedInvite())
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "confirm", view{Title: "Withdraw the invitation of " + i.Email + "?", Body: confirm{Danger: true,
		Effects: []string{"The link in the letter to " + i.Email + " does not work any more, at once.", "Their seat is free again.", "They are not told. You can invite them again at any time."},
		Action:  v.r.URL.Path, Submit: "Withdraw the invitation", Cancel: "/invitations"}})
}

// inviteAct does what a row of the list offers.
func (c *Console) inviteAct(v *visit) error {
	act, ok := map[string]struct {
		do   func(context.Context, caller.Caller, id.Organization, id.Invite) (invite.Invite, error)
		done string
	}{
		"withdraw": {c.cfg.Invitations.Withdraw, "uninvited"},
		"resend":   {c.cfg.Invitations.Resend, "resent"},
		"again":    {c.cfg.Invitations.Again, "again"},
	}[v.r.PathValue("act")]
	if !ok {
		return noPage()
	}
	if _, err := act.do(v.r.Context(), v.who, v.who.Organization, v.namedInvite()); err != nil {
		return err
	}
	return v.redirect("/invitations?done=" + act.done)
}

// decideProposal invites who was proposed, or declines.
func (c *Console) decideProposal(v *visit) error {
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	approve, done := typed.Get("decision") == "approve", "refused"
	if approve {
		done = "approved"
	}
	if _, err := c.cfg.Invitations.Decide(v.r.Context(), v.who, v.who.Organization, v.r.PathValue("id"), approve, access.Role(typed.Get("role"))); err != nil {
		return err
	}
	return v.redirect("/invitations?done=" + done)
}
