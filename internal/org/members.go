package org

import (
	"context"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
)

// Members lists who is in an organization, a page at a time, and says whether
// there are more in the direction of the page.
func (s *Service) Members(ctx context.Context, who caller.Caller, org id.Organization, f MemberFilter) (members []Member, more bool, err error) {
	if err := access.Check(who, caller.ReadMembers, org); err != nil {
		return nil, false, err
	}
	if f.After != "" && f.Before != "" {
		return nil, false, fault.New(fault.Invalid, "after_id and before_id cannot be given together").At("before_id")
	}
	if f.Limit <= 0 {
		f.Limit = 20
	}
	f.Text = strings.TrimSpace(f.Text)
	for _, cursor := range []id.Member{f.After, f.Before} {
		if cursor == "" {
			continue
		}
		if _, ok, err := s.Store.Member(ctx, org, cursor); err != nil {
			return nil, false, err
		} else if !ok {
			return nil, false, fault.New(fault.Invalid, "there is no member %q to page from", cursor)
		}
	}
	return s.Store.Members(ctx, org, f)
}

// Counts says how many members there are in each state.
func (s *Service) Counts(ctx context.Context, who caller.Caller, org id.Organization) (map[Status]int, error) {
	if err := access.Check(who, caller.ReadMembers, org); err != nil {
		return nil, err
	}
	return s.Store.CountMembers(ctx, org)
}

// Member returns one member.
func (s *Service) Member(ctx context.Context, who caller.Caller, org id.Organization, m id.Member) (Member, error) {
	if err := access.Check(who, caller.ReadMembers, org); err != nil {
		return Member{}, err
	}
	return s.member(ctx, org, m)
}

func (s *Service) member(ctx context.Context, org id.Organization, m id.Member) (Member, error) {
	found, ok, err := s.Store.Member(ctx, org, m)
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "there is no such member in your organization")
	}
	return found, err
}

// NewMember is what is asked when somebody is added.
type NewMember struct {
	Email string
	Name  string
	Role  access.Role
}

// Add adds a member, with a new account if nobody has the address yet. People
// are added so in the server's shell and in a demo; elsewhere they are invited.
func (s *Service) Add(ctx context.Context, who caller.Caller, org id.Organization, in NewMember) (Member, error) {
	if err := access.CheckGive(who, caller.ManageMembers, in.Role.Rights(), org); err != nil {
		return Member{}, err
	}
	email, err := CleanEmail(in.Email)
	if err != nil {
		return Member{}, err
	}
	name, err := CleanName(in.Name, email)
	if err != nil {
		return Member{}, err
	}
	if err := checkGiven(who, in.Role, org); err != nil {
		return Member{}, err
	}
	o, err := s.get(ctx, org)
	if err != nil {
		return Member{}, err
	}
	m := Member{ID: id.NewMember(), Organization: org, OrganizationName: o.Name, Plan: o.Plan, Account: id.NewAccount(), Email: email, Name: name, Role: in.Role, Status: Active,
		Version: 1, CreatedAt: s.Now(), JoinedAt: s.Now()}
	return s.Store.AddMember(ctx, m, audit.New(who, s.Now(), audit.MemberAdded, string(m.ID), audit.Detail{
		"email": email, "role": string(in.Role)}).In(org))
}

// checkGiven says whether who may give somebody a role.
func checkGiven(who caller.Caller, role access.Role, org id.Organization) error {
	if !role.Valid() || role == access.PrimaryOwner {
		return fault.New(fault.Invalid, "there is no role %q that could be given", role).At("role")
	}
	if err := access.CheckGive(who, caller.ManageMembers, role.Rights(), org); err != nil {
		return err
	}
	return access.CheckTake(who, caller.ManageMembers, role.Rights(), org)
}

// SetRole gives a member another role. version is that of the state which the
// caller has seen; 0 is any.
func (s *Service) SetRole(ctx context.Context, who caller.Caller, org id.Organization, m id.Member, version int64, role access.Role) (Member, error) {
	if err := access.Check(who, caller.ManageMembers, org); err != nil {
		return Member{}, err
	}
	was, err := s.touchable(ctx, who, org, m, "change your own role")
	if err != nil {
		return Member{}, err
	}
	if err := checkGiven(who, role, org); err != nil {
		return Member{}, err
	}
	if was.Role == role {
		return was, nil
	}
	is := was
	is.Role, is.Version = role, version
	return is, s.save(ctx, &is, audit.New(who, s.Now(), audit.MemberUpdated, string(m), audit.Detail{
		"email": was.Email, "role_before": string(was.Role), "role_after": string(role)}))
}

