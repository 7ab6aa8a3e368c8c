package gateway

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

// limiter bounds what one credential does at once and per minute. It keeps an
// entry for a credential only while that has something to say.
type limiter struct {
	atOnce    int
	perMinute float64
	now       func() time.Time
	size      int // how many credentials are remembered

	mu    sync.Mutex
	known map[string]*allowance // :: credential's id → what it has left
}

type allowance struct {
	open   int
	memory atomic.Int64 // bytes of buffers with its bodies: these may outlive the requests
	tokens float64      // requests that may be made right now
	at     time.Time
}

func newLimiter(atOnce, perMinute int, now func() time.Time) *limiter {
	return &limiter{atOnce: atOnce, perMinute: float64(perMinute), now: now, size: 1 << 16, known: map[string]*allowance{}}
}

// enter counts a request in, or fails with fault.RateLimited. Whoever was let
// in leaves. The limits may be lower for this one; 0 leaves them.
func (l *limiter) enter(who string, perMinute, atOnce int) (*allowance, error) {
	most, open := l.perMinute, l.atOnce
	if perMinute > 0 {
		most = min(most, float64(perMinute))
	}
	if atOnce > 0 {
		open = min(open, atOnce)
	}
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.known[who]
	if a == nil {
		l.makeRoom(now)
		a = &allowance{tokens: most, at: now}
		l.known[who] = a
	}
	a.refill(now, most)
	if a.open >= open {
		return nil, fault.New(fault.RateLimited, "this credential already has %d requests under way, which is its limit", a.open).After(time.Second)
	}
	if a.tokens < 1 {
		wait := time.Duration((1 - a.tokens) / most * float64(time.Minute))
		return nil, fault.New(fault.RateLimited, "this credential has made more than %d requests a minute", int(most)).After(max(wait, time.Second))
	}
	a.tokens--
	a.open++
	return a, nil
}

func (l *limiter) leave(a *allowance) {
	l.mu.Lock()
	a.open--
	l.mu.Unlock()
}

func (a *allowance) refill(now time.Time, most float64) {
	if passed := now.Sub(a.at); passed > 0 {
		a.tokens += passed.Minutes() * most
		a.at = now
	}
	a.tokens = min(most, a.tokens)
}

// makeRoom forgets credentials that have everything left, and failing that
// some that are idle. One with requests under way is never forgotten.
func (l *limiter) makeRoom(now time.Time) {
	if len(l.known) < l.size {
		return
	}
	looked := 0
	for who, a := range l.known {
		if a.refill(now, l.perMinute); a.open == 0 && a.memory.Load() == 0 && (a.tokens >= l.perMinute || looked > 64) {
			delete(l.known, who)
			if looked > 64 && len(l.known) < l.size {
				return
			}
		}
		if looked++; looked > 4096 {
			return
		}
	}
}
