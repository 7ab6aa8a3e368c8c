package workspace

import (
	"context"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
)

// Members returns a page of who is in a workspace, the latest first.
func (s *Service) Members(ctx context.Context, who caller.Caller, o id.Organization, w id.Workspace, f MemberFilter) (page []Member, more bool, err error) {
	if err := access.Check(who, caller.ReadOrganization, o); err != nil {
		return nil, false, err
	}
	if _, err := s.standing(ctx, who, o, w, access.SeeWorkspace); err != nil {
		return nil, false, err
	}
	if f.After != "" && f.Before != "" {
		return nil, false, fault.New(fault.Invalid, "after_id and before_id cannot be given together").At("before_id")
	}
	if f.Limit <= 0 {
		f.Limit = 20
	}
	return s.Store.Members(ctx, o, w, f)
}

// Member returns what a principal is in a workspace.
func (s *Service) Member(ctx context.Context, who caller.Caller, o id.Organization, w id.Workspace, principal string) (Member, error) {
	if err := access.Check(who, caller.ReadOrganization, o); err != nil {
		return Member{}, err
	}
	if _, err := s.standing(ctx, who, o, w, access.SeeWorkspace); err != nil {
		return Member{}, err
	}
	return s.member(ctx, o, w, principal)
}

func (s *Service) member(ctx context.Context, o id.Organization, w id.Workspace, principal string) (Member, error) {
	found, ok, err := s.Store.Standing(ctx, o, w, principal)
	if err != nil {
		return Member{}, err
	}
	if !ok || found.Role == "" {
		return Member{}, fault.New(fault.NotFound, "%q is not in the workspace", principal)
	}
	return Member{Workspace: w, WorkspaceName: found.Workspace.Name, Principal: principal, Role: found.Role, CreatedAt: found.Since, CreatedBy: found.AddedBy,
		Name: found.Name}, nil
}

// Of returns a page of the workspaces that a member or service account is in.
// Everybody sees their own.
func (s *Service) Of(ctx context.Context, who caller.Caller, o id.Organization, principal string, f MemberFilter) (page []Member, more bool, err error) {
	if err := access.CheckOwner(who, caller.ReadOrganization, caller.ReadWorkspaces, id.Member(principal), o); err != nil {
		return nil, false, err
	}
	if f.Limit <= 0 {
		f.Limit = 20
	}
	return s.Store.Of(ctx, o, principal, f)
}

// Add puts a member of the organization, or a service account, into a workspace.
func (s *Service) Add(ctx context.Context, who caller.Caller, o id.Organization, w id.Workspace, principal string, role access.WorkspaceRole) (Member, error) {
	if err := access.Check(who, caller.ReadOrganization, o); err != nil {
		return Member{}, err
	}
	found, err := s.changeable(ctx, who, o, w)
	if err != nil {
		return Member{}, err
	}
	if err := checkRole(role); err != nil {
		return Member{}, err
	}
	if principal, err = s.principal(ctx, o, principal); err != nil {
		return Member{}, err
	}
	if found.Kind == ClaudeCode && strings.HasPrefix(principal, string(ServiceAccounts)) {
		return Member{}, fault.New(fault.Invalid, "the workspace %q is for people: a service account cannot be in it", found.Name).At("service_account_id")
	}
	m := Member{Workspace: w, WorkspaceName: found.Name, Principal: principal, Role: role, CreatedAt: s.Now(), CreatedBy: who.Principal()}
	return m, s.Store.Join(ctx, o, m, audit.New(who, s.Now(), audit.WorkspaceMemberAdded, string(w), audit.Detail{"workspace": found.Name,
		"principal": principal, "role": string(role)}).In(o).Affecting(principal))
}

// principal is the id of somebody who is named by it, by address, or, being a
// service account, by name.
func (s *Service) principal(ctx context.Context, o id.Organization, named string) (string, error) {
	named = strings.TrimSpace(named)
	if strings.HasPrefix(named, string(People)) || strings.HasPrefix(named, string(ServiceAccounts)) {
		return named, nil
	}
	found, ok, err := s.Store.Principal(ctx, o, strings.ToLower(named))
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "there is no member or service account %.80q in your organization", named).At("user_id")
	}
	return found, err
}

