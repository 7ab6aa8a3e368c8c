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
// all of them together may hold.
type bodies struct {
	max    int64 // of one body
	room   int64 // for all buffers in use
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

// take gets a buffer that holds at least size bytes, or fails if there is no
// room for it.
func (b *bodies) take(size int) (*[]byte, error) {
	class := classOf(size)
	if class < 0 {
		return nil, tooLarge(b.max)
	}
	if b.used.Add(int64(classes[class])) > b.room {
		b.used.Add(-int64(classes[class]))
		return nil, fault.New(fault.Unavailable, "the server is handling as many large requests as it has memory for").After(time.Second)
	}
	if buf, ok := pools[class].Get().(*[]byte); ok {
		return buf, nil
	}
	buf := make([]byte, classes[class])
	return &buf, nil
}

func (b *bodies) give(buf *[]byte) {
	b.used.Add(-int64(len(*buf)))
	pools[classOf(len(*buf))].Put(buf)
}

func tooLarge(limit int64) error {
	return fault.New(fault.TooLarge, "the request body is larger than %d bytes", limit)
}

// read reads the whole body of a request. It fails with fault.TooLarge,
// fault.Invalid or, without room, fault.Unavailable.
func (b *bodies) read(w http.ResponseWriter, r *http.Request) (*payload, error) {
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
	buf, err := b.take(first)
	if err != nil {
		return nil, err
	}
	buf, n, err := b.fill(w, r, buf)
	if err != nil {
		b.give(buf)
		return nil, err
	}
	p := &payload{bytes: (*buf)[:n], free: func(*payload) { b.give(buf) }}
	p.hold()
	return p, nil
}

// fill reads until the body ends. The buffer it returns may be a larger one.
func (b *bodies) fill(w http.ResponseWriter, r *http.Request, buf *[]byte) (*[]byte, int, error) {
	patience := http.NewResponseController(w)
	// A writer without deadlines (HTTP/3, a test) has its own ways.
	_ = patience.SetReadDeadline(time.Now().Add(b.within))
	n := 0
	for {
		if n == len(*buf) {
			larger, err := b.take(n + 1)
			if err != nil {
				return buf, n, err
			}
			copy(*larger, *buf)
			b.give(buf)
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
