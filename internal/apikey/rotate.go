package apikey

import (
	"context"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// MaxOverlap is how long a rotated key can go on working at most.
const MaxOverlap = 7 * day

// Rotate makes a key's successor: of the same name, owner, workspace and rights,
// with a value of its own. The key works for overlap more, and then no longer.
// A zero expiry means never. The value is returned this once.
//
// Who rotates holds the new value, so this is for those who could have made the
// key: nobody gets hold of another member's.
func (s *Service) Rotate(ctx context.Context, who caller.Caller, o id.Organization, k id.APIKey, overlap time.Duration, expires time.Time) (Key, secret.Text, error) {
	if err := access.Check(who, caller.ReadOrganization, o); err != nil {
		return Key{}, secret.Text{}, err
	}
	was, err := s.Get(ctx, who, o, k)
	if err != nil {
		return Key{}, secret.Text{}, err
	}
	now := s.Now()
	next := Key{Organization: o, Kind: was.Kind, Name: was.Name, Member: was.Member, ServiceAccount: was.ServiceAccount, Workspace: was.Workspace,
		Scopes: was.Scopes, ExpiresAt: expires, Owner: was.Owner, OwnerEmail: was.OwnerEmail, WorkspaceName: was.WorkspaceName}
	switch {
	case overlap < 0 || overlap > MaxOverlap:
		return Key{}, secret.Text{}, fault.New(fault.Invalid, "the old key can go on working for at most 7 days").At("overlap")
	case was.At(now) != Active:
		return Key{}, secret.Text{}, fault.New(fault.Invalid, "only an active key can be rotated: this one is %s", was.At(now)).WithHint("create a new key instead")
	case was.ReplacedBy != "":
		return Key{}, secret.Text{}, fault.New(fault.Invalid, "this key was rotated already").WithHint("rotate the one that replaced it")
	}
	kind := secret.APIKey
	if was.Kind == ForAdmin {
		kind = secret.AdminKey
	}
	if err := s.mayMake(ctx, who, &next); err != nil {
		return Key{}, secret.Text{}, err
	}
	value := secret.Mint(kind)
	next, e, err := s.fresh(ctx, who, next, value, audit.KeyRotated)
	if err != nil {
		return Key{}, secret.Text{}, err
	}
	is := was
	is.ReplacedBy = next.ID
	if until := now.Add(overlap); is.ExpiresAt.IsZero() || until.Before(is.ExpiresAt) {
		is.ExpiresAt = until
	}
	e.Detail["replaces"], e.Detail["old_until"] = string(was.ID), is.ExpiresAt.UTC().Format(time.RFC3339)
	return next, value, s.Store.Rotate(ctx, was, is, next, value.Hash(), e.Affecting(string(was.ID)))
}

// mayMake says whether the caller could make such a key now.
func (s *Service) mayMake(ctx context.Context, who caller.Caller, k *Key) error {
	switch {
	case k.Kind == ForAdmin:
		if err := access.Check(who, caller.ManageAdminKeys, k.Organization); err != nil {
			return err
		}
		if k.Scopes == 0 {
			k.Scopes = access.AdminKeyRights()
		}
		if k.Scopes &= who.Rights; who.Kind != caller.Member || k.Scopes == 0 {
			return fault.New(fault.Denied, "only a member can rotate an admin key")
		}
		return nil
	case k.ServiceAccount != "":
		return s.placeService(ctx, who, k)
	case k.Member != who.Member:
		return fault.New(fault.Denied, "only its owner can rotate a key: whoever does gets its new value").
			WithHint("deactivate it, and ask them to make another")
	}
	if err := access.Check(who, k.Kind.needs(), k.Organization); err != nil {
		return err
	}
	return s.place(ctx, who, k)
}
