package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/bearer"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/gateway/jsonscan"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/price"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/usage"
)

// ErrShutdown, as the cause of a request's context, says that the server ends.
var ErrShutdown = errors.New("the server is shutting down")

// ErrCut says that an answer has begun and cannot be finished. The connection
// must be broken, so that nobody takes the answer for whole.
var ErrCut = errors.New("the answer was cut short")

var (
	errRevoked = errors.New("the credential was revoked")
	errIdle    = errors.New("the upstream has been silent for too long")
	errUnbegun = errors.New("the answer ended before it began")
)

// Ask is what a door read from a request.
type Ask struct {
	ID         id.Request
	Operation  Operation
	Credential secret.Text
	Turn       Turn // nil: the request is one of the Messages API
}

// Turn makes a body of the Messages API from one of another format, and returns
// the betas that stood in it. It fails with fault.Invalid.
type Turn func(body []byte) (messages []byte, betas []string, err error)

// exchange is one request on its way; every stage fills in what it finds.
type exchange struct {
	g       *Gateway
	w       http.ResponseWriter
	r       *http.Request
	ctx     context.Context
	cancel  context.CancelCauseFunc
	arrived time.Time

	grant    *bearer.Grant
	who      caller.Caller
	route    *Route
	payload  *payload
	call     Call
	choices  []Upstream // in the order in which they are asked
	tries    tries
	drawn    drawn
	upstream Upstream // the first, or the one that answered
	hold     Hold
	answer   *Answer

	turned       bool
	betas        []string // that stood in a body of another format
	bodyBytes    int64
	under        price.Terms // what the request says of its price
	sent         time.Time   // when the upstream was asked
	unsent       bool        // it has heard nothing
	settled      bool
	committed    bool // the client has the header of an answer
	clientFailed bool // a write to the client failed
	firstByte    time.Duration
	seen         Seen
}

// Exchange takes a request the whole way. An error before the answer has begun
// is a fault to answer with; after that it is ErrCut. The door has set the
// headers every answer of ours carries.
func (g *Gateway) Exchange(w http.ResponseWriter, r *http.Request, ask Ask) (err error) {
	x := &exchange{g: g, w: w, r: r, arrived: g.cfg.Now()}
	x.call.ID, x.call.Operation = ask.ID, ask.Operation
	x.seen.Operation, x.seen.Ending = ask.Operation, usage.Refused
	g.open.Add(1)
	g.cfg.Observer.Opened()
	defer func() {
		if err != nil && x.seen.Status == 0 {
			x.seen.Status = g.cfg.Wire.Status(err)
		}
		x.seen.Duration, x.seen.FirstByte = g.cfg.Now().Sub(x.arrived), x.firstByte
		g.cfg.Observer.Closed(x.seen)
		g.open.Add(-1)
	}()

	if x.grant, x.who, err = g.admit(r.Context(), ask.Credential); err != nil {
		return err
	}
	w.Header()["Anthropic-Organization-Id"] = []string{string(x.who.Organization)}
	if g.cfg.Address != nil && x.grant.WantsAddress(x.arrived) {
		x.grant.From(g.cfg.Address(r))
	}
	allowance, err := x.enter()
	if err != nil {
		return err
	}
	defer g.rates.leave(allowance)

	x.ctx, x.cancel = context.WithCancelCause(r.Context())
	defer x.cancel(nil)
	if x.payload, err = g.bodies.read(w, r, allowance); err != nil {
		return err
	}
	defer x.dropPayload()
	if err = x.turn(ask.Turn); err != nil {
		return err
	}
	if err = x.scan(); err != nil {
		return err
	}
	defer x.grant.OnEnd(x.revoked)()
	if err = x.reserve(); err != nil {
		return err
	}
	return x.serve()
}

// serve asks the upstreams and hands on what comes back. An answer of which nothing has
// come leaves the client where it was, so the next upstream is asked.
func (x *exchange) serve() error {
	for {
		if err := x.send(); err != nil {
			x.settleFailure(err)
			return err
		}
		err := x.relay()
		_ = x.answer.Body.Close() // nobody reads on
		if !errors.Is(err, errUnbegun) {
			return err
		}
		x.notBegun()
	}
}

