package console

import (
	"fmt"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
)

var deviceTellings = map[audit.Type]telling{
	audit.DeviceApproved: say("approved the device %s (%s), which asked from %s", "name", "system", "device_address"),
	audit.DeviceDenied:   say("denied the device %s (%s), which asked from %s", "name", "system", "device_address"),
	audit.SessionStarted: func(d audit.Detail) string {
		return "signed in with " + midSentence(clientName(d["client"])) + " on " + orUnnamed(d["name"])
	},
	audit.SessionRefreshed: say("refreshed a session"),
	audit.SessionRevoked: func(d audit.Detail) string {
		return "ended the session of " + or(d["of"], "somebody") + " on " + orUnnamed(d["session"])
	},
	audit.SessionsRevoked: func(d audit.Detail) string {
		s := "ended every session of " + or(d["of"], "a member")
		if d["count"] != "" {
			s += " (" + d["count"] + ")"
		}
		return s
	},
	audit.TokenReplayed: say("presented a refresh token that had been used before: its session was ended"),
}

var keyTellings = map[audit.Type]telling{
	audit.KeyCreated: func(d audit.Detail) string {
		kind := "API key"
		switch d["kind"] {
		case "admin":
			kind = "admin key"
		case "claude_code":
			kind = "Claude Code key"
		}
		s := fmt.Sprintf("created the %s “%s”", kind, or(d["name"], "—"))
		if d["workspace_name"] != "" {
			s += " in the workspace “" + d["workspace_name"] + "”"
		}
		return s + until(d)
	},
	audit.KeyUpdated: keyUpdated,
	audit.KeyRotated: func(d audit.Detail) string {
		return "renewed the key “" + or(or(d["name"], d["name_after"]), "—") + "”" + until(d)
	},
}

func keyUpdated(d audit.Detail) string {
	name := or(or(d["name_after"], d["name"]), "—")
	switch {
	case d["status_before"] != d["status_after"]:
		return fmt.Sprintf("made the key “%s” %s (it was %s)", name, or(d["status_after"], "—"), or(d["status_before"], "—"))
	case d["name_before"] != d["name_after"]:
		return fmt.Sprintf("renamed the key “%s” to “%s”", d["name_before"], d["name_after"])
	}
	return "changed the key “" + name + "”" + listOf(changedFields(d))
}
