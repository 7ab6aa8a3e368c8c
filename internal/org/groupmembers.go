package org

import (
	"context"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
)

// GroupMember is a member of the organization in a group.
type GroupMember struct {
	Group  id.Group
	Member id.Member
	Email  string
	Since  time.Time // when they came into the group
}

// GroupMemberFilter chooses a page of who is in a group, the latest first.
type GroupMemberFilter struct {
	Group id.Group
	After id.Member // the page after this member
	Limit int       // 20 if not positive
}

// GroupMembers lists who is in a group, a page at a time, and says whether there
// are more.
func (s *Service) GroupMembers(ctx context.Context, who caller.Caller, org id.Organization, f GroupMemberFilter) (members []GroupMember, more bool, err error) {
	if err := access.Check(who, caller.ReadMembers, org); err != nil {
		return nil, false, err
	}
	if _, err := s.group(ctx, org, f.Group); err != nil {
		return nil, false, err
	}
	if f.After != "" {
		if _, ok, err := s.Store.GroupMember(ctx, org, f.Group, f.After); err != nil {
			return nil, false, err
		} else if !ok {
			return nil, false, fault.New(fault.Invalid, "there is no member %q in the group to page from", f.After)
		}
	}
	if f.Limit <= 0 {
		f.Limit = 20
	}
	return s.Store.GroupMembers(ctx, org, f)
}

// GroupMember returns one member of a group.
func (s *Service) GroupMember(ctx context.Context, who caller.Caller, org id.Organization, g id.Group, m id.Member) (GroupMember, error) {
	if err := access.Check(who, caller.ReadMembers, org); err != nil {
		return GroupMember{}, err
	}
	found, ok, err := s.Store.GroupMember(ctx, org, g, m)
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "there is no such member in the group")
	}
	return found, err
}
