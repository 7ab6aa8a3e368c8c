package direct

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Request is a POST to the origin.
type Request struct {
	Target string // the path, escaped, and the query
	Header http.Header
	Own    []Field // sent instead of what Header has under the same names
	Body   []byte  // read only while Send runs

	HeaderWithin time.Duration // 0: what the pool's Config says
	Brief        bool          // the answer's body is a few words, which come with its header or soon
}

// Field is a header by its canonical name; without values it is left out.
type Field struct {
	Name   string
	Values []string
}

const (
	maxHeader = 64 << 10 // bytes of an answer's header
	together  = 8 << 10  // a body up to this size is copied behind the header
)

var (
	errLongHeader = errors.New("the answer's header is too long")
	errBadHeader  = errors.New("a header or the target of the request contains control characters")
	errUpgrade    = errors.New("the answer is a change of protocol that nobody asked for")
)

// Send sends a request and returns when the answer's header is there. Whoever
// gets an answer closes its body. When ctx ends, the connection is closed, and
// Send or the body fail with the context's error. An *UnsentError around it, or
// around any other, says that the origin has heard nothing of the request.
func (p *Pool) Send(ctx context.Context, r *Request) (*http.Response, error) {
	for {
		c := p.get()
		if c == nil {
			var err error
			if c, err = p.connect(ctx); err != nil {
				return nil, &UnsentError{contextFirst(ctx, err)}
			}
		}
		again := c.used
		response, wrote, err := p.exchange(ctx, c, r)
		if err == nil {
			return response, nil
		}
		// A connection that had been closed takes nothing at all.
		if again && !wrote && ctx.Err() == nil && !errors.Is(err, errBadHeader) {
			continue
		}
		if !wrote {
			err = &UnsentError{err}
		}
		return nil, err
	}
}

// exchange does it on one connection. It says whether anything may have been
// sent.
func (p *Pool) exchange(ctx context.Context, c *conn, r *Request) (response *http.Response, wrote bool, err error) {
	unwatch := context.AfterFunc(ctx, func() { c.cut() })
	defer func() {
		if err != nil {
			unwatch()
			c.cut()
			err = contextFirst(ctx, err)
		}
	}()
	if err = c.SetDeadline(time.Now().Add(cmp.Or(r.HeaderWithin, p.cfg.HeaderWithin))); err != nil {
		return nil, false, err
	}
	n, err := c.send(p.cfg.Host, r)
	if err != nil && n == 0 {
		return nil, false, err
	}
	// An upstream that refuses a large body may answer and stop reading: then
	// writing failed, and yet there is an answer.
	failed := err
	response, err = c.receive()
	if err != nil {
		if failed != nil {
			err = failed
		}
		return nil, true, err
	}
	if err = c.SetDeadline(p.bodyUntil(response, r)); err != nil {
		return nil, true, err
	}
	response.Body = &body{of: response.Body, p: p, c: c, ctx: ctx, unwatch: unwatch, reuse: !response.Close && failed == nil}
	return response, true, nil
}

// bodyUntil is when a body has to be there; zero: it may take its time. That of a refusal
// must not keep the next upstream from being asked, if it is announced and never comes.
func (p *Pool) bodyUntil(response *http.Response, r *Request) time.Time {
	if r.Brief || response.StatusCode >= http.StatusBadRequest {
		return time.Now().Add(p.cfg.BriefWithin)
	}
	return time.Time{}
}

