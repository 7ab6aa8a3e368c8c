package console

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/gatehouse-dev/gatehouse/internal/access"
)

// title is a word with its capital.
func title(word string) string {
	if word == "" {
		return ""
	}
	return strings.ToUpper(word[:1]) + word[1:]
}

// sentence gives a message its capital and its full stop.
func sentence(message string) string {
	if message == "" {
		return ""
	}
	first, size := utf8.DecodeRuneInString(message)
	s := string(unicode.ToUpper(first)) + message[size:]
	if !strings.ContainsAny(s[len(s)-1:], ".?:") {
		s += "."
	}
	return s
}

var roleNames = map[access.Role]string{
	access.PrimaryOwner:    "Primary owner",
	access.Owner:           "Owner",
	access.Admin:           "Admin",
	access.MembershipAdmin: "Membership admin",
	access.Billing:         "Billing",
	access.Developer:       "Developer",
	access.ClaudeCodeUser:  "Claude Code user",
	access.User:            "User",
	access.Managed:         "By groups",
}

func roleName(role string) string {
	if name := roleNames[access.Role(role)]; name != "" {
		return name
	}
	return role
}

const shownName = 80

// short is a name cut to what a list has room for.
func short(name string) string {
	if utf8.RuneCountInString(name) <= shownName {
		return name
	}
	return string([]rune(name)[:shownName-1]) + "…"
}

// moment is a time as people read it, with the exact one beside it.
type moment struct {
	ISO      string // for machines
	Exact    string // for whoever hovers
	Relative string // "3 minutes ago"; empty: never
}

// moment is empty for the zero time.
func (c *Console) moment(t time.Time) moment {
	if t.IsZero() {
		return moment{}
	}
	t = t.UTC()
	return moment{ISO: t.Format(time.RFC3339), Exact: t.Format("2 January 2006, 15:04:05 UTC"), Relative: relative(t, c.cfg.Now().UTC())}
}

func relative(t, now time.Time) string {
	d := now.Sub(t)
	if d < 0 {
		return "in " + span(-d)
	}
	if d < time.Minute {
		return "just now"
	}
	if d >= 365*24*time.Hour {
		return "on " + t.Format("2 January 2006")
	}
	return span(d) + " ago"
}

// span is a duration in its largest unit.
func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "less than a minute"
	case d < time.Hour:
		return count(int(d/time.Minute), "minute")
	case d < 24*time.Hour:
		return count(int(d/time.Hour), "hour")
	case d < 60*24*time.Hour:
		return count(int(d/(24*time.Hour)), "day")
	}
	return count(int(d/(30*24*time.Hour)), "month")
}

// count is a number of things: "1 key", "3 keys".
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
