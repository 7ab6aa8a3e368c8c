package console

import (
	"net/http"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
)

var proposalRoutes = []route{
	get("/proposals", member, (*Console).proposals),
	post("/proposals", member, (*Console).propose),
}

// proposalsView is where members without the right to invite name somebody whom
// they would like to have in, and see what waits of their own.
func (c *Console) proposalsView(v *visit) (view, *form, error) {
	mine, err := c.cfg.Invitations.MyProposals(v.r.Context(), v.who, v.who.Organization)
	if err != nil {
		return view{}, nil, err
	}
	o, err := c.cfg.Organizations.Get(v.r.Context(), v.who, v.who.Organization)
	if err != nil {
		return view{}, nil, err
	}
	f := &form{Action: "/proposals", Submit: "Propose them", Fields: []field{
		{Kind: "email", Name: "email", Label: "E-mail address", Autocomplete: "off", Length: 254},
		{Kind: "text", Name: "name", Label: "Name", Autocomplete: "off", Length: 200, Optional: true},
		{Kind: "text", Name: "why", Label: "Why", Help: "For whoever decides.", Autocomplete: "off", Length: 500, Optional: true},
	}}
	body := struct {
		Form    *form
		Rows    []proposalRow
		Invites bool
		Mend    *link
	}{f, c.proposalRows(mine), v.who.Rights.Has(caller.ManageMembers), v.linkFor(caller.ManageOrganization, "/settings", "Go to the settings")}
	if !o.Settings.Proposals {
		body.Form = nil
	}
	return view{Title: "Propose somebody", Lead: "Somebody who may invite decides whether they are asked to join.", Notice: v.notice(), Body: body}, f, nil
}

func (c *Console) proposals(v *visit) error {
	w, _, err := c.proposalsView(v)
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "proposals", w)
}

func (c *Console) propose(v *visit) error {
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	if _, err := c.cfg.Invitations.Propose(v.r.Context(), v.who, v.who.Organization, typed.Get("email"), typed.Get("name"), typed.Get("why")); err != nil {
		w, f, failed := c.proposalsView(v)
		if failed != nil {
			return failed
		}
		return v.again("proposals", w, f, typed, err)
	}
	return v.redirect("/proposals?done=proposed")
}
