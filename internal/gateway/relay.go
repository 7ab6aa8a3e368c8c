package gateway

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/gateway/tap"
	"github.com/gatehouse-dev/gatehouse/internal/price"
)

// meter is a tap on an answer.
type meter interface {
	Write(piece []byte)
	Tokens(inputChars int64) (used price.Tokens, estimated bool)
}

// blind meters an answer that cannot be read, such as a compressed one.
type blind struct{ length int64 }

func (b *blind) Write(piece []byte) { b.length += int64(len(piece)) }

func (b *blind) Tokens(inputChars int64) (price.Tokens, bool) {
	return price.Tokens{Input: tap.Estimate(inputChars), Output: tap.Estimate(b.length)}, true
}

const pieceSize = 8 << 10

var pieces = sync.Pool{New: func() any { b := make([]byte, pieceSize); return &b }}

// commit gives the client the answer's header: from there on no other upstream can
// answer. While a watch is on the stream, its lock is held.
func (x *exchange) commit() {
	if x.committed {
		return
	}
	x.committed = true
	header := x.w.Header()
	answerHeader(header, x.answer.Header)
	if header["Cache-Control"] == nil {
		header["Cache-Control"] = noStore
	}
	header["X-Gatehouse-Upstream"] = []string{headerText(x.upstream.Name())}
	if !x.seen.Stream && x.answer.Length >= 0 {
		header["Content-Length"] = []string{strconv.FormatInt(x.answer.Length, 10)}
	}
	x.seen.Status = x.answer.Status
	x.w.WriteHeader(x.answer.Status)
	x.dropPayload()
}

// relay hands the answer to the client. It fails with errUnbegun if nothing of it came.
func (x *exchange) relay() error {
	piece := pieces.Get().(*[]byte)
	defer pieces.Put(piece)
	encoded := x.answer.Header.Get("Content-Encoding")
	readable := encoded == "" || strings.EqualFold(encoded, "identity")
	if x.seen.Stream = isStream(x.answer.Header); x.seen.Stream {
		if readable && x.answer.Status == http.StatusOK {
			return x.relayEvents(*piece)
		}
		x.commit()
		return x.relayBlindly(*piece)
	}
	if readable {
		return x.relayDocument(*piece, &tap.Document{})
	}
	return x.relayDocument(*piece, &blind{})
}

// headerText is a name in the characters of a header.
func headerText(name string) string {
	for i := range len(name) {
		if name[i] < ' ' || name[i] > '~' {
			return url.PathEscape(name)
		}
	}
	return name
}

var noStore = []string{"no-store"}

func isStream(h http.Header) bool {
	values := h["Content-Type"]
	return len(values) > 0 && strings.HasPrefix(values[0], "text/event-stream")
}

// relayEvents relays a readable stream.
func (x *exchange) relayEvents(piece []byte) error {
	var (
		events tap.Stream
		out    = x.startWatch(&events)
	)
	defer out.stop()
	for {
		n, err := x.answer.Body.Read(piece)
		if n > 0 {
			if werr := out.relay(piece[:n], x); werr != nil {
				x.clientFailed = true
				x.settleCut(&events)
				return ErrCut
			}
		}
		if err == nil {
			continue
		}
		if events.Ended() {
			return nil
		}
		if out.stop(); !x.committed && x.ctx.Err() == nil {
			return errUnbegun
		}
		x.settleCut(&events)
		return out.breakOff(x, err)
	}
}

