package console

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/account"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
)

var memberRoutes = []route{
	get("/members", member, (*Console).members),
	post("/members", member, (*Console).newMember),
	get("/members/new", member, (*Console).newMember),
	get("/members/{id}", member, (*Console).memberPage),
	post("/members/{id}/link", member, (*Console).memberLink),
	get("/members/{id}/role", member, (*Console).roleForm),
	post("/members/{id}/role", member, (*Console).setRole),
	post("/members/{id}/groups", member, (*Console).joinGroup),
	get("/members/{id}/{act}", member, (*Console).memberActForm),
	post("/members/{id}/{act}", member, (*Console).memberAct),
}

type memberRow struct {
	ID, Name, Email, Role, Status string
	Active                        bool
	Joined, Ended                 moment
}

func (c *Console) memberRow(m org.Member) memberRow {
	return memberRow{ID: string(m.ID), Name: short(m.Name), Email: m.Email, Role: roleName(string(m.Role)), Status: title(string(m.Status)),
		Active: m.Status == org.Active, Joined: c.moment(m.JoinedAt), Ended: c.moment(m.EndedAt)}
}

// memberFilter reads what a list of members is asked for.
func memberFilter(at *url.URL) org.MemberFilter {
	q := at.Query()
	f := org.MemberFilter{Status: org.Status(q.Get("status")), Group: id.Group(q.Get("group")), Text: org.CleanText(q.Get("q"), 200),
		Order: org.Order(q.Get("sort")), After: id.Member(q.Get("after")), Before: id.Member(q.Get("before")), Limit: pageRows}
	if r := access.Role(q.Get("role")); r.Valid() {
		f.Roles = []access.Role{r}
	}
	if f.After != "" {
		f.Before = ""
	}
	return f
}

func (c *Console) members(v *visit) error {
	ctx, o := v.r.Context(), v.who.Organization
	f := memberFilter(v.r.URL)
	found, more, err := c.cfg.Organizations.Members(ctx, v.who, o, f)
	if err != nil {
		return err
	}
	counts, err := c.cfg.Organizations.Counts(ctx, v.who, o)
	if err != nil {
		return err
	}
	var rows []memberRow
	for _, m := range found {
		rows = append(rows, c.memberRow(m))
	}
	filters, _ := tabs(v.r.URL, "status", [2]string{"", "Everybody " + number(int64(counts[org.Active]+counts[org.Suspended]))},
		[2]string{"active", "Active " + number(int64(counts[org.Active]))}, [2]string{"suspended", "Suspended " + number(int64(counts[org.Suspended]))},
		[2]string{"removed", "Removed " + number(int64(counts[org.Removed]))})
	roles := [][2]string{{"", "Every role"}}
	for _, r := range access.Roles() {
		roles = append(roles, [2]string{string(r), roleName(string(r))})
	}
	w := view{Title: "Members", Lead: "Who is in the organization, and as what.", Notice: v.notice(), Body: struct {
		Rows     []memberRow
		Filters  []tab
		Roles    []option
		Sorts    map[string]sorting
		Sought   string
		Hidden   []hidden
		Filtered bool
		Seats    string
		Paging   paging
	}{rows, filters, options(roles, v.r.URL.Query().Get("role")), sortings(v.r.URL, string(f.Order), "", "name", "email"), f.Text,
		carried(v.r.URL, "status", "group", "sort"), f.Text != "" || f.Status != "" || len(f.Roles) > 0 || f.Group != "",
		c.seatsLine(v), turnOf(v.r.URL, found, more, func(m org.Member) string { return string(m.ID) })}}
	if v.who.Rights.Has(caller.ManageMembers) {
		w.Action = &link{"/invitations/new", "Invite people"}
	}
	return v.show(http.StatusOK, "members", w)
}

// seatsLine says how many seats are taken, if they are counted.
func (c *Console) seatsLine(v *visit) string {
	t, err := c.cfg.Organizations.Seats(v.r.Context(), v.who, v.who.Organization)
	if err != nil || t.Seats == 0 {
		return ""
	}
	line := fmt.Sprintf("%d of %s taken", t.Members+t.Invited, count(t.Seats, "seat"))
	if t.Invited > 0 {
		line += fmt.Sprintf(", %d by invitations", t.Invited)
	}
	return line
}

// newMember leads on: people become members by invitation.
func (c *Console) newMember(v *visit) error {
	if err := access.Check(v.who, caller.ManageMembers, v.who.Organization); err != nil {
		return err
	}
	return v.redirect("/invitations/new")
}

