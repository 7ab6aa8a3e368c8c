package console

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/usage"
)

var usageRoutes = []route{
	get("/usage", member, (*Console).usagePage),
}

type usageRow struct {
	When              moment
	Whose, Model      string
	Input, Output     string
	Cost, Took, Ended string
	Well              bool
}

type totalsShown struct{ Requests, Input, Cached, Output, Cost string }

func shownTotals(t usage.Totals) totalsShown {
	return totalsShown{number(t.Requests), number(t.Tokens.Input + t.Tokens.CacheWrite5m + t.Tokens.CacheWrite1h), number(t.Tokens.CacheRead),
		number(t.Tokens.Output), dollars(t.CostNanos)}
}

func (c *Console) usagePage(v *visit) error {
	query := v.r.URL.Query()
	f := usage.Filter{Member: v.who.Member}
	var whose []tab
	everybodys := v.who.Rights.Has(caller.AllUsage)
	if everybodys {
		var chosen string
		if whose, chosen = tabs(v.r.URL, "whose", [2]string{"", "Everybody's"}, [2]string{"mine", "Mine"}); chosen == "" {
			f.Member = ""
		}
	}
	periods, period := tabs(v.r.URL, "days", [2]string{"14", "14 days"}, [2]string{"30", "30 days"})
	days, _ := strconv.Atoi(period) // one of the above
	today := c.cfg.Now().UTC().Truncate(24 * time.Hour)
	f.From = today.AddDate(0, 0, 1-days)
	ctx, o := v.r.Context(), v.who.Organization
	totals, err := c.cfg.Usage.Totals(ctx, v.who, o, f)
	if err != nil {
		return err
	}
	bars, err := c.bars(v, f, days)
	if err != nil {
		return err
	}
	before, _ := strconv.ParseInt(query.Get("before"), 10, 64) // nonsense is the end
	entries, err := c.cfg.Usage.List(ctx, v.who, o, f, usage.Page{Before: before, Limit: pageRows})
	if err != nil {
		return err
	}
	rows, err := c.usageRows(v, entries)
	if err != nil {
		return err
	}
	var l paging
	if len(entries) == pageRows {
		l.Older = with(v.r.URL, "before", strconv.FormatInt(entries[len(entries)-1].Sequence, 10))
	}
	return v.show(http.StatusOK, "usage", view{Title: "Usage", Lead: "What model requests used and cost, by list price.", Body: struct {
		Periods, Whose []tab
		Totals         totalsShown
		Open           int64
		Chart          chart
		Rows           []usageRow
		Everybodys     bool
		Paging         paging
	}{periods, whose, shownTotals(totals), totals.Open, bars, rows, everybodys && f.Member == "", l}})
}

func (c *Console) usageRows(v *visit, entries []usage.Entry) ([]usageRow, error) {
	var members []id.Member
	for _, e := range entries {
		members = append(members, e.Member)
	}
	names, err := c.names(v, members)
	if err != nil {
		return nil, err
	}
	var rows []usageRow
	for _, e := range entries {
		if e.Kind == usage.Reserved {
			continue // what is open is a bound, and summed up apart
		}
		row := usageRow{When: c.moment(e.At), Whose: names[e.Member], Model: short(e.Model), Input: number(e.Tokens.Input + e.Tokens.CacheRead + e.Tokens.CacheWrite5m + e.Tokens.CacheWrite1h),
			Output: number(e.Tokens.Output), Cost: dollars(e.CostNanos), Took: fmt.Sprintf("%.1f s", e.Latency.Seconds()), Ended: endings[e.Ending], Well: e.Ending == usage.Complete || e.Ending == usage.Aborted}
		if e.Kind == usage.Adjusted {
			row.Ended, row.Well = "correction", true
		}
		rows = append(rows, row)
	}
	return rows, nil
}

var endings = map[usage.Ending]string{
	usage.Complete: "complete",
	usage.Aborted:  "stopped by the client",
	usage.Revoked:  "cut off: access was taken back",
	usage.Broken:   "broken off by the upstream",
	usage.Refused:  "refused",
	usage.Lost:     "lost: the server stopped",
}

// chart is bars by day, drawn on the server. Lengths are in the units of its
// view box.
type chart struct {
	Bars    []bar
	Empty   bool
	Most    string
	Summary string
}

type bar struct {
	X, Y, Width, Height int
	Day, Requests, Cost string
}

const (
	chartWidth  = 840
	chartHeight = 120
)

// bars sums each day by itself, and scales to the dearest.
func (c *Console) bars(v *visit, f usage.Filter, days int) (chart, error) {
	totals, most, requests := make([]usage.Totals, days), int64(0), int64(0)
	first := f.From
	for i := range days {
		f.From, f.To = first.AddDate(0, 0, i), first.AddDate(0, 0, i+1)
		var err error
		if totals[i], err = c.cfg.Usage.Totals(v.r.Context(), v.who, v.who.Organization, f); err != nil {
			return chart{}, err
		}
		most, requests = max(most, totals[i].CostNanos), requests+totals[i].Requests
	}
	step := chartWidth / days
	ch := chart{Empty: requests == 0, Most: dollars(most), Summary: fmt.Sprintf("Cost by day over %d days, at most %s on one", days, dollars(most))}
	for i, t := range totals {
		height := 0
		if most > 0 && t.CostNanos > 0 {
			height = max(2, int(float64(t.CostNanos)/float64(most)*chartHeight))
		}
		ch.Bars = append(ch.Bars, bar{X: i*step + 2, Y: chartHeight - height, Width: step - 4, Height: height,
			Day: first.AddDate(0, 0, i).Format("2 Jan"), Requests: number(t.Requests), Cost: dollars(t.CostNanos)})
	}
	return ch, nil
}

// number has its thousands set apart.
func number(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// dollars shows nano-dollars: cents, or finer where cents would show nothing.
func dollars(nanos int64) string {
	sign := ""
	if nanos < 0 {
		sign, nanos = "-", -nanos
	}
	const one = 1_000_000_000
	switch {
	case nanos == 0:
		return "$0"
	case nanos < one/10000:
		return sign + "<$0.0001"
	case nanos < one:
		return fmt.Sprintf("%s$%.4f", sign, float64(nanos)/one)
	}
	cents := (nanos + one/200) / (one / 100)
	return fmt.Sprintf("%s$%s.%02d", sign, number(cents/100), cents%100)
}

// names are the names of some members by their id, if the visitor may see them.
func (c *Console) names(v *visit, of []id.Member) (map[id.Member]string, error) {
	names := map[id.Member]string{v.who.Member: short(v.who.Name)}
	if !v.who.Rights.Has(caller.ReadMembers) {
		return names, nil
	}
	for _, m := range of {
		if _, known := names[m]; known || m == "" {
			continue
		}
		found, err := c.cfg.Organizations.Member(v.r.Context(), v.who, v.who.Organization, m)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return nil, err
		}
		names[m] = short(found.Name)
	}
	return names, nil
}
