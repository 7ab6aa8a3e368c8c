package gateway

import (
	"net/http"
	"strings"
)

// Forwardable returns what of a client's header goes on to an upstream. The
// list is open: clients send new headers with every release. Values are shared
// with the original.
func Forwardable(from http.Header) http.Header {
	to := make(http.Header, len(from))
	named := from["Connection"]
	for name, values := range from {
		if keptBack(name) || (len(named) != 0 && mentions(named, name)) {
			continue
		}
		to[name] = values
	}
	return to
}

// keptBack reports whether a request header ends here: what belongs to the hop,
// what identifies or authorizes the client, what the transport writes itself,
// and what some server might take for an address.
func keptBack(name string) bool {
	switch name {
	case "":
		return true
	case "Connection", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Expect", "Http2-Settings",
		"Authorization", "X-Api-Key", "Api-Key", "Ocp-Apim-Subscription-Key", "X-Auth-Token", "Cookie", "Cookie2",
		"Host", "Content-Length", "Content-Encoding", "Accept-Encoding",
		"Forwarded", "Via", "X-Real-Ip", "X-Client-Ip", "X-Cluster-Client-Ip", "True-Client-Ip", "Origin", "Referer",
		"X-Original-Url", "X-Rewrite-Url", "X-Http-Method", "X-Http-Method-Override", "X-Method-Override", "X-Host":
		return true
	}
	switch name[0] {
	case 'X':
		if strings.HasPrefix(name, "X-Forwarded") || strings.HasPrefix(name, "X-Amz-") || strings.HasPrefix(name, "X-Goog-") {
			return true
		}
	case 'P':
		if strings.HasPrefix(name, "Proxy-") {
			return true
		}
	}
	// Some servers read an underscore as a hyphen: X_Api_Key would be a key.
	return strings.IndexByte(name, '_') >= 0
}

// notAnswered reports whether a header of an upstream's answer ends here: the
// hop's, the upstream account's, and what speaks for an origin that is not ours.
func notAnswered(name string) bool {
	switch name {
	case "Connection", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authentication-Info",
		"Content-Length", // set from the answer's length
		"Set-Cookie", "Set-Cookie2", "Www-Authenticate", "Request-Id", "X-Request-Id", "Anthropic-Organization-Id", "Anthropic-Workspace-Id",
		"Server", "Via", "Alt-Svc", "Strict-Transport-Security", "Public-Key-Pins", "Nel", "Report-To", "Reporting-Endpoints",
		"Clear-Site-Data", "Cf-Ray", "Cf-Cache-Status", "Location", "Refresh",
		"X-Content-Type-Options", "Referrer-Policy":
		return true
	}
	switch name[0] {
	case 'A':
		return strings.HasPrefix(name, "Anthropic-Ratelimit-") || strings.HasPrefix(name, "Anthropic-Priority-") ||
			strings.HasPrefix(name, "Access-Control-")
	case 'R':
		return strings.HasPrefix(name, "Ratelimit")
	case 'X':
		return strings.HasPrefix(name, "X-Ratelimit-")
	}
	return false
}

// answerHeader copies an upstream's header into an answer.
func answerHeader(to, from http.Header) {
	named := from["Connection"]
	for name, values := range from {
		if name == "" || notAnswered(name) || (len(named) != 0 && mentions(named, name)) {
			continue
		}
		to[name] = values
	}
	if theirs := from["Request-Id"]; len(theirs) > 0 {
		to["X-Upstream-Request-Id"] = theirs[:1]
	}
}

// mentions reports whether a comma-separated header names something.
func mentions(lines []string, name string) bool {
	for _, line := range lines {
		for token := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(token), name) {
				return true
			}
		}
	}
	return false
}

// OAuthBeta marks the client's own credential as an OAuth token. It belongs to
// the hop between client and gateway.
const OAuthBeta = "oauth-2025-04-20"

const betaHeader = "Anthropic-Beta"

// WithoutBeta returns the lines of an anthropic-beta header without one value,
// and every other value, blank and comma as it was. Lines that are empty after
// that are left out. The original is not changed; it is returned if the value
// is not in it.
func WithoutBeta(lines []string, value string) []string {
	found := false
	for _, line := range lines {
		found = found || strings.Contains(line, value)
	}
	if !found {
		return lines
	}
	var kept []string
	for _, line := range lines {
		if line = withoutToken(line, value); line != "" {
			kept = append(kept, line)
		}
	}
	return kept
}

func withoutToken(line, value string) string {
	if !strings.Contains(line, value) {
		return line
	}
	var kept []string
	for token := range strings.SplitSeq(line, ",") {
		if strings.TrimSpace(token) != value {
			kept = append(kept, token)
		}
	}
	return strings.TrimSpace(strings.Join(kept, ","))
}
