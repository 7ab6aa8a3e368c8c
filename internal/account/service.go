package account

import (
	"context"
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
)

const (
	browserLife   = 12 * time.Hour
	setupLinkLife = 24 * time.Hour
	// SignInLinkLife is how long a sign-in link works.
	SignInLinkLife = 24 * time.Hour
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
	byAccount *limit.Limiter
	byAddress *limit.Limiter
}

// New returns a Service that reads the time from now.
func New(store Store, members Members, now func() time.Time) *Service {
	return &Service{store: store, members: members, passwords: password.New(), now: now,
		byAccount: limit.New(10, 10*time.Minute, now), byAddress: limit.New(60, 10*time.Minute, now)}
}

// SignedIn is a fresh browser session: its cookie's value, and when it ends.
type SignedIn struct {
	Token   secret.Text
	Expires time.Time
}

// NeedsSetup reports whether nobody has an account yet.
func (s *Service) NeedsSetup(ctx context.Context) (bool, error) {
	has, err := s.store.HasAccounts(ctx)
	return !has, err
}

// MakeSetupLink makes the link with which the first owner is created.
func (s *Service) MakeSetupLink(ctx context.Context, who caller.Caller) (secret.Text, error) {
	if err := access.CheckInstance(who); err != nil {
		return secret.Text{}, err
	}
	if needs, err := s.NeedsSetup(ctx); err != nil {
		return secret.Text{}, err
	} else if !needs {
		return secret.Text{}, fault.New(fault.Conflict, "the first owner exists already").WithHint("make them a sign-in link: gatehoused owner link")
	}
	token := secret.Mint(secret.SignInLink)
	l := Link{Hash: token.Hash(), Kind: SetupLink, CreatedAt: s.now(), ExpiresAt: s.now().Add(setupLinkLife)}
	return token, s.store.SaveLink(ctx, l, audit.New(who, s.now(), audit.SignInLinkMade, string(SetupLink), nil))
}

// MakeSignInLink makes a link that signs a member in once, or again and again
// for as long as it lives if reusable is set.
func (s *Service) MakeSignInLink(ctx context.Context, who caller.Caller, o id.Organization, m id.Member, reusable bool) (secret.Text, error) {
	if err := access.Check(who, caller.ManageMembers, o); err != nil {
		return secret.Text{}, err
	}
	if who.Kind == caller.AdminKey {
		return secret.Text{}, fault.New(fault.Denied, "a key cannot make a link that signs a person in").WithHint("an owner makes it in the console")
	}
	found, ok, err := s.members.Member(ctx, o, m)
	switch {
	case err != nil:
		return secret.Text{}, err
	case !ok:
		return secret.Text{}, fault.New(fault.NotFound, "there is no such member in your organization")
	case found.Status != org.Active:
		return secret.Text{}, fault.New(fault.Conflict, "%s is %s and cannot sign in", found.Email, found.Status)
	case access.CheckInstance(who) != nil && found.Role == access.PrimaryOwner && found.ID != who.Member:
		return secret.Text{}, fault.New(fault.Denied, "nobody makes a sign-in link for the primary owner but they themselves").
			WithHint("in the server's shell: gatehoused owner link")
	case access.CheckInstance(who) != nil && s.elsewhere(ctx, found):
		return secret.Text{}, fault.New(fault.Denied, "%s is also in another organization, and a sign-in link would open that too", found.Email).
			WithHint("they sign in with their own password")
	case reusable && access.CheckInstance(who) != nil:
		return secret.Text{}, fault.New(fault.Denied, "only the server itself makes links that can be used again")
	}
	token := secret.Mint(secret.SignInLink)
	l := Link{Hash: token.Hash(), Kind: SignInLink, Organization: o, Account: found.Account, Reusable: reusable,
		CreatedAt: s.now(), ExpiresAt: s.now().Add(SignInLinkLife)}
	return token, s.store.SaveLink(ctx, l, audit.New(who, s.now(), audit.SignInLinkMade, string(m), audit.Detail{"email": found.Email}).In(o))
}

// elsewhere reports whether a member's account is also in other organizations,
// or might be: whoever makes a link into an account must have a right to all of it.
func (s *Service) elsewhere(ctx context.Context, m org.Member) bool {
	all, err := s.members.MembershipsOf(ctx, m.Account)
	return err != nil || len(all) != 1
}

// First is what the first owner says of themselves.
type First struct {
	Organization string
	Email        string
	Name         string
	Password     secret.Text // may be empty when the operator founds
}

// Setup makes the first organization and its primary owner with the set-up
// link, and signs the owner in.
func (s *Service) Setup(ctx context.Context, link secret.Text, in First, from Origin) (SignedIn, error) {
	if _, err := s.Look(ctx, link, SetupLink); err != nil {
		return SignedIn{}, err
	}
	if err := password.Check(in.Password); err != nil {
		return SignedIn{}, err
	}
	hash := link.Hash()
	who := caller.Caller{Kind: caller.System, Way: caller.Anonymous, Address: from.Address}
	m, err := s.found(ctx, who, &hash, in)
	if err != nil {
		return SignedIn{}, err
	}
	return s.start(ctx, m.Caller(caller.Web).From(from.Address), from, "set-up link")
}

