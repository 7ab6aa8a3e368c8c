package gateway

import (
	"context"
	"net/http"
	"time"

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
	x.correct(used)
	x.seen.Ending = ending
	if x.hold == nil {
		return
	}
	out := usage.Outcome{Ending: ending, Status: x.seen.Status, Tokens: used, Estimated: estimated, Terms: x.terms(x.upstream),
		FirstByte: x.firstByte, Latency: x.g.cfg.Now().Sub(x.arrived)}
	if x.upstream.Name() != x.choices[0].Name() {
		out.Upstream = x.seen.Upstream
	}
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

// settleFailure settles a request whose answer did not come, or is not handed
// over. It is free only if the upstream has heard nothing of it or answered with
// an error: one that was merely slow goes on, and charges for what it does.
func (x *exchange) settleFailure(err error) {
	x.seen.Status = 0
	x.seen.Status = x.g.cfg.Wire.Status(err)
	ending := x.cutBy()
	if x.unsent || (x.answer != nil && x.answer.Status >= http.StatusMultipleChoices) {
		if ending == usage.Broken {
			ending = usage.Refused
		}
		x.settle(ending, price.Tokens{}, false)
		return
	}
	x.settle(ending, price.Tokens{Input: tap.Estimate(x.bodyBytes), Output: x.unseenOutput()}, true)
}

// tokensPerSecond is what a model writes, by the fast ones.
const tokensPerSecond = 100

// unseenOutput estimates what an upstream has written that we saw nothing of. A
// stream shows its header before its first token; without one, the model may
// have been writing ever since it was asked.
func (x *exchange) unseenOutput() int64 {
	if x.call.Stream {
		return 0
	}
	written := max(0, int64(x.g.cfg.Now().Sub(x.sent)*tokensPerSecond/time.Second))
	if x.call.MaxTokens > 0 {
		written = min(written, x.call.MaxTokens)
	}
	return written
}

// cutBy says who ended an exchange before its end: the upstream, if nobody else.
func (x *exchange) cutBy() usage.Ending {
	switch {
	case context.Cause(x.ctx) == errRevoked:
		return usage.Revoked
	case context.Cause(x.ctx) == ErrShutdown:
		return usage.Broken
	case x.r.Context().Err() != nil || x.clientFailed:
		return usage.Aborted
	}
	return usage.Broken
}

// settleCut settles an answer that ended before its end.
func (x *exchange) settleCut(m meter) {
	if x.answer.Status >= http.StatusBadRequest {
		x.settle(x.cutBy(), price.Tokens{}, false)
		return
	}
	used, estimated := m.Tokens(x.bodyBytes)
	x.settle(x.cutBy(), used, estimated)
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
