package console

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/org"
)

var settingsRoutes = []route{
	get("/settings", member, needs(caller.ManageOrganization, (*Console).settings)),
	post("/settings", member, needs(caller.ManageOrganization, withForm((*Console).saveSettings))),
	get("/settings/plan", member, needs(caller.ReadBilling, (*Console).planForm)),
	post("/settings/plan", member, needs(caller.ManageBilling, withForm((*Console).savePlan))),
	post("/settings/export", member, needs(caller.OwnOrganization, (*Console).export)),
	get("/settings/delete", member, needs(caller.OwnOrganization, (*Console).deleteForm)),
	post("/settings/delete", member, needs(caller.OwnOrganization, withForm((*Console).deleteOrganization))),
}

func ticked(yes bool, text, help string) []option {
	return []option{{Value: "on", Text: text, Help: help, Chosen: yes}}
}

func settingsPage(o org.Organization) *form {
	s := o.Settings
	f := &form{Action: "/settings", Submit: "Save the settings", Hidden: []hidden{{"version", strconv.FormatInt(o.Version, 10)}}, Fields: []field{
		{Kind: "text", Name: "name", Label: "Name", Value: o.Name, Autocomplete: "off", Length: 200},
		{Kind: "text", Name: "color", Label: "Colour of the mark", Value: s.Color, Help: "Six hexadecimal digits, such as #1d4ed8. It stands beside the name, so that people see where they are.", Autocomplete: "off", Length: 7, Optional: true},
		{Kind: "lines", Name: "domains", Label: "Domains of addresses that may be invited", Value: strings.Join(s.Domains, "\n"), Help: "One a line, such as example.com. Empty: any address.", Optional: true, Rows: 3},
		{Kind: "number", Name: "key_days", Label: "Longest life of a new key, in days", Value: daysShown(s.KeyDays), Help: "Empty: keys may live for ever. Keys that exist keep their own.", Optional: true},
		{Kind: "number", Name: "session_days", Label: "Sign in again after, in days", Value: daysShown(s.SessionDays), Help: "A device session ends so long after its beginning, whatever happens. Empty: it lives for as long as it is used.", Optional: true},
		{Kind: "checks", Name: "require_second_factor", Label: "Second factor", Options: ticked(s.RequireSecondFactor, "Everybody needs one", "Members without a passkey or a code from an app get no further than to where they set one up.")},
	}}
	if o.Plan.HasInviteLinks() {
		f.Fields = append(f.Fields, field{Kind: "checks", Name: "invite_links", Label: "Invite links", Options: ticked(s.InviteLinks, "Those who invite may make links with which people invite themselves", "Each is limited to domains and expires.")})
	}
	if o.Plan.Rights().Has(caller.ProposeMembers) {
		f.Fields = append(f.Fields, field{Kind: "checks", Name: "proposals", Label: "Proposals", Options: ticked(s.Proposals, "Members may propose people", "Somebody who may invite decides.")})
	}
	return f
}

func daysShown(days int) string {
	if days == 0 {
		return ""
	}
	return strconv.Itoa(days)
}

// settingsView puts a form of settings into its page.
func (c *Console) settingsView(v *visit, o org.Organization, f *form) view {
	return view{Title: "Organization", Lead: "What holds for everybody in " + o.Name + ".", Notice: v.notice(), Body: struct {
		Form        *form
		ID, Made    string
		Plan, Seats string
		Owns        bool
		SeesPlan    bool
	}{f, string(o.ID), c.moment(o.CreatedAt).Exact, title(string(o.Plan)), c.seatsLine(v), v.who.Rights.Has(caller.OwnOrganization), v.who.Rights.Has(caller.ReadBilling)}}
}

// ownOrganization is the one in which the visitor acts.
func (v *visit) ownOrganization() (org.Organization, error) {
	return v.c.cfg.Organizations.Get(v.r.Context(), v.who, v.who.Organization)
}