// touchable is a member whom the caller may change: nobody changes themselves,
// and the primary owner is changed by giving ownership away.
func (s *Service) touchable(ctx context.Context, who caller.Caller, org id.Organization, m id.Member, what string) (Member, error) {
	found, err := s.member(ctx, org, m)
	switch {
	case err != nil:
		return Member{}, err
	case found.Status == Removed:
		return Member{}, fault.New(fault.NotFound, "there is no such member in your organization")
	case found.Role == access.PrimaryOwner:
		return Member{}, fault.New(fault.Conflict, "%s is the primary owner of the organization", found.Email).
			WithHint("ownership has to be given to somebody else first")
	case who.Member == m:
		return Member{}, fault.New(fault.Conflict, "you cannot %s", what).WithHint("ask another owner")
	}
	return found, access.CheckTake(who, caller.ManageMembers, found.Assigned(), org)
}

func (s *Service) save(ctx context.Context, m *Member, e audit.Event) error {
	var err error
	*m, err = s.Store.SaveMember(ctx, *m, e.In(m.Organization).Affecting(string(m.ID)))
	return err
}

// Suspend takes a member's access away for a time, with every credential that
// hangs on it.
func (s *Service) Suspend(ctx context.Context, who caller.Caller, org id.Organization, m id.Member) error {
	if err := access.Check(who, caller.ManageMembers, org); err != nil {
		return err
	}
	found, err := s.touchable(ctx, who, org, m, "suspend yourself")
	if err != nil || found.Status == Suspended {
		return err
	}
	found.Status, found.EndedAt = Suspended, s.Now()
	return s.save(ctx, &found, audit.New(who, s.Now(), audit.MemberSuspended, string(m), audit.Detail{"email": found.Email}))
}

// Reinstate gives a suspended member their access back, credentials included.
func (s *Service) Reinstate(ctx context.Context, who caller.Caller, org id.Organization, m id.Member) error {
	if err := access.Check(who, caller.ManageMembers, org); err != nil {
		return err
	}
	found, err := s.touchable(ctx, who, org, m, "reinstate yourself")
	if err != nil || found.Status == Active {
		return err
	}
	if err := access.CheckGive(who, caller.ManageMembers, found.Assigned(), org); err != nil {
		return err
	}
	found.Status, found.EndedAt = Active, zero
	return s.save(ctx, &found, audit.New(who, s.Now(), audit.MemberReinstated, string(m), audit.Detail{"email": found.Email}))
}

// Remove ends a membership: every session, token, key and waiting invitation of
// the member is refused from then on, everywhere. Rows stay for the record.
func (s *Service) Remove(ctx context.Context, who caller.Caller, org id.Organization, m id.Member) (Member, error) {
	if err := access.Check(who, caller.ManageMembers, org); err != nil {
		return Member{}, err
	}
	found, err := s.touchable(ctx, who, org, m, "remove yourself")
	if err != nil {
		return Member{}, err
	}
	return s.remove(ctx, who, found)
}

// Leave ends the caller's own membership.
func (s *Service) Leave(ctx context.Context, who caller.Caller, org id.Organization) error {
	if err := access.Check(who, caller.ReadOrganization, org); err != nil {
		return err
	}
	if err := access.CheckPerson(who); err != nil {
		return err
	}
	found, err := s.member(ctx, org, who.Member)
	if err != nil {
		return err
	}
	if found.Role == access.PrimaryOwner {
		return fault.New(fault.Conflict, "you are the primary owner of the organization").WithHint("give ownership to somebody else first, or delete the organization")
	}
	_, err = s.remove(ctx, who, found)
	return err
}

func (s *Service) remove(ctx context.Context, who caller.Caller, m Member) (Member, error) {
	m.Status, m.EndedAt = Removed, s.Now()
	e := audit.New(who, s.Now(), audit.MemberRemoved, string(m.ID), audit.Detail{"email": m.Email, "role": string(m.Role)})
	return m, s.save(ctx, &m, e)
}
