package org

import (
	"context"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
)

// Role is a custom role: rights that groups give to their members.
type Role struct {
	ID           id.Role
	Organization id.Organization
	Name         string
	Description  string
	Rights       caller.Rights
	Groups       int // that give it
	Version      int64
	CreatedAt    time.Time
}

// maxRoles and maxGroups are what one organization can have.
const (
	maxRoles  = 200
	maxGroups = 1000
)

// Roles lists the custom roles by name.
func (s *Service) Roles(ctx context.Context, who caller.Caller, org id.Organization) ([]Role, error) {
	if err := access.CheckAny(who, org, caller.ReadMembers, caller.ManageRoles); err != nil {
		return nil, err
	}
	return s.Store.Roles(ctx, org)
}

// Role returns one custom role.
func (s *Service) Role(ctx context.Context, who caller.Caller, org id.Organization, r id.Role) (Role, error) {
	if err := access.CheckAny(who, org, caller.ReadMembers, caller.ManageRoles); err != nil {
		return Role{}, err
	}
	return s.role(ctx, org, r)
}

func (s *Service) role(ctx context.Context, org id.Organization, r id.Role) (Role, error) {
	found, ok, err := s.Store.Role(ctx, org, r)
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "there is no such role in your organization").Coded("rbac_role_not_found")
	}
	return found, err
}

// CreateRole makes a custom role.
func (s *Service) CreateRole(ctx context.Context, who caller.Caller, org id.Organization, in Role) (Role, error) {
	if err := access.CheckGive(who, caller.ManageRoles, in.Rights, org); err != nil {
		return Role{}, err
	}
	if err := in.clean(); err != nil {
		return Role{}, err
	}
	in.ID, in.Organization, in.Version, in.CreatedAt, in.Groups = id.NewRole(), org, 1, s.Now(), 0
	return in, s.Store.AddRole(ctx, in, maxRoles, audit.New(who, s.Now(), audit.RoleCreated, string(in.ID), audit.Detail{
		"name": in.Name, "permissions_after": in.Rights.String()}).In(org))
}

// UpdateRole changes a custom role, for everybody who has it, at once. Its
// version must be that of the state which the caller has seen.
func (s *Service) UpdateRole(ctx context.Context, who caller.Caller, org id.Organization, in Role) (Role, error) {
	if err := access.CheckGive(who, caller.ManageRoles, in.Rights, org); err != nil {
		return Role{}, err
	}
	was, err := s.role(ctx, org, in.ID)
	if err != nil {
		return Role{}, err
	}
	if err := access.CheckGive(who, caller.ManageRoles, was.Rights, org); err != nil {
		return Role{}, err
	}
	if err := in.clean(); err != nil {
		return Role{}, err
	}
	detail := audit.Detail{}
	detail.Changed("name", was.Name, in.Name)
	detail.Changed("description", was.Description, in.Description)
	detail.Changed("permissions", was.Rights.String(), in.Rights.String())
	if len(detail) == 0 {
		return was, nil
	}
	detail["name"] = in.Name
	groups, err := s.Store.GroupsWith(ctx, org, in.ID)
	if err != nil {
		return Role{}, err
	}
	is := was
	is.Name, is.Description, is.Rights, is.Version = in.Name, in.Description, in.Rights, in.Version
	return s.Store.SaveRole(ctx, is, audit.New(who, s.Now(), audit.RoleUpdated, string(is.ID), detail).In(org).Affecting(groups...))
}

// DeleteRole takes a custom role away from everybody who has it.
func (s *Service) DeleteRole(ctx context.Context, who caller.Caller, org id.Organization, r id.Role) error {
	if err := access.Check(who, caller.ManageRoles, org); err != nil {
		return err
	}
	was, err := s.role(ctx, org, r)
	if err != nil {
		return err
	}
	if err := access.CheckGive(who, caller.ManageRoles, was.Rights, org); err != nil {
		return err
	}
	groups, err := s.Store.GroupsWith(ctx, org, r)
	if err != nil {
		return err
	}
	return s.Store.DeleteRole(ctx, org, r, audit.New(who, s.Now(), audit.RoleDeleted, string(r), audit.Detail{
		"name": was.Name, "permissions_before": was.Rights.String()}).In(org).Affecting(groups...))
}

func (r *Role) clean() (err error) {
	if r.Name, err = cleanTitle(r.Name); err != nil {
		return err
	}
	if access.Role(strings.ToLower(r.Name)).Valid() {
		return fault.New(fault.Invalid, "there is a built-in role of this name").At("name")
	}
	if !access.Assignable().Covers(r.Rights) {
		return fault.New(fault.Invalid, "a custom role cannot make somebody an owner").At("permissions")
	}
	if r.Rights == 0 {
		return fault.New(fault.Invalid, "choose at least one permission").At("permissions")
	}
	r.Description = CleanText(strings.TrimSpace(r.Description), 500)
	return nil
}

// cleanTitle is the name of a thing, which it must have.
func cleanTitle(raw string) (string, error) {
	name, err := CleanName(raw, "")
	if err != nil || name == "" || len(name) > 100 {
		return "", fault.New(fault.Invalid, "a name has between 1 and 100 printable characters").At("name")
	}
	return name, nil
}
