package roster

import (
	"net/mail"
	"strings"
)

// address is the form in which addresses are kept and compared; ok is false for
// what is none. What cannot be seen is left out first: addresses that were copied
// out of a mail program come with marks around them.
func address(raw string) (email string, ok bool) {
	email = strings.ToLower(shown(raw, 2*maxField))
	if email == "" || len(email) > maxField || strings.Contains(email, " ") {
		return "", false
	}
	at := strings.LastIndexByte(email, '@')
	if at < 1 || !hostName(email[at+1:]) {
		return "", false
	}
	parsed, err := mail.ParseAddress(email)
	return email, err == nil && parsed.Address == email
}

// hostName is lenient about letters and strict about form: what follows the @
// has to be the name of a place and not its number.
func hostName(host string) bool {
	if host == "" || strings.HasPrefix(host, "[") {
		return false
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") {
			return false
		}
	}
	return true
}

// named splits "Name <address>" into its parts. What has no brackets is an
// address alone.
func named(entry string) (name, raw string) {
	open := strings.LastIndexByte(entry, '<')
	if open < 0 || !strings.HasSuffix(entry, ">") {
		return "", entry
	}
	return unquote(strings.TrimSpace(entry[:open])), strings.TrimSpace(entry[open+1 : len(entry)-1])
}

// unquote is a quoted name without its quotes.
func unquote(name string) string {
	if len(name) < 2 || name[0] != '"' || name[len(name)-1] != '"' {
		return name
	}
	return strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(name[1 : len(name)-1])
}

// address puts an address into a line, and notes if it is none. One that is too
// long is kept long enough to be refused again.
func (l *Line) address(raw string) {
	raw = shown(raw, 2*maxField)
	switch email, ok := address(raw); {
	case ok:
		l.Email = email
	case raw == "":
		l.problem("the e-mail address is missing")
	default:
		l.Email = raw
		l.problem("%q is not an e-mail address", shown(raw, 80))
	}
}
