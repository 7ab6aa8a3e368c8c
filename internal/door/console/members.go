package console

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/account"
	"github.com/gatehouse-dev/gatehouse/internal/apikey"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
)

var memberRoutes = []route{
	get("/members", member, (*Console).members),
	post("/members", member, (*Console).addMember),
	get("/members/new", member, (*Console).newMember),
	get("/members/{id}", member, (*Console).memberPage),
	post("/members/{id}/link", member, (*Console).memberLink),
	get("/members/{id}/suspend", member, (*Console).suspendForm),
	post("/members/{id}/suspend", member, (*Console).suspend),
}

type memberRow struct {
	ID, Name, Email, Role, Status string
	Active                        bool
	Joined                        moment
}

func (c *Console) memberRow(m org.Member) memberRow {
	return memberRow{ID: string(m.ID), Name: short(m.Name), Email: m.Email, Role: roleName(string(m.Role)), Status: title(string(m.Status)),
		Active: m.Status == org.Active, Joined: c.moment(m.CreatedAt)}
}

func (c *Console) members(v *visit) error {
	all, err := c.cfg.Organizations.Members(v.r.Context(), v.who, v.who.Organization)
	if err != nil {
		return err
	}
	filters, status := tabs(v.r.URL, "status", [2]string{"", "Everybody"}, [2]string{"active", "Active"}, [2]string{"suspended", "Suspended"})
	sought := strings.ToLower(strings.TrimSpace(v.r.URL.Query().Get("q")))
	found := slices.DeleteFunc(all, func(m org.Member) bool {
		return (status != "" && string(m.Status) != status) || !strings.Contains(strings.ToLower(m.Name+" "+m.Email), sought)
	})
	page, turn := cut(found, v.r.URL)
	var rows []memberRow
	for _, m := range page {
		rows = append(rows, c.memberRow(m))
	}
	w := view{Title: "Members", Lead: "Who is in the organization, and as what.", Notice: v.notice(), Body: struct {
		Rows    []memberRow
		Filters []tab
		Sought  string
		Status  string
		Found   string
		Paging  paging
	}{rows, filters, sought, status, count(len(found), "member"), turn}}
	if v.who.Rights.Has(caller.ManageMembers) {
		w.Action = &link{"/members/new", "Add a member"}
	}
	return v.show(http.StatusOK, "members", w)
}

func newMemberPage() (view, *form) {
	roles := field{Kind: "radio", Name: "role", Label: "Role"}
	for _, r := range access.Roles() {
		if r != access.PrimaryOwner {
			roles.Options = append(roles.Options, option{Value: string(r), Text: roleName(string(r)), Help: roleHelp[r], Chosen: r == access.Developer})
		}
	}
	f := &form{Action: "/members", Submit: "Add the member", Cancel: "/members", Fields: []field{
		{Kind: "email", Name: "email", Label: "E-mail address", Autocomplete: "off", Length: 254, Focus: true},
		{Kind: "text", Name: "name", Label: "Name", Autocomplete: "off", Length: 200, Optional: true},
		roles,
	}}
	return view{Title: "Add a member", Lead: "They get in with a sign-in link that you make on the next page and hand over yourself.", Body: f}, f
}

var roleHelp = map[access.Role]string{
	access.Owner:          "Runs everything: members, keys, upstreams, the record.",
	access.Developer:      "Uses models, signs devices in, makes API keys.",
	access.ClaudeCodeUser: "Uses models and signs devices in; no keys.",
	access.User:           "Signs in and sees their own usage; no models.",
}

func (c *Console) newMember(v *visit) error {
	if err := access.Check(v.who, caller.ManageMembers, v.who.Organization); err != nil {
		return err
	}
	w, _ := newMemberPage()
	return v.show(http.StatusOK, "form", w)
}

func (c *Console) addMember(v *visit) error {
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	m, err := c.cfg.Organizations.Add(v.r.Context(), v.who, v.who.Organization,
		org.NewMember{Email: typed.Get("email"), Name: typed.Get("name"), Role: access.Role(typed.Get("role"))})
	if err != nil {
		w, f := newMemberPage()
		return v.again("form", w, f, typed, err)
	}
	return v.redirect("/members/" + string(m.ID) + "?done=added")
}

// belongings is what hangs on a member.
type belongings struct{ Sessions, Keys int }

func (c *Console) belongings(v *visit, m id.Member) (belongings, error) {
	sessions, err := c.cfg.Sessions.Count(v.r.Context(), v.who, v.who.Organization, m)
	if err != nil {
		return belongings{}, err
	}
	keys, err := c.cfg.Keys.Count(v.r.Context(), v.who, v.who.Organization, apikey.Filter{Member: m})
	return belongings{sessions, keys}, err
}

func (v *visit) namedMember() (org.Member, error) {
	return v.c.cfg.Organizations.Member(v.r.Context(), v.who, v.who.Organization, id.Member(v.r.PathValue("id")))
}

func (c *Console) memberPage(v *visit) error {
	m, err := v.namedMember()
	if err != nil {
		return err
	}
	has, err := c.belongings(v, m.ID)
	if err != nil {
		return err
	}
	manages := v.who.Rights.Has(caller.ManageMembers)
	return v.show(http.StatusOK, "member", view{Title: m.Name, Notice: v.notice(), Body: struct {
		memberRow
		Sessions, Keys string
		CanLink        bool
		CanSuspend     bool
	}{c.memberRow(m), count(has.Sessions, "session"), count(has.Keys, "active key"), manages && m.Status == org.Active,
		manages && m.Status == org.Active && m.Role != access.PrimaryOwner && m.ID != v.who.Member}})
}

func (c *Console) memberLink(v *visit) error {
	m, err := v.namedMember()
	if err != nil {
		return err
	}
	token, err := c.cfg.Accounts.MakeSignInLink(v.r.Context(), v.who, v.who.Organization, m.ID, false)
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "once", view{Title: "A sign-in link for " + m.Name, Body: once{
		Label: "Sign-in link", Value: c.publicURL + "/link/" + token.Reveal(),
		Notes: []string{"It is shown this once. Whoever opens it and presses the button is signed in as " + m.Email + ": hand it over in a way only they can read.",
			fmt.Sprintf("It works once, within %s.", span(account.SignInLinkLife))},
		Next: link{"/members/" + string(m.ID), "I have passed it on"}}})
}

func (c *Console) suspendForm(v *visit) error {
	if err := access.Check(v.who, caller.ManageMembers, v.who.Organization); err != nil {
		return err
	}
	m, err := v.namedMember()
	if err != nil {
		return err
	}
	has, err := c.belongings(v, m.ID)
	if err != nil {
		return err
	}
	page := "/members/" + string(m.ID)
	return v.show(http.StatusOK, "confirm", view{Title: "Suspend " + m.Name + "?", Body: confirm{Danger: true,
		Effects: []string{m.Email + " cannot sign in to this organization any more.",
			count(has.Sessions, "device session") + " and " + count(has.Keys, "active API key") + " of theirs are refused within a second, also in the middle of an answer.",
			"Nothing is deleted. What they used and did stays in the record."},
		Action: page + "/suspend", Submit: "Suspend " + m.Name, Cancel: page}})
}

func (c *Console) suspend(v *visit) error {
	m := id.Member(v.r.PathValue("id"))
	if err := c.cfg.Organizations.Suspend(v.r.Context(), v.who, v.who.Organization, m); err != nil {
		return err
	}
	return v.redirect("/members/" + string(m) + "?done=suspended")
}
