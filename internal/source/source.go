package source

import (
	"context"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// Kind is what sort of credential a source gives.
type Kind string

// The kinds.
const (
	Account    Kind = "account"
	APIKey     Kind = "api-key"
	Helper     Kind = "helper"
	SDKProfile Kind = "sdk-profile"
	Federation Kind = "federation"
	AWS        Kind = "aws"
	Google     Kind = "google"
	Azure      Kind = "azure"
)

// Scheme is how a credential travels in a request.
type Scheme string

// The schemes. Both is what Claude Code does with what apiKeyHelper prints.
const (
	Bearer Scheme = "bearer"    // Authorization: Bearer Value
	Header Scheme = "x-api-key" // x-api-key: Value
	Both   Scheme = "both"      // each of the two
	SigV4  Scheme = "sigv4"     // signed with Keys
)

// About is what can be said of a credential without showing it.
type About struct {
	Kind   Kind
	Origin string // where it comes from, for a person: "the variable ANTHROPIC_API_KEY"
	Payer  string // who pays for what is asked with it, as far as can be known
	// Expires is when it ends; zero if nobody says or it must be asked for first.
	Expires time.Time
	// Problem says why it cannot be used as it is, or what is wrong with how it
	// is kept; empty if nothing is.
	Problem string
}

// Keys sign a request to AWS.
type Keys struct {
	ID      string
	Secret  secret.Text
	Session secret.Text // empty for keys that do not end
}

// Credential is one that can be used now.
type Credential struct {
	About
	Scheme Scheme
	Value  secret.Text // empty for SigV4
	Keys   Keys        // for SigV4
}

// Source is one possible credential of this machine. Its methods may be called
// concurrently.
type Source interface {
	// Find looks whether there is one. It reads the environment and files, and
	// neither runs a program nor uses the network.
	Find(ctx context.Context) (about About, found bool)
	// Credential returns the credential, which holds for at least another minute.
	// It fails with NotFound if there is none, Unauthenticated if it has ended or
	// was refused and somebody must sign in, Invalid if what is there cannot be
	// used, Denied if it must not be, Unavailable or Timeout if nothing answers.
	Credential(ctx context.Context) (Credential, error)
}

// Ready checks what every source promises of what it hands out. mend is the
// command that renews it.
func Ready(c Credential, now time.Time, mend string) (Credential, error) {
	if !c.Expires.IsZero() && c.Expires.Sub(now) < credential.Floor {
		return Credential{}, fault.New(fault.Unauthenticated, "%s has ended, or is about to", c.Origin).WithHint(mend)
	}
	if c.Scheme == SigV4 {
		if !credential.Printable(secret.New(c.Keys.ID)) || !credential.Printable(c.Keys.Secret) || !c.Keys.Session.Empty() && !credential.Printable(c.Keys.Session) {
			return Credential{}, unusable(c.Origin, mend)
		}
		return c, nil
	}
	if !credential.Printable(c.Value) {
		return Credential{}, unusable(c.Origin, mend)
	}
	return c, nil
}

func unusable(origin, mend string) error {
	return fault.New(fault.Invalid, "%s cannot be used, because it is not one word of printable ASCII", origin).WithHint(mend)
}

// None is the error of a source that is not there.
func None(what string) error { return fault.New(fault.NotFound, "%s", what) }
