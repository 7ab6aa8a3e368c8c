package org

import "github.com/gatehouse-dev/gatehouse/internal/caller"

// Plan says what is on in an organization and how it is billed. It never says
// what it costs: Gatehouse is free.
type Plan string

const (
	// Team is for people who use Claude Code: seats, invite links, members who
	// propose members. It has no API billing, so no keys but Claude Code's, no
	// workspaces and no service accounts.
	Team Plan = "team"
	// Enterprise has everything, custom roles and groups among it.
	Enterprise Plan = "enterprise"
	// Console is for API billing: keys and workspaces, as many people as come.
	Console Plan = "console"
)

// Plans lists the plans.
func Plans() []Plan { return []Plan{Team, Enterprise, Console} }

// Valid reports whether the plan exists.
func (p Plan) Valid() bool { return p == Team || p == Enterprise || p == Console }

// Rights are those that can be used on the plan. What a plan does not have,
// nobody may do, whatever their role.
func (p Plan) Rights() caller.Rights {
	switch p {
	case Team:
		return caller.All &^ caller.RightsOf(caller.OwnKeys, caller.ManageWorkspaces, caller.ManageServiceAccounts, caller.ManageRoles)
	case Enterprise:
		return caller.All
	case Console:
		return caller.All &^ caller.RightsOf(caller.ProposeMembers, caller.ManageRoles)
	}
	return 0
}

// HasSeats reports whether people take seats on the plan.
func (p Plan) HasSeats() bool { return p == Team || p == Enterprise }

// HasInviteLinks reports whether people can invite themselves with a link.
func (p Plan) HasInviteLinks() bool { return p == Team || p == Enterprise }
