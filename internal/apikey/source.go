package apikey

import (
	"context"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/bearer"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

var _ bearer.Source = (*Service)(nil)

// Accepts makes the Service a bearer.Source of every kind of key.
func (s *Service) Accepts(presented string) bool {
	return secret.Is(secret.APIKey, presented) || secret.Is(secret.AdminKey, presented)
}

// Resolve says whose key it is. The first refusal of one that worked is proof
// that it stopped, and is kept.
func (s *Service) Resolve(ctx context.Context, presented secret.Text) (caller.Caller, time.Time, error) {
	k, ok, err := s.Store.ByHash(ctx, presented.Hash())
	if err != nil {
		return caller.Caller{}, time.Time{}, err
	}
	if !ok {
		return caller.Caller{}, time.Time{}, bearer.Refused()
	}
	who, err := s.callerOf(ctx, k)
	if now := s.Now(); fault.Is(err, fault.Unauthenticated) && s.Witness != nil && !bearer.Proven(k.RefusedAt, k.UsedAt, now) {
		s.Witness.Refused(string(k.ID), now)
	}
	return who, k.ExpiresAt, err
}

// Recheck says whether the key is still good.
func (s *Service) Recheck(ctx context.Context, who caller.Caller) (caller.Caller, error) {
	k, ok, err := s.Store.Key(ctx, who.Organization, who.Key)
	if err != nil {
		return caller.Caller{}, err
	}
	if !ok {
		return caller.Caller{}, bearer.Refused()
	}
	return s.callerOf(ctx, k)
}

// Touch notes when keys were last used.
func (s *Service) Touch(ctx context.Context, used map[id.APIKey]Use) error {
	return s.Store.Touch(ctx, used)
}

// Refuse notes when keys that ended were first refused.
func (s *Service) Refuse(ctx context.Context, refused map[id.APIKey]time.Time) error {
	return s.Store.Refuse(ctx, refused)
}

func (s *Service) callerOf(ctx context.Context, k Key) (caller.Caller, error) {
	switch {
	case k.At(s.Now()) != Active:
		return caller.Caller{}, bearer.Refused()
	case k.Kind == ForAdmin:
		return s.adminCaller(ctx, k)
	case k.ServiceAccount != "":
		return s.serviceCaller(ctx, k)
	}
	m, err := s.standingMember(ctx, k, k.Member)
	if err != nil {
		return caller.Caller{}, err
	}
	if err := s.inWorkspace(ctx, k, string(k.Member), m.Rights()); err != nil {
		return caller.Caller{}, err
	}
	who := access.ByKey(m.Caller(caller.Key), k.Kind.needs())
	who.Key, who.Workspace = k.ID, k.Workspace
	return who, nil
}

// standingMember is a member on whom a key depends: active, and in the
// organization since before the key was made.
func (s *Service) standingMember(ctx context.Context, k Key, m id.Member) (org.Member, error) {
	found, ok, err := s.Members.Member(ctx, k.Organization, m)
	if err != nil {
		return org.Member{}, err
	}
	if !ok || found.Status != org.Active || k.CreatedAt.Before(found.JoinedAt) {
		return org.Member{}, bearer.Refused()
	}
	return found, nil
}

// inWorkspace refuses a key whose workspace is archived, and one whose owner may
// have none there any more. Everybody is in the default workspace.
func (s *Service) inWorkspace(ctx context.Context, k Key, principal string, rights caller.Rights) error {
	if k.Workspace == "" {
		return nil
	}
	at, ok, err := s.Workspaces.Standing(ctx, k.Organization, k.Workspace, principal)
	if err != nil {
		return err
	}
	if !ok || at.Workspace.Archived() || !access.InWorkspace(rights, at.Role).Has(access.HoldCredentials) {
		return bearer.Refused()
	}
	return nil
}

func (s *Service) serviceCaller(ctx context.Context, k Key) (caller.Caller, error) {
	name, organization, ok, err := s.Services.Serving(ctx, k.Organization, k.ServiceAccount)
	if err != nil {
		return caller.Caller{}, err
	}
	if !ok {
		return caller.Caller{}, bearer.Refused()
	}
	if err := s.inWorkspace(ctx, k, string(k.ServiceAccount), 0); err != nil {
		return caller.Caller{}, err
	}
	return caller.Caller{Kind: caller.Service, Way: caller.Key, Organization: k.Organization, OrganizationName: organization, ServiceAccount: k.ServiceAccount,
		Workspace: k.Workspace, Key: k.ID, Role: "service account", Rights: access.ServiceRights(), Name: name}, nil
}

// adminCaller is an admin key as one who asks. What a member made ends with the
// member's standing, and never does what the member may not; what the operator
// made does not depend on anybody.
func (s *Service) adminCaller(ctx context.Context, k Key) (caller.Caller, error) {
	who := caller.Caller{Kind: caller.AdminKey, Way: caller.Key, Organization: k.Organization, Key: k.ID, Role: "admin key",
		Rights: access.AdminKeyRights(), Name: k.Name}
	if k.Scopes != 0 {
		who.Rights &= k.Scopes
	}
	if !strings.HasPrefix(k.CreatedBy, "user_") {
		return who, nil
	}
	who.Maker = id.Member(k.CreatedBy)
	m, err := s.standingMember(ctx, k, who.Maker)
	if err != nil {
		return caller.Caller{}, err
	}
	may := m.Rights()
	if !may.Has(caller.ManageAdminKeys) {
		return caller.Caller{}, bearer.Refused()
	}
	who.Rights &= may
	who.OrganizationName, who.Groups = m.OrganizationName, m.Groups
	return who, nil
}
