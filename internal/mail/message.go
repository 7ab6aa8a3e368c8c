package mail

import (
	stdmail "net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gatehouse-dev/gatehouse/internal/outbox"
	"github.com/wneessen/go-mail"
)

// compose makes the message of a letter. An address that is none makes a letter
// that can never be sent.
func (s *Sender) compose(l outbox.Letter) (*mail.Msg, error) {
	if !isAddress(l.To) {
		return nil, &outbox.Refusal{Reason: "the address is not one that mail can be sent to", Permanent: true}
	}
	m := mail.NewMsg(mail.WithNoDefaultUserAgent(), mail.WithEncoding(mail.EncodingQP))
	m.FromMailAddress(&stdmail.Address{Name: s.cfg.FromName, Address: s.cfg.From})
	m.ToMailAddress(&stdmail.Address{Name: oneLine(l.ToName), Address: l.To})
	m.Subject(oneLine(l.Subject))
	m.SetDateWithValue(s.cfg.Now())
	m.SetMessageIDWithValue(string(l.ID) + "@" + s.cfg.domain())
	m.SetGenHeader("Auto-Submitted", "auto-generated")
	m.SetGenHeader("X-Auto-Response-Suppress", "All")
	m.SetBodyString(mail.TypeTextPlain, l.Text.Reveal())
	m.AddAlternativeString(mail.TypeTextHTML, l.HTML.Reveal())
	return m, nil
}

// oneLine is text without anything that could end a header or hide in it.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == utf8.RuneError || unicode.In(r, unicode.C):
			return -1
		}
		return r
	}, text)
	// What looks encoded already would be decoded into something else.
	return strings.Join(strings.Fields(strings.ReplaceAll(text, "=?", "= ?")), " ")
}
