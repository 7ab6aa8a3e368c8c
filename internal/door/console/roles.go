package console

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
)

var roleRoutes = []route{
	get("/roles", member, (*Console).roles),
	post("/roles", member, withForm((*Console).createRole)),
	get("/roles/new", member, needs(caller.ManageRoles, (*Console).newRole)),
	get("/roles/{id}", member, (*Console).roleEditForm),
	post("/roles/{id}", member, withForm((*Console).updateRole)),
	get("/roles/{id}/delete", member, needs(caller.ManageRoles, (*Console).deleteRoleForm)),
	post("/roles/{id}/delete", member, (*Console).deleteRole),
}

// column is a role in the table of permissions.
type column struct{ Name, Help string }

// matrixRow is a permission in it, with who has it.
type matrixRow struct {
	Text, Name string
	Has        []bool
}

type matrixArea struct {
	Name string
	Rows []matrixRow
}

// permissionMatrix is every permission × every role, made from what decides.
func permissionMatrix() (columns []column, all []matrixArea) {
	for _, r := range access.Roles() {
		columns = append(columns, column{roleName(string(r)), roleHelp[r]})
	}
	for _, name := range rightAreas {
		a := matrixArea{Name: name}
		for _, right := range rightsOf(name) {
			row := matrixRow{Text: rightWords[right].text, Name: right.String()}
			for _, r := range access.Roles() {
				row.Has = append(row.Has, r.Rights().Has(right))
			}
			a.Rows = append(a.Rows, row)
		}
		all = append(all, a)
	}
	return columns, all
}

type roleRow struct {
	ID, Name, Description string
	Permissions, Groups   string
}

func (c *Console) roles(v *visit) error {
	if err := access.Check(v.who, caller.ReadOrganization, v.who.Organization); err != nil {
		return err
	}
	body := struct {
		Columns   []column
		Areas     []matrixArea
		SeesOwn   bool
		CanManage bool
		OnPlan    bool
		Rows      []roleRow
	}{CanManage: v.who.Rights.Has(caller.ManageRoles), OnPlan: !v.who.Withheld.Has(caller.ManageRoles)}
	body.Columns, body.Areas = permissionMatrix()
	if body.SeesOwn = access.CheckAny(v.who, v.who.Organization, caller.ManageRoles, caller.ReadMembers) == nil; body.SeesOwn {
		all, err := c.cfg.Organizations.Roles(v.r.Context(), v.who, v.who.Organization)
		if err != nil {
			return err
		}
		for _, r := range all {
			body.Rows = append(body.Rows, roleRow{string(r.ID), short(r.Name), r.Description, permissions(r.Rights), count(r.Groups, "group")})
		}
	}
	w := view{Title: "Roles", Lead: "What each role can do. A member can do what their role and their groups allow, together.", Notice: v.notice(), Body: body}
	if body.CanManage {
		w.Action = &link{"/roles/new", "Make a custom role"}
	}
	return v.show(http.StatusOK, "roles", w)
}

func permissions(rights caller.Rights) string {
	n := 0
	for _, r := range caller.EveryRight() {
		if rights.Has(r) {
			n++
		}
	}
	return count(n, "permission")
}

func rolePageOf(who caller.Caller, r org.Role) (view, *form) {
	rights := field{Kind: "checks", Name: "permissions", Label: "Permissions", Help: "You can only give what you have yourself."}
	for _, name := range rightAreas {
		for _, right := range rightsOf(name) {
			if access.Assignable().Has(right) && (who.Rights.Has(right) || r.Rights.Has(right)) {
				rights.Options = append(rights.Options, option{Value: right.String(), Text: rightWords[right].text, Area: name, Chosen: r.Rights.Has(right)})
			}
		}
	}
	f := &form{Action: "/roles", Submit: "Make the role", Cancel: "/roles", Fields: []field{
		{Kind: "text", Name: "name", Label: "Name", Value: r.Name, Autocomplete: "off", Length: 100, Placeholder: "Auditor", Focus: r.ID == ""},
		{Kind: "text", Name: "description", Label: "Description", Value: r.Description, Autocomplete: "off", Length: 500, Optional: true},
		rights,
	}}
	w := view{Title: "Make a custom role", Lead: "A custom role is given by groups: put it into a group, and everybody in the group has it on top of their own role.", Body: f}
	if r.ID != "" {
		f.Action, f.Submit = "/roles/"+string(r.ID), "Save the role"
		f.Hidden = []hidden{{"version", strconv.FormatInt(r.Version, 10)}}
		w.Title, w.Lead = r.Name, "A change holds at once for everybody who has the role, by "+count(r.Groups, "group")+"."
	}
	return w, f
}

func roleTyped(typed url.Values) org.Role {
	return org.Role{Name: typed.Get("name"), Description: typed.Get("description"), Version: version(typed),
		Rights: caller.ParseRights(strings.Join(typed["permissions"], " "))}
}

func (c *Console) newRole(v *visit) error {
	w, _ := rolePageOf(v.who, org.Role{})
	return v.show(http.StatusOK, "form", w)
}

func (c *Console) createRole(v *visit, typed url.Values) error {
	if _, err := c.cfg.Organizations.CreateRole(v.r.Context(), v.who, v.who.Organization, roleTyped(typed)); err != nil {
		w, f := rolePageOf(v.who, org.Role{})
		return v.again("form", w, f, typed, err)
	}
	return v.redirect("/roles?done=created")
}

func (v *visit) namedRole() (org.Role, error) {
	return v.c.cfg.Organizations.Role(v.r.Context(), v.who, v.who.Organization, id.Role(v.r.PathValue("id")))
}

func (c *Console) roleEditForm(v *visit) error {
	r, err := v.namedRole()
	if err != nil {
		return err
	}
	w, f := rolePageOf(v.who, r)
	if access.CheckGive(v.who, caller.ManageRoles, r.Rights, v.who.Organization) != nil {
		return v.show(http.StatusOK, "role", view{Title: r.Name, Lead: r.Description, Body: areas(r.Rights)})
	}
	return v.show(http.StatusOK, "role-form", view{Title: w.Title, Lead: w.Lead, Body: struct {
		Form   *form
		Delete string
	}{f, "/roles/" + string(r.ID) + "/delete"}})
}

func (c *Console) updateRole(v *visit, typed url.Values) error {
	r, err := v.namedRole()
	if err != nil {
		return err
	}
	in := roleTyped(typed)
	in.ID = r.ID
	if _, err := c.cfg.Organizations.UpdateRole(v.r.Context(), v.who, v.who.Organization, in); err != nil {
		w, f := rolePageOf(v.who, r)
		return v.again("form", w, f, typed, err)
	}
	return v.redirect("/roles?done=saved")
}

func (c *Console) deleteRoleForm(v *visit) error {
	r, err := v.namedRole()
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "confirm", view{Title: "Delete the role “" + short(r.Name) + "”?", Body: confirm{Danger: true,
		Effects: []string{"It is given by " + count(r.Groups, "group") + ": their members lose what nothing else gives them, at once.", "It cannot be brought back."},
		Action:  v.r.URL.Path, Submit: "Delete the role", Cancel: "/roles/" + string(r.ID)}})
}

func (c *Console) deleteRole(v *visit) error {
	if err := c.cfg.Organizations.DeleteRole(v.r.Context(), v.who, v.who.Organization, id.Role(v.r.PathValue("id"))); err != nil {
		return err
	}
	return v.redirect("/roles?done=deleted")
}
