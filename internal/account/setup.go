package account

import (
	"context"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/password"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

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
	f, err := s.foundation(ctx, in, org.Enterprise)
	if err != nil {
		return org.Member{}, err
	}
	return f.Member, s.store.Found(ctx, link, f.Organization, f.Member, f.Password, f.events(who)...)
}

// Foundation is an organization that begins, with its primary owner.
type Foundation struct {
	Organization org.Organization
	Member       org.Member
	Password     string // hashed; empty: none
}

func (s *Service) foundation(ctx context.Context, in First, plan org.Plan) (Foundation, error) {
	name, err := org.CleanName(in.Organization, "")
	if err != nil || name == "" {
		return Foundation{}, fault.New(fault.Invalid, "the organization needs a name of at most 200 characters").At("organization")
	}
	email, err := org.CleanEmail(in.Email)
	if err != nil {
		return Foundation{}, err
	}
	person, err := org.CleanName(in.Name, email)
	if err != nil {
		return Foundation{}, err
	}
	var f Foundation
	if !in.Password.Empty() {
		if f.Password, err = s.passwords.Hash(ctx, in.Password); err != nil {
			return Foundation{}, err
		}
	}
	now := s.now()
	f.Organization = org.Organization{ID: id.NewOrganization(), Name: name, Plan: plan, Version: 1, CreatedAt: now}
	f.Member = org.Member{ID: id.NewMember(), Organization: f.Organization.ID, OrganizationName: name, Plan: plan, Account: id.NewAccount(), Email: email, Name: person,
		Role: access.PrimaryOwner, Status: org.Active, Version: 1, CreatedAt: now, JoinedAt: now}
	return f, nil
}

// events are what the record says of it.
func (f Foundation) events(who caller.Caller) []audit.Event {
	o, m := f.Organization, f.Member
	return []audit.Event{audit.New(who, o.CreatedAt, audit.OrganizationCreated, string(o.ID), audit.Detail{"name": o.Name, "plan": string(o.Plan)}).In(o.ID),
		audit.New(who, o.CreatedAt, audit.MemberAdded, string(m.ID), audit.Detail{"email": m.Email, "role": string(m.Role)}).In(o.ID)}
}