func (v *visit) namedMember() (org.Member, error) {
	return v.c.cfg.Organizations.Member(v.r.Context(), v.who, v.who.Organization, id.Member(v.r.PathValue("id")))
}

// groupChip is a group that a member is in.
type groupChip struct{ ID, Name string }

// area is what somebody can do in one part of the product.
type area struct {
	Name   string
	Rights []string
}

func areas(rights caller.Rights) []area {
	var all []area
	for _, name := range rightAreas {
		a := area{Name: name}
		for _, r := range rightsOf(name) {
			if rights.Has(r) {
				a.Rights = append(a.Rights, rightWords[r].text)
			}
		}
		if len(a.Rights) > 0 {
			all = append(all, a)
		}
	}
	return all
}

func (c *Console) memberPage(v *visit) error {
	ctx, o := v.r.Context(), v.who.Organization
	m, err := v.namedMember()
	if err != nil {
		return err
	}
	in, err := c.cfg.Organizations.GroupsOf(ctx, v.who, o, m.ID)
	if err != nil {
		return err
	}
	has, err := c.belongings(v, m.ID)
	if err != nil {
		return err
	}
	body := struct {
		memberRow
		Groups         []groupChip
		Joinable       []option
		Areas          []area
		Sessions, Keys string
		CanLink        bool
		CanChange      bool
		CanRejoin      bool
		CanOffer       bool
		Removed        bool
		SeesActivity   bool
		Proof          *evidence
	}{memberRow: c.memberRow(m), Areas: areas(m.Rights()), Sessions: has.sessions(), Keys: has.keys(), Removed: m.Status == org.Removed,
		SeesActivity: v.who.Rights.Has(caller.ReadActivity)}
	manages := access.CheckTake(v.who, caller.ManageMembers, m.Assigned(), o) == nil && !body.Removed
	body.CanLink = manages && m.Status == org.Active
	body.CanChange = manages && m.Role != access.PrimaryOwner && m.ID != v.who.Member
	body.CanRejoin = body.CanChange && m.Status == org.Suspended
	body.CanOffer = v.who.Rights.Has(caller.OwnOrganization) && m.ID != v.who.Member && m.Status == org.Active
	if body.Proof, err = c.proofOf(v, m); err != nil {
		return err
	}
	for _, g := range in {
		body.Groups = append(body.Groups, groupChip{string(g.ID), short(g.Name)})
	}
	if manages {
		if body.Joinable, err = c.joinable(v, in); err != nil {
			return err
		}
	}
	return v.show(http.StatusOK, "member", view{Title: m.Name, Notice: v.notice(), Body: body})
}

