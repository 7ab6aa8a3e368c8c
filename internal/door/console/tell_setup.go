package console

import "github.com/gatehouse-dev/gatehouse/internal/audit"

var setupTellings = map[audit.Type]telling{
	audit.MemberNudged:  sayWith("reminded %s of their set-up", []string{"email"}, [2]string{"step", " (next: %s)"}),
	audit.SetupReported: setupReported,
}

func setupReported(d audit.Detail) string {
	s := "reported from a machine (" + or(or(systemNames[d["system"]], d["system"]), "unknown") + ")"
	if d["claude_version"] != "" {
		s += ", with Claude Code " + d["claude_version"] + ","
	}
	if d["problems"] == "" {
		return s + " that all is well"
	}
	return s + " what is not well: " + listed(d["problems"])
}
