package console

import (
	"sync"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/limit"
)

const (
	wrongCodes  = 10
	codesPer    = 10 * time.Minute
	maxInCredit = 1 << 14
)

// tries bounds wrong user codes by network address. A limiter can only take, so
// a try is taken before a look-up and, if the code was right, kept in credit for
// the next: only wrong ones are used up.
type tries struct {
	limiter *limit.Limiter

	mu     sync.Mutex
	credit map[string]bool
}

func newTries(now func() time.Time) *tries {
	return &tries{limiter: limit.New(wrongCodes, codesPer, now), credit: map[string]bool{}}
}

// take fails with RateLimited if the address has no try left.
func (t *tries) take(address string) error {
	name := limit.Network(address)
	t.mu.Lock()
	had := t.credit[name]
	delete(t.credit, name)
	t.mu.Unlock()
	if had {
		return nil
	}
	if ok, wait := t.limiter.Allow(name); !ok {
		return fault.New(fault.RateLimited, "too many wrong codes came from your network address").At("user_code").
			After(wait).WithHint("wait a few minutes and begin again on the device")
	}
	return nil
}

// giveBack returns a try that found something.
func (t *tries) giveBack(address string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.credit) >= maxInCredit {
		clear(t.credit)
	}
	t.credit[limit.Network(address)] = true
}
