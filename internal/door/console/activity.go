package console

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/activity"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

var activityRoutes = []route{
	get("/activity", member, (*Console).activity),
	get("/activity/{id}", member, (*Console).activityEntry),
	post("/activity/export", member, (*Console).activityExport),
}

// tellings say what was done, by type. Each file that tells of a subject has a
// map of its own.
var tellings = joined(
	organizationTellings,
	accountTellings,
	memberTellings,
	inviteTellings,
	roleTellings,
	workspaceTellings,
	deviceTellings,
	keyTellings,
	serverTellings,
	mailTellings,
	setupTellings,
)

// subjects are the choices of the page's filter: the sorts of types, by the noun
// before their dot. What is in none of them is among the settings.
var subjects = []struct {
	value, text string
	nouns       []string
}{
	{"", "Everything", nil},
	{"sign-in", "Sign-ins and accounts", []string{"account", "sign_in_link"}},
	{"members", "Members", []string{"member"}},
	{"invitations", "Invitations", []string{"invite", "invite_link"}},
	{"roles", "Roles and groups", []string{"role", "group"}},
	{"workspaces", "Workspaces", []string{"workspace", "service_account"}},
	{"keys", "Keys", []string{"api_key"}},
	{"devices", "Devices and sessions", []string{"device", "device_session"}},
	{"refreshes", "Refreshes of sessions", nil},
	{"settings", "Settings and upstreams", nil},
	{"mail", "Mail", []string{"mail"}},
}

// typesOf are the types of a subject; none stands for all.
func typesOf(subject string) (types []audit.Type) {
	if subject == "" {
		return nil
	}
	for t := range tellings {
		if subjectOf(t) == subject {
			types = append(types, t)
		}
	}
	slices.Sort(types)
	return types
}

func subjectOf(t audit.Type) string {
	if t == audit.SessionRefreshed {
		return "refreshes" // there are more of them than of all others together
	}
	noun, _, _ := strings.Cut(string(t), ".")
	for _, s := range subjects {
		if slices.Contains(s.nouns, noun) {
			return s.value
		}
	}
	return "settings"
}

// sieve is the page's filter, as it was asked for and as the form shows it.
type sieve struct {
	Subjects       []option
	Days           []tab
	Chosen         string // of the days; empty: all time
	Subject        string
	Who, Text      string
	FromDay, ToDay string
	Of             string // the id of what it was done to
	All            bool   // whether everybody's entries can be seen
	filter         activity.Filter
}

const day = 24 * time.Hour

// readSieve reads a filter from an address or a form. Whoever may not read the
// record has their own entries alone, whatever they ask for.
func (c *Console) readSieve(who caller.Caller, at *url.URL, in url.Values) (s sieve, err error) {
	s = sieve{Who: strings.TrimSpace(in.Get("who")), Text: strings.TrimSpace(in.Get("q")), FromDay: in.Get("from"), ToDay: in.Get("to"),
		Of: in.Get("of"), All: who.Rights.Has(caller.ReadActivity)}
	for _, x := range subjects {
		if x.value == in.Get("subject") {
			s.Subject = x.value
		}
	}
	for _, x := range subjects {
		s.Subjects = append(s.Subjects, option{Value: x.value, Text: x.text, Chosen: x.value == s.Subject})
	}
	bare := *at
	query := at.Query()
	query.Del("from")
	query.Del("to")
	bare.RawQuery = query.Encode()
	s.Days, s.Chosen = tabs(&bare, "days", [2]string{"", "All time"}, [2]string{"1", "Today"}, [2]string{"7", "7 days"}, [2]string{"30", "30 days"})
	if s.FromDay != "" || s.ToDay != "" {
		s.Chosen = ""
		for i := range s.Days {
			s.Days[i].Current = false
		}
	}
	s.filter = activity.Filter{Types: typesOf(s.Subject), Text: s.Text, Target: s.Of}
	_, isID := placeFor(s.Who)
	switch {
	case !s.All:
		s.Who, s.filter.Actor = "", string(who.Member)
	case isID || strings.HasPrefix(s.Who, "acct_"):
		s.filter.Actor = s.Who
	default:
		s.filter.Person = s.Who
	}
	today := c.cfg.Now().UTC().Truncate(day)
	if days, _ := strconv.Atoi(s.Chosen); days > 0 {
		s.filter.From = today.AddDate(0, 0, 1-days)
	}
	if s.FromDay != "" {
		if s.filter.From, err = date(s.FromDay, "from"); err != nil {
			return s, err
		}
	}
	if s.ToDay != "" {
		var last time.Time
		if last, err = date(s.ToDay, "to"); err != nil {
			return s, err
		}
		s.filter.To = last.Add(day) // that day included
	}
	return s, nil
}

