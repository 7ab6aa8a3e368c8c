package console

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/checkup"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/onboarding"
	"golang.org/x/sync/errgroup"
)

var setupRoutes = []route{
	get("/people/setup", member, (*Console).setups),
	get("/people/setup/nudge", member, (*Console).nudgeAllForm),
	post("/people/setup/nudge", member, (*Console).nudgeAll),
	post("/people/setup/{id}/nudge", member, (*Console).nudge),
}

// atStep says where somebody is, by what is next.
var atStep = map[onboarding.Step]string{
	onboarding.Check:   "Check the system",
	onboarding.Install: "Install Claude Code",
	onboarding.SignIn:  "Sign in",
	onboarding.Request: "Ask something",
	onboarding.Done:    "Done",
}

const funnelWidth = 400

// funnelRow is a step of the funnel, with a bar that is drawn on the server.
type funnelRow struct {
	Text    string
	To      string // the list of those at it; empty for those who are done
	Current bool
	Members string
	Width   int
	Oldest  moment
}

type setupRow struct {
	ID, Name, Email string
	Next            string
	Since           moment
	Seen            string // what the last report says of the machine
	Findings        []finding
	Silent          bool // nothing was reported yet
	Nudged          moment
	CanNudge        bool
}

func (c *Console) setups(v *visit) error {
	f, err := setupFilter(v.r.URL.Query())
	if err != nil {
		return err
	}
	ctx, o := v.r.Context(), v.who.Organization
	var counts []onboarding.Count
	var found []onboarding.Progress
	var more bool
	reads, ctx := errgroup.WithContext(ctx) // neither needs the other, and each goes through everybody
	reads.Go(func() (err error) {
		counts, err = c.cfg.Onboarding.Funnel(ctx, v.who, o)
		return err
	})
	reads.Go(func() (err error) {
		found, more, err = c.cfg.Onboarding.List(ctx, v.who, o, f)
		return err
	})
	if err := reads.Wait(); err != nil {
		return err
	}
	manages := v.who.Rights.Has(caller.ManageMembers)
	var rows []setupRow
	for _, p := range found {
		rows = append(rows, c.setupRow(p, manages))
	}
	notice := v.notice()
	if n, err := strconv.Atoi(v.r.URL.Query().Get("sent")); err == nil && n >= 0 && v.r.URL.Query().Get("done") == "nudged" {
		notice = "Reminders were sent: " + number(int64(n)) + "."
	}
	w := view{Title: "Set-up", Lead: "How far members are from the invitation to their first answer, and who is stuck on what.", Notice: notice}
	if slices.ContainsFunc(rows, func(row setupRow) bool { return row.CanNudge }) {
		w.Action = &link{"/people/setup/nudge" + filterQuery(f), "Remind them"}
	}
	w.Body = struct {
		Funnel  []funnelRow
		Rows    []setupRow
		Sought  string
		Step    string
		All     string // the list without the step
		Chosen  bool
		Nobody  bool
		Manages bool
		Query   string
		Paging  paging
	}{c.funnel(counts, v.r.URL, f), rows, f.Sought, f.Step.String(), with(v.r.URL, "step", ""), f.Step != 0 || f.Sought != "", unfinished(counts) == 0, manages, filterQuery(f), turnOf(v.r.URL, found, more, func(p onboarding.Progress) string { return writePlace(p.Place()) })}
	return v.show(http.StatusOK, "setup", w)
}

func (c *Console) setupRow(p onboarding.Progress, manages bool) setupRow {
	row := setupRow{ID: string(p.Member), Name: short(p.Name), Email: p.Email, Next: atStep[p.Step], Since: c.moment(p.Since), Nudged: c.moment(p.NudgedAt),
		Silent: p.ReportedAt.IsZero(), CanNudge: manages && c.cfg.Now().Sub(p.NudgedAt) >= onboarding.NudgeEvery}
	if !row.Silent {
		row.Seen, row.Findings = machine(p.Report), findings(p.Report, checkup.Claude, checkup.SignIn)
	}
	return row
}

func unfinished(counts []onboarding.Count) int {
	n := 0
	for _, count := range counts {
		if count.Step != onboarding.Done {
			n += count.Members
		}
	}
	return n
}

func (c *Console) funnel(counts []onboarding.Count, at *url.URL, f onboarding.Filter) []funnelRow {
	most := 1
	for _, count := range counts {
		most = max(most, count.Members)
	}
	bare := *at
	query := at.Query()
	for _, paging := range []string{"after", "before", "sent"} {
		query.Del(paging)
	}
	bare.RawQuery = query.Encode()
	var rows []funnelRow
	for _, count := range counts {
		row := funnelRow{Text: atStep[count.Step], Members: number(int64(count.Members)), Width: count.Members * funnelWidth / most, Current: count.Step == f.Step}
		if count.Members > 0 {
			row.Width = max(row.Width, 2)
		}
		if count.Step != onboarding.Done {
			row.To = with(&bare, "step", count.Step.String())
			row.Oldest = c.moment(count.Oldest)
		}
		rows = append(rows, row)
	}
	return rows
}