func (c *Console) settings(v *visit) error {
	o, err := v.ownOrganization()
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "settings", c.settingsView(v, o, settingsPage(o)))
}

func (c *Console) saveSettings(v *visit, typed url.Values) error {
	o, err := v.ownOrganization()
	if err != nil {
		return err
	}
	change, err := settingsTyped(o, typed)
	if err == nil {
		_, err = c.cfg.Organizations.Update(v.r.Context(), v.who, o.ID, version(typed), change)
	}
	if err != nil {
		f := settingsPage(o)
		return v.again("settings", c.settingsView(v, o, f), f, typed, err)
	}
	return v.redirect("/settings?done=saved")
}

// settingsTyped is the change that a form asks for. What the form of the plan
// does not have stays as it is.
func settingsTyped(o org.Organization, typed url.Values) (org.Change, error) {
	name, color, domains := typed.Get("name"), strings.TrimSpace(typed.Get("color")), strings.Fields(strings.ReplaceAll(typed.Get("domains"), ",", " "))
	c := org.Change{Name: &name, Color: &color, Domains: &domains, RequireSecondFactor: on(typed, "require_second_factor")}
	for field, into := range map[string]**int{"key_days": &c.KeyDays, "session_days": &c.SessionDays} {
		days, err := wholeNumber(typed, field)
		if err != nil {
			return c, err
		}
		*into = &days
	}
	if o.Plan.HasInviteLinks() {
		c.InviteLinks = on(typed, "invite_links")
	}
	if o.Plan.Rights().Has(caller.ProposeMembers) {
		c.Proposals = on(typed, "proposals")
	}
	return c, nil
}

// wholeNumber reads a number that may be left out, which is 0.
func wholeNumber(typed url.Values, field string) (int, error) {
	text := strings.TrimSpace(typed.Get(field))
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		err = fault.New(fault.Invalid, "that is a whole number, or nothing").At(field)
	}
	return n, err
}

func on(typed url.Values, field string) *bool {
	yes := typed.Get(field) == "on"
	return &yes
}

// planWords say what a plan has.
var planWords = map[org.Plan]string{
	org.Team:       "For people who use Claude Code: seats, invite links, members who propose members. No keys but Claude Code's, no workspaces.",
	org.Enterprise: "Everything: keys, workspaces, service accounts, custom roles and groups, seats.",
	org.Console:    "For API billing: keys, workspaces and service accounts, and as many people as come. No seats, no custom roles.",
}

func planPage(o org.Organization) (view, *form) {
	plans := field{Kind: "radio", Name: "plan", Label: "Plan"}
	for _, p := range org.Plans() {
		plans.Options = append(plans.Options, option{Value: string(p), Text: title(string(p)), Help: planWords[p], Chosen: p == o.Plan})
	}
	f := &form{Action: "/settings/plan", Submit: "Change plan and seats", Cancel: "/settings/plan", Hidden: []hidden{{"version", strconv.FormatInt(o.Version, 10)}}, Fields: []field{
		plans,
		{Kind: "number", Name: "seats", Label: "Seats", Value: daysShown(o.Seats), Help: "Every member and every waiting invitation takes one. Empty: as many as are needed. The plan console has none.", Optional: true},
	}}
	return view{Title: "Plan and seats", Lead: "Plans differ in what is on and how it is counted, never in price. What a plan does not have stops at once: keys and sessions are refused, nothing is deleted, and going back brings it back."}, f
}

func (c *Console) planView(v *visit) (view, *form, error) {
	o, err := v.ownOrganization()
	if err != nil {
		return view{}, nil, err
	}
	taken, err := c.cfg.Organizations.Seats(v.r.Context(), v.who, o.ID)
	w, f := planPage(o)
	seats := "not counted"
	if taken.Seats > 0 {
		seats = count(taken.Seats, "seat") + ", " + number(int64(taken.Free())) + " free"
	} else if o.Plan.HasSeats() {
		seats = "as many as are needed"
	}
	w.Notice = v.notice()
	w.Body = struct {
		Plan, Help, Seats, Members, Invited string
		Form                                *form
		CanChange                           bool
	}{title(string(o.Plan)), planWords[o.Plan], seats, number(int64(taken.Members)), number(int64(taken.Invited)), f, v.who.Rights.Has(caller.ManageBilling)}
	return w, f, err
}