func date(typed, field string) (time.Time, error) {
	t, err := time.Parse(time.DateOnly, typed)
	if err != nil {
		return t, fault.New(fault.Invalid, "%.40q is not a date like 2026-03-14", typed).At(field)
	}
	return t, nil
}

// narrows reports whether the filter leaves anything out.
func (s sieve) Narrows() bool {
	return s.Subject != "" || s.Chosen != "" || s.Who != "" || s.Text != "" || s.FromDay != "" || s.ToDay != "" || s.Of != ""
}

// activityPage is what the page shows.
type activityPage struct {
	Sieve   sieve
	Rows    []activityRow
	Notes   []string
	Further string // where a search that broke off goes on
	Paging  paging
}

func (c *Console) activity(v *visit) error {
	query := v.r.URL.Query()
	s, err := c.readSieve(v.who, v.r.URL, query)
	before, _ := strconv.ParseInt(query.Get("before"), 10, 64) // nonsense is the end
	page := activity.Page{Before: max(before, 0), Limit: pageRows}
	if after, err := strconv.ParseInt(query.Get("after"), 10, 64); err == nil && after >= 0 && before <= 0 {
		page.From = after + 1
	}
	var found activity.Found
	if err == nil {
		found, err = c.cfg.Record.List(v.r.Context(), v.who, v.who.Organization, s.filter, page)
	}
	w := view{Title: "The record", Lead: "Who did what, and when. Entries can be proven: none was changed or taken out."}
	if !s.All {
		w = view{Title: "What you did", Lead: "Your own entries in the organization's record."}
	}
	status := http.StatusOK
	if err != nil {
		f, ok := errors.AsType[*fault.Error](err)
		if !ok || f.Kind != fault.Invalid {
			return err
		}
		status, w.Problem = http.StatusBadRequest, &problem{Message: sentence(f.Message), Hint: sentence(f.Hint), Field: f.Field}
	}
	body := activityPage{Sieve: s, Notes: notesOf(found), Paging: turns(v.r.URL, found)}
	for _, e := range found.Entries {
		body.Rows = append(body.Rows, c.activityRow(e, v.who.Rights))
	}
	if found.Reached > 0 {
		body.Further, body.Paging.Older = body.Paging.Older, ""
	}
	w.Body = body
	return v.show(status, "activity", w)
}

// turns are the addresses of the pages beside this one.
func turns(at *url.URL, found activity.Found) (l paging) {
	bare := *at
	query := at.Query()
	query.Del("before")
	query.Del("after")
	bare.RawQuery = query.Encode()
	n := len(found.Entries)
	oldest := found.Reached
	if oldest == 0 && n > 0 {
		oldest = found.Entries[n-1].Position
	}
	if found.Older && oldest > 0 { // 0 is the first entry of all
		l.Older = with(&bare, "before", strconv.FormatInt(oldest, 10))
	}
	switch {
	case found.Newer && n > 0:
		l.Newer = with(&bare, "after", strconv.FormatInt(found.Entries[0].Position, 10))
	case found.Newer:
		l.Newer = with(&bare, "after", "")
	}
	return l
}

func notesOf(found activity.Found) (notes []string) {
	for _, word := range found.Vague {
		notes = append(notes, "Many words begin with “"+word+"”, and only the first of them were looked for. Type more of it.")
	}
	if found.Ignored {
		notes = append(notes, "That is more words, or fits more people, than are looked for at once. The first of them were.")
	}
	return notes
}
