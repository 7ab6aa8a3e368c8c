package console

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/outbox"
)

var mailRoutes = []route{
	get("/mail", member, (*Console).mail),
	get("/outbox", member, (*Console).outbox),
	get("/outbox/{id}", member, (*Console).letter),
	post("/outbox/{id}/retry", member, (*Console).retryLetter),
}

// letterGroups are the choices of the outbox's filter.
var letterGroups = []struct {
	value, text, nothing string
	statuses             []outbox.Status
}{
	{"", "Everything", "", nil},
	{"waiting", "Waiting", "No letter is waiting.", []outbox.Status{outbox.Waiting}},
	{"queued", "On their way", "No letter is on its way.", []outbox.Status{outbox.Queued}},
	{"failed", "Failed", "No letter has failed.", []outbox.Status{outbox.Failed}},
	{"sent", "Sent", "No letter was sent yet.", []outbox.Status{outbox.Sent}},
	{"over", "Not sent", "No letter was left unsent.", []outbox.Status{outbox.Expired, outbox.Dropped}},
}

var letterStatuses = map[outbox.Status]string{
	outbox.Waiting: "Waiting",
	outbox.Queued:  "On its way",
	outbox.Sent:    "Sent",
	outbox.Failed:  "Failed",
	outbox.Expired: "Expired",
	outbox.Dropped: "Not needed any more",
}

type letterRow struct {
	ID, To, Name, Subject, Status, Error, Link string
	Mark                                       string // of the status: "good", "bad" or "off"
	Failed                                     bool
	Attempts                                   string
	Made, Sent, Next, Expires                  moment
}

func (c *Console) letterRow(m outbox.Message) letterRow {
	row := letterRow{ID: string(m.ID), To: m.To, Name: short(m.ToName), Subject: short(m.Subject), Status: letterStatuses[m.Status], Error: m.LastError,
		Link: m.Link.Reveal(), Mark: "off", Failed: m.Status == outbox.Failed, Made: c.moment(m.CreatedAt), Sent: c.moment(m.SentAt), Next: c.moment(m.NextAt), Expires: c.moment(m.ExpiresAt)}
	switch m.Status {
	case outbox.Sent:
		row.Mark = "good"
	case outbox.Failed:
		row.Mark = "bad"
	}
	if m.Attempts > 0 {
		row.Attempts = count(m.Attempts, "attempt")
	}
	if m.Status != outbox.Queued || m.Attempts == 0 {
		row.Next = moment{} // it is sent as soon as there is a server
	}
	return row
}

// letterCount is a number of letters, no further than they are counted.
func letterCount(n int) string {
	if n >= outbox.CountLimit {
		return fmt.Sprintf("%d or more", outbox.CountLimit)
	}
	return fmt.Sprint(n)
}

type letterTile struct{ To, Label, Value string }

func (c *Console) mail(v *visit) error {
	counts, err := c.cfg.Outbox.Counts(v.r.Context(), v.who, v.who.Organization)
	if err != nil {
		return err
	}
	tried, _, err := c.cfg.Outbox.List(v.r.Context(), v.who, v.who.Organization, outbox.Filter{Statuses: []outbox.Status{outbox.Queued}, Limit: 1})
	if err != nil {
		return err
	}
	var trouble string
	if len(tried) > 0 {
		trouble = sentence(tried[0].LastError)
	}
	var tiles []letterTile
	for _, g := range letterGroups {
		if len(g.statuses) == 1 {
			tiles = append(tiles, letterTile{"/outbox?status=" + g.value, g.text, letterCount(counts[g.statuses[0]])})
		}
	}
	server, ok := c.cfg.Outbox.Configured()
	return v.show(http.StatusOK, "mail", view{Title: "Mail", Lead: "How invitations and other letters reach people.",
		Action: &link{"/outbox", "Open the outbox"}, Body: struct {
			Configured      bool
			Server, Trouble string
			Example         string
			Tiles           []letterTile
		}{ok, server, trouble, mailExample, tiles}})
}

// mailExample is what the operator puts into the configuration.
const mailExample = `mail:
  host: smtp.example.com
  port: 587
  security: starttls
  username: gatehouse
  password_file: /etc/gatehouse/mail-password
  from: gatehouse@example.com`

func (c *Console) outbox(v *visit) error {
	var pairs [][2]string
	for _, g := range letterGroups {
		pairs = append(pairs, [2]string{g.value, g.text})
	}
	filters, chosen := tabs(v.r.URL, "status", pairs...)
	group := letterGroups[slices.IndexFunc(pairs, func(p [2]string) bool { return p[0] == chosen })]
	query := v.r.URL.Query()
	f := outbox.Filter{Statuses: group.statuses, Sought: strings.TrimSpace(query.Get("q")), After: id.Message(query.Get("after")), Before: id.Message(query.Get("before")), Limit: pageRows}
	page, more, err := c.cfg.Outbox.List(v.r.Context(), v.who, v.who.Organization, f)
	if err != nil {
		return err
	}
	var rows []letterRow
	var links bool
	for _, m := range page {
		row := c.letterRow(m)
		if !m.Status.Open() {
			row.Link = "" // on its own page: here are those that somebody still waits for
		}
		links = links || row.Link != ""
		rows = append(rows, row)
	}
	var l paging
	if len(page) > 0 {
		l = letterPaging(v, f, page[0].ID, page[len(page)-1].ID, more)
	}
	_, sends := c.cfg.Outbox.Configured()
	return v.show(http.StatusOK, "outbox", view{Title: "Outbox", Lead: "Every letter to the people of this organization, and what became of it.", Notice: v.notice(), Body: struct {
		Rows            []letterRow
		Filters         []tab
		Status, Sought  string
		Nothing         string
		Filtered, Sends bool
		Links           bool
		Paging          paging
	}{rows, filters, chosen, f.Sought, group.nothing, chosen != "" || f.Sought != "" || f.After != "" || f.Before != "", sends, links, l}})
}

// letterPaging is where a page stands that was found by the letter after or
// before it.
func letterPaging(v *visit, f outbox.Filter, first, last id.Message, more bool) (l paging) {
	bare := *v.r.URL
	query := bare.Query()
	query.Del("after")
	query.Del("before")
	bare.RawQuery = query.Encode()
	back := f.Before != ""
	if back || more {
		l.Older = with(&bare, "after", string(last))
	}
	if (back && more) || (!back && f.After != "") {
		l.Newer = with(&bare, "before", string(first))
	}
	return l
}

func (c *Console) letter(v *visit) error {
	m, err := c.cfg.Outbox.Get(v.r.Context(), v.who, v.who.Organization, id.Message(v.r.PathValue("id")))
	if err != nil {
		return err
	}
	row := c.letterRow(m)
	return v.show(http.StatusOK, "letter", view{Title: "Letter to " + m.To, Lead: row.Subject, Notice: v.notice(), Body: row})
}

func (c *Console) retryLetter(v *visit) error {
	if err := c.cfg.Outbox.Retry(v.r.Context(), v.who, v.who.Organization, id.Message(v.r.PathValue("id"))); err != nil {
		return err
	}
	return v.redirect("/outbox/" + v.r.PathValue("id") + "?done=retried")
}