// setupFilter reads the filter of an address. Nonsense chooses nothing.
func setupFilter(query url.Values) (onboarding.Filter, error) {
	f := onboarding.Filter{Sought: strings.TrimSpace(query.Get("q")), Limit: pageRows}
	if name := query.Get("step"); name != "" {
		step, ok := onboarding.StepNamed(name)
		if !ok || step == onboarding.Done {
			return f, fault.New(fault.NotFound, "there is no such step")
		}
		f.Step = step
	}
	f.After, f.Before = readPlace(query.Get("after")), readPlace(query.Get("before"))
	return f, nil
}

func filterQuery(f onboarding.Filter) string {
	query := url.Values{}
	if f.Step != 0 {
		query.Set("step", f.Step.String())
	}
	if f.Sought != "" {
		query.Set("q", f.Sought)
	}
	if len(query) == 0 {
		return ""
	}
	return "?" + query.Encode()
}

// A place in an address is "1773480000000000.user_…".
func readPlace(text string) onboarding.Place {
	since, member, ok := strings.Cut(text, ".")
	micros, err := strconv.ParseInt(since, 10, 64)
	if !ok || err != nil || member == "" || len(member) > 64 {
		return onboarding.Place{}
	}
	return onboarding.Place{Since: time.UnixMicro(micros), Member: id.Member(member)}
}

func writePlace(p onboarding.Place) string {
	return fmt.Sprintf("%d.%s", p.Since.UnixMicro(), p.Member)
}

func people(n int) string {
	if n == 1 {
		return "1 person"
	}
	return number(int64(n)) + " people"
}

func (c *Console) nudge(v *visit) error {
	m := id.Member(v.r.PathValue("id"))
	if err := c.cfg.Onboarding.Nudge(v.r.Context(), v.who, v.who.Organization, m); err != nil {
		return err
	}
	f, err := setupFilter(v.r.URL.Query())
	if err != nil {
		return err
	}
	back := url.URL{Path: "/people/setup", RawQuery: strings.TrimPrefix(filterQuery(f), "?")}
	return v.redirect(addTo(&back, "done", "nudged", "sent", "1"))
}

func addTo(at *url.URL, pairs ...string) string {
	query := at.Query()
	for i := 0; i+1 < len(pairs); i += 2 {
		query.Set(pairs[i], pairs[i+1])
	}
	return at.Path + "?" + query.Encode()
}

func (c *Console) nudgeAllForm(v *visit) error {
	if err := access.Check(v.who, caller.ManageMembers, v.who.Organization); err != nil {
		return err
	}
	f, err := setupFilter(v.r.URL.Query())
	if err != nil {
		return err
	}
	n, err := c.cfg.Onboarding.Waiting(v.r.Context(), v.who, v.who.Organization, f)
	if err != nil {
		return err
	}
	if n == 0 {
		return fault.New(fault.Conflict, "there is nobody to remind just now").WithHint("everybody of this list was reminded within the last day, or has gone on")
	}
	now := min(n, onboarding.MaxNudges)
	who := people(now) + " who have not finished their set-up"
	if f.Step != 0 {
		who = people(now) + " whose next step is “" + atStep[f.Step] + "”"
	}
	if f.Sought != "" {
		who += " and whose name or address has “" + short(f.Sought) + "” in it"
	}
	effects := []string{"A mail goes to " + who + ". It says what is next and leads to their Get started page.",
		"Whoever was reminded within the last day is left in peace."}
	if n > now {
		effects = append(effects, "In all they are "+number(int64(n))+". The "+number(int64(now))+" who have waited longest come first; do it again for the rest.")
	}
	return v.show(http.StatusOK, "confirm", view{Title: "Remind " + people(now) + "?", Body: confirm{Effects: effects,
		Action: "/people/setup/nudge" + filterQuery(f), Submit: "Remind " + people(now), Cancel: "/people/setup" + filterQuery(f)}})
}

func (c *Console) nudgeAll(v *visit) error {
	f, err := setupFilter(v.r.URL.Query())
	if err != nil {
		return err
	}
	n, err := c.cfg.Onboarding.NudgeAll(v.r.Context(), v.who, v.who.Organization, f)
	if err != nil {
		return err
	}
	back := url.URL{Path: "/people/setup", RawQuery: strings.TrimPrefix(filterQuery(f), "?")}
	return v.redirect(addTo(&back, "done", "nudged", "sent", strconv.Itoa(n)))
}
