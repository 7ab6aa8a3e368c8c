package outbox

import (
	"context"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/letter"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// Status is where a letter stands.
type Status string

const (
	Waiting Status = "waiting" // nobody has tried to send it yet
	Queued  Status = "queued"  // it is being sent, or will be tried again
	Sent    Status = "sent"    // the mail server has taken it
	Failed  Status = "failed"  // the mail server refused it for good, or was in vain for too long
	Expired Status = "expired" // what it tells of has run out
	Dropped Status = "dropped" // what it tells of was settled otherwise
)

// Statuses lists them in the order of a letter's life.
func Statuses() []Status { return []Status{Waiting, Queued, Sent, Failed, Expired, Dropped} }

// Open reports whether the letter has yet to reach anybody.
func (s Status) Open() bool { return s == Waiting || s == Queued || s == Failed }

// Message is a letter in the outbox, without its content.
type Message struct {
	ID           id.Message
	Organization id.Organization // empty: it concerns the whole server
	Kind         letter.Kind
	To           string
	ToName       string
	Subject      string
	About        string
	Status       Status
	Attempts     int
	NextAt       time.Time // when it is tried next, while it is Waiting or Queued
	LastError    string
	CreatedAt    time.Time
	SentAt       time.Time
	ExpiresAt    time.Time // zero: never

	// Link is the letter's link where whoever asks may have it, empty otherwise.
	Link secret.Text
}

// Filter narrows a list. Its zero value is the newest letters of the whole
// server, of which there are none to a Limit of 0.
type Filter struct {
	Organization id.Organization
	Everywhere   bool // whatever the organization
	Statuses     []Status
	Sought       string // part of an address or name
	After        id.Message
	Before       id.Message
	Limit        int
}

// Counts says how many letters stand where; a count stops at CountLimit.
type Counts map[Status]int

// CountLimit is as far as letters are counted.
const CountLimit = 1000

// Letter is a message with what is to be sent.
type Letter struct {
	Message
	TriedAt time.Time // the first attempt
	Text    secret.Text
	HTML    secret.Text

	Unreadable error // why there is no content: its seal does not open
}

// Outcome is what became of an attempt to send.
type Outcome struct {
	ID        id.Message
	Attempt   int // which one: an attempt that was taken over changes nothing but by success
	Status    Status
	LastError string
	At        time.Time
	NextAt    time.Time // with Queued
	Uncounted bool      // with Queued: it was the server's fault, not the letter's
}

// Store is what the package needs stored. ok is false for what does not exist.
type Store interface {
	Messages(ctx context.Context, f Filter) (page []Message, more bool, err error)
	// Message returns a letter with its link, if that is still kept.
	Message(ctx context.Context, o id.Organization, m id.Message) (message Message, ok bool, err error)
	// Find is Message for whatever organization.
	Find(ctx context.Context, m id.Message) (message Message, ok bool, err error)
	Counts(ctx context.Context, o id.Organization) (Counts, error)
	// Retry makes a failed letter wait again. It fails with Conflict if the
	// letter is not a failed one.
	Retry(ctx context.Context, o id.Organization, m id.Message, at time.Time, e audit.Event) error
	Note(ctx context.Context, e audit.Event) error

	// Claim takes up to limit letters that are due, for the caller alone until a
	// moment. One that has expired, or cannot be read, is among them.
	Claim(ctx context.Context, now, until time.Time, limit int) ([]Letter, error)
	// Settle notes outcomes, with the events of what failed for good.
	Settle(ctx context.Context, outcomes []Outcome, events ...audit.Event) error
	// Prune forgets letters that were made before a moment and are not on their
	// way any more, and the content of letters that have expired.
	Prune(ctx context.Context, before, now time.Time) error
}

// Sender reaches the mail server.
type Sender interface {
	// Connect takes up a conversation. Whatever error it returns is the server's
	// or the configuration's: no letter is to blame.
	Connect(ctx context.Context) (Conversation, error)
}

// Conversation sends letters one after the other, over one connection. It is
// not safe for concurrent use.
type Conversation interface {
	// Send returns nil once the server has taken the letter, and a *Refusal if it
	// has not. Any other error is taken for a broken connection.
	Send(ctx context.Context, l Letter) error
	Close() error
}

// Refusal is why a letter was not taken.
type Refusal struct {
	Reason    string // short, for people: the server's words
	Permanent bool   // it will never be taken
	Server    bool   // every letter would be refused: the server or its configuration is to blame
	Broken    bool   // the conversation is over
}

func (r *Refusal) Error() string { return r.Reason }

// Watcher is told what the sender does, to count it.
type Watcher interface {
	Sent(outcome Status)
}