// joinable are the groups that the visitor may put somebody into.
func (c *Console) joinable(v *visit, in []org.Group) ([]option, error) {
	all, err := c.cfg.Organizations.Groups(v.r.Context(), v.who, v.who.Organization)
	var some []option
	for _, g := range all {
		is := slices.ContainsFunc(in, func(other org.Group) bool { return other.ID == g.ID })
		if !is && access.CheckGive(v.who, caller.ManageMembers, g.Rights, v.who.Organization) == nil {
			some = append(some, option{Value: string(g.ID), Text: short(g.Name)})
		}
	}
	return some, err
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

func rolePage(who caller.Caller, m org.Member) (view, *form) {
	f := &form{Action: "/members/" + string(m.ID) + "/role", Submit: "Change the role", Cancel: "/members/" + string(m.ID),
		Hidden: []hidden{{"version", strconv.FormatInt(m.Version, 10)}},
		Fields: []field{{Kind: "radio", Name: "role", Label: "Role", Options: givenRoles(who, m.Role)}}}
	return view{Title: "The role of " + m.Name, Lead: "It holds at once, for everything they are signed in with: keys and sessions never do more than the person may.", Body: f}, f
}

func (c *Console) roleForm(v *visit) error {
	m, err := v.namedMember()
	if err != nil {
		return err
	}
	if err := access.CheckTake(v.who, caller.ManageMembers, m.Assigned(), v.who.Organization); err != nil {
		return err
	}
	w, _ := rolePage(v.who, m)
	return v.show(http.StatusOK, "form", w)
}

func (c *Console) setRole(v *visit) error {
	m, err := v.namedMember()
	if err != nil {
		return err
	}
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	if _, err = c.cfg.Organizations.SetRole(v.r.Context(), v.who, v.who.Organization, m.ID, version(typed), access.Role(typed.Get("role"))); err != nil {
		w, f := rolePage(v.who, m)
		return v.again("form", w, f, typed, err)
	}
	return v.redirect("/members/" + string(m.ID) + "?done=role")
}

// version is that of the state which a form was made from: -1, which nothing
// has, if the form does not say.
func version(typed url.Values) int64 {
	n, err := strconv.ParseInt(typed.Get("version"), 10, 64)
	if err != nil || n < 1 {
		return -1
	}
	return n
}

func (c *Console) joinGroup(v *visit) error {
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	m, g, o := id.Member(v.r.PathValue("id")), id.Group(typed.Get("group")), v.who.Organization
	done := "grouped"
	if typed.Get("act") == "leave" {
		done, err = "ungrouped", c.cfg.Organizations.RemoveFromGroup(v.r.Context(), v.who, o, g, m)
	} else {
		err = c.cfg.Organizations.AddToGroup(v.r.Context(), v.who, o, g, m)
	}
	if err != nil {
		return err
	}
	if from := local(typed.Get("next")); strings.HasPrefix(from, "/groups/") {
		return v.redirect(from)
	}
	return v.redirect("/members/" + string(m) + "?done=" + done)
}

// memberActs are what can be done to a member, after a page that says what it
// means.
var memberActs = map[string]struct {
	title, submit string
	danger        bool
	effects       func(m org.Member, has belongings) []string
	do            func(*Console, *visit, id.Member) error
	done          string
}{
	"suspend": {"Suspend %s?", "Suspend %s", true, func(m org.Member, has belongings) []string {
		return []string{m.Email + " cannot sign in to this organization any more.", has.refused(),
			"Nothing is deleted. Reinstating them brings all of it back."}
	}, func(c *Console, v *visit, m id.Member) error {
		return c.cfg.Organizations.Suspend(v.r.Context(), v.who, v.who.Organization, m)
	}, "suspended"},
	"reinstate": {"Reinstate %s?", "Reinstate %s", false, func(m org.Member, has belongings) []string {
		return []string{m.Email + " can sign in again, as " + roleName(string(m.Role)) + ".", "Their sessions and keys work again."}
	}, func(c *Console, v *visit, m id.Member) error {
		return c.cfg.Organizations.Reinstate(v.r.Context(), v.who, v.who.Organization, m)
	}, "reinstated"},
	"remove": {"Remove %s?", "Remove %s", true, func(m org.Member, has belongings) []string {
		return []string{m.Email + " is not a member any more, and their seat is free.", has.refused(),
			"They leave all groups and workspaces, and an invitation that waits for them is withdrawn.",
			"Should they be invited again, they begin anew: nothing they hold today ever works again.",
			"What they used and did stays in the record."}
	}, func(c *Console, v *visit, m id.Member) error {
		_, err := c.cfg.Organizations.Remove(v.r.Context(), v.who, v.who.Organization, m)
		return err
	}, "removed"},
	"offer": {"Offer the organization to %s?", "Make the offer", true, func(m org.Member, has belongings) []string {
		return []string{m.Email + " can accept or decline within seven days.",
			"If they accept, they are the primary owner, and you become an owner: you can no longer export or delete the organization, or take it back.",
			"Until then nothing changes, and you can withdraw the offer."}
	}, func(c *Console, v *visit, m id.Member) error {
		return c.cfg.Organizations.OfferOwnership(v.r.Context(), v.who, v.who.Organization, m)
	}, "offered"},
}

func (c *Console) memberActForm(v *visit) error {
	act, ok := memberActs[v.r.PathValue("act")]
	if !ok {
		return noPage()
	}
	if err := access.CheckAny(v.who, v.who.Organization, caller.ManageMembers, caller.OwnOrganization); err != nil {
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
	name := short(m.Name)
	submit := act.submit
	if strings.Contains(submit, "%s") {
		submit = fmt.Sprintf(submit, name)
	}
	return v.show(http.StatusOK, "confirm", view{Title: fmt.Sprintf(act.title, name), Body: confirm{Danger: act.danger,
		Effects: act.effects(m, has), Action: v.r.URL.Path, Submit: submit, Cancel: "/members/" + string(m.ID)}})
}

func (c *Console) memberAct(v *visit) error {
	act, ok := memberActs[v.r.PathValue("act")]
	if !ok {
		return noPage()
	}
	m := id.Member(v.r.PathValue("id"))
	if err := act.do(c, v, m); err != nil {
		return err
	}
	return v.redirect("/members/" + string(m) + "?done=" + act.done)
}
