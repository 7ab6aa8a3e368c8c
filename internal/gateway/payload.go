package gateway

import (
	"io"
	"sync"
	"sync/atomic"
)

// payload is a request's body. Its bytes go back to where they came from when
// nobody holds it any more: neither the exchange nor a reader.
type payload struct {
	bytes []byte
	holds atomic.Int32
	free  func(*payload) // nil: left to the garbage collector
}

func (p *payload) hold() { p.holds.Add(1) }

func (p *payload) release() {
	if p.holds.Add(-1) == 0 && p.free != nil {
		p.free(p)
		p.bytes = nil
	}
}

func (p *payload) reader() *payloadReader {
	p.hold()
	return &payloadReader{of: p, rest: p.bytes}
}

// payloadReader reads a payload and holds it until it is closed and no read is
// under way: a transport may close it on another goroutine than the one that is
// still writing from it.
type payloadReader struct {
	of   *payload
	rest []byte

	mu     sync.Mutex
	busy   bool
	closed bool
}

func (r *payloadReader) begin() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || len(r.rest) == 0 {
		return false
	}
	r.busy = true
	return true
}

func (r *payloadReader) end() {
	r.mu.Lock()
	r.busy = false
	last := r.closed
	r.mu.Unlock()
	if last {
		r.of.release()
	}
}

func (r *payloadReader) Read(into []byte) (int, error) {
	if !r.begin() {
		return 0, io.EOF
	}
	n := copy(into, r.rest)
	r.rest = r.rest[n:]
	r.end()
	return n, nil
}

func (r *payloadReader) WriteTo(w io.Writer) (int64, error) {
	if !r.begin() {
		return 0, nil
	}
	n, err := w.Write(r.rest)
	r.rest = r.rest[n:]
	r.end()
	return int64(n), err
}

func (r *payloadReader) Close() error {
	r.mu.Lock()
	last := !r.closed && !r.busy
	r.closed = true
	r.mu.Unlock()
	if last {
		r.of.release()
	}
	return nil
}