// Found makes an organization and its primary owner from the server's shell.
func (s *Service) Found(ctx context.Context, who caller.Caller, in First) (org.Member, error) {
	if err := access.CheckInstance(who); err != nil {
		return org.Member{}, err
	}
	return s.found(ctx, who, nil, in)
}

func (s *Service) found(ctx context.Context, who caller.Caller, link *secret.Hash, in First) (org.Member, error) {
	name, err := org.CleanName(in.Organization, "")
	if err != nil || name == "" {
		return org.Member{}, fault.New(fault.Invalid, "the organization needs a name of at most 200 characters").At("organization")
	}
	email, err := org.CleanEmail(in.Email)
	if err != nil {
		return org.Member{}, err
	}
	person, err := org.CleanName(in.Name, email)
	if err != nil {
		return org.Member{}, err
	}
	var hashed string
	if !in.Password.Empty() {
		if hashed, err = s.passwords.Hash(ctx, in.Password); err != nil {
			return org.Member{}, err
		}
	}
	now := s.now()
	o := org.Organization{ID: id.NewOrganization(), Name: name, Plan: org.Enterprise, Version: 1, CreatedAt: now}
	m := org.Member{ID: id.NewMember(), Organization: o.ID, OrganizationName: name, Plan: o.Plan, Account: id.NewAccount(), Email: email, Name: person,
		Role: access.PrimaryOwner, Status: org.Active, Version: 1, CreatedAt: now, JoinedAt: now}
	return m, s.store.Found(ctx, link, o, m, hashed,
		audit.New(who, now, audit.OrganizationCreated, string(o.ID), audit.Detail{"name": name}).In(o.ID),
		audit.New(who, now, audit.MemberAdded, string(m.ID), audit.Detail{"email": email, "role": string(m.Role)}).In(o.ID))
}

// Look says what a link is for, without using it.
func (s *Service) Look(ctx context.Context, token secret.Text, kind LinkKind) (Link, error) {
	spent := fault.New(fault.NotFound, "this link is not valid, or not any more").WithHint("ask for a new one")
	if !secret.Is(secret.SignInLink, token.Reveal()) {
		return Link{}, spent
	}
	l, ok, err := s.store.Link(ctx, token.Hash())
	switch {
	case err != nil:
		return Link{}, err
	case !ok, l.Kind != kind, !s.now().Before(l.ExpiresAt), !l.UsedAt.IsZero() && !l.Reusable:
		return Link{}, spent
	}
	return l, nil
}

// SignInByLink signs in with a sign-in link, and uses it up.
func (s *Service) SignInByLink(ctx context.Context, token secret.Text, from Origin) (SignedIn, error) {
	l, err := s.Look(ctx, token, SignInLink)
	if err != nil {
		return SignedIn{}, err
	}
	who, err := s.callerOf(ctx, l.Account, l.Organization)
	if err != nil {
		return SignedIn{}, err
	}
	if who.Kind != caller.Member {
		return SignedIn{}, fault.New(fault.Denied, "your membership of this organization is not active").WithHint("ask an owner of the organization")
	}
	in, b := s.browser(who, from)
	return in, s.store.EnterByLink(ctx, l.Hash, b, audit.New(who.From(from.Address), s.now(), audit.SignedIn, string(who.Account), audit.Detail{"method": "link", "user_agent": from.agent()}))
}

// SignInByPassword signs in with address and password. It fails with
// Unauthenticated, in the same words and time, whatever is wrong with them.
func (s *Service) SignInByPassword(ctx context.Context, email string, pass secret.Text, from Origin) (SignedIn, error) {
	clean, err := org.CleanEmail(email)
	if err != nil {
		return SignedIn{}, err
	}
	for name, l := range map[string]*limit.Limiter{clean: s.byAccount, limit.Network(from.Address): s.byAddress} {
		if ok, wait := l.Allow(name); !ok {
			return SignedIn{}, fault.New(fault.RateLimited, "too many attempts to sign in").After(wait).WithHint("wait a few minutes, or ask an owner for a sign-in link")
		}
	}
	c, known, err := s.store.Credential(ctx, clean)
	if err != nil {
		return SignedIn{}, err
	}
	matches, err := s.passwords.Matches(ctx, pass, c.Password)
	if err != nil {
		return SignedIn{}, err
	}
	who := caller.Caller{Kind: caller.Person, Way: caller.Web, Account: c.Account, Email: clean, Address: from.Address}
	if !known || !matches {
		if known { // a stranger's typing is not recorded, or anyone could fill the record
			err = s.store.Note(ctx, audit.New(who, s.now(), audit.SignInFailed, string(c.Account), audit.Detail{"method": "password"}))
		}
		if err != nil {
			return SignedIn{}, err
		}
		return SignedIn{}, fault.New(fault.Unauthenticated, "the e-mail address and the password do not go together").At("password")
	}
	if who, err = s.callerOf(ctx, c.Account, ""); err != nil {
		return SignedIn{}, err
	}
	return s.start(ctx, who.From(from.Address), from, "password")
}

