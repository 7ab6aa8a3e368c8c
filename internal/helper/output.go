package helper

import (
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// read takes a token out of what a script printed. It fails with Invalid; the
// message completes "the helper …" and quotes nothing.
func (s Script) read(out string) (secret.Text, error) {
	word := strings.TrimSpace(out)
	checked := word
	if s.Kind == Proxy { // "Basic dXNlcjpwdw==": a scheme and one word
		scheme, value, two := strings.Cut(word, " ")
		if checked = scheme + value; !two {
			checked = word
		}
	}
	bad := func(why string) (secret.Text, error) { return secret.Text{}, fault.New(fault.Invalid, "%s", why) }
	switch {
	case word == "":
		return bad("prints nothing")
	case len(word) > credential.MaxToken:
		return bad("prints more than 16,384 characters")
	case strings.ContainsAny(checked, " \t\r\n"):
		return bad("prints more than one word")
	case !credential.Printable(secret.New(checked)):
		return bad("prints something that is not plain ASCII")
	}
	return secret.New(word), nil
}
