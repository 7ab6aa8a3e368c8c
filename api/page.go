package api

import (
	"encoding/json"
	"errors"
	"time"
)

// Page is a page of a list, the newest first. The next begins after LastID
// (after_id), the one before ends before FirstID (before_id).
type Page[T any] struct {
	Data    []T     `json:"data"`
	FirstID *string `json:"first_id"` // null: the page is empty
	LastID  *string `json:"last_id"`  // null: the page is empty
	HasMore bool    `json:"has_more"` // in the direction that was asked for
}

// CursorPage is a page of a list that is read in one direction.
type CursorPage[T any] struct {
	Data     []T     `json:"data"`
	NextPage *string `json:"next_page"` // what to pass as page for the next; null: this is the last
}

// Error is the answer of every request that fails.
type Error struct {
	Type      string      `json:"type" const:"error"`
	Error     ErrorDetail `json:"error"`
	RequestID string      `json:"request_id"` // the same as in the header request-id
}

// ErrorDetail says what went wrong.
type ErrorDetail struct {
	Type    ErrorType     `json:"type"`
	Message string        `json:"message"`           // what is wrong, and what to do about it
	Details *ErrorDetails `json:"details,omitempty"` // absent: the cause has no name
}

// ErrorDetails names the cause of an error for programs.
type ErrorDetails struct {
	ErrorCode string `json:"error_code"` // such as "already_member"
}

// Time is a moment as the API writes it: RFC 3339, in UTC, with microseconds.
type Time struct{ time.Time }

// MarshalJSON writes the moment in UTC with microseconds.
func (t Time) MarshalJSON() ([]byte, error) {
	return []byte(t.UTC().Format(`"2006-01-02T15:04:05.000000Z"`)), nil
}

// MaybeTime is a moment, or null for the zero one.
func MaybeTime(t time.Time) *Time {
	if t.IsZero() {
		return nil
	}
	return &Time{t}
}

// Optional is a field of a body that may be absent, or null, which are not the
// same: what is absent stays, what is null is cleared.
type Optional[T any] struct {
	Given bool
	Value *T // nil: null
}

// Null is a field of a body for something that this server does not have: it can
// be null and nothing else. Use a *Null, which is then nil.
type Null struct{}

// UnmarshalJSON is only called for what is not null.
func (*Null) UnmarshalJSON([]byte) error { return errors.New("it can only be null here") }

// MarshalJSON writes null.
func (Null) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

// IsZero reports whether the field is absent.
func (o Optional[T]) IsZero() bool { return !o.Given }

// UnmarshalJSON is only called for a field that is there.
func (o *Optional[T]) UnmarshalJSON(raw []byte) error {
	o.Given = true
	return json.Unmarshal(raw, &o.Value)
}

// MarshalJSON writes the value, or null.
func (o Optional[T]) MarshalJSON() ([]byte, error) { return json.Marshal(o.Value) }
