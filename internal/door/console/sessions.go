package console

import (
	"net/http"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/session"
)

var sessionRoutes = []route{
	get("/sessions", member, (*Console).sessionList),
	get("/sessions/{id}", member, (*Console).sessionPage),
	get("/sessions/{id}/end", member, (*Console).endSessionForm),
	post("/sessions/{id}/end", member, (*Console).endSession),
	get("/members/{id}/sessions/end", member, (*Console).endAllForm),
	post("/members/{id}/sessions/end", member, (*Console).endAll),
}

type sessionRow struct {
	ID, Name, Client, Version, System, Address, Email, Whose, Status string
	Made, Used, Ended                                                moment
}

func (c *Console) sessionRow(s session.Session) sessionRow {
	row := sessionRow{ID: string(s.ID), Name: short(s.Device.Name), Client: clientName(s.Device.ClientID), Version: short(s.Device.ClientVersion), System: short(s.Device.System),
		Address: s.Device.Address, Email: s.Email, Whose: short(s.Name), Status: "Active", Made: c.moment(s.CreatedAt), Used: c.moment(s.UsedAt), Ended: c.moment(s.EndedAt)}
	if row.Name == "" {
		row.Name = "A device without a name"
	}
	if !s.EndedAt.IsZero() {
		row.Status = "Ended"
	}
	return row
}

