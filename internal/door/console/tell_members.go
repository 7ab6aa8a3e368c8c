package console

import "github.com/gatehouse-dev/gatehouse/internal/audit"

var memberTellings = map[audit.Type]telling{
	audit.MemberAdded: sayWith("added %s", []string{"email"}, [2]string{"role", " as %s"}),
	audit.MemberUpdated: func(d audit.Detail) string {
		if d["role_before"] != d["role_after"] {
			return "changed the role of " + or(d["email"], "a member") + " from " + valued("role", d["role_before"]) + " to " + valued("role", d["role_after"])
		}
		return "changed the membership of " + or(d["email"], "a member") + listOf(changedFields(d))
	},
	audit.MemberSuspended:  say("suspended %s", "email"),
	audit.MemberReinstated: say("let %s in again", "email"),
	audit.MemberRemoved:    sayWith("removed %s from the organization", []string{"email"}, [2]string{"role", " (role: %s)"}),
	audit.MemberProposed:   say("proposed to invite %s", "email"),
	audit.ProposalDecided: func(d audit.Detail) string {
		switch d["decision"] {
		case "accepted", "approved", "invited":
			return "accepted the proposal to invite " + or(d["email"], "somebody") + byWhom(d)
		case "declined", "denied", "rejected":
			return "declined the proposal to invite " + or(d["email"], "somebody") + byWhom(d)
		}
		return "decided on the proposal to invite " + or(d["email"], "somebody") + byWhom(d)
	},
}

func byWhom(d audit.Detail) string {
	if d["proposed_by"] == "" {
		return ""
	}
	return ", made by " + d["proposed_by"]
}
