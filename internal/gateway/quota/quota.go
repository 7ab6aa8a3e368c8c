package quota

import (
	"sync"
	"time"
)

// Quota is what a pool has for each model in a minute; 0: any number.
type Quota struct{ Requests, Tokens int64 }

const (
	maxModels = 10_000 // of all pools together: a model's name comes from a request
	longest   = time.Minute
)

type key struct{ pool, model string }

// level is what is left.
type level struct {
	requests, tokens float64
	at               time.Time // when that was
	closed           time.Time // until when the provider is believed to be exhausted
}

// Pools are the pools of an organization. Make them with New; their methods may be
// called concurrently.
type Pools struct {
	quotas map[string]Quota
	now    func() time.Time

	mu     sync.Mutex
	levels map[key]*level
	swept  time.Time // when levels were forgotten last
}

// New returns full pools of these quotas, by name.
func New(quotas map[string]Quota, now func() time.Time) *Pools {
	return &Pools{quotas: quotas, now: now, levels: map[key]*level{}}
}

// Take takes a request of so many tokens from a pool. If there is not enough, it takes
// nothing and returns after how long there may be; 0: it has taken it. A request that
// is larger than a minute's quota takes all of that.
func (p *Pools) Take(pool, model string, tokens int64) (wait time.Duration) {
	q := p.quotas[pool]
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	l := p.level(key{pool, model}, q, now)
	if l == nil {
		return 0
	}
	if wait = l.closed.Sub(now); wait > 0 {
		return wait
	}
	wants := min(float64(max(tokens, 0)), float64(q.Tokens))
	wait = max(until(l.requests, 1, q.Requests), until(l.tokens, wants, q.Tokens))
	if wait > 0 {
		return wait
	}
	l.requests--
	l.tokens -= wants
	return 0
}

// level is that of a model in a pool, now; nil if there are too many to keep.
func (p *Pools) level(k key, q Quota, now time.Time) *level {
	l := p.levels[k]
	if l == nil {
		if len(p.levels) >= maxModels {
			p.forget(now)
		}
		if len(p.levels) >= maxModels {
			return nil
		}
		l = &level{requests: float64(q.Requests), tokens: float64(q.Tokens), at: now}
		p.levels[k] = l
		return l
	}
	if passed := now.Sub(l.at).Minutes(); passed > 0 {
		l.requests = min(float64(q.Requests), l.requests+passed*float64(q.Requests))
		l.tokens = min(float64(q.Tokens), l.tokens+passed*float64(q.Tokens))
		l.at = now
	}
	return l
}

// forget drops what nobody has drawn from in the last minute: that is full again, as it
// will be when it is asked for. It looks at all of them, and so not often.
func (p *Pools) forget(now time.Time) {
	if now.Sub(p.swept) < longest {
		return
	}
	p.swept = now
	for k, l := range p.levels {
		if now.Sub(l.at) >= 2*longest && !l.closed.After(now) {
			delete(p.levels, k)
		}
	}
}

// until is how long it takes until there is as much as is wanted.
func until(has, wants float64, perMinute int64) time.Duration {
	if perMinute <= 0 || has >= wants {
		return 0
	}
	return max(time.Duration((wants-has)/float64(perMinute)*float64(time.Minute)), time.Millisecond)
}

// Correct says how many tokens a request took in the end, of which Take was told
// another number. That may leave a debt of a minute.
func (p *Pools) Correct(pool, model string, taken, used int64) {
	q := p.quotas[pool]
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.level(key{pool, model}, q, p.now())
	if l == nil || q.Tokens <= 0 {
		return
	}
	most := float64(q.Tokens)
	l.tokens = max(-most, min(most, l.tokens+min(float64(max(taken, 0)), most)-float64(max(used, 0))))
}

// Return gives back what was taken for a request that the provider did not hear.
func (p *Pools) Return(pool, model string, taken int64) {
	q := p.quotas[pool]
	p.mu.Lock()
	defer p.mu.Unlock()
	if l := p.level(key{pool, model}, q, p.now()); l != nil {
		l.requests = min(float64(q.Requests), l.requests+1)
		l.tokens = min(float64(q.Tokens), l.tokens+min(float64(max(taken, 0)), float64(q.Tokens)))
	}
}

// Exhausted says that the provider has refused a request for want of quota, and for
// how long it does; 0: it did not say.
func (p *Pools) Exhausted(pool, model string, wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if l := p.level(key{pool, model}, p.quotas[pool], now); l != nil {
		l.closed = now.Add(min(max(wait, time.Second), longest))
	}
}
