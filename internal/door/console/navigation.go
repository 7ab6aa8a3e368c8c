package console

import (
	"slices"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
)

type navGroup struct {
	Title string
	Items []navItem
}

type navItem struct {
	To, Text string
	Current  bool
	shown    bool
}

// navigation is what a visitor with these rights can go to.
func navigation(rights caller.Rights, at string) []navGroup {
	item := func(to, text string, any ...caller.Right) navItem {
		return navItem{To: to, Text: text, shown: slices.ContainsFunc(any, rights.Has)}
	}
	all := []navGroup{
		{"", []navItem{
			// Those who run things get there from Home.
			{To: "/start", Text: "Get started", shown: rights.Has(caller.UseModels) && !rights.Has(caller.ReadMembers)},
			item("/", "Home", caller.ReadOrganization),
		}},
		{"People", []navItem{
			item("/members", "Members", caller.ReadMembers),
			item("/invitations", "Invitations", caller.ManageMembers),
			item("/groups", "Groups", caller.ReadMembers, caller.ManageRoles),
			item("/people/setup", "Set-up", caller.ReadMembers),
		}},
		{"Access", []navItem{
			item("/roles", "Roles", caller.ReadMembers, caller.ManageRoles),
			item("/service-accounts", "Service accounts", caller.ManageServiceAccounts),
			item("/keys", "API keys", caller.OwnKeys, caller.OwnClaudeCodeKeys, caller.AllKeys),
			item("/sessions", "Devices and sessions", caller.OwnSessions, caller.AllSessions),
		}},
		{"Workspaces", []navItem{
			item("/workspaces", "All workspaces", caller.ReadWorkspaces, caller.OwnClaudeCodeKeys, caller.ManageBilling),
		}},
		{"Models", []navItem{
			item("/upstreams", "Upstreams", caller.ManageUpstreams),
			item("/models", "Allowed models", caller.ManageOrganization),
			item("/clouds", "Direct access", caller.ManageUpstreams),
		}},
		{"Spend", []navItem{
			item("/usage", "Usage", caller.OwnUsage, caller.AllUsage),
		}},
		{"Activity", []navItem{
			item("/activity", "The record", caller.ReadActivity, caller.OwnSessions),
		}},
		{"Settings", []navItem{
			item("/settings", "Organization", caller.ManageOrganization),
			item("/settings/plan", "Plan and seats", caller.ReadBilling),
			item("/mail", "Mail", caller.ManageMembers),
		}},
	}
	var some []navGroup
	for _, group := range all {
		group.Items = slices.DeleteFunc(group.Items, func(i navItem) bool { return !i.shown })
		if len(group.Items) > 0 {
			some = append(some, group)
		}
	}
	mark(some, at)
	return some
}

// mark finds where the visitor is: the item whose address is the longest that
// theirs begins with.
func mark(groups []navGroup, at string) {
	var here *navItem
	for _, group := range groups {
		for i := range group.Items {
			item := &group.Items[i]
			under := at == item.To || (item.To != "/" && strings.HasPrefix(at, item.To+"/"))
			if under && (here == nil || len(item.To) > len(here.To)) {
				here = item
			}
		}
	}
	if here != nil {
		here.Current = true
	}
}
