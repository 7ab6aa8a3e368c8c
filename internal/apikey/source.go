package apikey

import (
	"context"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/bearer"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

var _ bearer.Source = (*Service)(nil)

// Accepts makes the Service a bearer.Source of both kinds of key.
func (s *Service) Accepts(presented string) bool {
	return secret.Is(secret.APIKey, presented) || secret.Is(secret.AdminKey, presented)
}

// Resolve says whose key it is.
func (s *Service) Resolve(ctx context.Context, presented secret.Text) (caller.Caller, time.Time, error) {
	k, ok, err := s.Store.ByHash(ctx, presented.Hash())
	if err != nil {
		return caller.Caller{}, time.Time{}, err
	}
	if !ok {
		return caller.Caller{}, time.Time{}, bearer.Refused()
	}
	who, err := s.callerOf(ctx, k)
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
func (s *Service) Touch(ctx context.Context, used map[id.APIKey]time.Time) error {
	return s.Store.Touch(ctx, used)
}

func (s *Service) callerOf(ctx context.Context, k Key) (caller.Caller, error) {
	if k.At(s.Now()) != Active {
		return caller.Caller{}, bearer.Refused()
	}
	if k.Kind == ForAdmin {
		return s.adminCaller(ctx, k)
	}
	m, ok, err := s.Members.Member(ctx, k.Organization, k.Member)
	if err != nil {
		return caller.Caller{}, err
	}
	if !ok || m.Status != org.Active {
		return caller.Caller{}, bearer.Refused()
	}
	who := m.Caller(caller.Key)
	who.Key, who.Rights = k.ID, access.KeyRights(who.Rights, caller.OwnKeys)
	return who, nil
}

// adminCaller is an admin key as one who asks. What a member made ends with the
// member's standing; what the operator made does not.
func (s *Service) adminCaller(ctx context.Context, k Key) (caller.Caller, error) {
	who := caller.Caller{Kind: caller.AdminKey, Way: caller.Key, Organization: k.Organization, Key: k.ID, Role: "admin key",
		Rights: access.AdminKeyRights(), Name: k.Name}
	if !strings.HasPrefix(k.CreatedBy, "user_") {
		return who, nil
	}
	who.Maker = id.Member(k.CreatedBy)
	m, ok, err := s.Members.Member(ctx, k.Organization, who.Maker)
	if err != nil {
		return caller.Caller{}, err
	}
	if !ok || !m.Caller(caller.Key).Rights.Has(caller.AllKeys) {
		return caller.Caller{}, bearer.Refused()
	}
	return who, nil
}
