//go:build !unix

package direct

import "net"

// probe is not possible here; a connection that was closed meanwhile is found
// out when it is used.
type probe struct{}

func newProbe(net.Conn) *probe { return nil }

func (p *probe) quiet() bool { return true }
