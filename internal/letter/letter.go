package letter

import (
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// Kind is what a letter is for.
type Kind string

// Invitation asks somebody to join an organization.
const Invitation Kind = "invitation"

// Handover reports whether those who manage members may have the link of such
// a letter, to hand it over themselves. Any other link lets its bearer into
// somebody's account.
func (k Kind) Handover() bool { return k == Invitation }

// Letter is a mail before it is sent. The zero Letter is none.
type Letter struct {
	ID           id.Message
	Organization id.Organization // empty: it concerns the whole server
	Kind         Kind
	To           string // one address
	ToName       string
	About        string // the id of what it is about: "invite_…", "acct_…"
	Subject      string
	Text         secret.Text // it may hold a link that is a credential
	HTML         secret.Text
	Link         secret.Text // the link, by itself, to be copied; empty if there is none
	CreatedAt    time.Time
	ExpiresAt    time.Time // not sent after it; zero: always
}

// None reports whether there is nothing to send.
func (l Letter) None() bool { return l.ID == "" }

// Parts are what a letter says. All of it is text, and each a single line:
// Write makes it one.
type Parts struct {
	Greeting string   // "Hello Ada,"
	Lines    []string // paragraphs before the button
	Button   string   // what the link does: "Accept the invitation"
	After    []string // paragraphs after the button
	Why      string   // why they get this: the last line, small
}

// Write makes a letter with fresh id. Organization is the name in its head;
// link may be empty.
func Write(kind Kind, to, toName, subject, organization string, link secret.Text, p Parts, at time.Time) Letter {
	p, toName, subject, organization = p.lines(), oneLine(toName), oneLine(subject), oneLine(organization)
	return Letter{ID: id.NewMessage(), Kind: kind, To: to, ToName: toName, Subject: subject, Link: link, CreatedAt: at,
		Text: secret.New(plain(organization, link, p)), HTML: secret.New(markup(subject, organization, link, p))}
}

// In returns a copy that belongs to an organization and is about something in it.
func (l Letter) In(o id.Organization, about string) Letter {
	l.Organization, l.About = o, about
	return l
}

// Until returns a copy that is not sent after a moment.
func (l Letter) Until(t time.Time) Letter { l.ExpiresAt = t; return l }
