package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/activity"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
)

// happened notes events of two organizations, a minute apart: number 0 to 39,
// where every fourth is foreign.
func happened(t *testing.T, w *World) (foreign id.Organization) {
	t.Helper()
	foreign = id.NewOrganization()
	types := []audit.Type{audit.KeyCreated, audit.SessionRefreshed, audit.MemberAdded}
	for i := range 40 {
		who := caller.Caller{Kind: caller.Member, Way: caller.Web, Organization: w.org, Member: id.Member(fmt.Sprintf("user_%d", i%5)),
			Email: fmt.Sprintf("Person.No%d@acme.example", i%5), Address: "10.0.0." + fmt.Sprint(i%7)}
		if i%4 == 3 {
			who.Organization = foreign
		}
		e := audit.New(who, w.now.Add(time.Duration(i)*time.Minute), types[i%3], fmt.Sprintf("thing_%d", i%8),
			audit.Detail{"name": fmt.Sprintf("Nightly build-%d", i), "n": fmt.Sprint(i)})
		must(t, w.Activities().Note(t.Context(), e))
	}
	return foreign
}

// numbers are the events' own numbers, in the order found.
func numbers(f activity.Found) (all []string) {
	for _, e := range f.Entries {
		all = append(all, e.Detail["n"])
	}
	return all
}

func searching(t *testing.T, w *World) {
	happened(t, w)
	a := w.Activities()
	at := func(i int) time.Time { return w.now.Add(time.Duration(i) * time.Minute) }
	for what, c := range map[string]struct {
		filter activity.Filter
		want   func(i int) bool
	}{
		"a word":                     {activity.Filter{Text: "nightly"}, func(int) bool { return true }},
		"a whole word":               {activity.Filter{Text: "build-17"}, func(i int) bool { return i == 17 }},
		"the beginning of a word":    {activity.Filter{Text: "BUILD-3"}, func(i int) bool { return i == 3 || i >= 30 }},
		"part of a word":             {activity.Filter{Text: "no3"}, func(i int) bool { return i%5 == 3 }},
		"two words":                  {activity.Filter{Text: "build-2 person.no1@acme.example"}, func(i int) bool { return (i == 2 || i/10 == 2) && i%5 == 1 }},
		"an id":                      {activity.Filter{Text: "thing_5"}, func(i int) bool { return i%8 == 5 }},
		"an address":                 {activity.Filter{Text: "10.0.0.4"}, func(i int) bool { return i%7 == 4 }},
		"words that meet nowhere":    {activity.Filter{Text: "build-17 build-18"}, func(int) bool { return false }},
		"a word that is not there":   {activity.Filter{Text: "nightlyx"}, func(int) bool { return false }},
		"punctuation":                {activity.Filter{Text: "%' -- _"}, func(int) bool { return false }},
		"a pattern's mark":           {activity.Filter{Text: "night%"}, func(int) bool { return true }},
		"types":                      {activity.Filter{Types: []audit.Type{audit.KeyCreated, audit.MemberAdded, "no.such"}}, func(i int) bool { return i%3 != 1 }},
		"who":                        {activity.Filter{Actor: "user_2"}, func(i int) bool { return i%5 == 2 }},
		"what":                       {activity.Filter{Target: "thing_6"}, func(i int) bool { return i%8 == 6 }},
		"a time":                     {activity.Filter{From: at(10), To: at(20), Text: "nightly"}, func(i int) bool { return i >= 10 && i < 20 }},
		"before all time":            {activity.Filter{To: at(0), Text: "nightly"}, func(int) bool { return false }},
		"after all time":             {activity.Filter{From: at(1000)}, func(int) bool { return false }},
		"all of it at once":          {activity.Filter{Types: []audit.Type{audit.SessionRefreshed}, Actor: "user_0", Text: "nightly build", From: at(5)}, func(i int) bool { return i%3 == 1 && i%5 == 0 && i >= 5 }},
		"a person who is nobody":     {activity.Filter{Person: "nobody@example.com"}, func(int) bool { return false }},
		"a person with another role": {activity.Filter{Person: w.member.Email, Text: "nightly"}, func(int) bool { return false }},
	} {
		var want []string
		for i := 39; i >= 0; i-- {
			if i%4 != 3 && c.want(i) {
				want = append(want, fmt.Sprint(i))
			}
		}
		found, err := a.Search(t.Context(), w.org, c.filter, activity.Page{Limit: 100})
		must(t, err)
		same(t, what, numbers(found), want)
		// The same by pages, back and forth, and as an export.
		same(t, what+", by pages", back(t, w, c.filter), want)
		var walked []string
		must(t, a.Walk(t.Context(), w.org, c.filter, 1<<40, func(batch []activity.Entry) error {
			for _, e := range batch {
				walked = append(walked, e.Detail["n"])
			}
			return nil
		}))
		slices.Reverse(walked)
		same(t, what+", exported", walked, want)
	}
	vague, err := a.Search(t.Context(), w.org, activity.Filter{Text: "b a b c d e"}, activity.Page{Limit: 1})
	must(t, err)
	if !slices.Equal(vague.Vague, []string{"b"}) || !vague.Ignored && len(vague.Entries) > 0 {
		t.Errorf("too short and too many words: %+v", vague)
	}
	stop := errors.New("stop")
	if err := a.Walk(t.Context(), w.org, activity.Filter{}, 1<<40, func([]activity.Entry) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("an export goes on after its reader has gone: %v", err)
	}
}