// relayBlindly relays a stream whose content cannot be read: it is handed over
// as it comes and estimated.
func (x *exchange) relayBlindly(piece []byte) error {
	var (
		count  blind
		client = http.NewResponseController(x.w)
		idle   = x.newIdle()
	)
	defer func() { _ = client.SetWriteDeadline(time.Time{}) }()
	for {
		n, err := x.readWithin(idle, piece)
		count.Write(piece[:n])
		if err == io.EOF {
			x.settleWhole(&count)
		}
		if n > 0 {
			_ = client.SetWriteDeadline(time.Now().Add(x.g.limits.ClientStall))
			werr := x.writePiece(piece[:n])
			if werr == nil {
				werr = client.Flush()
			}
			if werr != nil {
				x.clientFailed = true
				x.settleCut(&count)
				return ErrCut
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			x.settleCut(&count)
			return ErrCut
		}
	}
}

// relayDocument relays an answer that is of no use in parts. The last byte is
// held back until the end is known and settled.
func (x *exchange) relayDocument(piece []byte, m meter) error {
	var (
		long *longDocument // most are short: they come in one piece
		idle = x.newIdle()
	)
	defer func() { long.end() }()
	held := 0
	for {
		n, err := x.readWithin(idle, piece[held:])
		m.Write(piece[held : held+n])
		held += n
		if err == io.EOF && (held > 0 || x.committed || x.answer.Status >= http.StatusBadRequest) {
			x.seen.Status = x.answer.Status
			x.settleWhole(m)
			return x.writePiece(piece[:held])
		}
		if err != nil {
			return x.documentCut(m, held, err)
		}
		if long == nil {
			long = &longDocument{x: x, client: http.NewResponseController(x.w)}
		}
		long.heard()
		if held < len(piece) {
			continue
		}
		if err := x.writePiece(piece[:held-1]); err != nil {
			x.settleCut(m)
			return err
		}
		piece[0], held = piece[held-1], 1
	}
}

// documentCut ends a document that broke off. As long as nothing of it was handed over,
// the client can still be told so.
func (x *exchange) documentCut(m meter, held int, cause error) error {
	if !x.committed && held == 0 && x.ctx.Err() == nil {
		return errUnbegun
	}
	if x.committed {
		x.settleCut(m)
		return ErrCut
	}
	err := x.sendFailed(fault.Wrap(fault.Unavailable, cause, "the upstream broke off its answer"))
	x.seen.Status = x.g.cfg.Wire.Status(err)
	x.settleCut(m)
	return err
}

func (x *exchange) writePiece(piece []byte) error {
	x.commit()
	x.markFirstByte()
	if _, err := x.w.Write(piece); err != nil {
		x.clientFailed = true
		return ErrCut
	}
	return nil
}

// newIdle returns what gives up an upstream that says nothing for too long.
func (x *exchange) newIdle() *time.Timer {
	return time.AfterFunc(x.g.limits.UpstreamIdle, func() { x.cancel(errIdle) })
}

// readWithin reads from the answer. Only the upstream's silence counts, not what
// the client takes to read.
func (x *exchange) readWithin(idle *time.Timer, into []byte) (int, error) {
	idle.Reset(x.g.limits.UpstreamIdle)
	n, err := x.answer.Body.Read(into)
	idle.Stop()
	return n, err
}

// longDocument gives up a client that stops reading in the middle of a document.
type longDocument struct {
	x      *exchange
	client *http.ResponseController
}

func (l *longDocument) heard() {
	_ = l.client.SetWriteDeadline(time.Now().Add(l.x.g.limits.ClientStall))
}

func (l *longDocument) end() {
	if l == nil {
		return
	}
	if l.x.committed { // what is still in a buffer goes out before the deadline is lifted
		_ = l.client.Flush()
	}
	_ = l.client.SetWriteDeadline(time.Time{})
}

func (x *exchange) markFirstByte() {
	if x.firstByte == 0 {
		x.firstByte = x.g.cfg.Now().Sub(x.arrived)
	}
}

// endEvent is what a stream that we end says last. Nothing is said to a client
// that has gone.
func (x *exchange) endEvent() []byte {
	switch context.Cause(x.ctx) {
	case errRevoked, errIdle, ErrShutdown:
		return x.g.cfg.Wire.Body(string(x.call.ID), x.ended())
	}
	return nil
}
