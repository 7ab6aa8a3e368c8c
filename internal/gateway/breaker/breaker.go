package breaker

import (
	"math/bits"
	"sync"
	"time"
)

const (
	window      = 20
	least       = 5 // failures, before a circuit opens
	firstPause  = 5 * time.Second
	longest     = 2 * time.Minute
	maxCircuits = 10_000 // a model's name comes from a request
)

type key struct{ upstream, model string }

type circuit struct {
	outcomes uint32 // a bit for each of the last requests; 1: it failed
	seen     int    // how many of them there are
	pause    time.Duration
	until    time.Time // zero: closed
	trying   time.Time // since when a request tries an open circuit; zero: none does
}

// Set is the circuits of an organization. Make it with New; its methods may be
// called concurrently.
type Set struct {
	now func() time.Time

	mu       sync.Mutex
	circuits map[key]*circuit
}

// New returns a Set in which all is well.
func New(now func() time.Time) *Set { return &Set{now: now, circuits: map[key]*circuit{}} }

// Open says whether an upstream is to be left alone for a model.
func (s *Set) Open(upstream, model string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.circuits[key{upstream, model}]
	if c == nil || c.until.IsZero() {
		return false
	}
	return !c.due(s.now())
}

// Ask says that an upstream is about to be asked: if its circuit is open and its time
// has come, this is the request that tries, and others leave it alone meanwhile.
func (s *Set) Ask(upstream, model string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, now := s.circuits[key{upstream, model}], s.now(); c != nil && !c.until.IsZero() && c.due(now) {
		c.trying = now
	}
}

// due reports whether an open circuit may be tried. A try that is never reported
// stands in the way for a while only.
func (c *circuit) due(now time.Time) bool {
	return !now.Before(c.until) && (c.trying.IsZero() || now.Sub(c.trying) >= longest)
}

// State is how a circuit stands, for people.
type State struct {
	Upstream, Model string
	Open            bool
	Until           time.Time // when it is tried again
	Failed, Seen    int       // of the last requests
}

// States lists the circuits in which something has failed lately.
func (s *Set) States() []State {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []State
	for k, c := range s.circuits {
		if failed := bits.OnesCount32(c.outcomes); failed > 0 || !c.until.IsZero() {
			all = append(all, State{Upstream: k.upstream, Model: k.model, Open: !c.until.IsZero(), Until: c.until, Failed: failed, Seen: c.seen})
		}
	}
	return all
}

// Report says how a request went. after is how long the upstream itself asked to be
// left alone; 0: it did not.
func (s *Set) Report(upstream, model string, ok bool, after time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := key{upstream, model}
	c := s.circuits[k]
	if c == nil {
		if ok || len(s.circuits) >= maxCircuits {
			return // nothing to remember of what goes well
		}
		c = &circuit{}
		s.circuits[k] = c
	}
	switch {
	case ok && !c.until.IsZero(): // it is back
		delete(s.circuits, k)
	case ok:
		c.add(0)
		if c.outcomes == 0 && c.seen == window {
			delete(s.circuits, k)
		}
	default:
		s.failed(c, after)
	}
}

func (s *Set) failed(c *circuit, after time.Duration) {
	c.add(1)
	failures := bits.OnesCount32(c.outcomes)
	tried := !c.until.IsZero() && !c.trying.IsZero()
	if !tried && (!c.until.IsZero() || failures < least || 2*failures < c.seen) {
		return
	}
	c.pause = min(max(firstPause, 2*c.pause), longest)
	c.until = s.now().Add(max(c.pause, min(after, longest)))
	c.trying = time.Time{}
}

func (c *circuit) add(bit uint32) {
	c.outcomes = (c.outcomes<<1 | bit) & (1<<window - 1)
	c.seen = min(c.seen+1, window)
}
