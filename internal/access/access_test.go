package access_test

import (
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
)

const home, foreign = id.Organization("home"), id.Organization("foreign")

// grants is the table of who may what, written out once more by hand: a change
// of a role must be made in both places to pass. One digit a right, in the
// order of caller.EveryRight.
var grants = map[access.Role]string{
	//                      models
	//                      |organization: read, manage, own
	//                      ||  members: read, manage, manage_admins, propose
	//                      ||  |   roles
	//                      ||  |   |sessions: own, all
	//                      ||  |   || keys: own_claude_code, own, all
	//                      ||  |   || |  admin_keys
	//                      ||  |   || |  |workspaces: read, manage
	//                      ||  |   || |  || service_accounts
	//                      ||  |   || |  || |upstreams
	//                      ||  |   || |  || ||activity
	//                      ||  |   || |  || |||usage: own, all
	//                      ||  |   || |  || |||| billing: read, manage
	access.PrimaryOwner:    "111111111111111111111111",
	access.Owner:           "111011111111111111111111",
	access.Admin:           "111011011111111111111111",
	access.MembershipAdmin: "110011010101000000001100",
	access.Billing:         "010000010100000000001111",
	access.Developer:       "110000010101100000001000",
	access.ClaudeCodeUser:  "110000010101000000001000",
	access.User:            "010000010100000000001000",
	access.Managed:         "000000000000000000000000",
}

func TestEveryRoleAndRight(t *testing.T) {
	for _, role := range access.Roles() {
		who := caller.Caller{Kind: caller.Member, Organization: home, Member: "user_a", Role: string(role), Rights: role.Rights()}
		for _, right := range caller.EveryRight() {
			want := fault.Denied
			err := access.Check(who, right, home)
			if allowed := grants[role][right] == '1'; allowed != (err == nil) || (!allowed && !fault.Is(err, want)) {
				t.Errorf("%s %s: allowed is to be %v, got %v", role, right, allowed, err)
			}
			if err := access.Check(who, right, foreign); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s %s in a foreign organization: %v", role, right, err)
			}
		}
	}
}

func TestZeroCallerMayNothing(t *testing.T) {
	for _, right := range caller.EveryRight() {
		for _, org := range []id.Organization{"", home} {
			if access.Check(caller.Caller{}, right, org) == nil {
				t.Errorf("the zero caller has %s in %q", right, org)
			}
		}
	}
	if access.CheckInstance(caller.Caller{}) == nil {
		t.Error("the zero caller may act on the instance")
	}
	nowhere := caller.Caller{Kind: caller.Member, Rights: caller.All}
	if access.Check(nowhere, caller.UseModels, "") == nil {
		t.Error("a caller of no organization acts in no organization")
	}
}

func TestOwnThings(t *testing.T) {
	dev := caller.Caller{Kind: caller.Member, Organization: home, Member: "user_dev", Rights: access.Developer.Rights()}
	if err := access.CheckOwner(dev, caller.OwnKeys, caller.AllKeys, "user_dev", home); err != nil {
		t.Errorf("one's own key: %v", err)
	}
	if err := access.CheckOwner(dev, caller.OwnKeys, caller.AllKeys, "user_other", home); !fault.Is(err, fault.Denied) {
		t.Errorf("another's key: %v", err)
	}
	key := caller.Caller{Kind: caller.AdminKey, Organization: home, Rights: access.AdminKeyRights()}
	if err := access.CheckOwner(key, caller.OwnKeys, caller.OwnKeys, "", home); !fault.Is(err, fault.Denied) {
		t.Errorf("an ownerless thing belongs to a caller without a member id: %v", err)
	}
	if err := access.Check(key, caller.UseModels, home); !fault.Is(err, fault.Denied) {
		t.Errorf("an admin key uses models: %v", err)
	}
}

func TestOnlyABrowserChangesAnAccount(t *testing.T) {
	for _, kind := range []caller.Kind{caller.Nobody, caller.Member, caller.Service, caller.AdminKey, caller.Person, caller.Operator, caller.System} {
		for _, way := range []caller.Way{caller.Web, caller.Session, caller.Key, caller.Shell, caller.Internal, caller.Anonymous} {
			err := access.CheckAccount(caller.Caller{Kind: kind, Way: way, Account: "acct_a", Rights: caller.All})
			if want := way == caller.Web && (kind == caller.Member || kind == caller.Person); want != (err == nil) {
				t.Errorf("%q by %q: %v", kind, way, err)
			}
		}
	}
	if access.CheckAccount(caller.Caller{Kind: caller.Person, Way: caller.Web}) == nil {
		t.Error("a person without an account passes")
	}
}
