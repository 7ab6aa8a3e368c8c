package console

import (
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/checkup"
)

// finding is a check of a report as people read it.
type finding struct {
	Text string
	Bad  bool // it failed; otherwise it is a warning
}

// findingTexts are the sentences of what may be wrong with a machine.
var findingTexts = map[[2]string]string{
	{checkup.System, checkup.Unsupported}:     "Claude Code does not run on this system.",
	{checkup.Server, checkup.Unnamed}:         "No server was named.",
	{checkup.Server, checkup.Unreachable}:     "The server could not be reached: look at the network, the VPN and the proxy.",
	{checkup.Server, checkup.Untrusted}:       "The server's certificate is not trusted there: something inspects the traffic, or a root certificate is missing.",
	{checkup.Server, checkup.NotGatehouse}:    "Something else than Gatehouse answers at the server's address.",
	{checkup.Server, checkup.Unavailable}:     "The server could not answer at that moment.",
	{checkup.Clock, checkup.Wrong}:            "The clock is wrong by more than five minutes, so sign-ins fail.",
	{checkup.Clock, checkup.Drifting}:         "The clock is off by more than half a minute.",
	{checkup.Proxy, checkup.NoAddress}:        "A proxy variable holds no address:",
	{checkup.Proxy, checkup.InTheWay}:         "Requests to the machine itself would go through a proxy:",
	{checkup.Claude, checkup.NotFound}:        "Claude Code was not found.",
	{checkup.Claude, checkup.NotRunning}:      "Claude Code is there and does not start.",
	{checkup.Claude, checkup.TooOld}:          "Claude Code is too old.",
	{checkup.Credentials, checkup.Outranked}:  "Claude Code would use something else than the sign-in:",
	{checkup.Credentials, checkup.Unreadable}: "The settings of Claude Code cannot be read.",
	{checkup.Store, checkup.Exposed}:          "Others on that machine can read the stored sign-in.",
	{checkup.Store, checkup.Unreadable}:       "The stored sign-in cannot be read.",
	{checkup.SignIn, checkup.SignedOut}:       "Nobody was signed in.",
	{checkup.SignIn, checkup.Ended}:           "The sign-in had ended.",
}

// findings are what a report says is wrong, the worst first. What belongs to a
// step that is still to come is left out.
func findings(r checkup.Report, leave ...string) []finding {
	var all []finding
next:
	for _, c := range r.Problems() {
		for _, name := range leave {
			if c.Name == name && (c.Code == checkup.NotFound || c.Code == checkup.SignedOut) {
				continue next
			}
		}
		text, ok := findingTexts[[2]string{c.Name, c.Code}]
		if !ok { // a newer program says what this one does not know
			text = title(strings.ReplaceAll(c.Name, "_", " ")) + ": " + strings.ReplaceAll(c.Code, "_", " ") + "."
		}
		if len(c.Items) > 0 {
			text = strings.TrimRight(text, ".:") + ": " + strings.Join(c.Items, ", ") + "."
		}
		all = append(all, finding{text, c.State == checkup.Fail})
	}
	return all
}

// systemNames are systems as people call them.
var systemNames = map[string]string{"darwin": "macOS", "linux": "Linux", "windows": "Windows"}

// machine is the system of a report.
func machine(r checkup.Report) string {
	name := systemNames[r.System]
	if name == "" {
		name = r.System
	}
	switch {
	case r.Release != "" && strings.HasPrefix(r.Release, name):
		name = r.Release
	case r.Release != "":
		name += ", " + r.Release
	}
	if r.Arch != "" {
		name += " (" + r.Arch + ")"
	}
	return name
}
