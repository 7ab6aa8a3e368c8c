package access

import "github.com/gatehouse-dev/gatehouse/internal/caller"

// Role is a named set of rights that a member has in an organization. The names
// are those of the Admin API.
type Role string

const (
	PrimaryOwner    Role = "primary_owner"
	Owner           Role = "owner"
	Admin           Role = "admin"
	MembershipAdmin Role = "membership_admin"
	Billing         Role = "billing"
	Developer       Role = "developer"
	ClaudeCodeUser  Role = "claude_code_user"
	User            Role = "user"
	Managed         Role = "managed" // nothing by itself: all comes from groups
)

var (
	// everybody is what every member but a managed one may do.
	everybody  = caller.RightsOf(caller.ReadOrganization, caller.ProposeMembers, caller.OwnSessions, caller.OwnUsage)
	claudeCode = everybody | caller.RightsOf(caller.UseModels, caller.OwnClaudeCodeKeys)
	developer  = claudeCode | caller.RightsOf(caller.OwnKeys)
	billing    = everybody | caller.RightsOf(caller.AllUsage, caller.ReadBilling, caller.ManageBilling)
	membership = claudeCode | caller.RightsOf(caller.ReadMembers, caller.ManageMembers, caller.AllUsage)
	admin      = caller.All &^ caller.RightsOf(caller.OwnOrganization, caller.ManageAdmins)
	owner      = caller.All &^ caller.RightsOf(caller.OwnOrganization)
)

var roles = map[Role]caller.Rights{
	PrimaryOwner:    caller.All,
	Owner:           owner,
	Admin:           admin,
	MembershipAdmin: membership,
	Billing:         billing,
	Developer:       developer,
	ClaudeCodeUser:  claudeCode,
	User:            everybody,
	Managed:         0,
}

// Roles lists the roles a member can have, the mightiest first.
func Roles() []Role {
	return []Role{PrimaryOwner, Owner, Admin, MembershipAdmin, Billing, Developer, ClaudeCodeUser, User, Managed}
}

// Rights returns what a role may do; nothing for a role that does not exist.
func (r Role) Rights() caller.Rights { return roles[r] }

// Valid reports whether the role exists.
func (r Role) Valid() bool { _, ok := roles[r]; return ok }

// running are the rights of those who run an organization.
const running = caller.Rights(1<<caller.ManageOrganization | 1<<caller.OwnOrganization | 1<<caller.ManageMembers | 1<<caller.ManageAdmins |
	1<<caller.ManageRoles | 1<<caller.AllSessions | 1<<caller.AllKeys | 1<<caller.ManageAdminKeys | 1<<caller.ManageWorkspaces |
	1<<caller.ManageServiceAccounts | 1<<caller.ManageUpstreams)

// Runs reports whether somebody with these rights runs the organization.
func Runs(rights caller.Rights) bool { return rights&running != 0 }

// Runs reports whether the role is one of those who run the organization. They
// are given and taken with the right to manage admins, and never over the
// Admin API.
func (r Role) Runs() bool { return Runs(roles[r]) }

// Assignable are the rights that a custom role can have: all but those that make
// an owner.
func Assignable() caller.Rights {
	return caller.All &^ caller.RightsOf(caller.OwnOrganization, caller.ManageAdmins)
}

// KeyRights is what an API key of a member with these rights may do: it serves
// models and reads, and can never make or change credentials. It does nothing
// for a member who may not have such a key (any more).
func KeyRights(rights caller.Rights, needs caller.Right) caller.Rights {
	if !rights.Has(needs) {
		return 0
	}
	return rights & caller.RightsOf(caller.UseModels, caller.ReadOrganization)
}

// ByKey is a member as they ask by a key of theirs, which needs a right of
// theirs to be good for anything. One whose member has lost that is told so.
func ByKey(who caller.Caller, needs caller.Right) caller.Caller {
	if !who.Rights.Has(needs) {
		who.Barred = denied(who, needs).Message + ", without which this key does nothing"
	}
	who.Rights = KeyRights(who.Rights, needs)
	return who
}

// SessionRights is what an access token of a member with these rights may do.
func SessionRights(rights caller.Rights) caller.Rights {
	return rights & caller.RightsOf(caller.UseModels, caller.ReadOrganization, caller.OwnSessions, caller.OwnUsage)
}

// ServiceRights is what a service account may do, by its keys.
func ServiceRights() caller.Rights {
	return caller.RightsOf(caller.UseModels, caller.ReadOrganization)
}

// AdminKeyRights is the most that an admin key may do: run the organization, but
// not own it nor spend its money on models. A key has those of its scopes that
// its maker has at the moment.
func AdminKeyRights() caller.Rights {
	return caller.All &^ caller.RightsOf(caller.UseModels, caller.OwnKeys, caller.OwnClaudeCodeKeys, caller.OwnSessions, caller.OwnUsage,
		caller.ProposeMembers, caller.OwnOrganization, caller.ManageAdmins, caller.ManageAdminKeys)
}
