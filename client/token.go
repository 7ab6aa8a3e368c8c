package client

import (
	"context"
	"crypto/subtle"
	"fmt"
	"log/slog"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// Source hands out access tokens. A Transport asks it for one call at a time,
// and again when a token is about to expire or was refused; a source that keeps
// tokens should then hand out another one, if it can.
type Source interface {
	// Token returns a token that is good now. It ends when ctx does.
	Token(ctx context.Context) (Token, error)
}

// Token is a bearer token (RFC 6750) and when it ends. Its value is never
// printed: fmt, encoding/json and log/slog all give "[redacted]", or an address
// where a Token lies in a field that they cannot ask. Its zero value is no token.
type Token struct {
	// A function and no string: fmt reads the unexported fields of whatever a
	// caller wraps around a Token without asking its methods.
	value   func() string
	expires time.Time
}

// NewToken wraps a token's value. The zero time says that its end is unknown:
// it is then used until the server refuses it.
func NewToken(value string, expires time.Time) Token {
	return Token{value: func() string { return value }, expires: expires}
}

// Reveal returns the value. Every call is a place where a secret leaves.
func (t Token) Reveal() string {
	if t.value == nil {
		return ""
	}
	return t.value()
}

// Expires is when the token ends, or the zero time.
func (t Token) Expires() time.Time { return t.expires }

const redacted = "[redacted]"

func (t Token) String() string               { return redacted }
func (t Token) GoString() string             { return redacted }
func (t Token) Format(f fmt.State, _ rune)   { _, _ = f.Write([]byte(redacted)) }
func (t Token) MarshalText() ([]byte, error) { return []byte(redacted), nil }
func (t Token) LogValue() slog.Value         { return slog.StringValue(redacted) }

// usable reports whether the value can stand in a header: printable ASCII
// without blanks, at most 16,384 characters.
func (t Token) usable() bool { return credential.Printable(secret.New(t.Reveal())) }

func (t Token) equal(other Token) bool {
	return subtle.ConstantTimeCompare([]byte(t.Reveal()), []byte(other.Reveal())) == 1
}