func (c *Console) sessionList(v *visit) error {
	q := v.r.URL.Query()
	everybodys := v.who.Rights.Has(caller.AllSessions)
	states, state := tabs(v.r.URL, "state", [2]string{"", "Signed in"}, [2]string{"ended", "Ended"}, [2]string{"any", "All"})
	f := session.Filter{Member: id.Member(q.Get("member")), State: session.State(state), After: id.DeviceSession(q.Get("after")), Before: id.DeviceSession(q.Get("before")), Limit: pageRows}
	var whose []tab
	if everybodys && f.Member == "" {
		var chosen string
		if whose, chosen = tabs(v.r.URL, "whose", [2]string{"", "Everybody's"}, [2]string{"mine", "Mine"}); chosen == "mine" {
			f.Member = v.who.Member
		}
	}
	if !everybodys {
		f.Member = v.who.Member
	}
	find, text := sought(v.r.URL, "Search by device, person or address", "Device, person or address")
	f.Search = text
	all, more, err := c.cfg.Sessions.List(v.r.Context(), v.who, v.who.Organization, f)
	if err != nil {
		return err
	}
	alarms, err := c.alarms(v)
	if err != nil {
		return err
	}
	var rows []sessionRow
	for _, s := range all {
		rows = append(rows, c.sessionRow(s))
	}
	var turn paging
	if len(all) > 0 {
		turn = keyset(v.r.URL, string(all[0].ID), string(all[len(all)-1].ID), more)
	}
	b := struct {
		Alarms        []alarm
		Rows          []sessionRow
		Whose, States []tab
		Search        search
		Everybodys    bool
		Filtered      bool
		Narrowed      bool   // to one member, by the address
		EndAll        string // where all of one member's are ended
		Paging        paging
	}{alarms, rows, whose, states, find, everybodys, text != "" || state != "" || f.After != "" || f.Before != "", q.Get("member") != "" && everybodys, "", turn}
	if f.Member != "" && len(rows) > 1 && state != "ended" {
		b.EndAll = "/members/" + string(f.Member) + "/sessions/end"
	}
	return v.show(http.StatusOK, "sessions", view{Title: "Devices and sessions", Lead: "Every sign-in of a device, until it is ended.", Notice: v.notice(), Body: b})
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

func (v *visit) namedSession() (session.Session, error) {
	return v.c.cfg.Sessions.Get(v.r.Context(), v.who, v.who.Organization, id.DeviceSession(v.r.PathValue("id")))
}

func (c *Console) sessionPage(v *visit) error {
	s, err := v.namedSession()
	if err != nil {
		return err
	}
	row := c.sessionRow(s)
	b := struct {
		sessionRow
		Owner     link
		Workspace string
		Proof     *proof
		Record    bool
	}{sessionRow: row, Owner: link{Text: row.Whose}, Workspace: string(s.Workspace), Record: v.who.Rights.Has(caller.ReadActivity)}
	if v.who.Rights.Has(caller.ReadMembers) {
		b.Owner.To = "/members/" + string(s.Member)
	}
	if !s.EndedAt.IsZero() || !s.RefusedAt.IsZero() {
		b.Proof = c.proof(s.EndedAt, s.UsedAt, s.RefusedAt, s.EndedWhy)
	}
	return v.show(http.StatusOK, "session", view{Title: row.Name, Lead: row.Client + ", signed in by " + s.Email, Notice: v.notice(), Body: b})
}

func (c *Console) endSessionForm(v *visit) error {
	found, err := v.namedSession()
	if err != nil {
		return err
	}
	s := c.sessionRow(found)
	return v.show(http.StatusOK, "confirm", view{Title: "End the session on " + s.Name + "?", Lead: s.Email, Body: confirm{Danger: true,
		Effects: []string{s.Client + " on " + s.Name + " is refused within a second, also in the middle of an answer.",
			"It was last used " + s.Used.Relative + ", and signed in from " + s.Address + ".",
			"It can be signed in again."},
		Action: v.r.URL.Path, Submit: "End the session", Cancel: "/sessions/" + s.ID}})
}

func (c *Console) endSession(v *visit) error {
	d := id.DeviceSession(v.r.PathValue("id"))
	if err := c.cfg.Sessions.End(v.r.Context(), v.who, v.who.Organization, d); err != nil {
		return err
	}
	return v.redirect("/sessions/" + string(d) + "?done=ended")
}

func (c *Console) endAllForm(v *visit) error {
	m := id.Member(v.r.PathValue("id"))
	if err := access.CheckOwner(v.who, caller.OwnSessions, caller.AllSessions, m, v.who.Organization); err != nil {
		return err
	}
	n, err := c.cfg.Sessions.Count(v.r.Context(), v.who, v.who.Organization, m)
	if err != nil {
		return err
	}
	whose := "your own"
	if m != v.who.Member {
		found, err := c.cfg.Organizations.Member(v.r.Context(), v.who, v.who.Organization, m)
		if err != nil {
			return err
		}
		whose = found.Name + "’s"
	}
	return v.show(http.StatusOK, "confirm", view{Title: "End every session?", Lead: "These are " + whose + ".", Body: confirm{Danger: true,
		Effects: []string{count(n, "device") + " will be refused within a second, also in the middle of an answer.",
			"API keys are not touched: they have a list of their own.", "The devices can be signed in again."},
		Action: v.r.URL.Path, Submit: "End " + count(n, "session"), Cancel: "/sessions?member=" + string(m)}})
}

func (c *Console) endAll(v *visit) error {
	m := id.Member(v.r.PathValue("id"))
	if _, err := c.cfg.Sessions.EndAll(v.r.Context(), v.who, v.who.Organization, m); err != nil {
		return err
	}
	return v.redirect("/sessions?state=ended&member=" + string(m) + "&done=all_ended")
}

// credentials are what a member has of sessions and keys, with the proof that
// they stopped once the member has: for the member's page.
type credentials struct {
	Sessions, Keys    link
	EndSessions       string // where all sessions are ended; empty: there are none
	EndedSessions     string // "3 sessions" that ended with the member; empty: the member is active
	EndedKeys         string
	Accepted, Refused moment
}

// credentialsOf answers for a member page what hangs on a member. stopped says
// that the member was suspended or removed.
func (c *Console) credentialsOf(v *visit, m id.Member, stopped bool) (credentials, error) {
	ctx, o := v.r.Context(), v.who.Organization
	sessions, err := c.cfg.Sessions.Proof(ctx, v.who, o, m)
	if err != nil {
		return credentials{}, err
	}
	keys, err := c.cfg.Keys.Proof(ctx, v.who, o, m)
	if err != nil {
		return credentials{}, err
	}
	b := credentials{Sessions: link{"/sessions?member=" + string(m), count(sessions.Sessions, "session")}, Keys: link{"/keys?member=" + string(m), count(keys.Keys, "active key")}}
	if sessions.Sessions > 0 {
		b.EndSessions = "/members/" + string(m) + "/sessions/end"
	}
	if !stopped {
		return b, nil
	}
	b.EndedSessions, b.EndedKeys, b.EndSessions = count(sessions.Sessions, "session"), count(keys.Keys, "key"), ""
	b.Sessions.To += "&state=any"
	accepted, refused := sessions.LastAccepted, sessions.FirstRefused
	if keys.LastAccepted.After(accepted) {
		accepted = keys.LastAccepted
	}
	if refused.IsZero() || (!keys.FirstRefused.IsZero() && keys.FirstRefused.Before(refused)) {
		refused = keys.FirstRefused
	}
	b.Accepted, b.Refused = c.moment(accepted), c.moment(refused)
	return b, nil
}