func (c *Console) planForm(v *visit) error {
	return v.fresh("plan", func() (view, *form, error) { return c.planView(v) })
}

func (c *Console) savePlan(v *visit, typed url.Values) error {
	seats, err := wholeNumber(typed, "seats")
	if err == nil {
		_, err = c.cfg.Organizations.SetPlan(v.r.Context(), v.who, v.who.Organization, version(typed), org.Plan(typed.Get("plan")), seats)
	}
	if err != nil {
		return v.anew("plan", func() (view, *form, error) { return c.planView(v) }, typed, err)
	}
	return v.redirect("/settings/plan?done=plan")
}

// export answers with an archive of everything, a file of JSON lines a table. It
// is written as it is read, and cut off if something fails on the way.
func (c *Console) export(v *visit) error {
	var archive *zip.Writer
	var lines *json.Encoder
	var in string
	err := c.cfg.Organizations.Export(v.r.Context(), v.who, v.who.Organization, func(table string, columns []string, row []any) error {
		if archive == nil {
			h := v.w.Header()
			h.Set("Content-Type", "application/zip")
			h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="gatehouse-export-%s.zip"`, c.cfg.Now().UTC().Format(time.DateOnly)))
			archive = zip.NewWriter(v.w)
		}
		if table != in {
			file, err := archive.Create(table + ".ndjson")
			if err != nil {
				return err
			}
			in, lines = table, json.NewEncoder(file)
		}
		object := make(map[string]any, len(columns))
		for i, name := range columns {
			object[name] = row[i]
			if raw, ok := row[i].([]byte); ok {
				object[name] = string(raw)
			}
		}
		return lines.Encode(object)
	})
	if err == nil && archive != nil {
		err = archive.Close()
	}
	if err != nil && archive != nil {
		c.cfg.Logger.Error("an export was cut off", "request_id", string(v.id), "error", err)
		panic(http.ErrAbortHandler) // half an archive must not look like a whole one
	}
	return err
}

func deletePage(o org.Organization) (view, *form) {
	f := &form{Action: "/settings/delete", Submit: "Delete the organization", Cancel: "/settings", Danger: true, Fields: []field{
		{Kind: "text", Name: "name", Label: "Type the name of the organization: " + o.Name, Autocomplete: "off", Length: 200, Focus: true}}}
	return view{Title: "Delete " + o.Name + "?", Body: f}, f
}

func (c *Console) deleteView(v *visit) (view, *form, error) {
	ctx := v.r.Context()
	o, err := v.ownOrganization()
	if err != nil {
		return view{}, nil, err
	}
	counts, err := c.cfg.Organizations.Counts(ctx, v.who, o.ID)
	w, f := deletePage(o)
	w.Body = struct {
		Effects []string
		Form    *form
	}{[]string{count(counts[org.Active], "active member") + " cannot sign in to it any more.",
		"Every device session, API key and service account of it is refused within a second, also in the middle of an answer.",
		"It cannot be brought back. Export what you need first.",
		"What was used and done stays in the server's record, for whoever runs the server."}, f}
	return w, f, err
}

func (c *Console) deleteForm(v *visit) error {
	return v.fresh("delete", func() (view, *form, error) { return c.deleteView(v) })
}

func (c *Console) deleteOrganization(v *visit, typed url.Values) error {
	if err := c.cfg.Organizations.Delete(v.r.Context(), v.who, v.who.Organization, typed.Get("name")); err != nil {
		return v.anew("delete", func() (view, *form, error) { return c.deleteView(v) }, typed, err)
	}
	return v.redirect("/organization")
}
