package store

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/usage"
)

// answered are members who are known to have had an answer, so that the ledger
// asks the database about each of them once and not with every entry. Its zero
// value knows nobody.
type answered struct {
	mu    sync.Mutex
	known map[id.Member]bool
}

const maxAnswered = 1 << 17

// firstAnswer is a member's first answered request among some entries.
type firstAnswer struct {
	member id.Member
	at     time.Time
}

// unknown are the members of answered requests who are not known yet, in one
// order everywhere, so that nodes cannot deadlock.
func (a *answered) unknown(entries []usage.Entry) []firstAnswer {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []firstAnswer
	seen := map[id.Member]bool{}
	for i := range entries {
		e := &entries[i]
		if e.Kind != usage.Settled || e.Status < 200 || e.Status > 299 || e.Member == "" || a.known[e.Member] || seen[e.Member] {
			continue
		}
		seen[e.Member] = true
		// The entry's memory is the journal's, and this is kept.
		all = append(all, firstAnswer{id.Member(strings.Clone(string(e.Member))), e.At})
	}
	slices.SortFunc(all, func(x, y firstAnswer) int { return strings.Compare(string(x.member), string(y.member)) })
	return all
}

// add remembers members whose answers are stored.
func (a *answered) add(all []firstAnswer) {
	if len(all) == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.known == nil || len(a.known) >= maxAnswered {
		a.known = map[id.Member]bool{}
	}
	for _, f := range all {
		a.known[f.member] = true
	}
}
