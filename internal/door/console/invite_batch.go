package console

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/invite"
	"github.com/gatehouse-dev/gatehouse/internal/roster"
)

const (
	maxUpload = 2*roster.MaxBytes + maxForm // a pasted list, a file, and the rest
	maxParts  = 200
	maxMended = 2 << 20 // a page of lines, each as long as one can be
)

// listForm is the page on which people are named.
type listForm struct {
	form
	List   field
	Role   field
	Places []field // groups and workspaces
	Open   bool    // whether something is chosen among them
	Seats  string
}

// invitePage is that page. Its fields are those of the form in their order.
func (c *Console) invitePage(v *visit) (view, *listForm, error) {
	choices, err := c.cfg.Invitations.Choices(v.r.Context(), v.who, v.who.Organization)
	if err != nil {
		return view{}, nil, err
	}
	f := &listForm{form: form{Action: "/invitations/batches", Submit: "Check the list", Cancel: "/invitations"}}
	f.Fields = []field{
		{Kind: "lines", Name: "list", Label: "Addresses", Placeholder: "ada@example.com, Grace Hopper <grace@example.com>", Rows: 8, Mono: true,
			Help: "Paste addresses as you have them: one a line, or with commas or semicolons between them, with or without names. A table copied from a spreadsheet works too."},
		{Kind: "select", Name: "role", Label: "Role", Options: givenRoles(v.who, access.ClaudeCodeUser), Help: "For everybody whose line names no other."},
	}
	for _, p := range []struct {
		name, label string
		all         []invite.Named
	}{{"groups", "Groups", choices.Groups}, {"workspaces", "Workspaces", choices.Workspaces}} {
		x := field{Kind: "checks", Name: p.name, Label: p.label, Optional: true}
		for _, n := range p.all {
			x.Options = append(x.Options, option{Value: n.ID, Text: short(n.Name)})
		}
		if len(x.Options) > 0 {
			f.Fields = append(f.Fields, x)
		}
	}
	if len(choices.Domains) > 0 {
		f.Fields[0].Help += " Only addresses of " + strings.Join(choices.Domains, ", ") + " can be invited."
	}
	if s := choices.Seats; s.Limit > 0 {
		f.Seats = fmt.Sprintf("%s free of %d.", count(s.Free(), "seat"), s.Limit)
	}
	f.arrange()
	return view{Title: "Invite people", Lead: "Nothing is sent yet: the next page shows what was understood of each line.", Body: f}, f, nil
}

// arrange hands the form's fields to the template by their place on the page.
func (f *listForm) arrange() {
	f.List, f.Role, f.Places, f.Open = f.Fields[0], f.Fields[1], f.Fields[2:], false
	for _, x := range f.Places {
		f.Open = f.Open || x.Problem != ""
		for _, o := range x.Options {
			f.Open = f.Open || o.Chosen
		}
	}
}

func (c *Console) newInvitations(v *visit) error {
	w, _, err := c.invitePage(v)
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "invite", w)
}