func contextFirst(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

var heads = sync.Pool{New: func() any { b := make([]byte, 0, together+4<<10); return &b }}

// send writes a request and returns how many bytes of it went out.
func (c *conn) send(host string, r *Request) (int64, error) {
	buffer := heads.Get().(*[]byte)
	defer heads.Put(buffer)
	head, err := appendHead((*buffer)[:0], host, r)
	if err != nil {
		return 0, err
	}
	if cap(head) <= 64<<10 {
		*buffer = head
	}
	if len(r.Body) <= together {
		n, err := c.Write(append(head, r.Body...))
		return int64(n), err
	}
	if c.Conn == c.tcp {
		parts := net.Buffers{head, r.Body}
		return parts.WriteTo(c.Conn)
	}
	n, err := c.Write(head)
	if err != nil {
		return int64(n), err
	}
	m, err := c.Write(r.Body)
	return int64(n + m), err
}

// appendHead writes the request line and the header.
func appendHead(to []byte, host string, r *Request) ([]byte, error) {
	if !word(r.Target) || !word(host) {
		return nil, errBadHeader
	}
	to = append(to, "POST "...)
	to = append(to, r.Target...)
	to = append(to, " HTTP/1.1\r\nHost: "...)
	to = append(to, host...)
	to = append(to, "\r\nContent-Length: "...)
	to = strconv.AppendInt(to, int64(len(r.Body)), 10)
	for name, values := range r.Header {
		if r.owns(name) {
			continue
		}
		if to = appendField(to, name, values); to == nil {
			return nil, errBadHeader
		}
	}
	for _, f := range r.Own {
		if to = appendField(to, f.Name, f.Values); to == nil {
			return nil, errBadHeader
		}
	}
	return append(to, "\r\n\r\n"...), nil
}

func (r *Request) owns(name string) bool {
	for i := range r.Own {
		if r.Own[i].Name == name {
			return true
		}
	}
	return false
}

// appendField writes a header once for every value; nil if it must not be sent.
func appendField(to []byte, name string, values []string) []byte {
	if !token(name) {
		return nil
	}
	for _, value := range values {
		if !line(value) {
			return nil
		}
		to = append(to, "\r\n"...)
		to = append(to, name...)
		to = append(to, ": "...)
		to = append(to, value...)
	}
	return to
}

// word reports whether s is without spaces and control characters.
func word(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c == 0x7f {
			return false
		}
	}
	return true
}

// token reports whether s can be a header's name (RFC 9110, section 5.6.2).
func token(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c|0x20 >= 'a' && c|0x20 <= 'z', c >= '0' && c <= '9', c == '-':
		case strings.IndexByte("!#$%&'*+.^_`|~", c) < 0:
			return false
		}
	}
	return s != ""
}

// line reports whether s can be a header's value.
func line(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < ' ' && c != '\t') || c == 0x7f {
			return false
		}
	}
	return true
}

var asked = &http.Request{Method: http.MethodPost}

// receive reads an answer's header.
func (c *conn) receive() (*http.Response, error) {
	c.budget = maxHeader
	for range 5 {
		response, err := http.ReadResponse(c.input, asked)
		if err != nil {
			if err == io.EOF || err == io.ErrUnexpectedEOF {
				err = fmt.Errorf("the connection was closed before an answer: %w", io.ErrUnexpectedEOF)
			}
			return nil, err
		}
		switch {
		case response.StatusCode == http.StatusSwitchingProtocols:
			return nil, errUpgrade
		case response.StatusCode < 200:
			continue // news on the way
		}
		c.budget = -1
		return response, nil
	}
	return nil, errLongHeader
}

// body is an answer's body. At its end the connection goes back to the pool; if
// it is closed before, so is the connection.
type body struct {
	of      io.ReadCloser
	p       *Pool
	c       *conn
	ctx     context.Context
	unwatch func() bool
	reuse   bool

	done bool
	err  error
}

func (b *body) Read(into []byte) (int, error) {
	if b.done {
		return 0, b.err
	}
	n, err := b.of.Read(into)
	if err != nil {
		if err != io.EOF {
			err = contextFirst(b.ctx, err)
		}
		b.finish(err)
	}
	return n, err
}

func (b *body) finish(err error) {
	b.done, b.err = true, err
	again := err == io.EOF && b.reuse && b.c.drained()
	if live := b.unwatch(); again && live {
		b.p.put(b.c)
		return
	}
	b.c.cut()
}

func (b *body) Close() error {
	if !b.done {
		b.finish(errClosed)
	}
	return nil
}

var errClosed = errors.New("the body was closed")

// Target joins an escaped path and a raw query.
func Target(path, query string) string {
	if query == "" {
		return path
	}
	return strings.Join([]string{path, query}, "?")
}
