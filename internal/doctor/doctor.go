package doctor

import (
	"context"
	"slices"
	"time"
	"unicode"

	"github.com/gatehouse-dev/gatehouse/internal/checkup"
)

// Skip is the state of a check that was not made, because one that it needs did
// not pass. It stays on the machine: a report to the server has no such state.
const Skip checkup.State = "skip"

// Codes of findings beside those of package checkup.
const (
	NotChecked = "not_checked" // what it needs did not pass
	TimedOut   = "timed_out"   // it took too long
)

// Finding is what a check found.
type Finding struct {
	checkup.Check
	Title   string   `json:"title"`
	Says    string   `json:"says"`              // one sentence: what is, and why it matters
	Mend    string   `json:"mend,omitempty"`    // the one command
	Because string   `json:"because,omitempty"` // the check that is the cause, of one that was not made
	Needs   []string `json:"needs,omitempty"`
	Fixable bool     `json:"fixable,omitempty"`

	// Foreign says that Says holds words from outside this machine.
	Foreign bool `json:"-"`
	Fix     *Fix `json:"-"`
}

// Fix mends a finding and harms nothing: it can be taken back, or only takes
// rights away.
type Fix struct {
	Says string // what it does: "take others' rights from FILE"
	Do   func(ctx context.Context) error
}

// Check is one question. Run returns what it found, without the name; it may
// take until the context ends.
type Check interface {
	Name() string
	Title() string   // as people read it
	Needs() []string // names of checks that must have passed, or warned
	Run(ctx context.Context) Finding
}

// Patience is how long one check may take.
const Patience = 20 * time.Second

// Examine makes checks in their order, each after those that it needs, which
// must stand before it.
func Examine(ctx context.Context, checks []Check) []Finding {
	findings := make([]Finding, 0, len(checks))
	for _, c := range checks {
		f, ok := unmet(c, findings)
		if !ok {
			f = run(ctx, c)
		}
		f.Name, f.Title, f.Needs = c.Name(), c.Title(), c.Needs()
		f.Says, f.Fixable = sentence(f.Says), f.Fix != nil
		slices.Sort(f.Items)
		f.Items = slices.Compact(f.Items)
		f.Items = f.Items[:min(len(f.Items), maxItems)]
		findings = append(findings, f)
	}
	return findings
}

const maxItems = 16

// unmet is the finding of a check that is not made. The cause is what failed,
// and not what was left out because of that.
func unmet(c Check, findings []Finding) (Finding, bool) {
	for _, need := range c.Needs() {
		i := slices.IndexFunc(findings, func(f Finding) bool { return f.Name == need })
		if i < 0 || findings[i].State != checkup.Fail && findings[i].State != Skip {
			continue
		}
		cause := findings[i]
		because, title := cause.Name, cause.Title
		if cause.Because != "" {
			because = cause.Because
			if j := slices.IndexFunc(findings, func(f Finding) bool { return f.Name == because }); j >= 0 {
				title = findings[j].Title
			}
		}
		return Finding{Check: checkup.Check{State: Skip, Code: NotChecked}, Because: because,
			Says: "not checked, because " + title + " failed"}, true
	}
	return Finding{}, false
}

// run makes a check, and leaves one that does not end to itself.
func run(ctx context.Context, c Check) Finding {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	found := make(chan Finding, 1)
	go func() { found <- c.Run(ctx) }()
	select {
	case f := <-found:
		return f
	case <-ctx.Done():
	}
	select { // a check that ends with its context knows more
	case f := <-found:
		return f
	case <-time.After(time.Second):
		return Finding{Check: checkup.Check{State: checkup.Fail, Code: TimedOut}, Says: "this took longer than " + Patience.String()}
	}
}

// Report is the part of findings that a server knows.
func Report(findings []Finding) []checkup.Check {
	var list []checkup.Check
	for _, name := range checkup.Names() {
		for _, f := range findings {
			if f.Name == name && f.State != Skip && f.Code != TimedOut {
				list = append(list, f.Check)
			}
		}
	}
	return list
}

// Failed are the findings that failed.
func Failed(findings []Finding) []Finding {
	return slices.DeleteFunc(slices.Clone(findings), func(f Finding) bool { return f.State != checkup.Fail })
}

// sentence begins with a capital letter.
func sentence(s string) string {
	for i, r := range s {
		return string(unicode.ToUpper(r)) + s[i+len(string(r)):]
	}
	return s
}
