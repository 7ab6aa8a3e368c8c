package console

import "github.com/gatehouse-dev/gatehouse/internal/audit"

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
		if d["sessions"] != "" {
			s += " (" + d["sessions"] + ")"
		}
		return s
	},
	audit.TokenReplayed: say("presented a refresh token that had been used before: its session was ended"),
}
