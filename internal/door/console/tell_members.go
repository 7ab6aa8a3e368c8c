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
	audit.MemberNudged:  sayWith("reminded %s of what is left to do", []string{"email"}, [2]string{"step", ": %s"}),
	audit.SetupReported: setupReported,
}

func byWhom(d audit.Detail) string {
	if d["proposed_by"] == "" {
		return ""
	}
	return ", made by " + d["proposed_by"]
}

func setupReported(d audit.Detail) string {
	s := "reported how their system is set up"
	if d["system"] != "" {
		s += " (" + d["system"] + ")"
	}
	if d["claude_version"] != "" {
		s += ", with Claude Code " + d["claude_version"]
	}
	if d["problems"] != "" {
		return s + "; to mend: " + d["problems"]
	}
	return s
}

var inviteTellings = map[audit.Type]telling{
	audit.InviteSent:      sayWith("invited %s", []string{"email"}, [2]string{"role", " as %s"}, [2]string{"link", ", who came by an invite link"}),
	audit.InviteResent:    say("sent the invitation of %s again", "email"),
	audit.InviteWithdrawn: sayWith("withdrew the invitation of %s", []string{"email"}, [2]string{"role", " (role: %s)"}),
	audit.InviteAccepted:  sayWith("accepted the invitation of %s", []string{"email"}, [2]string{"role", " as %s"}),
	audit.InviteLinkMade: func(d audit.Detail) string {
		s := "made an invite link"
		if d["renewed"] != "" {
			s = "gave an invite link a new address"
		}
		return s + inviteTerms(d)
	},
	audit.InviteLinkDisabled: func(d audit.Detail) string { return "switched an invite link off" + inviteTerms(d) },
}

func inviteTerms(d audit.Detail) (s string) {
	if d["role"] != "" {
		s += " for the role " + roleName(d["role"])
	}
	if d["domains"] != "" {
		s += ", open to addresses of " + listed(d["domains"])
	}
	return s + until(d)
}

// until says when a thing expires.
func until(d audit.Detail) string {
	at := or(d["expires_at"], d["expires"])
	if at == "" {
		return ""
	}
	return ", until " + exactly(at)
}
