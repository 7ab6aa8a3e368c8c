package letter

import (
	"html"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func TestWrite(t *testing.T) {
	t.Parallel()
	o := id.NewOrganization()
	l := Write(Invitation, "ada@example.com", "Ada", "Olive invites you to Acme", "Acme", secret.New("https://g.example/invite/x?a=1&b=2"),
		Parts{Greeting: "Hello Ada,", Lines: []string{"One."}, Button: "Accept the invitation", After: []string{"Two."}, Why: "Olive invited you."}, now).In(o, "invite_x").Until(now.Add(time.Hour))
	const want = `Hello Ada,

One.

Accept the invitation:
https://g.example/invite/x?a=1&b=2

Two.

--
Olive invited you.
Acme, by Gatehouse
`
	if got := l.Text.Reveal(); got != want {
		t.Errorf("the text is\n%s", got)
	}
	if page := l.HTML.Reveal(); !strings.Contains(page, `<a href="https://g.example/invite/x?a=1&amp;b=2"`) || !strings.Contains(page, "Accept the invitation</a>") {
		t.Errorf("the page is\n%s", page)
	}
	if l.None() || l.Organization != o || l.About != "invite_x" || !l.ExpiresAt.Equal(now.Add(time.Hour)) || !l.Kind.Handover() || Kind("password_reset").Handover() {
		t.Errorf("the letter is %+v", l)
	}
	if !(Letter{}).None() {
		t.Error("the zero letter is one")
	}
}

func TestWithoutALink(t *testing.T) {
	t.Parallel()
	l := Write("notice", "ada@example.com", "", "S", "", secret.Text{}, Parts{Lines: []string{"One."}, Button: "Go", Why: "Because."}, now)
	if text := l.Text.Reveal(); strings.Contains(text, "Go") || strings.HasPrefix(text, "\n") || !strings.HasSuffix(text, "Because.\nGatehouse\n") {
		t.Errorf("the text is\n%s", text)
	}
	if strings.Contains(l.HTML.Reveal(), "<a ") {
		t.Error("there is a link")
	}
}

// FuzzWrite lets somebody else choose every text, as people choose their names:
// the letter stays the one that was written.
func FuzzWrite(f *testing.F) {
	for _, text := range []string{"Ada", "a\r\nBcc: x", "</p><script>alert(1)</script>", "\"><img src=x>", "\u202eabc", "a\n\nClick here: http://evil.example", "{{.Link}}", "\xff", "a\u2029b", "\x00"} {
		f.Add(text)
	}
	plainTags := strings.Count(Write("k", "a@b", "", "x", "x", secret.New("https://x"), Parts{Greeting: "x", Lines: []string{"x"}, Button: "x", After: []string{"x"}, Why: "x"}, now).HTML.Reveal(), "<")
	f.Fuzz(func(t *testing.T, text string) {
		l := Write("k", "a@b", text, text, text, secret.New("https://x"), Parts{Greeting: text, Lines: []string{text}, Button: text, After: []string{text}, Why: text}, now)
		for what, s := range map[string]string{"name": l.ToName, "subject": l.Subject, "text": l.Text.Reveal(), "page": l.HTML.Reveal()} {
			if strings.ContainsFunc(s, func(r rune) bool {
				return r != '\n' && (unicode.In(r, unicode.C, unicode.Zl, unicode.Zp) || r == unicode.ReplacementChar)
			}) {
				t.Errorf("the %s has what is not to be seen: %q", what, s)
			}
		}
		if got := strings.Count(l.HTML.Reveal(), "<"); got != plainTags {
			t.Errorf("%q made %d tags of %d", text, got, plainTags)
		}
		shown := oneLine(text)
		if shown != "" && !strings.Contains(html.UnescapeString(l.HTML.Reveal()), shown) {
			t.Errorf("%q is not in the page", shown)
		}
		// The greeting, a line, the link, another line, and the end.
		if got := strings.Count(strings.TrimSpace(l.Text.Reveal()), "\n\n") + 1; got > 5 {
			t.Errorf("%q made %d paragraphs", text, got)
		}
	})
}
