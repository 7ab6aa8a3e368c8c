package console

import "github.com/gatehouse-dev/gatehouse/internal/audit"

var accountTellings = map[audit.Type]telling{
	audit.AccountCreated:     say("created the account of %s", "email"),
	audit.AccountUpdated:     changed("changed their account"),
	audit.EmailChanged:       say("changed their e-mail address from %s to %s", "email_before", "email_after"),
	audit.EmailChangeAsked:   say("asked to change their e-mail address from %s to %s", "email_before", "email_after"),
	audit.PasswordChanged:    passwordChanged,
	audit.PasswordResetAsked: say("asked for a link to reset the password of %s", "email"),
	audit.PasskeyAdded:       say("added the passkey “%s”", "name"),
	audit.PasskeyRemoved:     say("removed the passkey “%s”", "name"),
	audit.TOTPEnabled:        say("switched codes of an authenticator app on as a second factor"),
	audit.TOTPDisabled: func(d audit.Detail) string {
		if d["all"] != "" {
			return "removed every second factor of the account" + forWhom(d)
		}
		return "switched codes of an authenticator app off" + forWhom(d)
	},
	audit.RecoveryCodesMade: say("made new recovery codes"),
	audit.RecoveryCodeUsed:  say("used a recovery code"),
	audit.SignInLinkMade: func(d audit.Detail) string {
		if d["email"] == "" {
			return "made a set-up link"
		}
		return "made a sign-in link for " + d["email"]
	},
	audit.SignedIn: func(d audit.Detail) string {
		s := "signed in by " + or(d["method"], "—")
		if d["new_browser"] != "" {
			s += ", in a browser or from a network not seen before"
		}
		return s
	},
	audit.SignInFailed: func(d audit.Detail) string {
		s := "did not get in: wrong " + or(d["method"], "credential")
		if d["why"] != "" {
			s += " (" + d["why"] + ")"
		}
		return s
	},
	audit.SignedOut: func(d audit.Detail) string {
		if d["browser"] != "" {
			return "signed one of their browsers out"
		}
		return "signed out"
	},
	audit.SignedOutEverywhere: func(d audit.Detail) string {
		if d["of"] != "" {
			return "signed " + d["of"] + " out everywhere"
		}
		return "signed out everywhere"
	},
}

// signInUnfinished tells of a first step that was right.
func signInUnfinished(d audit.Detail) string {
	s := "began to sign in by " + or(d["method"], "—") + ", which was right, and did not take the second step"
	if d["tries"] != "" {
		s += " (wrong tries: " + d["tries"] + ")"
	}
	return s
}

func passwordChanged(d audit.Detail) string {
	switch {
	case d["after"] == "none":
		return "removed their password"
	case d["by_mail"] != "":
		return "changed their password with a link from a mail"
	}
	return "changed their password"
}

// forWhom names the account, where that is not the actor's own.
func forWhom(d audit.Detail) string {
	if d["email"] == "" {
		return ""
	}
	return " of " + d["email"]
}
