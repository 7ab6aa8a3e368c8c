package dial

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

// Guard makes connections. The zero Guard keeps to the open network. Its methods
// may be called concurrently.
type Guard struct {
	Local    bool          // this machine and private networks may be connected to as well
	Resolver *net.Resolver // nil: the system's
}

// DialContext is net.Dialer's. It fails with fault.Unavailable if none of the
// addresses may be connected to; the fault names no address.
func (g Guard) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{KeepAlive: 30 * time.Second, Resolver: g.Resolver, Control: g.control}
	return d.DialContext(ctx, network, address)
}

// control is called for every socket between its making and its connecting,
// with the address that it will connect to.
func (g Guard) control(network, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || !strings.HasPrefix(network, "tcp") || !g.allows(to.Addr()) {
		return refused()
	}
	return nil
}

// CheckHost judges a host that somebody else will connect to for us, such as a
// proxy, as far as that can be done without looking it up: an address, or what
// may be read as one.
func (g Guard) CheckHost(host string) error {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if a, err := netip.ParseAddr(host); err == nil {
		if !g.allows(a) {
			return refused()
		}
		return nil
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	// 127.1, 0x7f000001 and 2130706433 are addresses to many programs; no name
	// of the open network ends in a number.
	if last == "" || (last[0] >= '0' && last[0] <= '9') || (last == "localhost" && !g.Local) {
		return refused()
	}
	return nil
}

func refused() error {
	return fault.New(fault.Unavailable, "the upstream's address is one that this server does not connect to").
		WithHint("for an upstream on the server's own machine or network, whoever runs the server can set upstreams.allow_local")
}

func prefixes(all ...string) (p []netip.Prefix) {
	for _, text := range all {
		p = append(p, netip.MustParsePrefix(text))
	}
	return p
}

var (
	// closed are addresses that are never connected to.
	closed = prefixes(
		"169.254.0.0/16", "fe80::/10", "fec0::/10", // link-local, where clouds keep their metadata
		"fd00:ec2::/32", "fd20:ce::/32", "100.100.100.200/32", "168.63.129.16/32", "192.0.0.0/24", // where they keep it otherwise
		"0.0.0.0/8", "::/96", // unspecified: this machine to many systems
		"224.0.0.0/4", "ff00::/8", "240.0.0.0/4", // groups, everybody, nobody
		"2001::/32", "2002::/16", "64:ff9b:1::/48", // other addresses inside, by ways that no upstream is reached by
	)
	// local are those of this machine and of private networks.
	local = prefixes("127.0.0.0/8", "::1/128",
		"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", // RFC 1918, RFC 4193
		"100.64.0.0/10", "198.18.0.0/15") // a provider's own (RFC 6598), a laboratory's (RFC 2544)
	// nat64 stands for the IPv4 address in its last four bytes (RFC 6052).
	nat64 = netip.MustParsePrefix("64:ff9b::/96")
)

// allows judges an address.
func (g Guard) allows(a netip.Addr) bool {
	a = a.WithZone("").Unmap()
	switch {
	case !a.IsValid():
		return false
	case a.IsLoopback(): // ::1 lies within ::/96
		return g.Local
	case nat64.Contains(a):
		b := a.As16()
		return g.allows(netip.AddrFrom4([4]byte(b[12:])))
	case within(closed, a):
		return false
	}
	return g.Local || !within(local, a)
}

func within(all []netip.Prefix, a netip.Addr) bool {
	for _, p := range all {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
