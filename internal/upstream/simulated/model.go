package simulated

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/price"
)

// Model is the simulated model. It implements gateway.Upstream, keeps no state
// and may be used concurrently.
type Model struct{ name string }

var _ gateway.Upstream = (*Model)(nil)

// New returns a model under the name that people and the ledger see.
func New(name string) *Model { return &Model{name} }

// Name is the upstream's name.
func (m *Model) Name() string { return m.name }

// Pings is true: no directive makes a stream silent for longer than 10 s.
func (m *Model) Pings() bool { return true }

// Send answers a call.
func (m *Model) Send(ctx context.Context, call *gateway.Call) (*gateway.Answer, error) {
	if call.Operation != gateway.Messages && call.Operation != gateway.CountTokens {
		return nil, fault.New(fault.Unsupported, "the upstream %s cannot do that", m.name)
	}
	a := answerTo(call.Operation, call.ID, call.Body())
	if err := a.begin(ctx); err != nil {
		return nil, err
	}
	out := &gateway.Answer{Status: a.status, Header: a.header(requestID(call.ID)), Length: int64(len(a.document))}
	if a.stream == nil {
		if a.bad != nil {
			a.document = a.bad.envelope(out.Header.Get("Request-Id"))
			out.Length = int64(len(a.document))
		}
		out.Body = io.NopCloser(bytes.NewReader(a.document))
		return out, nil
	}
	out.Length = -1
	out.Body = &body{ctx: ctx, stream: a.stream, delay: a.delay, closed: make(chan struct{})}
	return out, nil
}

// answer is what a request gets: a stream, a document or a problem.
type answer struct {
	status   int
	model    string
	stream   *stream
	document []byte
	bad      *problem
	usage    price.Tokens
	first    time.Duration
	delay    time.Duration
}

func answerTo(op gateway.Operation, from id.Request, body []byte) *answer {
	r, bad := read(body, op == gateway.CountTokens)
	if bad != nil {
		return refuse(r, bad)
	}
	if op == gateway.CountTokens {
		t := r.input()
		total := t.Input + t.CacheRead + t.CacheWrite5m + t.CacheWrite1h
		return &answer{status: 200, model: r.model, document: append(strconv.AppendInt([]byte(`{"input_tokens":`), total, 10), '}')}
	}
	d, bad := directed(r.lastUser)
	if bad == nil && d.fail != 0 {
		bad = &problem{status: d.fail, kind: kinds[d.fail], message: "The message asked for this error."}
	}
	if bad != nil {
		return refuse(r, bad)
	}
	said := say(r, d, from)
	a := &answer{status: 200, model: r.model, usage: said.usage, first: d.first}
	if !r.stream {
		a.document = said.json()
		return a
	}
	a.stream = said.stream()
	a.delay = min(d.delay, maxTotal/time.Duration(len(a.stream.events)))
	a.stream.end(d)
	return a
}

func refuse(r *request, bad *problem) *answer {
	a := &answer{status: bad.status, bad: bad}
	if r != nil {
		a.model = r.model
	}
	return a
}

// begin waits as long as the message asked for.
func (a *answer) begin(ctx context.Context) error {
	if a.first == 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(a.first)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (a *answer) header(request string) http.Header {
	kind := "application/json"
	if a.stream != nil {
		kind = "text/event-stream; charset=utf-8"
	}
	h := http.Header{"Content-Type": {kind}, "Request-Id": {request}}
	if a.stream != nil {
		h["Cache-Control"] = []string{"no-cache"}
	}
	if a.status == http.StatusTooManyRequests {
		h["Retry-After"] = []string{"1"}
	}
	return h
}

// requestID is the model's own id of a request, derived from the caller's where
// there is one.
func requestID(from id.Request) string {
	if from == "" {
		return string(id.NewRequest())
	}
	sum := sha256.Sum256([]byte(from))
	return "req_sim" + id.Base62(sum[:16], 22)
}

// end cuts the stream short where a directive says so.
func (s *stream) end(d directive) {
	switch {
	case d.cut > 0 && d.cut < len(s.events):
		s.events = s.events[:d.cut]
		s.broken = true
	case d.overload > 0 && d.overload < len(s.events):
		last := s.events[d.overload-1]
		s.events = s.events[:d.overload]
		s.bytes = append(s.bytes[:last.end:last.end], "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n"...)
		s.close(last.said)
		s.failed = true
	}
	s.bytes = s.bytes[:s.events[len(s.events)-1].end]
}

// body hands out a stream, at its pace.
type body struct {
	ctx    context.Context
	stream *stream
	delay  time.Duration
	at     int // bytes handed out
	event  int // events handed out whole

	shut   sync.Once
	closed chan struct{}
}

// Read hands out all there is, or with a pace one event after the other.
func (b *body) Read(into []byte) (int, error) {
	select {
	case <-b.closed:
		return 0, io.ErrClosedPipe
	default:
	}
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	if b.at == len(b.stream.bytes) {
		return 0, b.stream.eof()
	}
	end := len(b.stream.bytes)
	if b.delay > 0 {
		if b.event == 0 || b.at == b.stream.events[b.event-1].end {
			if err := b.wait(); err != nil {
				return 0, err
			}
			b.event++
		}
		end = b.stream.events[b.event-1].end
	}
	n := copy(into, b.stream.bytes[b.at:end])
	b.at += n
	return n, nil
}

func (s *stream) eof() error {
	if s.broken {
		return io.ErrUnexpectedEOF
	}
	return io.EOF
}

func (b *body) wait() error {
	timer := time.NewTimer(b.delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-b.ctx.Done():
		return b.ctx.Err()
	case <-b.closed:
		return io.ErrClosedPipe
	}
}

// Close gives up what has not been read; a Read that waits returns.
func (b *body) Close() error {
	b.shut.Do(func() { close(b.closed) })
	return nil
}
