package gateway

import (
	"errors"
	"hash/maphash"
	"io"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/price"
)

// server is an upstream that does not have every model.
type server interface{ Serves(model string) bool }

// priced is an upstream whose prices are others than the list's.
type priced interface {
	// Terms are those under which the upstream asks for a model.
	Terms(model string) price.Terms
}

// terms are those of a request at an upstream.
func (x *exchange) terms(u Upstream) price.Terms {
	under := x.under
	if p, ok := u.(priced); ok {
		under |= p.Terms(x.seen.Model)
	}
	return under
}

// choose is the order in which the upstreams of a route are asked for a model: as
// the organization has ordered them, those that share the load by their weights and
// by the session, which so stays where its prompts are cached. None is in it that
// stands behind another fence than the first, and those that have been failing come
// last.
func (r *Route) choose(model string, under price.Terms, session string) []Upstream {
	var order []Upstream
	for i := 0; i < len(r.Upstreams); {
		end := i + 1
		if r.weight(i) > 0 {
			for end < len(r.Upstreams) && r.weight(end) > 0 {
				end++
			}
		}
		order = append(order, r.shared(i, end, session)...)
		i = end
	}
	order = slices.DeleteFunc(order, func(u Upstream) bool {
		s, picky := u.(server)
		return picky && !s.Serves(model)
	})
	if len(order) < 2 {
		return order
	}
	fence := r.Fences[order[0].Name()]
	order = slices.DeleteFunc(order, func(u Upstream) bool { return r.Fences[u.Name()] != fence })
	if r.Health == nil {
		return order
	}
	var well, ill []Upstream
	for _, u := range order {
		if r.Health.Open(u.Name(), circuitOf(model, under)) {
			ill = append(ill, u)
		} else {
			well = append(well, u)
		}
	}
	return append(well, ill...)
}

func (r *Route) weight(i int) int {
	if i < len(r.Weights) {
		return r.Weights[i]
	}
	return 0
}

var seed = maphash.MakeSeed()

// shared orders the upstreams that share a session's load: the highest of weighted
// hashes comes first, so that a session moves only if its upstream goes.
func (r *Route) shared(from, to int, session string) []Upstream {
	part := slices.Clone(r.Upstreams[from:to])
	if len(part) < 2 {
		return part
	}
	score := make(map[string]float64, len(part))
	for i, u := range part {
		hash := maphash.String(seed, session+"\x00"+u.Name())
		score[u.Name()] = -float64(r.weight(from+i)) / math.Log((float64(hash>>11)+0.5)/(1<<53))
	}
	slices.SortStableFunc(part, func(a, b Upstream) int {
		switch {
		case score[a.Name()] > score[b.Name()]:
			return -1
		case score[a.Name()] < score[b.Name()]:
			return 1
		}
		return 0
	})
	return part
}

// elsewhere reports whether an answer with this status is a reason to ask the next
// upstream: the request may be good, and the trouble this upstream's alone.
func elsewhere(status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusRequestTimeout, http.StatusTooManyRequests:
		return true
	}
	return status >= http.StatusInternalServerError
}

// tries is what came of the upstreams that were asked so far.
type tries struct {
	next     int     // of the choices, to be asked
	best     *Answer // of those that refused, the one that says the most
	upstream Upstream
	err      error
	sent     bool          // one may have heard of the request
	wait     time.Duration // until there is quota at one that had none; 0: all had
}

// rank orders what is handed on when every upstream has refused: a client that
// waits and tries again is served best.
func rank(status int) int {
	switch {
	case status == http.StatusTooManyRequests:
		return 4
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return 3
	case status == http.StatusNotFound:
		return 1
	}
	return 2
}

const maxKept = 64 << 10

// keep remembers a refusal, read whole so that its connection is free.
func (t *tries) keep(u Upstream, a *Answer) {
	t.sent = true
	defer a.Body.Close()
	if t.best != nil && rank(t.best.Status) > rank(a.Status) {
		return
	}
	body, err := io.ReadAll(io.LimitReader(a.Body, maxKept))
	if err != nil {
		t.err = err
		return
	}
	a.Body, a.Length = document(body), int64(len(body))
	delete(a.Header, "Content-Encoding")
	t.best, t.upstream = a, u
}

// more reports whether there is another upstream to ask.
func (x *exchange) more() bool { return x.tries.next < len(x.choices) }

