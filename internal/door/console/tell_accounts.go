package console

import "github.com/gatehouse-dev/gatehouse/internal/audit"

// accountTellings tell of what people do with their own accounts, and of what is
// done to them.
var accountTellings = map[audit.Type]telling{
	audit.AccountCreated:     say("created the account of %s", "email"),
	audit.AccountUpdated:     say("changed their name from “%s” to “%s”", "name_before", "name_after"),
	audit.EmailChangeAsked:   say("asked for another address: %s instead of %s", "email_after", "email_before"),
	audit.EmailChanged:       say("changed their address from %s to %s", "email_before", "email_after"),
	audit.EmailRestored:      say("put their address back to %s; it had been changed to %s. Everything was signed out", "email_after", "email_before"),
	audit.PasswordChanged:    passwordChanged,
	audit.PasswordResetAsked: say("asked for a new password by mail"),
	audit.PasskeyAdded:       say("added the passkey “%s”", "name"),
	audit.PasskeyRemoved:     say("removed the passkey “%s”", "name"),
	audit.TOTPEnabled:        say("set up an authenticator app"),
	audit.TOTPDisabled: func(d audit.Detail) string {
		if d["all"] != "" {
			return "removed every second factor" + forWhom(d)
		}
		return "removed their authenticator app"
	},
	audit.RecoveryCodesMade: say("made new recovery codes"),
	audit.RecoveryCodeUsed:  say("used a recovery code"),
	audit.SignInLinkMade: func(d audit.Detail) string {
		if d["email"] == "" {
			return "made a set-up link"
		}
		return "made a sign-in link for " + d["email"]
	},
	audit.SignedIn:         signedIn,
	audit.SignInFailed:     signInFailed,
	audit.SignInUnfinished: sayWith("began to sign in by %s, which was right, and did not take the second step", []string{"method"}, [2]string{"tries", " (wrong tries: %s)"}),
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

func passwordChanged(d audit.Detail) string {
	switch {
	case d["after"] == "none":
		return "removed their password"
	case d["by_mail"] != "":
		return "chose a new password by a link in a letter"
	}
	return "changed their password"
}

func signedIn(d audit.Detail) string {
	s := "signed in by " + or(d["method"], "—")
	if d["new_browser"] != "" {
		s += ", in a browser or from a network not seen before"
	}
	return s
}

func signInFailed(d audit.Detail) string {
	if d["why"] == "sign_count" {
		return "did not get in: the passkey “" + d["name"] + "” counts backwards, so somebody may have a copy of it"
	}
	return "did not get in: wrong " + or(d["method"], "credential")
}

// forWhom names the account, where that is not the actor's own.
func forWhom(d audit.Detail) string {
	if d["email"] == "" {
		return ""
	}
	return " of " + d["email"]
}
