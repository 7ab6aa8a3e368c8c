package console

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/invite"
)

var inviteLinkRoutes = []route{
	get("/invitations/links", member, (*Console).inviteLinks),
	post("/invitations/links", member, (*Console).makeInviteLink),
	get("/invitations/links/new", member, (*Console).newInviteLink),
	get("/invitations/links/{id}/{act}", member, (*Console).inviteLinkActForm),
	post("/invitations/links/{id}/{act}", member, (*Console).inviteLinkAct),
}

// joinPath is where an invite link leads.
const joinPath = "/join/"

type inviteLinkRow struct {
	ID, Role, Domains, By, Address string
	Used                           string
	Status                         string
	Works                          bool
	Made, Ends                     moment
	Ending                         string // what the end is or was; empty: it does not matter any more
}

func (c *Console) inviteLinkRow(l invite.Link) inviteLinkRow {
	row := inviteLinkRow{ID: string(l.ID), Role: roleName(string(l.Role)), Domains: strings.Join(l.Domains, ", "), By: short(l.ByName), Used: count(l.Used, "invitation"),
		Works: l.Works(c.cfg.Now()), Made: c.moment(l.CreatedAt), Ends: c.moment(l.ExpiresAt)}
	switch {
	case row.Works:
		row.Status, row.Ending, row.Address = "Works", "ends", c.publicURL+joinPath+l.Token.Reveal()
	case !l.DisabledAt.IsZero():
		row.Status = "Switched off"
	default:
		row.Status, row.Ending = "Expired", "ended"
	}
	return row
}

// inviteLinksOff says why an organization has no invite links; empty: it has. The
// link is where the visitor can change that, if they can.
func (c *Console) inviteLinksOff(v *visit) (why string, mend *link, err error) {
	o, err := c.cfg.Organizations.Get(v.r.Context(), v.who, v.who.Organization)
	switch {
	case err != nil:
		return "", nil, err
	case !o.Plan.HasInviteLinks():
		return "The organization's plan has no invite links. Invite people by their addresses.", v.linkFor(caller.ManageBilling, "/settings/plan", "See the plan"), nil
	case !o.Settings.InviteLinks:
		return "Invite links are switched off. An owner or admin switches them on in the organization's settings.",
			v.linkFor(caller.ManageOrganization, "/settings", "Go to the settings"), nil
	}
	return "", nil, nil
}

// linkFor is a link for whoever has a right, and nothing for others.
func (v *visit) linkFor(r caller.Right, to, text string) *link {
	if !v.who.Rights.Has(r) {
		return nil
	}
	return &link{to, text}
}

func (c *Console) inviteLinks(v *visit) error {
	all, err := c.cfg.Invitations.Links(v.r.Context(), v.who, v.who.Organization)
	if err != nil {
		return err
	}
	off, mend, err := c.inviteLinksOff(v)
	if err != nil {
		return err
	}
	var rows []inviteLinkRow
	for _, l := range all {
		rows = append(rows, c.inviteLinkRow(l))
	}
	w := view{Title: "Invite links", Lead: "With such a link, people whose address is of certain domains invite themselves.", Notice: v.notice(), Body: struct {
		Rows []inviteLinkRow
		Off  string
		Mend *link
	}{rows, off, mend}}
	if off == "" {
		w.Action = &link{"/invitations/links/new", "Make a link"}
	}
	return v.show(http.StatusOK, "invite-links", w)
}

func (c *Console) inviteLinkPage(v *visit) (view, *form) {
	var roles []option
	for _, r := range givenRoles(v.who, access.ClaudeCodeUser) {
		if !access.Role(r.Value).Runs() { // those are invited by name
			roles = append(roles, r)
		}
	}
	f := &form{Action: "/invitations/links", Submit: "Make the link", Cancel: "/invitations/links", Fields: []field{
		{Kind: "text", Name: "domains", Label: "Domains", Placeholder: "example.com, example.org", Autocomplete: "off", Length: 2000, Focus: true,
			Help: "Whoever opens the link gets in with an address of one of these, once a letter has proven that they read it. Separate several by commas."},
		{Kind: "number", Name: "days", Label: "Days that it works", Value: "14", Autocomplete: "off", Help: "1 to " + strconv.Itoa(invite.MaxLinkDays) + "."},
		{Kind: "radio", Name: "role", Label: "Role", Options: roles},
	}}
	return view{Title: "Make an invite link", Lead: "Post it where your colleagues are. You can switch it off at any time.", Body: f}, f
}

func (c *Console) newInviteLink(v *visit) error {
	if err := access.Check(v.who, caller.ManageMembers, v.who.Organization); err != nil {
		return err
	}
	off, _, err := c.inviteLinksOff(v)
	if err != nil {
		return err
	}
	if off != "" {
		return v.redirect("/invitations/links") // it says why
	}
	w, _ := c.inviteLinkPage(v)
	return v.show(http.StatusOK, "form", w)
}

func (c *Console) makeInviteLink(v *visit) error {
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	days, err := strconv.Atoi(strings.TrimSpace(typed.Get("days")))
	if err != nil {
		days = 0 // which is refused with the reason
	}
	in := invite.NewLink{Role: access.Role(typed.Get("role")), Days: days,
		Domains: strings.FieldsFunc(typed.Get("domains"), func(r rune) bool { return r == ',' || r == ';' || r <= ' ' })}
	if _, err := c.cfg.Invitations.MakeLink(v.r.Context(), v.who, v.who.Organization, in); err != nil {
		w, f := c.inviteLinkPage(v)
		return v.again("form", w, f, typed, err)
	}
	return v.redirect("/invitations/links?done=link-made")
}

// inviteLinkActs are what can be done to a link, after a page that says what it means.
var inviteLinkActs = map[string]struct {
	title, submit string
	effects       []string
}{
	"disable": {"Switch this invite link off?", "Switch it off", []string{"Nobody can invite themselves with it any more, for good.",
		"Invitations that came from it stay: withdraw them one by one if you want to."}},
	"renew": {"Give this invite link a new address?", "Make a new address", []string{"The address that you have given out does not work any more, at once.",
		"Role, domains and end stay as they are. You answer for the link from now on."}},
}

func (c *Console) inviteLinkActForm(v *visit) error {
	act, ok := inviteLinkActs[v.r.PathValue("act")]
	if !ok {
		return noPage()
	}
	all, err := c.cfg.Invitations.Links(v.r.Context(), v.who, v.who.Organization)
	if err != nil {
		return err
	}
	for _, l := range all {
		if string(l.ID) == v.r.PathValue("id") {
			return v.show(http.StatusOK, "confirm", view{Title: act.title, Lead: "It is for addresses of " + strings.Join(l.Domains, ", ") + ", as " + roleName(string(l.Role)) + ".",
				Body: confirm{Danger: true, Effects: act.effects, Action: v.r.URL.Path, Submit: act.submit, Cancel: "/invitations/links"}})
		}
	}
	return fault.New(fault.NotFound, "there is no such link in your organization")
}

func (c *Console) inviteLinkAct(v *visit) error {
	ctx, o, l := v.r.Context(), v.who.Organization, id.InviteLink(v.r.PathValue("id"))
	switch v.r.PathValue("act") {
	case "disable":
		if err := c.cfg.Invitations.DisableLink(ctx, v.who, o, l); err != nil {
			return err
		}
		return v.redirect("/invitations/links?done=link-off")
	case "renew":
		if _, err := c.cfg.Invitations.RenewLink(ctx, v.who, o, l); err != nil {
			return err
		}
		return v.redirect("/invitations/links?done=link-new")
	}
	return noPage()
}
