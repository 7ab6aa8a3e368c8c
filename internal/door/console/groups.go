package console

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
)

var groupRoutes = []route{
	get("/groups", member, (*Console).groups),
	post("/groups", member, needs(caller.ManageRoles, withForm((*Console).createGroup))),
	get("/groups/new", member, needs(caller.ManageRoles, (*Console).newGroup)),
	get("/groups/{id}", member, (*Console).groupPage),
	post("/groups/{id}", member, withForm((*Console).updateGroup)),
	get("/groups/{id}/edit", member, (*Console).editGroup),
	post("/groups/{id}/members", member, withForm((*Console).addToGroup)),
	get("/groups/{id}/delete", member, needs(caller.ManageRoles, (*Console).deleteGroupForm)),
	post("/groups/{id}/delete", member, (*Console).deleteGroup),
}

type groupRow struct {
	ID, Name, Description string
	Members, Permissions  string
	Made                  moment
}

func (c *Console) groupRow(g org.Group) groupRow {
	return groupRow{string(g.ID), short(g.Name), g.Description, count(g.Members, "member"), permissions(g.Rights), c.moment(g.CreatedAt)}
}

func (c *Console) groups(v *visit) error {
	all, err := c.cfg.Organizations.Groups(v.r.Context(), v.who, v.who.Organization)
	if err != nil {
		return err
	}
	sought := strings.ToLower(org.CleanText(v.r.URL.Query().Get("q"), 100))
	var found []groupRow
	for _, g := range all {
		if strings.Contains(strings.ToLower(g.Name+" "+g.Description), sought) {
			found = append(found, c.groupRow(g))
		}
	}
	page, turn := cut(found, v.r.URL)
	body := struct {
		Rows      []groupRow
		Sought    string
		CanManage bool
		OnPlan    bool
		Paging    paging
	}{page, sought, v.who.Rights.Has(caller.ManageRoles), !v.who.Withheld.Has(caller.ManageRoles), turn}
	w := view{Title: "Groups", Lead: "Members who are given rights together, by custom roles.", Notice: v.notice(), Body: body}
	if body.CanManage {
		w.Action = &link{"/groups/new", "Make a group"}
	}
	return v.show(http.StatusOK, "groups", w)
}

func (c *Console) groupForm(v *visit, g org.Group) (view, *form, error) {
	all, err := c.cfg.Organizations.Roles(v.r.Context(), v.who, v.who.Organization)
	roles := field{Kind: "checks", Name: "roles", Label: "Custom roles", Help: "What the group gives to its members.", Optional: true}
	for _, r := range all {
		chosen := false
		for _, has := range g.Roles {
			chosen = chosen || has == r.ID
		}
		roles.Options = append(roles.Options, option{Value: string(r.ID), Text: short(r.Name), Help: r.Description, Chosen: chosen})
	}
	if len(all) == 0 {
		roles.Help = "There are no custom roles yet: without one, a group gives nothing."
	}
	f := &form{Action: "/groups", Submit: "Make the group", Cancel: "/groups", Fields: []field{
		{Kind: "text", Name: "name", Label: "Name", Value: g.Name, Autocomplete: "off", Length: 100, Placeholder: "Platform team", Focus: g.ID == ""},
		{Kind: "text", Name: "description", Label: "Description", Value: g.Description, Autocomplete: "off", Length: 500, Optional: true},
		roles,
		{Kind: "lines", Name: "models", Label: "Models", Help: "One a line. Members may ask for these, and for those of their other groups that name some, as far as the organization allows them. Empty: the group says nothing of models.",
			Value: strings.Join(g.Models, "\n"), Rows: 3, Mono: true, Optional: true},
	}}
	w := view{Title: "Make a group", Lead: "People are put into it on its page, on their own, or by their invitation.", Body: f}
	if g.ID != "" {
		f.Action, f.Submit, f.Cancel = "/groups/"+string(g.ID), "Save the group", "/groups/"+string(g.ID)
		f.Hidden = []hidden{{"version", strconv.FormatInt(g.Version, 10)}}
		w.Title, w.Lead = g.Name, "A change holds at once for its "+count(g.Members, "member")+"."
	}
	return w, f, err
}

func groupTyped(typed url.Values) org.Group {
	g := org.Group{Name: typed.Get("name"), Description: typed.Get("description"), Models: strings.Fields(typed.Get("models")), Version: version(typed)}
	for _, r := range typed["roles"] {
		g.Roles = append(g.Roles, id.Role(r))
	}
	return g
}

func (c *Console) newGroup(v *visit) error {
	return v.fresh("form", func() (view, *form, error) { return c.groupForm(v, org.Group{}) })
}

