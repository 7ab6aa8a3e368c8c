package limit

import (
	"sync"
	"time"
)

const maxInCredit = 1 << 14

// Tries bounds wrong guesses under a name. A Limiter can only take, so a try is
// taken before a look-up and, if the guess was right, kept in credit for the
// next: only wrong ones are used up.
type Tries struct {
	limiter *Limiter

	mu     sync.Mutex
	credit map[string]bool
}

// NewTries allows n wrong guesses per period.
func NewTries(n int, per time.Duration, now func() time.Time) *Tries {
	return &Tries{limiter: New(n, per, now), credit: map[string]bool{}}
}

// Take takes one try of a name. If there is none left it returns false and how
// long it is until the next.
func (t *Tries) Take(name string) (ok bool, wait time.Duration) {
	t.mu.Lock()
	had := t.credit[name]
	delete(t.credit, name)
	t.mu.Unlock()
	if had {
		return true, 0
	}
	return t.limiter.Allow(name)
}

// GiveBack returns a try that found something.
func (t *Tries) GiveBack(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.credit) >= maxInCredit {
		clear(t.credit)
	}
	t.credit[name] = true
}
