package access

import (
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
)

// WorkspaceRole is what a member, or a service account, is in one workspace. The
// names are those of the Admin API.
type WorkspaceRole string

const (
	WorkspaceUser WorkspaceRole = "workspace_user"
	// WorkspaceRestrictedDeveloper and WorkspaceDeveloper differ in what this
	// server does not keep: traces and files.
	WorkspaceRestrictedDeveloper WorkspaceRole = "workspace_restricted_developer"
	WorkspaceDeveloper           WorkspaceRole = "workspace_developer"
	WorkspaceAdmin               WorkspaceRole = "workspace_admin"
	// WorkspaceBilling is what whoever manages the organization's billing is in
	// every workspace. It cannot be given.
	WorkspaceBilling WorkspaceRole = "workspace_billing"
)

// WorkspaceRoles lists the roles that can be given, the mightiest first.
func WorkspaceRoles() []WorkspaceRole {
	return []WorkspaceRole{WorkspaceAdmin, WorkspaceDeveloper, WorkspaceRestrictedDeveloper, WorkspaceUser}
}

// Given reports whether the role is one that can be given.
func (r WorkspaceRole) Given() bool { return workspaceRoles[r] != 0 && r != WorkspaceBilling }

// WorkspaceRights is what somebody may do in one workspace. The zero set is
// empty.
type WorkspaceRights uint8

const (
	// SeeWorkspace is to see it, who is in, and what it allows.
	SeeWorkspace WorkspaceRights = 1 << iota
	// HoldCredentials is to have keys and sign-ins in it, as far as one's rights
	// in the organization have such.
	HoldCredentials
	// RunWorkspace is to change it, who is in, and everybody's keys in it.
	RunWorkspace
)

// Has reports whether the set holds all of what.
func (s WorkspaceRights) Has(what WorkspaceRights) bool { return s&what == what }

var workspaceRoles = map[WorkspaceRole]WorkspaceRights{
	WorkspaceUser:                SeeWorkspace,
	WorkspaceRestrictedDeveloper: SeeWorkspace | HoldCredentials,
	WorkspaceDeveloper:           SeeWorkspace | HoldCredentials,
	WorkspaceAdmin:               SeeWorkspace | HoldCredentials | RunWorkspace,
	WorkspaceBilling:             SeeWorkspace,
}

// InWorkspace is what somebody may do in a workspace that is not the default
// one: what their role there gives (none, if they are not in), and what their
// rights in the organization give in every workspace. Who manages workspaces is
// an admin of each.
func InWorkspace(rights caller.Rights, role WorkspaceRole) WorkspaceRights {
	may := workspaceRoles[role]
	if rights.Has(caller.ManageWorkspaces) {
		may |= workspaceRoles[WorkspaceAdmin]
	}
	if rights.Has(caller.ManageBilling) {
		may |= workspaceRoles[WorkspaceBilling]
	}
	if rights.Has(caller.ReadWorkspaces) {
		may |= SeeWorkspace
	}
	return may
}

// CheckWorkspace says whether who, having a role in a workspace, may do
// something there. For those who may not even see the workspace it is not there.
func CheckWorkspace(who caller.Caller, role WorkspaceRole, want WorkspaceRights, name string, in id.Organization) error {
	if err := Check(who, caller.ReadOrganization, in); err != nil {
		return err
	}
	may := InWorkspace(who.Rights, role)
	if everywhere(who) || may.Has(want) {
		return nil
	}
	if who.Kind == caller.AdminKey {
		needs := caller.ReadWorkspaces
		if may.Has(SeeWorkspace) {
			needs = caller.ManageWorkspaces
		}
		return unscoped(who, needs)
	}
	if !may.Has(SeeWorkspace) {
		return fault.New(fault.NotFound, "there is no such workspace in your organization, or you are not in it").
			WithHint("ask an admin of the workspace to add you")
	}
	if role == "" {
		role = "none"
	}
	needs := WorkspaceDeveloper
	if want.Has(RunWorkspace) {
		needs = WorkspaceAdmin
	}
	return fault.New(fault.Denied, "your role %q in the workspace %q is not enough: it takes %q, or the permission %q in the organization %q",
		role, name, needs, caller.ManageWorkspaces, organizationOf(who)).WithHint("ask an admin of the workspace for it")
}
