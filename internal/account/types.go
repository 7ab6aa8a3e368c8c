package account

import (
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/letter"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/go-webauthn/webauthn/webauthn"
)

// LinkKind is what a link is for.
type LinkKind string

const (
	SetupLink  LinkKind = "setup"   // makes the first owner and organization
	SignInLink LinkKind = "sign_in" // signs a member in
)

// The letters of this package.
const (
	PasswordResetLetter letter.Kind = "password_reset"
	EmailChangeLetter   letter.Kind = "email_change"  // to the new address, with the link
	EmailChangedLetter  letter.Kind = "email_changed" // to the old one
	NewBrowserLetter    letter.Kind = "new_browser"
	SignUpLetter        letter.Kind = "sign_up"
)

// Link is a one-time way in. Only the hash of its token is kept.
type Link struct {
	Hash         secret.Hash
	Kind         LinkKind
	Organization id.Organization
	Account      id.Account
	Reusable     bool // a sample organization's links only
	CreatedAt    time.Time
	ExpiresAt    time.Time
	UsedAt       time.Time
}

// Browser is a signed-in browser.
type Browser struct {
	ID           id.Browser
	Hash         secret.Hash
	Account      id.Account
	Organization id.Organization // empty until one of several is chosen
	Address      string
	UserAgent    string
	Method       string // how it was signed in: "password", "password and code"
	CreatedAt    time.Time
	ConfirmedAt  time.Time // when the person last proved who they are
	ExpiresAt    time.Time
	EndedAt      time.Time
}

// Half is a sign-in of which the second step is still to come.
type Half struct {
	Hash         secret.Hash
	Account      id.Account
	Organization id.Organization
	Method       string // of the first step
	Address      string
	UserAgent    string
	Tries        int // at the second step
	CreatedAt    time.Time
	ExpiresAt    time.Time
}

// Origin is where a request came from.
type Origin struct {
	Address   string
	UserAgent string
}

func (o Origin) agent() string { return org.CleanText(o.UserAgent, 300) }

// Credential is what an account signs in with.
type Credential struct {
	Account  id.Account
	Password string // an argon2id hash; empty: there is none
}

// Person is an account as people know it.
type Person struct {
	Account id.Account
	Email   string
	Name    string
}

// Factors are an account's ways to prove whose it is.
type Factors struct {
	Password bool
	TOTP     bool
	Passkeys int
	Codes    int // recovery codes that were not used yet
}

// Second reports whether there is a second factor.
func (f Factors) Second() bool { return f.TOTP || f.Passkeys > 0 }

// Passkey is a WebAuthn credential.
type Passkey struct {
	ID         id.Passkey
	Account    id.Account
	Name       string
	Credential webauthn.Credential
	CreatedAt  time.Time
	UsedAt     time.Time // zero: never
}

// TOTP is an account's secret for codes by time.
type TOTP struct {
	Secret    secret.Text
	Step      int64 // of the last code that was used
	CreatedAt time.Time
	EnabledAt time.Time // zero: the right code was not given yet
}

// Ceremony is what a passkey is to answer. It is bound to the token of the
// browser that asked for it, and taken once.
type Ceremony struct {
	Bound     secret.Hash
	Kind      CeremonyKind
	Data      webauthn.SessionData
	CreatedAt time.Time
	ExpiresAt time.Time
}

// CeremonyKind is what a passkey's answer will do.
type CeremonyKind string

const (
	addsPasskey CeremonyKind = "add"
	signsIn     CeremonyKind = "sign_in"
	secondStep  CeremonyKind = "second_step"
	confirms    CeremonyKind = "confirm"
)

// Proof is what a step was passed with, used up in the transaction of what it
// opens: of two at once, one succeeds. The zero Proof is used up already.
type Proof struct {
	Step    int64       // of a TOTP code
	Code    secret.Hash // of a recovery code
	Passkey *Passkey    // with its counter as it is now
	Counter uint32      // what the counter was
}

// MailLinkKind is what a link in a letter is for.
type MailLinkKind string

const (
	PasswordReset MailLinkKind = "password_reset"
	EmailChange   MailLinkKind = "email_change"
	EmailUndo     MailLinkKind = "email_undo" // in a letter to the address that was
)

// MailLink is a link that goes to an address in a letter.
type MailLink struct {
	Hash      secret.Hash
	Kind      MailLinkKind
	Account   id.Account
	Email     string // that it was sent to
	CreatedAt time.Time
	ExpiresAt time.Time

	// Proves says that whoever has the link reads the address: a mail server
	// brings it. It is the service's knowledge and not stored.
	Proves bool
}