// enter counts the request in, by the limits of the caller's workspace if it has
// such. The default workspace has none.
func (x *exchange) enter() (*allowance, error) {
	if x.who.Workspace == "" {
		return x.g.rates.enter(credentialID(x.who), 0, 0)
	}
	route, err := x.g.cfg.Directory.Route(x.r.Context(), x.who, "")
	if err != nil {
		return nil, err
	}
	return x.g.rates.enter(credentialID(x.who), route.PerMinute, route.Concurrent)
}

func credentialID(who caller.Caller) string {
	switch {
	case who.Key != "":
		return string(who.Key)
	case who.Session != "":
		return string(who.Session)
	}
	return who.Principal()
}

func (x *exchange) revoked() { x.cancel(errRevoked) }

func (x *exchange) dropPayload() {
	if x.payload != nil {
		x.payload.release()
		x.payload = nil
	}
}

// turn has the body made one of the Messages API. The room that the first was
// given is kept for the second, which is about as long.
func (x *exchange) turn(turn Turn) error {
	if turn == nil {
		return nil
	}
	came := x.payload
	messages, betas, err := turn(came.bytes)
	if err != nil {
		return err
	}
	x.payload = &payload{bytes: messages, free: func(*payload) { came.release() }}
	x.payload.hold()
	x.turned, x.betas = true, betas
	return nil
}

// apiVersion is that of the Messages API, which other formats name otherwise.
const apiVersion = "2023-06-01"

// header is what of the request's header goes on to the upstream.
func (x *exchange) header() http.Header {
	header := Forwardable(x.r.Header)
	if !x.turned {
		return header
	}
	header["Anthropic-Version"] = []string{apiVersion}
	header["Content-Type"] = []string{"application/json"}
	if len(x.betas) > 0 {
		header[betaHeader] = append(slices.Clone(header[betaHeader]), strings.Join(x.betas, ","))
	}
	return header
}

// scan reads what we must know of the body and finds the way for it.
func (x *exchange) scan() error {
	x.bodyBytes = int64(len(x.payload.bytes))
	read, err := jsonscan.ReadRequest(x.payload.bytes)
	if err != nil {
		return err
	}
	x.call.Model, x.call.Stream, x.call.MaxTokens = read.Model, read.Stream, read.MaxTokens
	x.under = termsOf(read)
	model := plainModel(read.Model)
	x.route, err = x.g.cfg.Directory.Route(x.ctx, x.who, model)
	if err != nil {
		return err
	}
	if !x.route.allows(model) {
		return x.route.refuse(read.Model)
	}
	if err := x.route.checkTools(x.payload.bytes); err != nil {
		return err
	}
	if len(x.route.Upstreams) == 0 {
		return fault.New(fault.Unavailable, "no upstream is connected yet").UntilMended().WithHint("an owner of the organization can connect one in the console")
	}
	x.choices = x.route.choose(model, x.under, x.sessionOf())
	if len(x.choices) == 0 {
		return fault.New(fault.NotFound, "no upstream of your organization has the model %q", read.Model)
	}
	x.upstream = x.choices[0]
	x.seen.Model, x.seen.Upstream = model, x.upstream.Name()
	return nil
}

// termsOf is what a request says of its price.
func termsOf(read jsonscan.Request) (under price.Terms) {
	if read.Speed == "fast" {
		under |= price.Fast
	}
	if read.Geography == "us" {
		under |= price.Domestic
	}
	return under
}

// plainModel is a model's name without the suffix that asks for a longer
// context of the same model.
func plainModel(name string) string {
	if n := len(name) - len("[1m]"); n > 0 && strings.EqualFold(name[n:], "[1m]") {
		return name[:n]
	}
	return name
}

func (r *Route) allows(model string) bool {
	return !r.Nothing && (len(r.Allowed) == 0 || slices.Contains(r.Allowed, model))
}

// checkTools refuses a request whose tools have another model answer, such as an
// advisor, that is not allowed. Where all are, nobody looks.
func (r *Route) checkTools(body []byte) error {
	if len(r.Allowed) == 0 {
		return nil
	}
	models, err := jsonscan.ToolModels(body)
	if err != nil {
		return err
	}
	for _, model := range models {
		if !r.allows(plainModel(model)) {
			return r.refuse(model)
		}
	}
	return nil
}

// refuse says of a model that is not allowed who does not, and what is.
func (r *Route) refuse(model string) error {
	by := strings.Join(append([]string{"your organization"}, r.Narrowed...), " and ")
	err := fault.New(fault.Invalid, "the model %q is not one that is allowed by %s", model, by)
	if r.Nothing {
		return err.WithHint("they have no model in common: ask an admin")
	}
	return err.WithHint("models that are: " + strings.Join(r.Allowed, ", "))
}

