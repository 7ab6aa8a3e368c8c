package secret

import (
	"regexp"
	"strings"
	"sync"
)

// What a credential looks like in the middle of a foreign text. A word too much
// may go; a secret may not stay.
// They are made when the first text comes: most programs never see one.
var patterns = sync.OnceValue(func() (p struct{ block, named, prefixed, long, base64ed, userinfo *regexp.Regexp }) {
	p.block = regexp.MustCompile(`(?s)-----BEGIN [A-Z ]+-----.*?(-----END [A-Z ]+-----|$)`)
	p.named = regexp.MustCompile(`(?i)((?:token|secret|passw(?:or)?d|passphrase|api[_-]?key|access[_-]?key(?:[_-]?id)?|private[_-]?key|credential|authorization|assertion|code|bearer|basic)["']?\s*[:= ]\s*["']?(?:bearer |basic )?)([^\s"',;]{6,})`)
	p.prefixed = regexp.MustCompile(`\b(?:sk-|pk-|eyJ|AKIA|ASIA|ABSK|ya29\.|1//|gh[a-z]_|github_pat_|glpat-|xox[a-z]-)[A-Za-z0-9_\-.=+/]{6,}`)
	p.long = regexp.MustCompile(`[A-Za-z0-9_+=~.\-]{20,}`)
	p.base64ed = regexp.MustCompile(`(^|[^A-Za-z0-9+/=_~.\-])([A-Za-z0-9+=_\-][A-Za-z0-9+/=_\-]{31,})`)
	p.userinfo = regexp.MustCompile(`(://)[^/\s@]+@`)
	return p
})

// Redact replaces in a text that came from outside whatever looks like a
// credential: long words with digits, words after "token=" and the like, known
// prefixes, keys in PEM, and user names in addresses. known are secrets that are
// replaced wherever they stand.
func Redact(text string, known ...Text) string {
	p := patterns()
	for _, k := range known {
		if len(k.value) >= 4 {
			text = strings.ReplaceAll(text, k.value, redacted)
		}
	}
	text = p.block.ReplaceAllString(text, redacted)
	text = p.userinfo.ReplaceAllString(text, "$1"+redacted+"@")
	text = p.prefixed.ReplaceAllString(text, redacted)
	text = p.named.ReplaceAllStringFunc(text, func(match string) string {
		parts := p.named.FindStringSubmatch(match)
		if parts[2] == redacted || strings.HasPrefix(parts[2], "[") {
			return match
		}
		if !strings.ContainsAny(parts[1], ":=") && !mixed(parts[2]) {
			return match // "token expired" is no token
		}
		return parts[1] + redacted
	})
	text = p.base64ed.ReplaceAllStringFunc(text, func(match string) string {
		parts := p.base64ed.FindStringSubmatch(match)
		if !mixed(parts[2]) {
			return match
		}
		return parts[1] + redacted
	})
	return p.long.ReplaceAllStringFunc(text, func(match string) string {
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
