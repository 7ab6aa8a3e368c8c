package server

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// addressOf returns a function that tells where a request came from: the
// address of the connection, or, if that is a trusted proxy, the last address in
// X-Forwarded-For that is not one.
func addressOf(trusted []netip.Prefix) func(*http.Request) string {
	isTrusted := func(a netip.Addr) bool {
		for _, p := range trusted {
			if p.Contains(a) {
				return true
			}
		}
		return false
	}
	return func(r *http.Request) string {
		host, _, err := net.SplitHostPort(r.RemoteAddr)
		if err != nil {
			host = r.RemoteAddr
		}
		at, err := netip.ParseAddr(host)
		if err != nil || !isTrusted(at.Unmap()) {
			return host
		}
		hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		for i := len(hops) - 1; i >= 0; i-- {
			hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
			if err != nil {
				break // whatever comes before it was not written by a proxy of ours
			}
			at = hop
			if !isTrusted(hop.Unmap()) {
				break
			}
		}
		return at.Unmap().String()
	}
}