// back turns pages of four to the beginning, and compares each with what turning
// forward again shows.
func back(t *testing.T, w *World, f activity.Filter) (all []string) {
	t.Helper()
	page := activity.Page{Limit: 4}
	var earlier []string
	for {
		found, err := w.Activities().Search(t.Context(), w.org, f, page)
		must(t, err)
		all = append(all, numbers(found)...)
		if earlier != nil && len(found.Entries) > 0 {
			forward, err := w.Activities().Search(t.Context(), w.org, f, activity.Page{Limit: 4, From: found.Entries[0].Position + 1})
			must(t, err)
			same(t, "the page before", numbers(forward), earlier)
		}
		if !found.Older {
			return all
		}
		earlier, page.Before = numbers(found), found.Entries[len(found.Entries)-1].Position
	}
}

func places(t *testing.T, w *World) {
	foreign := happened(t, w)
	a := w.Activities()
	found, err := a.Search(t.Context(), w.org, activity.Filter{Text: "build-17"}, activity.Page{Limit: 1})
	must(t, err)
	e := found.Entries[0]
	p := one(a.Place(t.Context(), w.org, e.ID))
	if !p.Sound || p.Position != e.Position || p.Size != 41 || p.Erased || p.Hash == (audit.Hash{}) {
		t.Errorf("the place of an entry: %+v", p)
	}
	if _, ok, err := a.Place(t.Context(), foreign, e.ID); ok || err != nil {
		t.Errorf("an entry is found in a foreign organization: %v, %v", ok, err)
	}
	// Its detail goes, and with it whatever led to it but its columns.
	why := w.event(audit.MemberUpdated)
	kind(t, "erasing a foreign entry", a.Erase(t.Context(), foreign, []int64{e.Position}, why), fault.NotFound)
	must(t, a.Erase(t.Context(), w.org, []int64{e.Position}, why))
	for _, text := range []string{"build-17", "nightly build-17", "user_2 build-17"} {
		if found, err := a.Search(t.Context(), w.org, activity.Filter{Text: text}, activity.Page{}); err != nil || len(found.Entries) > 0 {
			t.Errorf("an erased entry is found by %q: %+v, %v", text, found, err)
		}
	}
	if p := one(a.Place(t.Context(), w.org, e.ID)); !p.Erased || !p.Sound || p.Detail != nil || p.Actor != "user_2" {
		t.Errorf("an erased entry: %+v", p)
	}
	verify(t, w)
}

// verify replays the log.
func verify(t *testing.T, w *World) {
	t.Helper()
	extent, err := w.Activities().Extent(context.Background())
	must(t, err)
	entries, err := w.Activities().Proof(t.Context(), 0, extent.Size)
	must(t, err)
	var v audit.Verifier
	for _, e := range entries {
		must(t, v.Add(e))
	}
	head, err := audit.OpenHead(extent.Signed, w.proof.LogVerifier)
	must(t, err)
	must(t, v.Finish(head))
}
