package fault

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what sort of failure an error is. The zero Kind is Internal, so an
// error nobody classified is our fault and not the caller's.
type Kind int

const (
	Internal        Kind = iota // our own failure
	Invalid                     // the request is malformed or asks for something that cannot be
	Unauthenticated             // the credential is missing, unknown, expired or revoked
	Denied                      // known, but not allowed
	NotFound                    // no such thing, or not in the caller's organization
	Conflict                    // the thing is not in the state the request needs
	TooLarge                    // the body is over its limit
	RateLimited                 // too much at once or per minute
	Billing                     // a spend limit is reached
	Unsupported                 // this server or upstream cannot do that
	Unavailable                 // we, or what we depend on, cannot answer just now
	Overloaded                  // the upstream says it is overloaded
	Timeout                     // the upstream did not answer in time
)

var names = [...]string{"internal", "invalid", "unauthenticated", "denied", "not found", "conflict", "too large",
	"rate limited", "billing", "unsupported", "unavailable", "overloaded", "timeout"}

func (k Kind) String() string { return names[k] }

// Error is a classified failure. Message is one sentence that may be shown to
// whoever asked; Hint is what to do about it, possibly empty. Field names the
// input at fault, where there is one. Code names the cause for programs, where
// the Admin API of Anthropic has a name for it. Err is the cause, for the log
// alone.
type Error struct {
	Kind       Kind
	Message    string
	Hint       string
	Field      string
	Code       string
	RetryAfter time.Duration // when a repeat may succeed; 0 says nothing
	Lasting    bool          // a repeat will fail too, until somebody mends something
	Err        error
}

// New makes an error of a kind with a formatted message. A %w in the format
// keeps the cause for errors.Is, and its text in the message: use Wrap where
// the text must stay inside.
func New(kind Kind, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Kind: kind, Message: err.Error(), Err: errors.Unwrap(err)}
}

// Wrap classifies a cause whose own text is not for the caller's eyes.
func Wrap(kind Kind, cause error, message string) *Error {
	return &Error{Kind: kind, Message: message, Err: cause}
}

// WithHint returns a copy that says what to do next.
func (e *Error) WithHint(hint string) *Error { c := *e; c.Hint = hint; return &c }

// At returns a copy that names the input at fault.
func (e *Error) At(field string) *Error { c := *e; c.Field = field; return &c }

// Coded returns a copy that names its cause for programs.
func (e *Error) Coded(code string) *Error { c := *e; c.Code = code; return &c }

// After returns a copy that says when to try again.
func (e *Error) After(d time.Duration) *Error { c := *e; c.RetryAfter = d; return &c }

// UntilMended returns a copy that says that trying again is in vain.
func (e *Error) UntilMended() *Error { c := *e; c.Lasting = true; return &c }

func (e *Error) Error() string {
	if e.Err != nil && e.Err.Error() != e.Message {
		return e.Message + ": " + e.Err.Error()
	}
	return e.Message
}

func (e *Error) Unwrap() error { return e.Err }

// Message is the sentence of err that may be shown: without its cause, if it is
// a fault, and all of it otherwise.
func Message(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Message
	}
	return err.Error()
}

// KindOf returns the kind of err, Internal for an error that has none.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}

// Is reports whether err is a fault of the kind.
func Is(err error, kind Kind) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Kind == kind
}
