package gateway

import (
	"io"
	"sync/atomic"
)

// payload is a request's body. Its bytes go back to where they came from when
// nobody holds it any more: neither the exchange nor a reader.
type payload struct {
	bytes []byte
	holds atomic.Int32
	free  func([]byte) // nil: left to the garbage collector
}

func (p *payload) hold() { p.holds.Add(1) }

func (p *payload) release() {
	if p.holds.Add(-1) == 0 && p.free != nil {
		p.free(p.bytes)
		p.bytes = nil
	}
}

func (p *payload) reader() *payloadReader {
	p.hold()
	return &payloadReader{of: p, rest: p.bytes}
}

// payloadReader reads a payload and holds it until closed. A transport may
// close it on another goroutine than the one that reads.
type payloadReader struct {
	of     *payload
	rest   []byte
	closed atomic.Bool
}

func (r *payloadReader) Read(into []byte) (int, error) {
	if r.closed.Load() || len(r.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(into, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

func (r *payloadReader) WriteTo(w io.Writer) (int64, error) {
	if r.closed.Load() || len(r.rest) == 0 {
		return 0, nil
	}
	n, err := w.Write(r.rest)
	r.rest = r.rest[n:]
	return int64(n), err
}

func (r *payloadReader) Close() error {
	if r.closed.CompareAndSwap(false, true) {
		r.of.release()
	}
	return nil
}
