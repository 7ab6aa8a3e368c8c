package access

import "github.com/gatehouse-dev/gatehouse/internal/caller"

// Role is a named set of rights that a member has in an organization. The names
// are those of the Admin API.
type Role string

const (
	PrimaryOwner   Role = "primary_owner"
	Owner          Role = "owner"
	Developer      Role = "developer"
	ClaudeCodeUser Role = "claude_code_user"
	User           Role = "user"
)

var (
	member    = caller.RightsOf(caller.UseModels, caller.ReadOrganization, caller.OwnSessions, caller.OwnUsage)
	developer = member | caller.RightsOf(caller.OwnKeys)
)

var roles = map[Role]caller.Rights{
	PrimaryOwner:   caller.All,
	Owner:          caller.All,
	Developer:      developer,
	ClaudeCodeUser: member,
	User:           caller.RightsOf(caller.ReadOrganization, caller.OwnSessions, caller.OwnUsage),
}

// Roles lists the roles a member can have, the mightiest first.
func Roles() []Role { return []Role{PrimaryOwner, Owner, Developer, ClaudeCodeUser, User} }

// Rights returns what a role may do; nothing for a role that does not exist.
func (r Role) Rights() caller.Rights { return roles[r] }

// Valid reports whether the role exists.
func (r Role) Valid() bool { _, ok := roles[r]; return ok }

// KeyRights is what an API key of a member with these rights may do: it serves
// models and reads, and can never make or change credentials.
func KeyRights(rights caller.Rights) caller.Rights {
	return rights & caller.RightsOf(caller.UseModels, caller.ReadOrganization)
}

// SessionRights is what an access token of a member with these rights may do.
func SessionRights(rights caller.Rights) caller.Rights {
	return rights & caller.RightsOf(caller.UseModels, caller.ReadOrganization, caller.OwnSessions, caller.OwnUsage)
}

// AdminKeyRights is what an admin key may do: run the organization, but not
// spend its money on models.
func AdminKeyRights() caller.Rights {
	return caller.All &^ caller.RightsOf(caller.UseModels, caller.OwnKeys, caller.OwnSessions, caller.OwnUsage)
}
