package limit

import (
	"sync"
	"time"
)

// Limiter allows Burst tries at once and as many again Per period. Use New.
type Limiter struct {
	burst float64
	rate  float64 // tokens a second
	now   func() time.Time

	mu      sync.Mutex
	buckets map[string]*bucket
}

type bucket struct {
	tokens float64
	at     time.Time
}

const maxNames = 1 << 16

// New returns a limiter of n tries per period. It reads the time from now.
func New(n int, per time.Duration, now func() time.Time) *Limiter {
	return &Limiter{burst: float64(n), rate: float64(n) / per.Seconds(), now: now, buckets: map[string]*bucket{}}
}

// Allow takes one try of a name. If there is none left it returns false and how
// long it is until the next.
func (l *Limiter) Allow(name string) (ok bool, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	b := l.buckets[name]
	if b == nil {
		l.makeRoom(now)
		b = &bucket{tokens: l.burst, at: now}
		l.buckets[name] = b
	}
	b.tokens = l.filled(b, now)
	b.at = now
	if b.tokens < 1 {
		return false, time.Duration((1 - b.tokens) / l.rate * float64(time.Second))
	}
	b.tokens--
	return true, 0
}

// GiveBack returns a try that turned out not to count.
func (l *Limiter) GiveBack(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b := l.buckets[name]; b != nil {
		b.tokens = min(l.burst, b.tokens+1)
	}
}

func (l *Limiter) filled(b *bucket, now time.Time) float64 {
	return min(l.burst, b.tokens+max(0, now.Sub(b.at).Seconds())*l.rate)
}

// makeRoom drops the fullest of a few buckets that the map's random order offers,
// so that room costs the same however many names there are.
func (l *Limiter) makeRoom(now time.Time) {
	if len(l.buckets) < maxNames {
		return
	}
	var fullest string
	most, seen := -1.0, 0
	for name, b := range l.buckets {
		if t := l.filled(b, now); t > most {
			fullest, most = name, t
		}
		if seen++; seen == 8 {
			break
		}
	}
	delete(l.buckets, fullest)
}
