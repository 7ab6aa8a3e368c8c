package apikey

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// Service keeps keys. Its fields must be set before use.
type Service struct {
	Store   Store
	Members Members
	Now     func() time.Time
}

// Create makes an API key for the caller. A zero expiry means never. The value
// is returned this once.
func (s *Service) Create(ctx context.Context, who caller.Caller, name string, expires time.Time) (Key, secret.Text, error) {
	if err := access.Check(who, caller.OwnKeys, who.Organization); err != nil {
		return Key{}, secret.Text{}, err
	}
	if who.Member == "" {
		return Key{}, secret.Text{}, fault.New(fault.Denied, "an API key belongs to a member: only a member can make one")
	}
	return s.insert(ctx, who, secret.APIKey, Key{Organization: who.Organization, Kind: ForModels, Name: name, Member: who.Member, ExpiresAt: expires})
}

// CreateFor makes an API key for a member from the server's shell.
func (s *Service) CreateFor(ctx context.Context, who caller.Caller, o id.Organization, m id.Member, name string, expires time.Time) (Key, secret.Text, error) {
	if err := access.CheckInstance(who); err != nil {
		return Key{}, secret.Text{}, err
	}
	return s.insert(ctx, who, secret.APIKey, Key{Organization: o, Kind: ForModels, Name: name, Member: m, ExpiresAt: expires})
}

// CreateAdmin makes an admin key for an organization.
func (s *Service) CreateAdmin(ctx context.Context, who caller.Caller, o id.Organization, name string, expires time.Time) (Key, secret.Text, error) {
	if err := access.Check(who, caller.AllKeys, o); err != nil {
		return Key{}, secret.Text{}, err
	}
	if who.Kind == caller.AdminKey {
		return Key{}, secret.Text{}, fault.New(fault.Denied, "an admin key cannot make another").WithHint("an owner makes it in the console")
	}
	return s.insert(ctx, who, secret.AdminKey, Key{Organization: o, Kind: ForAdmin, Name: name, ExpiresAt: expires})
}

func (s *Service) insert(ctx context.Context, who caller.Caller, kind secret.Kind, k Key) (Key, secret.Text, error) {
	var err error
	if k.Name, err = cleanName(k.Name); err != nil {
		return Key{}, secret.Text{}, err
	}
	now := s.Now()
	if !k.ExpiresAt.IsZero() && !k.ExpiresAt.After(now) {
		return Key{}, secret.Text{}, fault.New(fault.Invalid, "the expiry is in the past").At("expires_at")
	}
	value := secret.Mint(kind)
	k.ID, k.Hint, k.CreatedBy, k.Status, k.CreatedAt = id.NewAPIKey(), secret.Hint(value), who.Principal(), Active, now
	detail := audit.Detail{"name": k.Name, "kind": string(k.Kind), "for": string(k.Member)}
	if !k.ExpiresAt.IsZero() {
		detail["expires_at"] = k.ExpiresAt.UTC().Format(time.RFC3339)
	}
	return k, value, s.Store.Insert(ctx, k, value.Hash(), audit.New(who, now, audit.KeyCreated, string(k.ID), detail).In(k.Organization))
}

func cleanName(raw string) (string, error) {
	name := strings.Join(strings.Fields(raw), " ")
	if name == "" || len(name) > 200 || !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "", fault.New(fault.Invalid, "a key needs a name of at most 200 printable characters").At("name")
	}
	return name, nil
}

// List returns a page of keys, the newest first: all of an organization for
// who may see all, one's own otherwise.
func (s *Service) List(ctx context.Context, who caller.Caller, o id.Organization, f Filter) (keys []Key, more bool, err error) {
	if err := access.CheckOwner(who, caller.OwnKeys, caller.AllKeys, f.Member, o); err != nil {
		return nil, false, err
	}
	if f.After != "" && f.Before != "" {
		return nil, false, fault.New(fault.Invalid, "after_id and before_id cannot be given together").At("before_id")
	}
	if f.Limit <= 0 {
		f.Limit = 20
	}
	for _, cursor := range []id.APIKey{f.After, f.Before} {
		if cursor == "" {
			continue
		}
		if _, ok, err := s.Store.Key(ctx, o, cursor); err != nil {
			return nil, false, err
		} else if !ok {
			return nil, false, fault.New(fault.Invalid, "there is no key %q to page from", cursor)
		}
	}
	return s.Store.List(ctx, o, f, s.Now())
}

// Get returns one key.
func (s *Service) Get(ctx context.Context, who caller.Caller, o id.Organization, k id.APIKey) (Key, error) {
	// Of a key that is not there the caller must learn what they learn of a foreign one.
	if err := access.Check(who, caller.ReadOrganization, o); err != nil {
		return Key{}, err
	}
	key, ok, err := s.Store.Key(ctx, o, k)
	if err != nil {
		return Key{}, err
	}
	if !ok {
		return Key{}, fault.New(fault.NotFound, "there is no API key %q in your organization", k)
	}
	return key, access.CheckOwner(who, caller.OwnKeys, caller.AllKeys, key.Member, o)
}

// Update renames a key or changes its status. An archived key stays archived;
// an expired one can only be renamed or archived.
func (s *Service) Update(ctx context.Context, who caller.Caller, o id.Organization, k id.APIKey, c Change) (Key, error) {
	was, err := s.Get(ctx, who, o, k)
	if err != nil {
		return Key{}, err
	}
	is := was
	if c.Name != nil {
		if is.Name, err = cleanName(*c.Name); err != nil {
			return Key{}, err
		}
	}
	if c.Status != nil {
		if is.Status, err = s.next(was, *c.Status); err != nil {
			return Key{}, err
		}
	}
	if is == was {
		return was, nil
	}
	e := audit.New(who, s.Now(), audit.KeyUpdated, string(k), audit.Detail{"name_before": was.Name, "name_after": is.Name,
		"status_before": string(was.Status), "status_after": string(is.Status)}).In(o).Affecting(string(k))
	return is, s.Store.Update(ctx, was, is, e)
}

func (s *Service) next(k Key, to Status) (Status, error) {
	switch {
	case to != Active && to != Inactive && to != Archived:
		return "", fault.New(fault.Invalid, "status must be active, inactive or archived").At("status")
	case k.Status == Archived && to != Archived:
		return "", fault.New(fault.Invalid, "an archived key cannot be used again").At("status")
	case k.At(s.Now()) == Expired && to == Active:
		return "", fault.New(fault.Invalid, "an expired key cannot be used again").At("status")
	}
	return to, nil
}
