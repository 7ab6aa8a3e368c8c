package console

import (
	"context"
	"net/http"
	"slices"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/session"
)

var sessionRoutes = []route{
	get("/sessions", member, (*Console).sessionList),
	get("/sessions/{id}/end", member, (*Console).endSessionForm),
	post("/sessions/{id}/end", member, (*Console).endSession),
}

type sessionRow struct {
	ID, Name, Client, Version, System, Address, Email string
	Made, Used                                        moment
}

func (c *Console) sessionRow(s session.Session) sessionRow {
	name := short(s.Device.Name)
	if name == "" {
		name = "A device without a name"
	}
	return sessionRow{ID: string(s.ID), Name: name, Client: clientName(s.Device.ClientID), Version: short(s.Device.ClientVersion), System: short(s.Device.System),
		Address: s.Device.Address, Email: s.Email, Made: c.moment(s.CreatedAt), Used: c.moment(s.UsedAt)}
}

// visible lists the sessions that the visitor may see: their own, or everybody's.
func (c *Console) visible(ctx context.Context, who caller.Caller) ([]session.Session, error) {
	f := session.Filter{Limit: 500}
	if !who.Rights.Has(caller.AllSessions) {
		f.Member = who.Member
	}
	page, _, err := c.cfg.Sessions.List(ctx, who, who.Organization, f)
	return page, err
}

func (c *Console) sessionList(v *visit) error {
	all, err := c.visible(v.r.Context(), v.who)
	if err != nil {
		return err
	}
	everybodys := v.who.Rights.Has(caller.AllSessions)
	var whose []tab
	only := id.Member(v.r.URL.Query().Get("member"))
	if everybodys {
		var chosen string
		whose, chosen = tabs(v.r.URL, "whose", [2]string{"", "Everybody's"}, [2]string{"mine", "Mine"})
		if chosen == "mine" {
			only = v.who.Member
		}
	}
	if only != "" {
		all = slices.DeleteFunc(all, func(s session.Session) bool { return s.Member != only })
	}
	alarms, err := c.alarms(v)
	if err != nil {
		return err
	}
	page, turn := cut(all, v.r.URL)
	var rows []sessionRow
	for _, s := range page {
		rows = append(rows, c.sessionRow(s))
	}
	return v.show(http.StatusOK, "sessions", view{Title: "Devices and sessions", Lead: "Every sign-in of a device, until it is ended.", Notice: v.notice(),
		Body: struct {
			Alarms     []alarm
			Rows       []sessionRow
			Whose      []tab
			Everybodys bool
			Narrowed   bool // to one member, by the address
			Paging     paging
		}{alarms, rows, whose, everybodys, only != "" && only != v.who.Member, turn}})
}

// alarm is a session of the visitor's own that somebody else seems to have had.
type alarm struct {
	Name  string
	Ended moment
}

func (c *Console) alarms(v *visit) ([]alarm, error) {
	ended, err := c.cfg.Sessions.Alarms(v.r.Context(), v.who)
	var all []alarm
	for _, s := range ended {
		all = append(all, alarm{c.sessionRow(s).Name, c.moment(s.EndedAt)})
	}
	return all, err
}

func (c *Console) endSessionForm(v *visit) error {
	all, err := c.visible(v.r.Context(), v.who)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(all, func(s session.Session) bool { return string(s.ID) == v.r.PathValue("id") })
	if at < 0 {
		return fault.New(fault.NotFound, "there is no such session, or it was ended already")
	}
	s := c.sessionRow(all[at])
	return v.show(http.StatusOK, "confirm", view{Title: "End the session on " + s.Name + "?", Lead: s.Email, Body: confirm{Danger: true,
		Effects: []string{s.Client + " on " + s.Name + " is refused within a second, also in the middle of an answer.",
			"It was last used " + s.Used.Relative + ", and signed in from " + s.Address + ".",
			"It can be signed in again."},
		Action: v.r.URL.Path, Submit: "End the session", Cancel: "/sessions"}})
}

func (c *Console) endSession(v *visit) error {
	if err := c.cfg.Sessions.End(v.r.Context(), v.who, v.who.Organization, id.DeviceSession(v.r.PathValue("id"))); err != nil {
		return err
	}
	return v.redirect("/sessions?done=ended")
}
