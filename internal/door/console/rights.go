package console

import (
	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
)

// roleHelp says in a line what a role is for.
var roleHelp = map[access.Role]string{
	access.PrimaryOwner:    "Everything, and the only one who gives the organization away, exports or deletes it.",
	access.Owner:           "Runs everything, admins and owners included.",
	access.Admin:           "Runs the organization: people, roles, keys, workspaces, upstreams. Not owners and other admins.",
	access.MembershipAdmin: "Invites and removes people, sees usage; uses Claude Code.",
	access.Billing:         "Plan, seats and what is spent; no models and no keys.",
	access.Developer:       "Uses models and Claude Code, makes keys of any kind.",
	access.ClaudeCodeUser:  "Uses Claude Code, makes Claude Code keys and no others.",
	access.User:            "Signs in and sees their own usage; no models.",
	access.Managed:         "Nothing by itself: what they can do comes from the custom roles of their groups.",
}

// rightWords say what a right allows, as a person would. The map is compared with
// all rights by a test.
var rightWords = map[caller.Right]struct{ area, text string }{
	caller.UseModels:             {"Models", "Send requests to models"},
	caller.ManageUpstreams:       {"Models", "Connect and remove upstreams"},
	caller.ReadOrganization:      {"Organization", "See the organization"},
	caller.ManageOrganization:    {"Organization", "Change its settings and allowed models"},
	caller.OwnOrganization:       {"Organization", "Give it away, export everything, delete it"},
	caller.ReadActivity:          {"Organization", "Read the record of activity"},
	caller.ReadMembers:           {"People", "See who is in"},
	caller.ProposeMembers:        {"People", "Propose somebody, for an admin to invite"},
	caller.ManageMembers:         {"People", "Invite and remove people, change their roles"},
	caller.ManageAdmins:          {"People", "The same for admins and owners"},
	caller.ManageRoles:           {"People", "Custom roles and groups"},
	caller.OwnSessions:           {"Access", "Sign devices in; see and end one's own sessions"},
	caller.AllSessions:           {"Access", "See and end anybody's device sessions"},
	caller.OwnClaudeCodeKeys:     {"Access", "Make Claude Code keys for oneself"},
	caller.OwnKeys:               {"Access", "Make keys of any kind for oneself"},
	caller.AllKeys:               {"Access", "See and change anybody's keys"},
	caller.ManageAdminKeys:       {"Access", "Make keys of the Admin API"},
	caller.ManageServiceAccounts: {"Access", "Service accounts and their keys"},
	caller.ReadWorkspaces:        {"Workspaces", "See all workspaces"},
	caller.ManageWorkspaces:      {"Workspaces", "Make, change and archive workspaces"},
	caller.OwnUsage:              {"Spend", "See one's own usage"},
	caller.AllUsage:              {"Spend", "See everybody's usage"},
	caller.ReadBilling:           {"Spend", "See plan and seats"},
	caller.ManageBilling:         {"Spend", "Change plan and seats"},
}

// rightAreas is the order in which rights are shown.
var rightAreas = []string{"Models", "Organization", "People", "Access", "Workspaces", "Spend"}

// rightsOf lists the rights of an area, in their own order.
func rightsOf(area string) []caller.Right {
	var some []caller.Right
	for _, r := range caller.EveryRight() {
		if rightWords[r].area == area {
			some = append(some, r)
		}
	}
	return some
}

// givenRoles are the roles that a visitor may give, with those that a custom one
// stands for.
func givenRoles(who caller.Caller, chosen access.Role) []option {
	var all []option
	for _, r := range access.Roles() {
		if r == access.PrimaryOwner || access.CheckGive(who, caller.ManageMembers, r.Rights(), who.Organization) != nil ||
			access.CheckTake(who, caller.ManageMembers, r.Rights(), who.Organization) != nil {
			continue
		}
		all = append(all, option{Value: string(r), Text: roleName(string(r)), Help: roleHelp[r], Chosen: r == chosen})
	}
	return all
}
