package binding

import (
	"net/url"
	"path"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

const maxAddress = 2048

// Normalise writes the address of a git remote in one way: host/path, in small
// letters, without user, default port, ".git" and what names nothing. The same
// repository by https, ssh and git@host:path is the same. ok is false for what
// names no host, such as a path.
func Normalise(address string) (normal string, ok bool) {
	address = strings.TrimSpace(address)
	if len(address) > maxAddress || !plain(address) {
		return "", false
	}
	host, rest, ok := split(address)
	if !ok {
		return "", false
	}
	rest = strings.Trim(path.Clean("/"+strings.ReplaceAll(rest, "\\", "/")), "/")
	rest = strings.Trim(strings.TrimSuffix(strings.ToLower(rest), ".git"), "/")
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if !isHost(host) || rest == "" || rest == "." {
		return "", false
	}
	return host + "/" + rest, true
}

// split takes an address apart: scheme://[user@]host[:port]/path, or
// [user@]host:path as ssh has it.
func split(address string) (host, rest string, ok bool) {
	if strings.Contains(address, "://") {
		u, err := url.Parse(address)
		if err != nil || u.Hostname() == "" || u.Opaque != "" {
			return "", "", false
		}
		port, known := defaultPorts[strings.ToLower(u.Scheme)]
		if !known {
			return "", "", false
		}
		host = u.Hostname()
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		if u.Port() != "" && u.Port() != port {
			host += ":" + u.Port()
		}
		return host, u.Path, plain(u.Path)
	}
	before, rest, ok := strings.Cut(address, ":")
	if !ok || strings.ContainsAny(before, `/\`) || len(before) == 1 { // C:\ is a drive
		return "", "", false
	}
	if i := strings.LastIndexByte(before, '@'); i >= 0 {
		before = before[i+1:]
	}
	if strings.HasPrefix(address, "[") || strings.HasPrefix(rest, ":") {
		return "", "", false // host::path belongs to a helper program; [::1]:path is rare
	}
	return before, rest, true
}

var defaultPorts = map[string]string{"https": "443", "http": "80", "ssh": "22", "git": "9418", "git+ssh": "22", "ssh+git": "22"}

func plain(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\ufffd' })
}

// isHost takes letters, digits, '-', '_' and '.', a port, and an address of IPv6
// in brackets.
func isHost(s string) bool {
	return s != "" && !strings.HasPrefix(s, ".") && !strings.Contains(s, "..") && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && !strings.ContainsRune("-_.:[]", r)
	})
}

// ParsePattern checks a pattern as a person writes it, an address among them,
// and returns it as rules keep it. A pattern is a host and a path; "*" stands for
// any text without "/" in it, as the last part for everything below, and as the
// first part of a host for any name there. It fails with Invalid.
func ParsePattern(text string) (string, error) {
	bad := func(why string) (string, error) {
		return "", fault.New(fault.Invalid, "that is no pattern for git remotes: %s", why).WithHint("gatehouse use --remote 'github.com/acme/*' PROFILE")
	}
	text = strings.TrimSpace(text)
	switch {
	case len(text) > maxAddress || !plain(text) || strings.ContainsAny(text, " ?[]\\"):
		return bad("it holds a character that has no place there")
	case strings.Contains(text, "://") || strings.Contains(text, "@"):
		normal, ok := Normalise(text)
		if !ok {
			return bad("it names no host and path")
		}
		text = normal
	}
	host, rest, _ := strings.Cut(strings.ToLower(text), "/")
	rest = strings.TrimSuffix(strings.Trim(rest, "/"), ".git")
	if !isHost(strings.TrimPrefix(host, "*.")) || !strings.Contains(host, ".") && !strings.Contains(host, ":") && host != "localhost" {
		return bad("it begins with no host")
	}
	if rest == "" || path.Clean("/"+rest) != "/"+rest {
		return bad("it names no path; end it in /* for everything there")
	}
	return host + "/" + rest, nil
}

// matches compares a pattern of ParsePattern with an address of Normalise.
func matches(pattern, address string) bool {
	wantHost, want, _ := strings.Cut(pattern, "/")
	host, rest, _ := strings.Cut(address, "/")
	if any, ok := strings.CutPrefix(wantHost, "*."); ok {
		if !strings.HasSuffix(host, "."+any) {
			return false
		}
	} else if host != wantHost {
		return false
	}
	parts := strings.Split(rest, "/")
	wanted := strings.Split(want, "/")
	for i, w := range wanted {
		if i >= len(parts) {
			return false
		}
		if w == "*" && i == len(wanted)-1 {
			return true
		}
		if !part(w, parts[i]) {
			return false
		}
	}
	return len(parts) == len(wanted)
}

// part compares texts without "/", with "*" for any text. It goes back to the
// last star only, so it takes no longer than the product of the lengths.
func part(pattern, text string) bool {
	p, t, star, mark := 0, 0, -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && pattern[p] == text[t]:
			p++
			t++
		case star >= 0:
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
