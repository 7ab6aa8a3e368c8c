//go:build unix

package direct

import (
	"net"
	"syscall"
)

// probe looks whether a connection at rest is still open: on a good one there is
// nothing to read, not even its end.
type probe struct {
	raw  syscall.RawConn
	look func(fd uintptr) bool
	one  [1]byte
	open bool
}

func newProbe(c net.Conn) *probe {
	sys, ok := c.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := sys.SyscallConn()
	if err != nil {
		return nil
	}
	p := &probe{raw: raw}
	p.look = func(fd uintptr) bool {
		_, err := syscall.Read(int(fd), p.one[:]) // the descriptor does not block
		p.open = err == syscall.EAGAIN || err == syscall.EWOULDBLOCK
		return true
	}
	return p
}

// quiet reports whether the connection can be used again. A byte that was there
// is lost with it: it answers nothing that we asked.
func (p *probe) quiet() bool {
	if p == nil {
		return true
	}
	p.open = false
	err := p.raw.Read(p.look)
	return err == nil && p.open
}
