package console

import "github.com/gatehouse-dev/gatehouse/internal/audit"

var serverTellings = map[audit.Type]telling{
	audit.UpstreamConnected: say("connected the upstream “%s” (%s)", "name", "provider"),
	audit.UpstreamChanged:   say("changed the upstream “%s”: %s", "name", "changed"),
	audit.UpstreamMoved:     say("changed the order of the upstreams to %s", "order"),
	audit.UpstreamRemoved: func(d audit.Detail) string {
		if d["name"] == "" {
			return "removed an upstream"
		}
		return "removed the upstream “" + d["name"] + "”"
	},
	audit.SigningKeyRotated:  say("made a new signing key for access tokens"),
	audit.CloudAccessChanged: say("changed how members reach a cloud themselves (%s)", "where"),
	audit.CloudAccessRemoved: say("ended the members’ own way to a cloud (%s)", "cloud"),
	audit.CloudTokenIssued:   say("was let into a cloud (%s)", "where"),
}
