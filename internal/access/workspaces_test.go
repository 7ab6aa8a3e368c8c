package access_test

import (
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

// workspaceGrants is who may what in a workspace, written out by hand once more:
// one digit each for seeing it, holding credentials in it, and running it. The
// columns are the roles in the workspace.
var workspaceGrants = map[access.Role]map[access.WorkspaceRole]string{
	access.PrimaryOwner:    {"": "111", access.WorkspaceUser: "111", access.WorkspaceRestrictedDeveloper: "111", access.WorkspaceDeveloper: "111", access.WorkspaceAdmin: "111", access.WorkspaceBilling: "111"},
	access.Owner:           {"": "111", access.WorkspaceUser: "111", access.WorkspaceRestrictedDeveloper: "111", access.WorkspaceDeveloper: "111", access.WorkspaceAdmin: "111", access.WorkspaceBilling: "111"},
	access.Admin:           {"": "111", access.WorkspaceUser: "111", access.WorkspaceRestrictedDeveloper: "111", access.WorkspaceDeveloper: "111", access.WorkspaceAdmin: "111", access.WorkspaceBilling: "111"},
	access.MembershipAdmin: {"": "000", access.WorkspaceUser: "100", access.WorkspaceRestrictedDeveloper: "110", access.WorkspaceDeveloper: "110", access.WorkspaceAdmin: "111", access.WorkspaceBilling: "100"},
	access.Billing:         {"": "100", access.WorkspaceUser: "100", access.WorkspaceRestrictedDeveloper: "110", access.WorkspaceDeveloper: "110", access.WorkspaceAdmin: "111", access.WorkspaceBilling: "100"},
	access.Developer:       {"": "000", access.WorkspaceUser: "100", access.WorkspaceRestrictedDeveloper: "110", access.WorkspaceDeveloper: "110", access.WorkspaceAdmin: "111", access.WorkspaceBilling: "100"},
	access.ClaudeCodeUser:  {"": "000", access.WorkspaceUser: "100", access.WorkspaceRestrictedDeveloper: "110", access.WorkspaceDeveloper: "110", access.WorkspaceAdmin: "111", access.WorkspaceBilling: "100"},
	access.User:            {"": "000", access.WorkspaceUser: "100", access.WorkspaceRestrictedDeveloper: "110", access.WorkspaceDeveloper: "110", access.WorkspaceAdmin: "111", access.WorkspaceBilling: "100"},
	access.Managed:         {"": "000", access.WorkspaceUser: "000", access.WorkspaceRestrictedDeveloper: "000", access.WorkspaceDeveloper: "000", access.WorkspaceAdmin: "000", access.WorkspaceBilling: "000"},
}

func TestEveryRoleInAWorkspace(t *testing.T) {
	for _, role := range access.Roles() {
		who := caller.Caller{Kind: caller.Member, Organization: home, Member: "user_a", Role: string(role), Rights: role.Rights()}
		for in, want := range workspaceGrants[role] {
			for i, right := range []access.WorkspaceRights{access.SeeWorkspace, access.HoldCredentials, access.RunWorkspace} {
				err := access.CheckWorkspace(who, in, right, "tests", home)
				if (want[i] == '1') != (err == nil) {
					t.Errorf("%s, who is %q there, wants %d: %v", role, in, right, err)
				}
				if err != nil && want[0] == '0' && role != access.Managed && !fault.Is(err, fault.NotFound) {
					t.Errorf("%s, who may not see the workspace, learns of it: %v", role, err)
				}
				if err := access.CheckWorkspace(who, in, right, "tests", foreign); !fault.Is(err, fault.NotFound) {
					t.Errorf("%s in a foreign organization: %v", role, err)
				}
			}
		}
		if len(workspaceGrants[role]) != 6 {
			t.Errorf("%s has no row", role)
		}
	}
}

func TestWorkspaceRolesThatAreGiven(t *testing.T) {
	for _, r := range access.WorkspaceRoles() {
		if !r.Given() {
			t.Errorf("%s cannot be given", r)
		}
	}
	for _, r := range []access.WorkspaceRole{"", access.WorkspaceBilling, "admin", "workspace_owner"} {
		if r.Given() {
			t.Errorf("%q can be given", r)
		}
	}
	if access.InWorkspace(0, "") != 0 || access.InWorkspace(0, "nonsense") != 0 {
		t.Error("nobody may do something")
	}
}

func TestKeysOfAShrunkMember(t *testing.T) {
	dev := caller.Caller{Kind: caller.Member, Way: caller.Key, Organization: home, OrganizationName: "Home", Member: "user_a", Role: "developer", Rights: access.Developer.Rights()}
	if got := access.ByKey(dev, caller.OwnKeys); !got.Rights.Has(caller.UseModels) || got.Barred != "" || got.Rights.Has(caller.OwnKeys) {
		t.Errorf("a developer's key: %+v", got)
	}
	dev.Role, dev.Rights = "claude_code_user", access.ClaudeCodeUser.Rights()
	barred := access.ByKey(dev, caller.OwnKeys)
	err := access.Check(barred, caller.UseModels, home)
	if barred.Rights != 0 || !fault.Is(err, fault.Denied) || err.Error() != `your role "claude_code_user" in the organization "Home" lacks the permission "keys:own", without which this key does nothing` {
		t.Errorf("the key of who may not have one any more: %v", err)
	}
}
