package serviceaccount

import (
	"context"
	"regexp"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
)

// Service keeps service accounts. Its fields must be set before use.
type Service struct {
	Store Store
	Now   func() time.Time
}

// List returns a page of service accounts, the newest first.
func (s *Service) List(ctx context.Context, who caller.Caller, o id.Organization, f Filter) (page []Account, more bool, err error) {
	if err := access.Check(who, caller.ManageServiceAccounts, o); err != nil {
		return nil, false, err
	}
	if f.After != "" && f.Before != "" {
		return nil, false, fault.New(fault.Invalid, "after_id and before_id cannot be given together").At("before_id")
	}
	if f.Limit <= 0 {
		f.Limit = 20
	}
	for _, cursor := range []id.ServiceAccount{f.After, f.Before} {
		if cursor == "" {
			continue
		}
		if _, ok, err := s.Store.ServiceAccount(ctx, o, cursor); err != nil {
			return nil, false, err
		} else if !ok {
			return nil, false, fault.New(fault.Invalid, "there is no service account %q to page from", cursor)
		}
	}
	return s.Store.List(ctx, o, f)
}

// Get returns one service account.
func (s *Service) Get(ctx context.Context, who caller.Caller, o id.Organization, a id.ServiceAccount) (Account, error) {
	if err := access.Check(who, caller.ManageServiceAccounts, o); err != nil {
		return Account{}, err
	}
	return s.account(ctx, o, a)
}

func (s *Service) account(ctx context.Context, o id.Organization, a id.ServiceAccount) (Account, error) {
	found, ok, err := s.Store.ServiceAccount(ctx, o, a)
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "there is no service account %q in your organization", a)
	}
	return found, err
}

// Create makes a service account.
func (s *Service) Create(ctx context.Context, who caller.Caller, o id.Organization, in New) (Account, error) {
	if err := access.Check(who, caller.ManageServiceAccounts, o); err != nil {
		return Account{}, err
	}
	a := Account{ID: id.NewServiceAccount(), Organization: o, Name: in.Name, Description: in.Description, Version: 1, CreatedAt: s.Now(), CreatedBy: who.Principal()}
	if err := a.clean(); err != nil {
		return Account{}, err
	}
	return a, s.Store.Add(ctx, a, audit.New(who, s.Now(), audit.ServiceAccountCreated, string(a.ID), audit.Detail{"name": a.Name}).In(o))
}

var slug = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$`)

func (a *Account) clean() error {
	a.Name = strings.TrimSpace(a.Name)
	if !slug.MatchString(a.Name) {
		return fault.New(fault.Invalid, "a service account's name has 1 to 64 lower-case letters, digits and hyphens, and begins and ends with a letter or digit").At("name")
	}
	clean := org.CleanText(strings.Join(strings.Fields(a.Description), " "), 4000)
	if len([]rune(clean)) > 1000 {
		return fault.New(fault.Invalid, "a description has at most 1000 characters").At("description")
	}
	a.Description = clean
	return nil
}

// Update changes a service account. It fails with Conflict if somebody else has
// changed it since the version that the change was made from.
func (s *Service) Update(ctx context.Context, who caller.Caller, o id.Organization, a id.ServiceAccount, c Change) (Account, error) {
	if err := access.Check(who, caller.ManageServiceAccounts, o); err != nil {
		return Account{}, err
	}
	was, err := s.account(ctx, o, a)
	switch {
	case err != nil:
		return Account{}, err
	case was.Archived():
		return Account{}, fault.New(fault.Invalid, "the service account %q is archived", was.Name)
	case c.Version != 0 && c.Version != was.Version:
		return Account{}, Changed(was.Name)
	}
	is := was
	if c.Name != nil {
		is.Name = *c.Name
	}
	if c.Description != nil {
		is.Description = *c.Description
	}
	if err := is.clean(); err != nil {
		return Account{}, err
	}
	if is == was {
		return was, nil
	}
	is.Version, is.UpdatedAt, is.UpdatedBy = was.Version+1, s.Now(), who.Principal()
	return is, s.Store.Update(ctx, was, is, audit.New(who, s.Now(), audit.ServiceAccountUpdated, string(a), audit.Detail{"name_before": was.Name, "name_after": is.Name,
		"description_before": was.Description, "description_after": is.Description}).In(o).Affecting(string(a)))
}

// Changed is the Conflict of two who change the same service account.
func Changed(name string) error {
	return fault.New(fault.Conflict, "somebody else has changed the service account %q since you opened it", name).WithHint("look at it again, then make your change")
}

// Archive ends a service account for good. Its keys stop at once.
func (s *Service) Archive(ctx context.Context, who caller.Caller, o id.Organization, a id.ServiceAccount) (Account, error) {
	if err := access.Check(who, caller.ManageServiceAccounts, o); err != nil {
		return Account{}, err
	}
	was, err := s.account(ctx, o, a)
	if err != nil || was.Archived() {
		return was, err
	}
	is := was
	is.Version, is.ArchivedAt, is.ArchivedBy = was.Version+1, s.Now(), who.Principal()
	return is, s.Store.Update(ctx, was, is, audit.New(who, s.Now(), audit.ServiceAccountArchived, string(a), audit.Detail{"name": was.Name}).In(o).Affecting(string(a)))
}
