package limit

import "net/netip"

// Network is what counts as one address: an IPv4 address itself, and of an IPv6
// address its /64, which a household or a machine has whole.
func Network(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	if a = a.Unmap(); a.Is4() {
		return a.String()
	}
	return netip.PrefixFrom(a.WithZone(""), 64).Masked().String()
}
