package direct

import (
	"net"
	"os"
)

// records is a connection below TLS. It knows whether what was read of it ends
// with a record, and can be made to have nothing more to read: so it comes to
// light what TLS has taken in and not handed out.
//
// A record is a header of five bytes, whose last two are the length of what
// follows (RFC 8446, section 5.1; RFC 5246, section 6.2.1).
type records struct {
	net.Conn
	dry  bool
	head [5]byte
	have int // bytes of head that have come
	left int // bytes of the present record that have not
}

// Read reads from the connection. A dry one answers like one whose deadline has
// passed, which is the one error that TLS does not keep.
func (r *records) Read(into []byte) (int, error) {
	if r.dry {
		return 0, os.ErrDeadlineExceeded
	}
	n, err := r.Conn.Read(into)
	r.follow(into[:n])
	return n, err
}

func (r *records) follow(read []byte) {
	for len(read) > 0 {
		if r.left > 0 {
			n := min(r.left, len(read))
			r.left -= n
			read = read[n:]
			continue
		}
		n := copy(r.head[r.have:], read)
		read = read[n:]
		if r.have += n; r.have == len(r.head) {
			r.have, r.left = 0, int(r.head[3])<<8|int(r.head[4])
		}
	}
}

func (r *records) between() bool { return r.have == 0 && r.left == 0 }

// drained reports whether nothing that was read from the socket is still to be
// handed out.
func (c *conn) drained() bool {
	if c.input.Buffered() > 0 {
		return false
	}
	if c.below == nil {
		return true
	}
	if !c.below.between() {
		return false
	}
	c.below.dry = true
	_, err := c.input.Peek(1)
	c.below.dry = false
	return err == os.ErrDeadlineExceeded
}
