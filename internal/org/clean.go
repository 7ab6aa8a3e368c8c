package org

import (
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

// CleanEmail is the form in which addresses are kept and compared.
func CleanEmail(raw string) (string, error) {
	raw = strings.TrimSpace(raw)
	a, err := mail.ParseAddress(raw)
	if err != nil || a.Address != raw || len(raw) > 254 || !utf8.ValidString(raw) || strings.ContainsAny(raw, " \t\r\n\x00") {
		return "", fault.New(fault.Invalid, "%.80q is not an e-mail address", raw).At("email")
	}
	return strings.ToLower(a.Address), nil
}

// CleanName is a name fit to be shown; fallback stands in for an empty one.
func CleanName(raw, fallback string) (string, error) {
	name := strings.Join(strings.Fields(raw), " ")
	if name == "" {
		name = fallback
	}
	if len(name) > 200 || !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "", fault.New(fault.Invalid, "a name has at most 200 printable characters").At("name")
	}
	return name, nil
}

// CleanText is a stranger's text made fit to be stored and shown, in at most so
// many bytes.
func CleanText(text string, most int) string {
	if len(text) > 4*most {
		text = text[:4*most] // what follows would be cut off in any case
	}
	text = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.In(r, unicode.C, unicode.Zl, unicode.Zp) {
			return -1
		}
		return r
	}, text)
	if len(text) > most {
		text = text[:most]
	}
	return strings.ToValidUTF8(text, "")
}