func checkRole(role access.WorkspaceRole) error {
	if role == access.WorkspaceBilling {
		return fault.New(fault.Invalid, "the role %q cannot be given: it comes with the organization's role billing", role).At("workspace_role")
	}
	if !role.Given() {
		return fault.New(fault.Invalid, "there is no role %q in workspaces", role).At("workspace_role")
	}
	return nil
}

// SetRole changes what somebody is in a workspace.
func (s *Service) SetRole(ctx context.Context, who caller.Caller, o id.Organization, w id.Workspace, principal string, role access.WorkspaceRole) (Member, error) {
	if err := access.Check(who, caller.ReadOrganization, o); err != nil {
		return Member{}, err
	}
	found, err := s.changeable(ctx, who, o, w)
	if err != nil {
		return Member{}, err
	}
	if err := checkRole(role); err != nil {
		return Member{}, err
	}
	m, err := s.member(ctx, o, w, principal)
	if err != nil || m.Role == role {
		return m, err
	}
	was := m.Role
	m.Role = role
	return m, s.Store.SetRole(ctx, o, w, principal, was, role, audit.New(who, s.Now(), audit.WorkspaceMemberUpdated, string(w), audit.Detail{
		"workspace": found.Name, "principal": principal, "role_before": string(was), "role_after": string(role)}).In(o).Affecting(principal))
}

// Remove takes somebody out of a workspace. Their keys in it stop at once, and
// so do their sign-ins if it is Claude Code's.
func (s *Service) Remove(ctx context.Context, who caller.Caller, o id.Organization, w id.Workspace, principal string) error {
	if err := access.Check(who, caller.ReadOrganization, o); err != nil {
		return err
	}
	found, err := s.changeable(ctx, who, o, w)
	if err != nil {
		return err
	}
	m, err := s.member(ctx, o, w, principal)
	if err != nil {
		return err
	}
	return s.Store.Leave(ctx, o, w, principal, audit.New(who, s.Now(), audit.WorkspaceMemberRemoved, string(w), audit.Detail{
		"workspace": found.Name, "principal": principal, "role": string(m.Role)}).In(o).Affecting(principal))
}

// EnterClaudeCode returns the workspace of Claude Code for a member who has just
// signed it in, or makes a key for it: it is made if there is none, and the
// member joins it if they are not in.
func (s *Service) EnterClaudeCode(ctx context.Context, who caller.Caller) (Workspace, error) {
	if err := access.Check(who, caller.OwnSessions, who.Organization); err != nil {
		return Workspace{}, err
	}
	if who.Member == "" {
		return Workspace{}, fault.New(fault.Denied, "only a member can be in the workspace %q", ClaudeCodeName)
	}
	at, ok, err := s.Store.ClaudeCode(ctx, who.Organization, who.Member)
	if err != nil || (ok && access.InWorkspace(0, at.Role).Has(access.HoldCredentials)) {
		return at.Workspace, err
	}
	now := s.Now()
	fresh := Workspace{ID: id.NewWorkspace(), Organization: who.Organization, Name: ClaudeCodeName, Kind: ClaudeCode, Color: DefaultColor, Version: 1, CreatedAt: now}
	m := Member{Principal: string(who.Member), Role: access.WorkspaceDeveloper, CreatedAt: now, CreatedBy: who.Principal()}
	made := audit.New(caller.OfSystem(who.Organization), now, audit.WorkspaceCreated, "", audit.Detail{"name": ClaudeCodeName, "for": string(who.Member)})
	joined := audit.New(who, now, audit.WorkspaceMemberAdded, "", audit.Detail{"workspace": ClaudeCodeName, "principal": m.Principal, "role": string(m.Role), "name": who.Name}).
		Affecting(m.Principal)
	if err := s.Store.JoinClaudeCode(ctx, fresh, m, made, joined); err != nil {
		return Workspace{}, err
	}
	at, ok, err = s.Store.ClaudeCode(ctx, who.Organization, who.Member)
	if err == nil && !ok {
		err = fault.New(fault.Internal, "the workspace %q was made and is not there", ClaudeCodeName)
	}
	return at.Workspace, err
}
