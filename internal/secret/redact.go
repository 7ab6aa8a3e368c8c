package secret

import (
	"regexp"
	"strings"
)

// What a credential looks like in the middle of a foreign text. A word too much
// may go; a secret may not stay.
var (
	block    = regexp.MustCompile(`(?s)-----BEGIN [A-Z ]+-----.*?(-----END [A-Z ]+-----|$)`)
	named    = regexp.MustCompile(`(?i)((?:token|secret|passw(?:or)?d|passphrase|api[_-]?key|access[_-]?key(?:[_-]?id)?|private[_-]?key|credential|authorization|assertion|code|bearer|basic)["']?\s*[:= ]\s*["']?(?:bearer |basic )?)([^\s"',;]{6,})`)
	prefixed = regexp.MustCompile(`\b(?:sk-|pk-|eyJ|AKIA|ASIA|ABSK|ya29\.|1//|gh[a-z]_|github_pat_|glpat-|xox[a-z]-)[A-Za-z0-9_\-.=+/]{6,}`)
	long     = regexp.MustCompile(`[A-Za-z0-9_+=~.\-]{20,}`)
	base64ed = regexp.MustCompile(`(^|[^A-Za-z0-9+/=_~.\-])([A-Za-z0-9+=_\-][A-Za-z0-9+/=_\-]{31,})`)
	userinfo = regexp.MustCompile(`(://)[^/\s@]+@`)
)

// Redact replaces in a text that came from outside whatever looks like a
// credential: long words with digits, words after "token=" and the like, known
// prefixes, keys in PEM, and user names in addresses. known are secrets that are
// replaced wherever they stand.
func Redact(text string, known ...Text) string {
	for _, k := range known {
		if len(k.value) >= 4 {
			text = strings.ReplaceAll(text, k.value, redacted)
		}
	}
	text = block.ReplaceAllString(text, redacted)
	text = userinfo.ReplaceAllString(text, "$1"+redacted+"@")
	text = prefixed.ReplaceAllString(text, redacted)
	text = named.ReplaceAllStringFunc(text, func(match string) string {
		parts := named.FindStringSubmatch(match)
		if parts[2] == redacted || strings.HasPrefix(parts[2], "[") {
			return match
		}
		if !strings.ContainsAny(parts[1], ":=") && !mixed(parts[2]) {
			return match // "token expired" is no token
		}
		return parts[1] + redacted
	})
	text = base64ed.ReplaceAllStringFunc(text, func(match string) string {
		parts := base64ed.FindStringSubmatch(match)
		if !mixed(parts[2]) {
			return match
		}
		return parts[1] + redacted
	})
	return long.ReplaceAllStringFunc(text, func(match string) string {
		if !mixed(match) {
			return match
		}
		return redacted
	})
}

// mixed reports whether a word has a digit and a letter.
func mixed(word string) bool {
	return strings.ContainsAny(word, "0123456789") && strings.ContainsFunc(word, func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
	})
}
