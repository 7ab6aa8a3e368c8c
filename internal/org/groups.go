package org

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
)

// Group is members who are given rights together, by custom roles, and who may be
// kept to some models.
type Group struct {
	ID           id.Group
	Organization id.Organization
	Name         string
	Description  string
	Roles        []id.Role
	Rights       caller.Rights // of its roles together
	// Models are those that its members may ask for, of what the organization allows:
	// of all their groups together that name any. None: the group says nothing of it.
	Models    []string
	Members   int // that are active or suspended
	Version   int64
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Source is where a membership of a group comes from.
type Source string

const (
	ByConsole Source = "console" // an admin, in the console or over the Admin API
	ByInvite  Source = "invite"
)

// Groups lists groups, the newest first.
func (s *Service) Groups(ctx context.Context, who caller.Caller, org id.Organization) ([]Group, error) {
	if err := access.CheckAny(who, org, caller.ReadMembers, caller.ManageRoles); err != nil {
		return nil, err
	}
	return s.Store.Groups(ctx, org)
}

// Group returns one group.
func (s *Service) Group(ctx context.Context, who caller.Caller, org id.Organization, g id.Group) (Group, error) {
	if err := access.CheckAny(who, org, caller.ReadMembers, caller.ManageRoles); err != nil {
		return Group{}, err
	}
	return s.group(ctx, org, g)
}

func (s *Service) group(ctx context.Context, org id.Organization, g id.Group) (Group, error) {
	found, ok, err := s.Store.Group(ctx, org, g)
	if err == nil && !ok {
		err = NoGroup()
	}
	return found, err
}

// NoGroup is the NotFound of a group that is not there, or is another
// organization's.
func NoGroup() error {
	return fault.New(fault.NotFound, "there is no such group in your organization").Coded("rbac_group_not_found")
}

// GroupsOf lists the groups of one member.
func (s *Service) GroupsOf(ctx context.Context, who caller.Caller, org id.Organization, m id.Member) ([]Group, error) {
	if err := access.CheckAny(who, org, caller.ReadMembers, caller.ManageRoles); err != nil {
		return nil, err
	}
	found, err := s.member(ctx, org, m)
	if err != nil {
		return nil, err
	}
	all, err := s.Store.Groups(ctx, org)
	in := strings.Fields(found.Groups)
	return slices.DeleteFunc(all, func(g Group) bool { return !slices.Contains(in, string(g.ID)) }), err
}

// CreateGroup makes a group without members.
func (s *Service) CreateGroup(ctx context.Context, who caller.Caller, org id.Organization, in Group) (Group, error) {
	if err := access.Check(who, caller.ManageRoles, org); err != nil {
		return Group{}, err
	}
	if err := s.cleanGroup(ctx, who, org, &in); err != nil {
		return Group{}, err
	}
	in.ID, in.Organization, in.Version, in.CreatedAt, in.UpdatedAt, in.Members = id.NewGroup(), org, 1, s.Now(), s.Now(), 0
	return in, s.Store.AddGroup(ctx, in, maxGroups, audit.New(who, s.Now(), audit.GroupCreated, string(in.ID), audit.Detail{
		"name": in.Name, "permissions_after": in.Rights.String(), "models_after": strings.Join(in.Models, " ")}).In(org))
}

// UpdateGroup changes a group's name, description and roles. Its version must be
// that of the state which the caller has seen; 0 is any.
func (s *Service) UpdateGroup(ctx context.Context, who caller.Caller, org id.Organization, in Group) (Group, error) {
	if err := access.Check(who, caller.ManageRoles, org); err != nil {
		return Group{}, err
	}
	was, err := s.group(ctx, org, in.ID)
	if err != nil {
		return Group{}, err
	}
	if err := access.CheckGive(who, caller.ManageRoles, was.Rights, org); err != nil {
		return Group{}, err
	}
	if err := s.cleanGroup(ctx, who, org, &in); err != nil {
		return Group{}, err
	}
	detail := audit.Detail{}
	detail.Changed("name", was.Name, in.Name)
	detail.Changed("description", was.Description, in.Description)
	detail.Changed("permissions", was.Rights.String(), in.Rights.String())
	detail.Changed("models", strings.Join(was.Models, " "), strings.Join(in.Models, " "))
	if len(detail) == 0 && slices.Equal(was.Roles, in.Roles) {
		return was, nil
	}
	detail["name"] = in.Name
	is := was
	is.Name, is.Description, is.Roles, is.Rights, is.Models, is.Version, is.UpdatedAt = in.Name, in.Description, in.Roles, in.Rights, in.Models, in.Version, s.Now()
	return s.Store.SaveGroup(ctx, is, audit.New(who, s.Now(), audit.GroupUpdated, string(is.ID), detail).In(org).Affecting(string(is.ID)))
}

// cleanGroup checks what was asked and looks up what the roles give.
func (s *Service) cleanGroup(ctx context.Context, who caller.Caller, org id.Organization, g *Group) (err error) {
	if g.Name, err = cleanTitle(g.Name); err != nil {
		return err
	}
	g.Description = CleanText(strings.TrimSpace(g.Description), 500)
	if g.Models, err = cleanModels(g.Models); err != nil {
		return err
	}
	if slices.ContainsFunc(g.Models, func(m string) bool { return len(strings.Fields(m)) != 1 }) {
		return fault.New(fault.Invalid, "a model's name has no space in it").At("models") // it is kept among others, which spaces divide
	}
	roles := slices.Compact(slices.Sorted(slices.Values(g.Roles)))
	g.Roles, g.Rights = nil, 0
	for _, r := range roles {
		found, ok, err := s.Store.Role(ctx, org, r)
		if err != nil {
			return err
		}
		if !ok {
			return fault.New(fault.Invalid, "there is no role %q in your organization", r).At("roles")
		}
		g.Roles, g.Rights = append(g.Roles, r), g.Rights|found.Rights
	}
	return access.CheckGive(who, caller.ManageRoles, g.Rights, org)
}

// DeleteGroup takes what a group gives away from all its members.
func (s *Service) DeleteGroup(ctx context.Context, who caller.Caller, org id.Organization, g id.Group) error {
	if err := access.Check(who, caller.ManageRoles, org); err != nil {
		return err
	}
	was, err := s.group(ctx, org, g)
	if err != nil {
		return err
	}
	if err := access.CheckGive(who, caller.ManageRoles, was.Rights, org); err != nil {
		return err
	}
	return s.Store.DeleteGroup(ctx, org, g, audit.New(who, s.Now(), audit.GroupDeleted, string(g), audit.Detail{
		"name": was.Name, "count": fmt.Sprint(was.Members)}).In(org).Affecting(string(g)))
}

// AddToGroup makes a member one of a group; nothing happens to one who is.
func (s *Service) AddToGroup(ctx context.Context, who caller.Caller, org id.Organization, g id.Group, m id.Member) error {
	if err := access.Check(who, caller.ManageMembers, org); err != nil {
		return err
	}
	return s.regroup(ctx, who, org, g, m, audit.GroupMemberAdded)
}

// RemoveFromGroup takes a member out of a group.
func (s *Service) RemoveFromGroup(ctx context.Context, who caller.Caller, org id.Organization, g id.Group, m id.Member) error {
	if err := access.Check(who, caller.ManageMembers, org); err != nil {
		return err
	}
	return s.regroup(ctx, who, org, g, m, audit.GroupMemberRemoved)
}

func (s *Service) regroup(ctx context.Context, who caller.Caller, org id.Organization, g id.Group, m id.Member, what audit.Type) error {
	group, err := s.group(ctx, org, g)
	if err != nil {
		return err
	}
	if err := access.CheckGive(who, caller.ManageMembers, group.Rights, org); err != nil {
		return err
	}
	found, err := s.member(ctx, org, m)
	if err != nil || found.Status == Removed {
		return orNoMember(err)
	}
	is := slices.Contains(strings.Fields(found.Groups), string(g))
	e := audit.New(who, s.Now(), what, string(g), audit.Detail{"email": found.Email, "group": group.Name}).In(org).Affecting(string(m))
	switch {
	case what == audit.GroupMemberAdded && !is:
		return s.Store.AddToGroup(ctx, org, g, m, ByConsole, s.Now(), e)
	case what == audit.GroupMemberRemoved && is:
		return s.Store.RemoveFromGroup(ctx, org, g, m, e)
	case what == audit.GroupMemberRemoved:
		return fault.New(fault.NotFound, "%s is not in this group", found.Email)
	}
	return nil
}

func orNoMember(err error) error {
	if err != nil {
		return err
	}
	return fault.New(fault.NotFound, "there is no such member in your organization")
}
