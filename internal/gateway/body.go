package gateway

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

// bodies reads request bodies into recycled buffers and bounds how much memory
// all of them together may hold, and those of one credential.
type bodies struct {
	max    int64 // of one body
	room   int64 // for all buffers in use
	share  int64 // for those of one credential
	used   atomic.Int64
	within time.Duration // how long a body may take to arrive
}

// classes are the sizes of buffers, in bytes. Claude Code's bodies begin at
// about 76 KB and grow with the conversation.
var classes = [...]int{4 << 10, 16 << 10, 64 << 10, 128 << 10, 256 << 10, 512 << 10, 1 << 20, 2 << 20, 4 << 20, 8 << 20, 16 << 20, 32<<20 + 1}

// trusted is how much a client is given room for on its word alone.
const trusted = 1 << 20

var pools [len(classes)]sync.Pool // :: class → of *[]byte

func classOf(size int) int {
	for i, c := range classes {
		if size <= c {
			return i
		}
	}
	return -1
}

// shareOf is what one credential may have of the room: a quarter, but enough for
// one body of any size while it moves from a buffer into a larger one.
func shareOf(room, largest int64) int64 { return max(room/4, 2*largest) }

// take gets a buffer that holds at least size bytes, or fails if there is no
// room for it.
func (b *bodies) take(a *allowance, size int) (*[]byte, error) {
	class := classOf(size)
	if class < 0 {
		return nil, tooLarge(b.max)
	}
	n := int64(classes[class])
	if a.memory.Add(n) > b.share {
		a.memory.Add(-n)
		return nil, fault.New(fault.RateLimited, "this credential has as many large requests under way as it may have at once").After(time.Second)
	}
	if b.used.Add(n) > b.room {
		b.used.Add(-n)
		a.memory.Add(-n)
		return nil, fault.New(fault.Unavailable, "the server is handling as many large requests as it has memory for").After(time.Second)
	}
	if buf, ok := pools[class].Get().(*[]byte); ok {
		return buf, nil
	}
	buf := make([]byte, classes[class])
	return &buf, nil
}

func (b *bodies) give(a *allowance, buf *[]byte) {
	b.used.Add(-int64(len(*buf)))
	a.memory.Add(-int64(len(*buf)))
	pools[classOf(len(*buf))].Put(buf)
}

func tooLarge(limit int64) error {
	return fault.New(fault.TooLarge, "the request body is larger than %d bytes", limit)
}

// read reads the whole body of a request. It fails with fault.TooLarge,
// fault.Invalid or, without room, fault.RateLimited for one credential and
// fault.Unavailable for all.
func (b *bodies) read(w http.ResponseWriter, r *http.Request, a *allowance) (*payload, error) {
	for _, coding := range r.Header["Content-Encoding"] {
		if coding != "" && !strings.EqualFold(coding, "identity") {
			return nil, fault.New(fault.Invalid, "the request body must be sent without content encoding")
		}
	}
	if r.ContentLength > b.max {
		return nil, tooLarge(b.max)
	}
	first := trusted
	switch {
	case r.ContentLength < 0:
		first = classes[2]
	case r.ContentLength < trusted:
		first = int(r.ContentLength) + 1 // one more, so that the end is seen
	}
	buf, err := b.take(a, first)
	if err != nil {
		return nil, err
	}
	buf, n, err := b.fill(w, r, a, buf)
	if err != nil {
		b.give(a, buf)
		return nil, err
	}
	p := &payload{bytes: (*buf)[:n], free: func(*payload) { b.give(a, buf) }}
	p.hold()
	return p, nil
}

// fill reads until the body ends. The buffer it returns may be a larger one.
func (b *bodies) fill(w http.ResponseWriter, r *http.Request, a *allowance, buf *[]byte) (*[]byte, int, error) {
	patience := http.NewResponseController(w)
	// A writer without deadlines (HTTP/3, a test) has its own ways.
	_ = patience.SetReadDeadline(time.Now().Add(b.within))
	n := 0
	for {
		if n == len(*buf) {
			larger, err := b.take(a, n+1)
			if err != nil {
				return buf, n, err
			}
			copy(*larger, *buf)
			b.give(a, buf)
			buf = larger
		}
		m, err := r.Body.Read((*buf)[n:])
		n += m
		if int64(n) > b.max {
			return buf, n, tooLarge(b.max)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return buf, n, unreadable(err)
		}
	}
	_ = patience.SetReadDeadline(time.Time{})
	return buf, n, nil
}

func unreadable(err error) error {
	if large, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return tooLarge(large.Limit)
	}
	f := fault.Wrap(fault.Invalid, err, "the request body could not be read to its end")
	return f
}
