package login

import (
	"errors"
	"net/url"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

const (
	maxPaste = 8 << 10
	maxCode  = 2 << 10
)

var (
	errPasteForm  = errors.New("that is not the address that the browser was sent to, which begins with http://127.0.0.1, nor CODE#STATE")
	errPasteOther = errors.New("that answer does not belong to the sign-in that waits here")
	errPasteUsed  = errors.New("this sign-in has its answer already")
)

// paste takes an answer that a person carried here: the whole address of the
// redirect, or CODE#STATE. Its errors say nothing of what was pasted. An answer
// without the issuer is taken in the second form: the state was given to no
// other server, and the code is worth nothing without our verifier.
func (c *callback) paste(text secret.Text) (result, error) {
	answer, whole, err := parsePaste(text.Reveal(), c.redirect)
	if err != nil {
		return result{}, err
	}
	if !whole {
		answer.Set("iss", c.want.issuer)
	}
	if answer.Get("state") == "" || !secret.New(answer.Get("state")).Equal(c.want.state) {
		return result{}, errPasteOther
	}
	if !c.first() {
		return result{}, errPasteUsed
	}
	return c.read(answer), nil
}

// parsePaste reads either form into the parameters of an answer, none of them
// twice. whole says that it was the whole address.
func parsePaste(text, redirect string) (answer url.Values, whole bool, err error) {
	if len(text) > maxPaste {
		return nil, false, errPasteForm
	}
	text = strings.TrimSpace(text)
	// Terminals mark what is pasted, if a program before us asked them to.
	text = strings.TrimSuffix(strings.TrimPrefix(text, "\x1b[200~"), "\x1b[201~")
	if strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return nil, false, errPasteForm
	}
	if query, ours := strings.CutPrefix(text, redirect+"?"); ours {
		query, _, _ = strings.Cut(query, "#") // some pages leave one behind
		answer, err := url.ParseQuery(query)
		if err != nil || !single(answer) {
			return nil, false, errPasteForm
		}
		return answer, true, nil
	}
	if strings.HasPrefix(text, "http://127.0.0.1:") { // of an earlier sign-in, or of another program
		return nil, false, errPasteOther
	}
	code, state, ok := strings.Cut(text, "#")
	if !ok || !token(code) || !token(state) {
		return nil, false, errPasteForm
	}
	return url.Values{"code": {code}, "state": {state}}, false, nil
}

// token reports whether s is made of unreserved characters (RFC 3986, section
// 2.3), as codes and states are that need no escaping.
func token(s string) bool {
	return s != "" && len(s) <= maxCode && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-._~", r)
	})
}
