package gateway

import (
	"errors"
	"net/http"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/gateway/tap"
	"github.com/gatehouse-dev/gatehouse/internal/price"
)

// drawn is what a request took from the quota of a pool.
type drawn struct {
	pool, model string // "": from none
	tokens      int64
}

// draw takes from the pool of an upstream what the request may need, and returns how
// long to wait if there is not enough; 0: it may be asked. Counting tokens is free.
func (x *exchange) draw(u Upstream) time.Duration {
	pool := x.route.Pools[u.Name()]
	if x.route.Quotas == nil || pool == "" || x.call.Operation != Messages {
		return 0
	}
	d := drawn{pool, circuitOf(price.Plain(x.seen.Model), x.under), tap.Estimate(x.bodyBytes)}
	if wait := x.route.Quotas.Take(d.pool, d.model, d.tokens); wait > 0 {
		return wait
	}
	x.drawn = d
	return 0
}

// undraw gives back what was drawn for an upstream that heard nothing, and keeps the
// pool shut for as long as its provider said that it is exhausted.
func (x *exchange) undraw(a *Answer, err error) {
	d := x.drawn
	if d.pool == "" {
		return
	}
	switch {
	case err != nil && errors.Is(err, ErrNotSent):
		x.route.Quotas.Return(d.pool, d.model, d.tokens)
	case err == nil && a.Status == http.StatusTooManyRequests:
		x.route.Quotas.Exhausted(d.pool, d.model, retryAfter(a.Header))
	case err == nil && a.Status < http.StatusMultipleChoices:
		return // it is corrected when it is settled
	}
	x.drawn = drawn{}
}

// correct tells the pool what the request took in the end. What comes out of a cache
// counts for no provider's quota.
func (x *exchange) correct(used price.Tokens) {
	if d := x.drawn; d.pool != "" {
		x.drawn = drawn{}
		x.route.Quotas.Correct(d.pool, d.model, d.tokens, used.Input+used.Output+used.CacheWrite5m+used.CacheWrite1h)
	}
}

// usedUp is the fault where there is quota at no upstream.
func usedUp(wait time.Duration) error {
	return fault.New(fault.RateLimited, "the quota of your organization's upstreams for this model is used up for the moment").After(max(wait, time.Second))
}