func (c *Console) createGroup(v *visit, typed url.Values) error {
	g, err := c.cfg.Organizations.CreateGroup(v.r.Context(), v.who, v.who.Organization, groupTyped(typed))
	if err != nil {
		return v.anew("form", func() (view, *form, error) { return c.groupForm(v, org.Group{}) }, typed, err)
	}
	return v.redirect("/groups/" + string(g.ID) + "?done=created")
}

func (v *visit) namedGroup() (org.Group, error) {
	return v.c.cfg.Organizations.Group(v.r.Context(), v.who, v.who.Organization, id.Group(v.r.PathValue("id")))
}

func (c *Console) groupPage(v *visit) error {
	g, err := v.namedGroup()
	if err != nil {
		return err
	}
	w, err := c.groupView(v, g)
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "group", w)
}

func (c *Console) groupView(v *visit, g org.Group) (view, error) {
	f := memberFilter(v.r.URL)
	f.Group, f.Status = g.ID, ""
	found, more, err := c.cfg.Organizations.Members(v.r.Context(), v.who, v.who.Organization, f)
	if err != nil {
		return view{}, err
	}
	var rows []memberRow
	for _, m := range found {
		rows = append(rows, c.memberRow(m))
	}
	gives := access.CheckGive(v.who, caller.ManageMembers, g.Rights, v.who.Organization) == nil
	w := view{Title: g.Name, Lead: g.Description, Notice: v.notice(), Body: struct {
		groupRow
		Areas            []area
		Models           []string
		Rows             []memberRow
		Sought           string
		CanEdit, CanFill bool
		Here             string
		Paging           paging
	}{c.groupRow(g), areas(g.Rights), g.Models, rows, f.Text, access.CheckGive(v.who, caller.ManageRoles, g.Rights, v.who.Organization) == nil, gives,
		v.r.URL.Path, turnOf(v.r.URL, found, more, func(m org.Member) string { return string(m.ID) })}}
	return w, nil
}

func (c *Console) editGroup(v *visit) error {
	g, err := v.namedGroup()
	if err != nil {
		return err
	}
	if err := access.CheckGive(v.who, caller.ManageRoles, g.Rights, v.who.Organization); err != nil {
		return err
	}
	return v.fresh("form", func() (view, *form, error) { return c.groupForm(v, g) })
}

func (c *Console) updateGroup(v *visit, typed url.Values) error {
	g, err := v.namedGroup()
	if err != nil {
		return err
	}
	in := groupTyped(typed)
	in.ID = g.ID
	if _, err := c.cfg.Organizations.UpdateGroup(v.r.Context(), v.who, v.who.Organization, in); err != nil {
		return v.anew("form", func() (view, *form, error) { return c.groupForm(v, g) }, typed, err)
	}
	return v.redirect("/groups/" + string(g.ID) + "?done=saved")
}

// addToGroup puts the member with an address into the group.
func (c *Console) addToGroup(v *visit, typed url.Values) error {
	g, err := v.namedGroup()
	if err != nil {
		return err
	}
	ctx, o := v.r.Context(), v.who.Organization
	email := strings.ToLower(strings.TrimSpace(typed.Get("email")))
	found, _, err := c.cfg.Organizations.Members(ctx, v.who, o, org.MemberFilter{Email: email})
	if err != nil {
		return err
	}
	for _, m := range found {
		if m.Email == email {
			if err := c.cfg.Organizations.AddToGroup(ctx, v.who, o, g.ID, m.ID); err != nil {
				return err
			}
			return v.redirect("/groups/" + string(g.ID) + "?done=grouped")
		}
	}
	w, err := c.groupView(v, g)
	if err != nil {
		return err
	}
	w.Problem = &problem{Message: fmt.Sprintf("Nobody with the address %.80q is a member.", email), Hint: "Invite them first.", Field: "email"}
	return v.show(http.StatusNotFound, "group", w)
}

func (c *Console) deleteGroupForm(v *visit) error {
	g, err := v.namedGroup()
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "confirm", view{Title: "Delete the group “" + short(g.Name) + "”?", Body: confirm{Danger: true,
		Effects: []string{count(g.Members, "member") + " of it lose what nothing else gives them, at once. They stay members of the organization.",
			"It cannot be brought back."},
		Action: v.r.URL.Path, Submit: "Delete the group", Cancel: "/groups/" + string(g.ID)}})
}

func (c *Console) deleteGroup(v *visit) error {
	if err := c.cfg.Organizations.DeleteGroup(v.r.Context(), v.who, v.who.Organization, id.Group(v.r.PathValue("id"))); err != nil {
		return err
	}
	return v.redirect("/groups?done=deleted")
}
