package cloudaccess

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/jwks"
)

// Service keeps how members reach clouds, and says to clouds who they are. All fields
// are required.
type Service struct {
	Store     Store
	Keys      *jwks.Set // of RS256; may have read nothing yet
	PublicURL string
	Now       func() time.Time
}

// List returns what an organization has set up, in the order of Clouds.
func (s *Service) List(ctx context.Context, who caller.Caller, o id.Organization) ([]Access, error) {
	if err := access.Check(who, caller.ManageUpstreams, o); err != nil {
		return nil, err
	}
	return s.of(ctx, o)
}

func (s *Service) of(ctx context.Context, o id.Organization) ([]Access, error) {
	all, err := s.Store.Accesses(ctx, o)
	slices.SortFunc(all, func(a, b Access) int {
		return slices.Index(Clouds(), a.Cloud) - slices.Index(Clouds(), b.Cloud)
	})
	return all, err
}

// Set says how members reach a cloud.
func (s *Service) Set(ctx context.Context, who caller.Caller, o id.Organization, in Access) (Access, error) {
	if err := access.Check(who, caller.ManageUpstreams, o); err != nil {
		return Access{}, err
	}
	if !slices.Contains(Clouds(), in.Cloud) {
		return Access{}, fault.New(fault.Invalid, "there is no cloud of that name").At("cloud")
	}
	settings, err := in.Settings.check(in.Cloud)
	if err != nil {
		return Access{}, err
	}
	now := s.Now()
	in.Organization, in.Settings, in.CreatedAt, in.UpdatedAt = o, settings, now, now
	e := audit.New(who, now, audit.CloudAccessChanged, string(in.Cloud), audit.Detail{"cloud": string(in.Cloud), "where": in.Where(), "group": string(in.Group)}).In(o)
	return in, s.Store.Set(ctx, in, e)
}

// Where is the part of the cloud that members reach, for people.
func (a Access) Where() string {
	switch a.Cloud {
	case AWS:
		return a.Settings.RoleARN
	case Google:
		return a.Settings.Project
	default:
		return a.Settings.Resource
	}
}

// Remove ends the supply of identity tokens for a cloud.
func (s *Service) Remove(ctx context.Context, who caller.Caller, o id.Organization, c Cloud) error {
	if err := access.Check(who, caller.ManageUpstreams, o); err != nil {
		return err
	}
	return s.Store.Remove(ctx, o, c, audit.New(who, s.Now(), audit.CloudAccessRemoved, string(c), audit.Detail{"cloud": string(c)}).In(o))
}

// Mine returns the clouds that a member may reach, the preferred one first.
func (s *Service) Mine(ctx context.Context, who caller.Caller) ([]Access, error) {
	if err := access.Check(who, caller.UseModels, who.Organization); err != nil {
		return nil, err
	}
	all, err := s.of(ctx, who.Organization)
	return slices.DeleteFunc(all, func(a Access) bool { return !a.lets(who) }), err
}

func (a Access) lets(who caller.Caller) bool {
	return a.Ready() && (a.Group == "" || slices.Contains(strings.Fields(who.Groups), string(a.Group)))
}

// TokenLife is how long an identity token is good for: it is exchanged at once.
const TokenLife = 10 * time.Minute

// ErrAudience is the code of the fault of Issue for an audience that is none of the
// member's clouds'.
const ErrAudience = "invalid_target"

// Issue makes an identity token for the cloud of an audience, for a member at a
// device that is signed in: a key is no person, and a cloud would make it one. It
// fails with Denied, and with NotFound and ErrAudience.
func (s *Service) Issue(ctx context.Context, who caller.Caller, audience string) (Token, error) {
	if err := access.Check(who, caller.UseModels, who.Organization); err != nil {
		return Token{}, err
	}
	if who.Kind != caller.Member || who.Way != caller.Session {
		return Token{}, fault.New(fault.Denied, "a cloud is reached with a sign-in, not with a key").WithHint("gatehouse login")
	}
	mine, err := s.Mine(ctx, who)
	if err != nil {
		return Token{}, err
	}
	at := slices.IndexFunc(mine, func(a Access) bool { return a.Audience() == audience })
	if at < 0 {
		f := fault.New(fault.NotFound, "your organization lets you reach no cloud that takes tokens for this audience")
		f.Code = ErrAudience
		return Token{}, f
	}
	if err := s.Keys.Ensure(ctx); err != nil {
		return Token{}, err
	}
	now := s.Now()
	token, err := s.sign(mine[at], who, now)
	if err != nil {
		return Token{}, err
	}
	e := audit.New(who, now, audit.CloudTokenIssued, string(who.Member), audit.Detail{"cloud": string(mine[at].Cloud), "where": mine[at].Where()})
	return token, s.Store.Record(ctx, e)
}
