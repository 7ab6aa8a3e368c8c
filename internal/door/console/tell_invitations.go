package console

import "github.com/gatehouse-dev/gatehouse/internal/audit"

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
