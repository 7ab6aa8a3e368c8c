package caller

import "strings"

// Right is one thing a caller may be allowed to do.
type Right uint8

const (
	UseModels             Right = iota // send requests to models
	ReadOrganization                   // see the organization itself
	ManageOrganization                 // change its settings and model list
	OwnOrganization                    // give it away, export it, delete it
	ReadMembers                        // see who is in
	ManageMembers                      // invite and remove people, change their roles
	ManageAdmins                       // the same for those who run the organization
	ProposeMembers                     // propose people, for somebody else to invite
	ManageRoles                        // custom roles and groups
	OwnSessions                        // see and end one's own device sessions
	AllSessions                        // see and end anybody's
	OwnClaudeCodeKeys                  // make, see and change one's own Claude Code keys
	OwnKeys                            // make, see and change one's own keys of any kind
	AllKeys                            // see and change anybody's
	ManageAdminKeys                    // make and change keys of the Admin API
	ReadWorkspaces                     // see all workspaces
	ManageWorkspaces                   // make, change and archive workspaces
	ManageServiceAccounts              // make and change service accounts, and their keys
	ManageUpstreams                    // connect and remove upstreams
	ReadActivity                       // read the record
	OwnUsage                           // see one's own usage
	AllUsage                           // see everybody's
	ReadBilling                        // see the plan, its seats and what they cost
	ManageBilling                      // change them
	rightCount
)

// rightNames are the rights' stable names, in the order of the constants.
var rightNames = [rightCount]string{"models:use", "organization:read", "organization:manage", "organization:own", "members:read", "members:manage",
	"members:manage_admins", "members:propose", "roles:manage", "sessions:own", "sessions:all", "keys:own_claude_code", "keys:own", "keys:all",
	"admin_keys:manage", "workspaces:read", "workspaces:manage", "service_accounts:manage", "upstreams:manage", "activity:read",
	"usage:own", "usage:all", "billing:read", "billing:manage"}

func (r Right) String() string { return rightNames[r] }

// Rights is a set of rights. The zero set is empty.
type Rights uint64

// All holds every right there is.
const All Rights = 1<<rightCount - 1

// RightsOf makes a set.
func RightsOf(rights ...Right) Rights {
	var set Rights
	for _, r := range rights {
		set |= 1 << r
	}
	return set
}

// Has reports whether the set holds r.
func (s Rights) Has(r Right) bool { return s&(1<<r) != 0 }

// Covers reports whether the set holds everything that other does.
func (s Rights) Covers(other Rights) bool { return other&^s == 0 }

// String lists the names of the rights, separated by spaces.
func (s Rights) String() string {
	var names []string
	for r := range rightCount {
		if s.Has(r) {
			names = append(names, rightNames[r])
		}
	}
	return strings.Join(names, " ")
}

// RightNamed returns the right of a name.
func RightNamed(name string) (r Right, ok bool) {
	for r := range rightCount {
		if rightNames[r] == name {
			return r, true
		}
	}
	return 0, false
}

// ParseRights reads what Rights.String wrote. Names it does not know give
// nothing: a right that was taken out of the product is nobody's.
func ParseRights(names string) Rights {
	var set Rights
	for name := range strings.FieldsSeq(names) {
		if r, ok := RightNamed(name); ok {
			set |= 1 << r
		}
	}
	return set
}

// EveryRight lists all rights, for tables and their tests.
func EveryRight() []Right {
	all := make([]Right, rightCount)
	for i := range all {
		all[i] = Right(i)
	}
	return all
}
