package subprocess

import (
	"strings"
	"unicode"

	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

const (
	maxSaid  = 400 // characters
	maxWords = 100
)

// Complaint is the end of what a program wrote to standard error, fit to stand
// in an error: one line, nothing that steers a terminal, and nothing that looks
// like a credential, least of all a word that it printed as one.
func (r Result) Complaint() string {
	var printed []secret.Text
	for _, word := range strings.Fields(string(r.Stdout)) {
		if printed = append(printed, secret.New(word)); len(printed) == maxWords {
			break
		}
	}
	said := strings.Map(func(c rune) rune {
		if unicode.IsPrint(c) {
			return c
		}
		return ' '
	}, strings.ToValidUTF8(string(r.Stderr), "?"))
	said = strings.Join(strings.Fields(secret.Redact(said, printed...)), " ")
	if runes := []rune(said); len(runes) > maxSaid {
		said = "…" + string(runes[len(runes)-maxSaid:])
	}
	return said
}
