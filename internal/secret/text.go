package secret

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"log/slog"
)

// Text is a secret string. Its zero value is the empty secret.
type Text struct{ value string }

const redacted = "[redacted]"

// New wraps a value.
func New(value string) Text { return Text{value} }

// Reveal returns the value. Every call is a place where a secret leaves.
func (t Text) Reveal() string { return t.value }

// Empty reports whether there is nothing to hide.
func (t Text) Empty() bool { return t.value == "" }

// Equal compares in time that depends on the lengths alone.
func (t Text) Equal(other Text) bool {
	return subtle.ConstantTimeCompare([]byte(t.value), []byte(other.value)) == 1
}

// Hash is the SHA-256 of the whole value: what stores and caches know it by.
func (t Text) Hash() Hash { return sha256.Sum256([]byte(t.value)) }

// Hash is the SHA-256 of a secret.
type Hash [sha256.Size]byte

func (t Text) String() string               { return redacted }
func (t Text) GoString() string             { return redacted }
func (t Text) Format(s fmt.State, _ rune)   { _, _ = s.Write([]byte(redacted)) }
func (t Text) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (t Text) MarshalText() ([]byte, error) { return []byte(redacted), nil }
func (t Text) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
