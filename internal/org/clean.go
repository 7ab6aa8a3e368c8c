package org

import (
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

// CleanEmail is the form in which addresses are kept and compared.
func CleanEmail(raw string) (string, error) {
	raw = strings.TrimSpace(raw)
	a, err := mail.ParseAddress(raw)
	if err != nil || a.Address != raw || len(raw) > 254 || !utf8.ValidString(raw) || strings.ContainsFunc(raw, unseen) {
		return "", fault.New(fault.Invalid, "%.80q is not an e-mail address", raw).At("email")
	}
	return strings.ToLower(a.Address), nil
}

// unseen reports whether a rune has no place in an address: it could not be told
// apart from an address without it.
func unseen(r rune) bool { return unicode.IsSpace(r) || unicode.In(r, unicode.C) }

var domain = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$`)

// CleanDomains are domains of addresses as they are compared: each once, with or
// without an @ before it when it was typed. There may be most of them.
func CleanDomains(raw []string, most int) ([]string, error) {
	var all []string
	for _, d := range raw {
		d = strings.ToLower(strings.TrimPrefix(strings.TrimSpace(d), "@"))
		if d == "" || slices.Contains(all, d) {
			continue
		}
		if len(d) > 253 || !domain.MatchString(d) {
			return nil, fault.New(fault.Invalid, "%.80q is not a domain such as example.com", d).At("domains")
		}
		all = append(all, d)
	}
	if len(all) > most {
		return nil, fault.New(fault.Invalid, "at most %d domains can be listed", most).At("domains")
	}
	return all, nil
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
