package login

import (
	"net"
	"net/url"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

// ParseServer checks a server's address as a person writes it and returns its
// origin, "https://gate.example.com". A missing scheme is https. It fails with
// Invalid for a path, a query, a user name, or http to another machine.
func ParseServer(address string) (string, error) {
	bad := func(why string) (string, error) {
		return "", fault.New(fault.Invalid, "%q is not a server address: %s", clean(address), why).
			WithHint("gatehouse login --server https://gate.example.com")
	}
	whole := strings.TrimSpace(address)
	if !strings.Contains(whole, "://") {
		whole = "https://" + whole
	}
	u, err := url.Parse(whole)
	if err != nil || u.User != nil {
		address = "…" // what stands there may be a password
	}
	switch {
	case err != nil || u.Hostname() == "" || u.Opaque != "":
		return bad("it names no host")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "":
		return bad("only a scheme, a host and a port belong into it")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return bad("http is for this machine alone, use https")
	case u.Scheme != "https" && u.Scheme != "http":
		return bad("use https")
	}
	return origin(u), nil
}

// origin writes scheme, host and port in one way for one origin.
func origin(u *url.URL) string {
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port == "" || u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" {
		return u.Scheme + "://" + host
	}
	return u.Scheme + "://" + host + ":" + port
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// within reports whether an absolute URL is on the origin and names no user.
func within(server, endpoint string) bool {
	u, err := url.Parse(endpoint)
	return err == nil && u.Host != "" && u.User == nil && u.Fragment == "" && origin(u) == server
}

const maxShown = 200

// clean makes a foreign text fit to stand in one line on a terminal.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == '\u2028' || r == '\u2029' || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > maxShown {
		s = string(r[:maxShown]) + "…"
	}
	return s
}
