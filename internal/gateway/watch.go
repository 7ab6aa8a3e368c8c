package gateway

import (
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/gateway/tap"
)

// headerSoon is how long a stream's header may wait for the first event, with
// which it then travels in one packet.
const headerSoon = 20 * time.Millisecond

// watch writes a stream to the client and looks after its silences: it sends
// the header if the first event is late, pings if the upstream does not, gives
// up an upstream that has nothing more to say and a client that reads nothing.
//
// One timer serves all of that. It is not touched when something is relayed: it
// looks at the time of the last event when it fires, and sets itself anew.
type watch struct {
	x      *exchange
	events *tap.Stream
	flush  func() error
	client *http.ResponseController
	pings  bool
	timer  *time.Timer

	mu      sync.Mutex    // held while writing to the client
	hold    time.Duration // that the header waits for the first event
	began   time.Time
	flushed bool

	clock   sync.Mutex // guards the times, and done together with mu
	done    bool
	last    time.Time // when something was last written
	heard   time.Time // when the upstream last said something
	writing time.Time // since when a write has been under way; zero: none is
}

func (x *exchange) startWatch(events *tap.Stream) *watch {
	now := x.g.cfg.Now()
	o := &watch{x: x, events: events, client: http.NewResponseController(x.w), pings: !x.upstream.Pings(), hold: headerSoon, began: now, last: now, heard: now}
	if x.more() {
		o.hold = x.g.limits.PingAfter // as long as it waits, another can answer
	}
	o.flush = o.client.Flush
	if direct, ok := x.w.(interface{ FlushError() error }); ok {
		o.flush = direct.FlushError
	}
	o.clock.Lock()
	o.timer = time.AfterFunc(o.hold, o.look)
	o.clock.Unlock()
	return o
}

func (o *watch) stop() {
	o.mu.Lock()
	o.clock.Lock()
	o.done = true
	o.timer.Stop()
	o.clock.Unlock()
	o.mu.Unlock()
}

// relay shows a piece to the tap and hands it to the client at once; settled
// first, if the message ends in it.
func (o *watch) relay(piece []byte, x *exchange) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	x.commit()
	o.events.Write(piece)
	if o.events.Ended() && !x.settled {
		x.settleStream(o.events)
	}
	x.progress(o.events)
	now := x.g.cfg.Now()
	if x.firstByte == 0 {
		x.firstByte = now.Sub(x.arrived)
	}
	o.clock.Lock()
	o.heard, o.last, o.writing = now, now, now
	o.clock.Unlock()
	err := o.write(piece)
	o.clock.Lock()
	o.writing = time.Time{}
	o.clock.Unlock()
	return err
}

func (o *watch) write(piece []byte) error {
	o.flushed = true
	if _, err := o.x.w.Write(piece); err != nil {
		return err
	}
	return o.flush()
}

// look is what the timer does.
func (o *watch) look() {
	next := o.lookAtUpstream()
	o.clock.Lock()
	defer o.clock.Unlock()
	if o.done {
		return
	}
	// Whoever writes needs the clock to say that it is done: while we hold it,
	// the client is still the one of this exchange.
	if stall := o.x.g.limits.ClientStall; !o.writing.IsZero() && o.x.g.cfg.Now().Sub(o.writing) >= stall {
		_ = o.client.SetWriteDeadline(time.Now())
	}
	o.timer.Reset(max(next, time.Millisecond))
}

// lookAtUpstream does what a silence of the upstream asks for and returns when
// to look again.
func (o *watch) lookAtUpstream() time.Duration {
	limits, now := o.x.g.limits, o.x.g.cfg.Now()
	o.clock.Lock()
	last, heard, writing := o.last, o.heard, !o.writing.IsZero()
	o.clock.Unlock()
	next := limits.ClientStall / 2
	if writing {
		return next
	}
	rest := limits.UpstreamIdle - now.Sub(heard)
	if rest <= 0 {
		o.x.cancel(errIdle)
		return next
	}
	return min(next, rest, o.fillSilence(now, last))
}

var ping = []byte("event: ping\ndata: {\"type\": \"ping\"}\n\n")

// fillSilence sends the header or a ping if one is due, and returns when to
// look again.
func (o *watch) fillSilence(now, last time.Time) time.Duration {
	after := o.x.g.limits.PingAfter
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.done {
		return after
	}
	if !o.flushed {
		if wait := o.hold - now.Sub(o.began); wait > 0 {
			return wait
		}
		o.x.commit()
		o.flushed = true
		_ = o.flush()
	}
	if !o.pings || o.events.Ended() {
		return o.x.g.limits.UpstreamIdle
	}
	if silent := now.Sub(last); silent < after {
		return after - silent
	}
	if o.events.Between() {
		// A client that does not even take a ping holds the lock, but not for ever.
		_ = o.client.SetWriteDeadline(time.Now().Add(o.x.g.limits.ClientStall))
		_ = o.write(ping)
		_ = o.client.SetWriteDeadline(time.Time{})
	}
	o.clock.Lock()
	o.last = now
	o.clock.Unlock()
	return after
}

// breakOff ends a stream whose upstream is done before the message is. The
// client is told why, if that is for us to say, and the connection is cut.
func (o *watch) breakOff(x *exchange, cause error) error {
	if body := x.endEvent(); body != nil {
		o.mu.Lock()
		_ = o.client.SetWriteDeadline(time.Now().Add(time.Second))
		_ = o.write(errorEvent(body, o.events.Between()))
		o.mu.Unlock()
	} else if !errors.Is(cause, x.ctx.Err()) {
		x.log("the upstream broke off a stream", cause)
	}
	return ErrCut
}

// errorEvent frames an error. If an event has been sent in part, that event is
// ended first: its data is cut and cannot be taken for anything.
func errorEvent(body []byte, between bool) []byte {
	event := make([]byte, 0, len(body)+32)
	if !between {
		event = append(event, "\n\n"...)
	}
	event = append(event, "event: error\ndata: "...)
	event = append(event, body...)
	return append(event, "\n\n"...)
}
