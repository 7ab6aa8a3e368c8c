package console

import (
	"maps"
	"slices"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/activity"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
)

// activityRow is an entry as a sentence: Who, then Lead, Thing and Rest, of which
// Thing leads to what it is about.
type activityRow struct {
	ID              string
	Position        int64
	When            moment
	Who, WhoTo      string
	Lead            string
	Thing, ThingTo  string
	Rest            string
	Changes         []change
	Address, Door   string
	Alarming, Blank bool // Blank: its detail was erased
}

func (r activityRow) sentence() string { return r.Who + " " + r.Lead + r.Thing + r.Rest }

// change is one thing as it was and as it is.
type change struct{ What, Before, After string }

func (c *Console) activityRow(e activity.Entry, rights caller.Rights) activityRow {
	row := activityRow{ID: string(e.ID), Position: e.Position, When: c.moment(e.At), Who: actor(e.Event), Lead: did(e.Event),
		Address: e.Detail["address"], Door: doors[e.Via], Alarming: alarming(e.Type), Blank: len(e.Detail) == 0}
	row.WhoTo, _ = c.placeOf(e.Actor, rights)
	for _, change := range changes(e.Detail) {
		// What the sentence says already is not said twice.
		if !strings.Contains(row.Lead, change.Before) || !strings.Contains(row.Lead, change.After) {
			change.Before, change.After = short(change.Before), short(change.After)
			row.Changes = append(row.Changes, change)
		}
	}
	c.leadTo(&row, e.Event, rights)
	return row
}

// named are the details that may name what an event is about, the best first.
var named = []string{"name_after", "name", "email", "workspace", "group", "session", "name_before", "workspace_name"}

// leadTo finds in the sentence the name of what was acted on, and makes it lead
// there.
func (c *Console) leadTo(r *activityRow, e audit.Event, rights caller.Rights) {
	to, noun := c.placeOf(e.Target, rights)
	if to == "" || e.Target == e.Actor {
		return
	}
	for _, key := range named {
		name := e.Detail[key]
		if name == "" {
			continue
		}
		if before, after, ok := strings.Cut(r.Lead, name); ok {
			r.Lead, r.Thing, r.Rest, r.ThingTo = before, name, after, to
			return
		}
	}
	r.Lead, r.Thing, r.ThingTo = r.Lead+" — ", "see the "+noun, to
}

// doors are the ways in, as people know them.
var doors = map[caller.Way]string{
	caller.Web:       "in the browser",
	caller.Session:   "from a signed-in device",
	caller.Key:       "with a key",
	caller.Shell:     "in the server's shell",
	caller.Internal:  "by itself",
	caller.Anonymous: "before signing in",
}

// alarming are the types that somebody should look at.
func alarming(t audit.Type) bool {
	return t == audit.TokenReplayed || t == audit.SignInFailed || t == audit.SignInUnfinished || t == audit.EmailRestored || t == audit.MailFailed
}

// changes are the pairs of a detail's before and after that differ, by name.
func changes(d audit.Detail) (all []change) {
	fields := map[string]bool{}
	for key := range d {
		for _, end := range []string{"_before", "_after"} {
			if field, ok := strings.CutSuffix(key, end); ok && field != "" {
				fields[field] = true
			}
		}
	}
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		before, after := d[field+"_before"], d[field+"_after"]
		if before != after {
			all = append(all, change{title(words(field)), valued(field, before), valued(field, after)})
		}
	}
	return all
}

// valued is a value as people read it.
func valued(field, value string) string {
	switch {
	case value == "":
		return "nothing"
	case field == "role":
		return roleName(value)
	case field == "models" || field == "permissions" || field == "domains" || field == "scopes" || field == "groups" || field == "workspaces":
		return listed(value)
	}
	return value
}

// words is a name of the program's as words.
func words(name string) string { return strings.ReplaceAll(name, "_", " ") }