// sampleList is a list to begin with.
func (c *Console) sampleList(v *visit) error {
	if err := access.Check(v.who, caller.ManageMembers, v.who.Organization); err != nil {
		return err
	}
	sample := roster.Heading + "\r\n" + roster.Row("ada@example.com", "Ada Lovelace", string(access.Developer), "", "") + "\r\n" +
		roster.Row("grace@example.com", "Grace Hopper", "", "", "") + "\r\n"
	h := v.w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="people.csv"`)
	h.Set("Content-Security-Policy", v.policy())
	_, _ = io.WriteString(v.w, sample)
	return errAnswered
}

// checkList reads what was pasted and what came as a file, and leads to what was
// found in it.
func (c *Console) checkList(v *visit) error {
	// Whoever may not invite uploads nothing.
	if err := access.Check(v.who, caller.ManageMembers, v.who.Organization); err != nil {
		return err
	}
	typed, table, err := v.readUpload("file")
	if err == nil {
		var b invite.Batch
		in := invite.List{Text: typed.Get("list"), Table: table, Place: invite.Place{Role: access.Role(typed.Get("role")),
			Groups: ids[id.Group](typed["groups"]), Workspaces: ids[id.Workspace](typed["workspaces"])}}
		if b, err = c.cfg.Invitations.Check(v.r.Context(), v.who, v.who.Organization, in); err == nil {
			return v.redirect("/invitations/batches/" + string(b.ID))
		}
	}
	w, f, failed := c.invitePage(v)
	if failed != nil {
		return failed
	}
	f.fill(typed)
	p, status, ok := f.blame(err)
	if !ok {
		return err
	}
	f.arrange()
	w.Problem = p
	return v.show(status, "invite", w)
}

func ids[T ~string](all []string) []T {
	var out []T
	for _, one := range all {
		out = append(out, T(one))
	}
	return out
}

// readUpload reads a form that may carry a file, which is the text it returns.
// Nothing of it touches the disk. A body without fields is an empty form.
func (v *visit) readUpload(file string) (url.Values, string, error) {
	kind, _, err := mime.ParseMediaType(v.r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" {
		typed, err := v.readFormUpTo(maxUpload)
		return typed, "", err
	}
	v.allowSlowUpload()
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, maxUpload)
	parts, err := v.r.MultipartReader()
	if err != nil {
		return nil, "", unreadable(err)
	}
	typed, content := url.Values{}, ""
	for n := 0; ; n++ {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return typed, content, nil
		}
		if err == nil && n >= maxParts {
			err = fmt.Errorf("it has more than %d fields", maxParts)
		}
		if err != nil {
			return typed, content, unreadable(err)
		}
		text, err := io.ReadAll(io.LimitReader(part, roster.MaxBytes+1))
		if err == nil && len(text) > roster.MaxBytes {
			err = tooLarge()
		}
		if err != nil {
			return typed, content, unreadable(err)
		}
		if part.FormName() == file {
			content = string(text)
		} else {
			typed.Add(part.FormName(), string(text))
		}
	}
}

// allowSlowUpload gives a list the time that a slow line takes for it.
func (v *visit) allowSlowUpload() {
	_ = http.NewResponseController(v.w).SetReadDeadline(time.Now().Add(time.Minute)) // where there is none, the server's own holds
}

func tooLarge() error {
	return fault.New(fault.TooLarge, "the list is larger than %d MiB", roster.MaxBytes>>20).At("list").WithHint("split it into several")
}

func unreadable(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return tooLarge()
	}
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	return fault.Wrap(fault.Invalid, err, "the form could not be read")
}

// lineRow is one line of a list, and what is or will be of it.
type lineRow struct {
	Number            int
	Email, Name, Role string
	Status, Mark      string
	Note              string
	Raw, Typed        string
	Wrong             bool
}

var lineStatuses = map[invite.LineState][2]string{
	invite.LineReady:     {"Ready", "good"},
	invite.LineSent:      {"Invited", "good"},
	invite.LineUnchanged: {"Nothing to do", "off"},
	invite.LineWrong:     {"To mend", "bad"},
	invite.LineFailed:    {"Failed", "bad"},
}

func newLineRow(l invite.Line, state invite.BatchState) lineRow {
	says := lineStatuses[l.State]
	row := lineRow{Number: l.Number, Email: l.Email, Name: short(l.Name), Role: roleName(string(l.Role)), Status: says[0], Mark: says[1],
		Note: sentence(l.Note), Raw: l.Raw, Typed: l.Typed}
	switch {
	case l.State == invite.LineWrong && state == invite.Draft:
		row.Wrong = true
	case l.State == invite.LineWrong:
		row.Status, row.Mark = "Left out", "off"
	case l.State == invite.LineReady && state != invite.Draft:
		row.Status, row.Mark = "Waiting", "off"
	}
	return row
}

// batchPage is a list on its way from a draft to what came of it.
type batchPage struct {
	ID                   string
	Draft, Sending, Done bool
	Tiles                []fact
	Percent              int
	Dealt, Whole         int
	Rows                 []lineRow
	AnyWrong             bool
	Send, Retry          string // what the button says; empty: there is none
	NoMail               bool
	Page, Pages          int
	Previous, Next       string
	Here                 string
	Started              moment
}

func (c *Console) batchPage(v *visit) error {
	b, err := c.cfg.Invitations.Batch(v.r.Context(), v.who, v.who.Organization, id.InviteBatch(v.r.PathValue("id")))
	if err != nil {
		return err
	}
	page, err := c.batchBody(v, b)
	if err != nil {
		return err
	}
	w := view{Notice: v.notice(), Body: page}
	switch b.State {
	case invite.Draft:
		w.Title, w.Lead = "Check the list", "Nothing is sent until you say so."
	case invite.Sending:
		w.Title, w.Lead = "Inviting "+people(page.Whole), "This goes on by itself, also when you leave the page."
	default:
		w.Title, w.Lead = people(b.Counts.Sent)+" invited", "This is what came of each line."
		w.Action = &link{"/invitations", "See the invitations"}
	}
	return v.show(http.StatusOK, "invite-list", w)
}

func (c *Console) batchBody(v *visit, b invite.Batch) (batchPage, error) {
	n := b.Counts
	_, sends := c.cfg.Outbox.Configured()
	p := batchPage{ID: string(b.ID), Draft: b.State == invite.Draft, Sending: b.State == invite.Sending, Done: b.State == invite.Done, Percent: n.Percent(),
		Dealt: n.Sent + n.Failed, Whole: n.Ready + n.Sent + n.Failed, NoMail: !sends, Pages: max(1, (n.All()+pageRows-1)/pageRows), Started: c.moment(b.StartedAt)}
	asked, _ := strconv.Atoi(v.r.URL.Query().Get("page"))
	p.Page = min(max(asked, 1), p.Pages)
	if p.Page > 1 {
		p.Previous = with(v.r.URL, "page", strconv.Itoa(p.Page-1))
	}
	if p.Page < p.Pages {
		p.Next = with(v.r.URL, "page", strconv.Itoa(p.Page+1))
	}
	lines, err := c.cfg.Invitations.Lines(v.r.Context(), v.who, v.who.Organization, b.ID, invite.LineFilter{Offset: (p.Page - 1) * pageRows, Limit: pageRows})
	if err != nil {
		return p, err
	}
	for _, l := range lines {
		row := newLineRow(l, b.State)
		p.AnyWrong = p.AnyWrong || row.Wrong
		p.Rows = append(p.Rows, row)
	}
	p.Tiles = batchTiles(b)
	if p.Draft && n.Ready > 0 {
		p.Send = "Invite " + people(n.Ready)
	}
	if p.Done && n.Failed > 0 {
		p.Retry = fmt.Sprintf("Try the %d failed again", n.Failed)
	}
	return p, nil
}

// batchTiles are the counts that say something where the list stands.
func batchTiles(b invite.Batch) []fact {
	n := b.Counts
	tile := func(label string, n int, help string) fact {
		return fact{Label: label, Value: number(int64(n)), Help: help}
	}
	unchanged := tile("Nothing to do", n.Unchanged, "Members and invited already, or named twice.")
	if b.State == invite.Draft {
		return []fact{tile("Ready", n.Ready, "Can be invited."), tile("To mend", n.Wrong, "Are left out as they are."), unchanged}
	}
	return []fact{tile("Invited", n.Sent, ""), tile("Waiting", n.Ready, ""), tile("Failed", n.Failed, ""), unchanged, tile("Left out", n.Wrong, "")}
}

func (c *Console) sendBatch(v *visit) error {
	b, err := c.cfg.Invitations.Send(v.r.Context(), v.who, v.who.Organization, id.InviteBatch(v.r.PathValue("id")))
	if err != nil {
		return err
	}
	return v.redirect("/invitations/batches/" + string(b.ID))
}

func (c *Console) retryBatch(v *visit) error {
	b, err := c.cfg.Invitations.RetryFailed(v.r.Context(), v.who, v.who.Organization, id.InviteBatch(v.r.PathValue("id")))
	if err != nil {
		return err
	}
	return v.redirect("/invitations/batches/" + string(b.ID))
}

// mendBatch reads lines of a draft as somebody changed them.
func (c *Console) mendBatch(v *visit) error {
	typed, err := v.readFormUpTo(maxMended)
	if err != nil {
		return err
	}
	lines := map[int]string{}
	for name, values := range typed {
		number, ok := strings.CutPrefix(name, "line-")
		if n, err := strconv.Atoi(number); ok && err == nil && n > 0 {
			lines[n] = strings.TrimSpace(values[0])
		}
	}
	b, err := c.cfg.Invitations.Mend(v.r.Context(), v.who, v.who.Organization, id.InviteBatch(v.r.PathValue("id")), lines)
	if err != nil {
		return err
	}
	return v.redirect("/invitations/batches/" + string(b.ID) + "?done=checked")
}