func (s *Service) start(ctx context.Context, who caller.Caller, from Origin, method string) (SignedIn, error) {
	in, b := s.browser(who, from)
	return in, s.store.StartBrowser(ctx, b, audit.New(who, s.now(), audit.SignedIn, string(who.Account), audit.Detail{"method": method, "user_agent": from.agent()}))
}

func (s *Service) browser(who caller.Caller, from Origin) (SignedIn, Browser) {
	token := secret.Mint(secret.BrowserToken)
	b := Browser{Hash: token.Hash(), Account: who.Account, Organization: who.Organization, Address: from.Address, UserAgent: from.agent(),
		CreatedAt: s.now(), ExpiresAt: s.now().Add(browserLife)}
	return SignedIn{Token: token, Expires: b.ExpiresAt}, b
}

// Authenticate returns who a browser session's cookie stands for: a member of
// the chosen organization, or a Person who has yet to choose one. It fails with
// Unauthenticated if the session is over.
func (s *Service) Authenticate(ctx context.Context, token secret.Text, address string) (caller.Caller, error) {
	over := fault.New(fault.Unauthenticated, "you are not signed in")
	if !secret.Is(secret.BrowserToken, token.Reveal()) {
		return caller.Caller{}, over
	}
	b, ok, err := s.store.Browser(ctx, token.Hash())
	switch {
	case err != nil:
		return caller.Caller{}, err
	case !ok, !b.EndedAt.IsZero(), !s.now().Before(b.ExpiresAt):
		return caller.Caller{}, over
	}
	who, err := s.callerOf(ctx, b.Account, b.Organization)
	return who.From(address), err
}

// callerOf is an account as a member of an organization; of its only one if
// none is named. With none or several to choose from it is a Person.
func (s *Service) callerOf(ctx context.Context, a id.Account, o id.Organization) (caller.Caller, error) {
	all, err := s.members.MembershipsOf(ctx, a)
	if err != nil {
		return caller.Caller{}, err
	}
	for _, m := range all {
		if m.Organization == o || (o == "" && len(all) == 1) {
			return m.Caller(caller.Web), nil
		}
	}
	person := caller.Caller{Kind: caller.Person, Way: caller.Web, Account: a}
	if len(all) > 0 {
		person.Email, person.Name = all[0].Email, all[0].Name
	}
	return person, nil
}

// Memberships lists the organizations that the caller can choose from.
func (s *Service) Memberships(ctx context.Context, who caller.Caller) ([]org.Member, error) {
	if who.Account == "" {
		return nil, fault.New(fault.Unauthenticated, "sign in first")
	}
	return s.members.MembershipsOf(ctx, who.Account)
}

// Choose makes a browser session act in one of the caller's organizations.
func (s *Service) Choose(ctx context.Context, who caller.Caller, token secret.Text, o id.Organization) error {
	all, err := s.Memberships(ctx, who)
	if err != nil {
		return err
	}
	for _, m := range all {
		if m.Organization == o {
			return s.store.ChooseOrganization(ctx, token.Hash(), o)
		}
	}
	return fault.New(fault.NotFound, "you are not a member of that organization")
}

// SignOut ends the browser session.
func (s *Service) SignOut(ctx context.Context, who caller.Caller, token secret.Text) error {
	if who.Account == "" {
		return fault.New(fault.Unauthenticated, "you are not signed in")
	}
	return s.store.EndBrowser(ctx, token.Hash(), s.now(), audit.New(who, s.now(), audit.SignedOut, string(who.Account), nil))
}

// SetPassword gives the caller a new password and signs their other browsers
// out. Who has a password must know it.
func (s *Service) SetPassword(ctx context.Context, who caller.Caller, token, current, fresh secret.Text) error {
	if who.Account == "" {
		return fault.New(fault.Unauthenticated, "sign in first")
	}
	if err := password.Check(fresh); err != nil {
		return err
	}
	if ok, wait := s.byAccount.Allow(who.Email); !ok {
		return fault.New(fault.RateLimited, "too many attempts").After(wait)
	}
	c, _, err := s.store.Credential(ctx, who.Email)
	if err != nil {
		return err
	}
	if c.Password != "" {
		matches, err := s.passwords.Matches(ctx, current, c.Password)
		if err != nil {
			return err
		}
		if !matches {
			return fault.New(fault.Invalid, "this is not your current password").At("current")
		}
	}
	hashed, err := s.passwords.Hash(ctx, fresh)
	if err != nil {
		return err
	}
	return s.store.SavePassword(ctx, who.Account, hashed, token.Hash(), s.now(), audit.New(who, s.now(), audit.PasswordChanged, string(who.Account), nil))
}