// reserve books the request. To count tokens costs nothing and is not booked.
func (x *exchange) reserve() error {
	if x.call.Operation != Messages {
		return nil
	}
	h := x.r.Header
	hold, err := x.g.cfg.Ledger.Reserve(usage.Request{
		ID: x.call.ID, At: x.arrived, Organization: x.who.Organization, Member: x.who.Member, Key: x.who.Key, Session: x.who.Session,
		Client: usage.Client{Session: bounded(h, "X-Claude-Code-Session-Id"), Agent: bounded(h, "X-Claude-Code-Agent-Id"),
			ParentAgent: bounded(h, "X-Claude-Code-Parent-Agent-Id")},
		Upstream: x.upstream.Name(), Model: x.seen.Model, Stream: x.call.Stream,
		BodyBytes: x.bodyBytes, MaxTokens: x.call.MaxTokens, Terms: x.terms(x.upstream),
	})
	if err != nil {
		if fault.KindOf(err) == fault.Internal {
			return fault.Wrap(fault.Unavailable, err, "the ledger cannot take the request just now").After(2 * time.Second)
		}
		return err
	}
	x.hold = hold
	return nil
}

// bounded is a header's value, as far as it is worth keeping.
func bounded(h http.Header, name string) string {
	values := h[name]
	if len(values) == 0 || len(values[0]) > 128 {
		return ""
	}
	return values[0]
}

// send asks the upstreams. Until the reservation is durable, the client has seen
// nothing.
func (x *exchange) send() error {
	x.call.Header, x.call.Query = x.header(), x.r.URL.RawQuery
	x.call.Who, x.call.body = x.who, x.payload
	if err := x.ask(); err != nil {
		return err
	}
	if !x.more() {
		x.dropPayload() // the upstream may still hold it
	}
	if err := x.refusedUs(); err != nil {
		x.answer.Body.Close()
		return err
	}
	if x.hold == nil {
		return nil
	}
	if err := x.hold.Durable(x.ctx); err != nil {
		x.answer.Body.Close()
		if x.ctx.Err() != nil {
			return x.ended()
		}
		x.log("the reservation could not be made durable", err)
		return fault.Wrap(fault.Unavailable, err, "the ledger cannot take the request just now").After(2 * time.Second)
	}
	return nil
}

func (x *exchange) sendFailed(err error) error {
	if x.ctx.Err() != nil {
		return x.ended()
	}
	x.log("the upstream did not answer", err)
	if fault.KindOf(err) == fault.Internal {
		return fault.Wrap(fault.Unavailable, err, "the upstream did not answer")
	}
	return err
}

// ended is the fault for an exchange whose context has ended.
func (x *exchange) ended() error {
	switch context.Cause(x.ctx) {
	case errRevoked:
		return bearer.Refused()
	case errIdle:
		return fault.Wrap(fault.Timeout, errIdle, "the upstream stopped answering")
	case ErrShutdown:
		return fault.New(fault.Unavailable, "the server is shutting down").After(time.Second)
	}
	return fault.Wrap(fault.Unavailable, x.ctx.Err(), "the client went away")
}

// refusedUs turns an upstream's refusal of our credential into a fault of ours:
// a client that saw a 401 would sign its user out.
func (x *exchange) refusedUs() error {
	status := x.answer.Status
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		x.log("the upstream refused the credential this server has for it", nil)
		return fault.New(fault.Unavailable, "the upstream refused this server's own credential (status %d)", status).UntilMended().
			WithHint("an owner of the organization must check the upstream's credential and its permissions")
	case status < 200 || (status >= 300 && status < 400):
		x.log("the upstream answered with a redirect", nil)
		return fault.New(fault.Unavailable, "the upstream answered with status %d, which is not an answer of the Messages API", status).
			WithHint("an owner of the organization must check the upstream's address")
	}
	return nil
}

func (x *exchange) log(what string, err error) {
	attrs := []slog.Attr{slog.String("request_id", string(x.call.ID)), slog.String("upstream", x.seen.Upstream)}
	if x.answer != nil {
		attrs = append(attrs, slog.Int("status", x.answer.Status), slog.String("upstream_request_id", x.answer.Header.Get("Request-Id")))
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", err.Error()))
	}
	x.g.cfg.Log.LogAttrs(context.WithoutCancel(x.ctx), slog.LevelWarn, what, attrs...)
}
