package account

import (
	"context"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/letter"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// Store is what the package needs stored. ok is false for what does not exist.
type Store interface {
	SignInStore
	BrowserStore
	FactorStore
	MailStore
	SignUpStore

	// RequiresFactor reports whether an organization wants a second factor.
	RequiresFactor(ctx context.Context, o id.Organization) (bool, error)
	Rename(ctx context.Context, a id.Account, name string, e audit.Event) error
	// History returns what was recorded about an account since a moment, of some
	// types, the newest first.
	History(ctx context.Context, a id.Account, types []audit.Type, since time.Time, limit int) ([]audit.Event, error)
	// Note records what changed nothing.
	Note(ctx context.Context, e audit.Event) error
	// Pretend does all the work of Note and leaves no record.
	Pretend(ctx context.Context, e audit.Event) error
	Prune(ctx context.Context, before time.Time) error
}

// SignInStore keeps ways in.
type SignInStore interface {
	HasAccounts(ctx context.Context) (bool, error)
	SaveLink(ctx context.Context, l Link, e audit.Event) error
	Link(ctx context.Context, hash secret.Hash) (l Link, ok bool, err error)
	// Found makes an organization with its first member and that member's
	// password, which may be empty. With a link it also uses the link up, and
	// fails with Conflict if that was used or an account exists already.
	Found(ctx context.Context, link *secret.Hash, o org.Organization, m org.Member, password string, e ...audit.Event) error
	// EnterByLink uses a link up, unless it is reusable, and starts a session. It
	// fails with Conflict if the link was used before.
	EnterByLink(ctx context.Context, link secret.Hash, a Arrival) error
	Credential(ctx context.Context, email string) (c Credential, ok bool, err error)
	Person(ctx context.Context, a id.Account) (p Person, ok bool, err error)
	PersonByEmail(ctx context.Context, email string) (p Person, ok bool, err error)
	// StartHalf begins a sign-in in two steps. With a link it uses that up, and
	// fails with Conflict if it was used before.
	StartHalf(ctx context.Context, h Half, link *secret.Hash) error
	// TryHalf counts a try at the second step. ok is false if there is no such
	// half sign-in any more, or it was tried too often.
	TryHalf(ctx context.Context, hash secret.Hash, at time.Time) (h Half, ok bool, err error)
	Half(ctx context.Context, hash secret.Hash, at time.Time) (h Half, ok bool, err error)
	// EndHalves forgets up to so many half sign-ins that have expired, and records
	// each as tell says. It returns how many there were.
	EndHalves(ctx context.Context, at time.Time, limit int, tell func(h Half, email string) audit.Event) (int, error)
	// EnterByProof uses a proof up and starts a session. With a half sign-in it
	// ends that. It fails with Conflict if either was used before.
	EnterByProof(ctx context.Context, half *secret.Hash, p Proof, a Arrival) error
}

// BrowserStore keeps browser sessions.
type BrowserStore interface {
	StartBrowser(ctx context.Context, a Arrival) error
	Browser(ctx context.Context, hash secret.Hash) (b Browser, ok bool, err error)
	// Browsers returns the sessions of an account that live at a moment, the
	// newest first.
	Browsers(ctx context.Context, a id.Account, at time.Time) ([]Browser, error)
	ChooseOrganization(ctx context.Context, hash secret.Hash, o id.Organization) error
	// Confirm notes a fresh proof in a session and gives it another token.
	Confirm(ctx context.Context, was, is secret.Hash, p Proof, a id.Account, at time.Time) error
	EndBrowser(ctx context.Context, hash secret.Hash, at time.Time, e audit.Event) error
	// EndBrowserOf ends one of an account's sessions: NotFound if it has none such.
	EndBrowserOf(ctx context.Context, a id.Account, b id.Browser, at time.Time, e audit.Event) error
	// EndBrowsers ends all of an account's sessions, finished or half.
	EndBrowsers(ctx context.Context, a id.Account, at time.Time, e audit.Event) error
}

// FactorStore keeps what people prove who they are with.
type FactorStore interface {
	Factors(ctx context.Context, a id.Account) (Factors, error)
	// SavePassword replaces an account's password and ends its other sessions.
	SavePassword(ctx context.Context, a id.Account, password string, keep secret.Hash, at time.Time, e audit.Event) error
	// RemovePassword fails with Conflict if there is no passkey.
	RemovePassword(ctx context.Context, a id.Account, e audit.Event) error

	Passkeys(ctx context.Context, a id.Account) ([]Passkey, error)
	// AddPasskey stores a passkey and, if there are any, new recovery codes. It
	// fails with Conflict if the credential is known.
	AddPasskey(ctx context.Context, p Passkey, codes []secret.Hash, e ...audit.Event) error
	// RemovePasskey fails with Conflict if it is the last way in.
	RemovePasskey(ctx context.Context, a id.Account, p id.Passkey, e audit.Event) error
	// SaveCeremony replaces the one of the same browser and kind. It fails with
	// RateLimited if there are too many.
	SaveCeremony(ctx context.Context, c Ceremony) error
	// TakeCeremony returns a ceremony that has not expired and forgets it.
	TakeCeremony(ctx context.Context, bound secret.Hash, kind CeremonyKind, at time.Time) (c Ceremony, ok bool, err error)

	TOTP(ctx context.Context, a id.Account) (t TOTP, ok bool, err error)
	// SaveTOTP keeps a secret that is not in use yet.
	SaveTOTP(ctx context.Context, a id.Account, t TOTP) error
	// EnableTOTP puts the secret to use from a step on, with new recovery codes if
	// there are any.
	EnableTOTP(ctx context.Context, a id.Account, step int64, at time.Time, codes []secret.Hash, e ...audit.Event) error
	DisableTOTP(ctx context.Context, a id.Account, e audit.Event) error
	ReplaceCodes(ctx context.Context, a id.Account, codes []secret.Hash, e audit.Event) error
	// RemoveFactors removes every second factor of an account.
	RemoveFactors(ctx context.Context, a id.Account, e audit.Event) error
}

// MailStore keeps links that go out by mail.
type MailStore interface {
	// SaveMailLink stores a link in place of an older one of its kind, and queues
	// letters. If the account is not real it does the same work and leaves nothing.
	SaveMailLink(ctx context.Context, real bool, l MailLink, letters []letter.Letter, e audit.Event) error
	MailLink(ctx context.Context, hash secret.Hash) (l MailLink, ok bool, err error)
	// PendingEmail is the address that an account is being changed to.
	PendingEmail(ctx context.Context, a id.Account, at time.Time) (email string, ok bool, err error)
	DropMailLink(ctx context.Context, a id.Account, kind MailLinkKind) error
	// ResetPassword uses a link up, replaces the password and ends all sessions. If
	// the link proves the address, that is noted. It fails with Conflict if the link
	// was used before.
	ResetPassword(ctx context.Context, l MailLink, password string, at time.Time, e audit.Event) error
	// ChangeEmail uses a link up, as ResetPassword does, and stores the way back to
	// the address that the account had; older ones stay. An address that the link
	// does not prove is not proven, whatever the old one was. It fails with Conflict
	// if somebody else has the address, or can still get it back.
	ChangeEmail(ctx context.Context, l, undo MailLink, letters []letter.Letter, e audit.Event) error
	// RestoreEmail fails with Conflict if the link was used before, or somebody else
	// has the address.
	RestoreEmail(ctx context.Context, r Restoration) error
}

// SignUpStore keeps strangers until they have an account.
type SignUpStore interface {
	// SaveSignUp stores a link in place of an older one to the same address, and
	// queues letters.
	SaveSignUp(ctx context.Context, u SignUp, letters []letter.Letter) error
	SignUp(ctx context.Context, hash secret.Hash) (u SignUp, ok bool, err error)
	// FinishSignUp uses a link up, makes the account with its organization and
	// starts a session. It fails with Conflict if the link was used before, or the
	// address has an account.
	FinishSignUp(ctx context.Context, u SignUp, f Foundation, a Arrival) error
}
