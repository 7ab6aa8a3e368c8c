package apikey

import (
	"context"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/workspace"
)

// Service keeps keys. Its fields must be set before use; Witness may be left out.
type Service struct {
	Store      Store
	Members    Members
	Workspaces Workspaces
	Services   ServiceAccounts
	ClaudeCode ClaudeCode
	Witness    Witness
	PublicURL  string // where the console is, for letters
	Now        func() time.Time
}

// List returns a page of keys, the newest first: all of an organization for who
// may see all, those of a workspace for who runs it, one's own otherwise.
func (s *Service) List(ctx context.Context, who caller.Caller, o id.Organization, f Filter) (keys []Key, more bool, err error) {
	if err := access.CheckOwner(who, caller.ReadOrganization, caller.AllKeys, f.Member, o); err != nil {
		if f.Workspace == nil || !fault.Is(err, fault.Denied) || s.runs(ctx, who, o, *f.Workspace) != nil {
			return nil, false, err
		}
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

// runs fails unless the caller is an admin of a workspace. Nobody is one of the
// default workspace.
func (s *Service) runs(ctx context.Context, who caller.Caller, o id.Organization, w id.Workspace) error {
	at, err := s.standing(ctx, o, w, string(who.Member))
	if err != nil {
		return err
	}
	return access.CheckWorkspace(who, at.Role, access.RunWorkspace, at.Workspace.Name, o)
}

func (s *Service) standing(ctx context.Context, o id.Organization, w id.Workspace, principal string) (workspace.Standing, error) {
	at, ok, err := s.Workspaces.Standing(ctx, o, w, principal)
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "there is no such workspace in your organization, or you are not in it").At("workspace")
	}
	return at, err
}

// Get returns one key: of one's own, of a workspace that one runs, or anybody's
// for who may see all.
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
	err = access.CheckOwner(who, caller.ReadOrganization, caller.AllKeys, key.Member, o)
	if fault.Is(err, fault.Denied) && key.Workspace != "" && s.runs(ctx, who, o, key.Workspace) == nil {
		err = nil
	}
	return key, err
}

// mayChange says whether the caller may change a key that they may see. Admin
// keys have a right of their own; a service account's need that to manage these.
func (s *Service) mayChange(ctx context.Context, who caller.Caller, key Key) error {
	switch {
	case key.Kind == ForAdmin:
		return access.Check(who, caller.ManageAdminKeys, key.Organization)
	case key.ServiceAccount != "" && access.Check(who, caller.ManageServiceAccounts, key.Organization) == nil:
		return nil
	}
	err := access.CheckOwner(who, caller.ReadOrganization, caller.AllKeys, key.Member, key.Organization)
	if fault.Is(err, fault.Denied) && key.Workspace != "" && s.runs(ctx, who, key.Organization, key.Workspace) == nil {
		return nil
	}
	return err
}

// Update renames a key or changes its status. An archived key stays archived;
// an expired one can only be renamed or archived. Everybody may do so with their
// own, whatever became of their role.
func (s *Service) Update(ctx context.Context, who caller.Caller, o id.Organization, k id.APIKey, c Change) (Key, error) {
	was, err := s.Get(ctx, who, o, k)
	if err != nil {
		return Key{}, err
	}
	if err := s.mayChange(ctx, who, was); err != nil {
		return Key{}, err
	}
	if c.Was != "" && c.Was != was.At(s.Now()) {
		return Key{}, Changed()
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
	if is.Status != was.Status {
		is.EndedAt = s.Now()
		if is.Status == Active {
			is.EndedAt, is.RefusedAt = time.Time{}, time.Time{}
		}
	}
	e := audit.New(who, s.Now(), audit.KeyUpdated, string(k), audit.Detail{"name_before": was.Name, "name_after": is.Name,
		"status_before": string(was.Status), "status_after": string(is.Status)}).In(o).Affecting(string(k))
	return is, s.Store.Update(ctx, was, is, e)
}

// Changed is the Conflict of two who change the same key.
func Changed() error {
	return fault.New(fault.Conflict, "somebody else has just changed this key").WithHint("look at it again")
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

// Proof shows what became of a member's keys: how many there are, or were until
// they were suspended or removed, when one was last accepted, and first refused.
func (s *Service) Proof(ctx context.Context, who caller.Caller, o id.Organization, m id.Member) (Proof, error) {
	if err := access.CheckOwner(who, caller.ReadOrganization, caller.AllKeys, m, o); err != nil {
		return Proof{}, err
	}
	found, ok, err := s.Members.Member(ctx, o, m)
	if err != nil {
		return Proof{}, err
	}
	if !ok {
		return Proof{}, fault.New(fault.NotFound, "there is no such member in your organization")
	}
	return s.Store.Proof(ctx, o, m, found.EndedAt)
}

// Count is how many active keys a member has, or how many are in a workspace.
func (s *Service) Count(ctx context.Context, who caller.Caller, o id.Organization, f Filter) (int, error) {
	if err := access.CheckOwner(who, caller.ReadOrganization, caller.AllKeys, f.Member, o); err != nil {
		if f.Workspace == nil || !fault.Is(err, fault.Denied) || s.runs(ctx, who, o, *f.Workspace) != nil {
			return 0, err
		}
	}
	f.Status = Active
	return s.Store.Count(ctx, o, f, s.Now())
}