// ask asks one upstream after the other until one takes the request. Where it stopped,
// it goes on when it is called again.
func (x *exchange) ask() error {
	t := &x.tries
	for x.more() {
		u := x.choices[t.next]
		t.next++
		if wait := x.draw(u); wait > 0 {
			if t.wait == 0 || wait < t.wait {
				t.wait = wait
			}
			continue
		}
		x.upstream, x.seen.Upstream = u, u.Name()
		x.sent = x.g.cfg.Now()
		if x.watched() {
			x.route.Health.Ask(u.Name(), x.circuit())
		}
		answer, err := x.asked(u)
		x.report(u, answer, err)
		x.undraw(answer, err)
		switch {
		case err == nil && (!x.more() && t.best == nil && t.wait == 0 || !elsewhere(answer.Status)):
			x.answer = answer
			return nil
		case err == nil:
			t.keep(u, answer)
		default:
			t.sent = t.sent || !errors.Is(err, ErrNotSent) && !fault.Is(err, fault.Unsupported)
			if t.err == nil || !errors.Is(err, errNoModel) {
				t.err = err
			}
			if x.ctx.Err() != nil || fault.Is(err, fault.Invalid) {
				x.unsent = !t.sent
				return x.sendFailed(err)
			}
		}
		if x.more() {
			x.seen.Failovers++
		}
	}
	x.unsent = !t.sent
	if t.wait > 0 && (t.best == nil || t.best.Status != http.StatusTooManyRequests) {
		return usedUp(t.wait)
	}
	if t.best != nil {
		x.upstream, x.seen.Upstream, x.answer = t.upstream, t.upstream.Name(), t.best
		return nil
	}
	return x.sendFailed(t.err)
}

// notBegun notes that the upstream that seemed to answer did not.
func (x *exchange) notBegun() {
	x.report(x.upstream, nil, errUnbegun)
	x.drawn = drawn{} // what that one gave is its own affair
	x.tries.sent, x.answer = true, nil
	x.tries.err = fault.Wrap(fault.Unavailable, errUnbegun, "the upstream "+x.upstream.Name()+" did not go on with its answer")
	if x.more() {
		x.seen.Failovers++
	}
}

// asked sends to one upstream. What looks well and is no answer of a model, such as the page
// of something that stands in between, is a failure.
func (x *exchange) asked(u Upstream) (*Answer, error) {
	answer, err := u.Send(x.ctx, &x.call)
	if err != nil || answer.Status >= http.StatusMultipleChoices || isAnswer(answer.Header.Get("Content-Type")) {
		return answer, err
	}
	_ = answer.Body.Close() // nobody reads it
	return nil, fault.New(fault.Unavailable, "what answers for the upstream %s is no model", u.Name())
}

// isAnswer reports whether a model can have sent content of a type.
func isAnswer(contentType string) bool {
	kind, _, _ := strings.Cut(contentType, ";")
	switch kind = strings.ToLower(strings.TrimSpace(kind)); kind {
	case "", "application/json", "text/event-stream":
		return true
	}
	return false
}

// report tells the circuits how an upstream did. What is the client's fault, or the
// model's, is not the upstream's.
func (x *exchange) report(u Upstream, a *Answer, err error) {
	if !x.watched() || x.ctx.Err() != nil {
		return
	}
	switch {
	case err != nil && (errors.Is(err, errNoModel) || fault.Is(err, fault.Unsupported) || fault.Is(err, fault.Invalid)):
	case err != nil:
		x.route.Health.Report(u.Name(), x.circuit(), false, 0)
	case a.Status == http.StatusNotFound:
	case a.Status == http.StatusForbidden && len(x.call.Header[guardrail]) > 0: // theirs, which may not be used there
	default:
		x.route.Health.Report(u.Name(), x.circuit(), !elsewhere(a.Status), retryAfter(a.Header))
	}
}

// guardrail is the header by which clients name a guardrail of Bedrock.
const guardrail = "X-Amzn-Bedrock-Guardrailidentifier"

// watched reports whether what comes of the request says something of an upstream's
// health. Counting tokens has rights and limits of its own.
func (x *exchange) watched() bool {
	return x.route.Health != nil && x.call.Operation == Messages
}

// circuit is what fails together at an upstream: a model, and what a request says beside
// it that has limits of its own, such as fast mode.
func (x *exchange) circuit() string { return circuitOf(x.seen.Model, x.under) }

func circuitOf(model string, under price.Terms) string { return model + under.String() }

func retryAfter(h http.Header) time.Duration {
	seconds, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || seconds < 0 || seconds > 3600 {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// sessionOf is what a conversation is known by: Claude Code's own id, or else the
// credential.
func (x *exchange) sessionOf() string {
	if id := bounded(x.r.Header, "X-Claude-Code-Session-Id"); id != "" {
		return id
	}
	return credentialID(x.who)
}
