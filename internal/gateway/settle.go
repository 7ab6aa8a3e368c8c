package gateway

import (
	"context"
	"net/http"

	"github.com/gatehouse-dev/gatehouse/internal/gateway/tap"
	"github.com/gatehouse-dev/gatehouse/internal/price"
	"github.com/gatehouse-dev/gatehouse/internal/usage"
)

// settle tells the ledger how it went. Only the first call counts.
func (x *exchange) settle(ending usage.Ending, used price.Tokens, estimated bool) {
	if x.settled {
		return
	}
	x.settled = true
	x.seen.Ending = ending
	if x.hold == nil {
		return
	}
	out := usage.Outcome{Ending: ending, Status: x.seen.Status, Tokens: used, Estimated: estimated,
		FirstByte: x.firstByte, Latency: x.g.cfg.Now().Sub(x.arrived)}
	if x.answer != nil {
		out.UpstreamRequestID = x.answer.Header.Get("Request-Id")
	}
	if err := x.hold.Settle(out); err != nil {
		// The reservation stands, so nothing is free; the books say more than it cost.
		x.log("the request could not be settled", err)
	}
}

// progress notes what a stream has used so far, for whoever has to settle it if
// we cannot.
func (x *exchange) progress(events *tap.Stream) {
	if x.hold == nil || x.settled {
		return
	}
	used, _ := events.Tokens(x.bodyBytes)
	x.hold.Progress(used)
}

// settleFailure settles a request that got no answer. If it was given up while
// the upstream was at work, the upstream has read its input.
func (x *exchange) settleFailure(err error) {
	x.seen.Status = 0
	x.seen.Status = x.g.cfg.Wire.Status(err)
	switch context.Cause(x.ctx) {
	case nil:
		x.settle(usage.Refused, price.Tokens{}, false)
	case errRevoked:
		x.settle(usage.Revoked, x.inputOnly(), true)
	default:
		x.settle(usage.Aborted, x.inputOnly(), true)
	}
}

func (x *exchange) inputOnly() price.Tokens {
	return price.Tokens{Input: tap.Estimate(x.bodyBytes)}
}

// settleCut settles an answer that ended before its end.
func (x *exchange) settleCut(m meter) {
	ending := usage.Broken
	switch {
	case context.Cause(x.ctx) == errRevoked:
		ending = usage.Revoked
	case context.Cause(x.ctx) == ErrShutdown:
	case x.r.Context().Err() != nil || x.clientFailed:
		ending = usage.Aborted
	}
	used, estimated := m.Tokens(x.bodyBytes)
	x.settle(ending, used, estimated)
}

// settleWhole settles an answer whose end is about to be handed over.
func (x *exchange) settleWhole(m meter) {
	if x.answer.Status >= http.StatusBadRequest {
		x.settle(usage.Refused, price.Tokens{}, false)
		return
	}
	used, estimated := m.Tokens(x.bodyBytes)
	x.settle(usage.Complete, used, estimated)
}

// settleStream settles a stream whose last event is about to be handed over.
func (x *exchange) settleStream(events *tap.Stream) {
	used, estimated := events.Tokens(x.bodyBytes)
	ending := usage.Complete
	if events.Broken() {
		ending = usage.Broken
	}
	x.settle(ending, used, estimated)
}
