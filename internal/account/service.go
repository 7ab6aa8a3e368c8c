package account

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/limit"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/password"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/go-webauthn/webauthn/webauthn"
)

const (
	browserLife   = 12 * time.Hour
	setupLinkLife = 24 * time.Hour
	// SignInLinkLife is how long a sign-in link works.
	SignInLinkLife = 24 * time.Hour
	// StepLife is how long the second step of a sign-in may take, and a passkey's
	// answer.
	StepLife = 5 * time.Minute
	// ConfirmLife is how long a proof of who somebody is stays fresh enough to
	// change how they sign in.
	ConfirmLife = 15 * time.Minute
)

// Members finds the memberships of accounts.
type Members interface {
	Member(ctx context.Context, o id.Organization, m id.Member) (org.Member, bool, error)
	MembershipsOf(ctx context.Context, a id.Account) ([]org.Member, error)
}

// Service signs people in. Use New; it is safe for concurrent use.
type Service struct {
	store     Store
	members   Members
	passwords *password.Hasher
	now       func() time.Time
	url       string
	host      string
	passkeys  *webauthn.WebAuthn // nil: not at this address
	mailed    bool

	byAccount *limit.Limiter // tries of a password, right or wrong
	byAddress *limit.Limiter // tries from a network, right or wrong
	failures  *limit.Limiter // wrong tries from a network, at whatever account
	codes     *limit.Limiter // wrong codes for an account
	resets    *limit.Limiter // letters to an address
	askers    *limit.Limiter // letters asked for from a network
}

// New returns a Service that reads the time from now.
func New(store Store, members Members, now func() time.Time) *Service {
	return &Service{store: store, members: members, passwords: password.New(), now: now,
		byAccount: limit.New(10, 10*time.Minute, now), byAddress: limit.New(60, 10*time.Minute, now),
		failures: limit.New(40, time.Hour, now), codes: limit.New(10, time.Hour, now),
		resets: limit.New(4, time.Hour, now), askers: limit.New(20, time.Hour, now)}
}

// At tells the service under which URL people reach it: links in letters begin
// with it, and passkeys belong to its host. Browsers make no passkeys for a bare
// IP address; there the service has none. It returns the service.
func (s *Service) At(publicURL string) *Service {
	s.url = strings.TrimRight(publicURL, "/")
	u, err := url.Parse(s.url)
	if err != nil {
		return s
	}
	s.host = u.Hostname()
	s.passkeys, err = webauthn.New(&webauthn.Config{RPID: s.host, RPDisplayName: "Gatehouse", RPOrigins: []string{u.Scheme + "://" + u.Host}})
	if err != nil || s.host == "" {
		s.passkeys = nil
	}
	return s
}

// Mailed tells the service whether a mail server delivers the letters. Without
// one their links are handed over by people, and opening one proves nothing about
// who reads an address. It returns the service.
func (s *Service) Mailed(yes bool) *Service {
	s.mailed = yes
	return s
}

// SignedIn is a fresh browser session: its cookie's value, and when it ends. If
// Half is set, the second step is still to come and the token is good for that
// alone.
type SignedIn struct {
	Token   secret.Text
	Expires time.Time
	Half    bool
}

// errUnconfirmed is what unconfirmed looks for.
var errUnconfirmed = fault.New(fault.Denied, "confirm that it is you first")

// Prune forgets what has expired.
func (s *Service) Prune(ctx context.Context, who caller.Caller) error {
	if err := access.CheckInstance(who); err != nil {
		return err
	}
	return s.store.Prune(ctx, s.now())
}

// signedIn is the event of a browser session's beginning.
func (s *Service) signedIn(who caller.Caller, b Browser) audit.Event {
	return audit.New(who, s.now(), audit.SignedIn, string(b.Account), audit.Detail{"method": b.Method, "user_agent": b.UserAgent, "browser": string(b.ID)})
}

// failed is the event of a proof that was wrong.
func (s *Service) failed(a id.Account, method string, from Origin, detail audit.Detail) audit.Event {
	who := caller.Caller{Kind: caller.Person, Way: caller.Web, Account: a, Address: from.Address}
	d := audit.Detail{"method": method, "user_agent": from.agent()}
	for k, v := range detail {
		d[k] = v
	}
	return audit.New(who, s.now(), audit.SignInFailed, string(a), d)
}

func tooMany(wait time.Duration) error {
	return fault.New(fault.RateLimited, "too many attempts to sign in").After(wait).WithHint("wait a few minutes, or ask an owner for a sign-in link")
}
