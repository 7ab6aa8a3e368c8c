package account

import (
	"context"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// LinkKind is what a link is for.
type LinkKind string

const (
	SetupLink  LinkKind = "setup"   // makes the first owner and organization
	SignInLink LinkKind = "sign_in" // signs a member in
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
	Hash         secret.Hash
	Account      id.Account
	Organization id.Organization // empty until one of several is chosen
	Address      string
	UserAgent    string
	CreatedAt    time.Time
	ExpiresAt    time.Time
	EndedAt      time.Time
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

// Store is what the package needs stored. ok is false for what does not exist.
type Store interface {
	HasAccounts(ctx context.Context) (bool, error)
	SaveLink(ctx context.Context, l Link, e audit.Event) error
	Link(ctx context.Context, hash secret.Hash) (l Link, ok bool, err error)
	// Found makes an organization with its first member and that member's
	// password, which may be empty. With a link it also uses the link up, and
	// fails with Conflict if that was used or an account exists already.
	Found(ctx context.Context, link *secret.Hash, o org.Organization, m org.Member, password string, e ...audit.Event) error
	// EnterByLink uses a link up, unless it is reusable, and starts a session. It
	// fails with Conflict if the link was used before.
	EnterByLink(ctx context.Context, link secret.Hash, b Browser, e audit.Event) error
	Credential(ctx context.Context, email string) (c Credential, ok bool, err error)
	StartBrowser(ctx context.Context, b Browser, e audit.Event) error
	Browser(ctx context.Context, hash secret.Hash) (b Browser, ok bool, err error)
	ChooseOrganization(ctx context.Context, hash secret.Hash, o id.Organization) error
	EndBrowser(ctx context.Context, hash secret.Hash, at time.Time, e audit.Event) error
	// SavePassword replaces an account's password and ends its other sessions.
	SavePassword(ctx context.Context, a id.Account, password string, keep secret.Hash, at time.Time, e audit.Event) error
	Note(ctx context.Context, e audit.Event) error
}
