package console

import (
	"fmt"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
)

var keyTellings = map[audit.Type]telling{
	audit.KeyCreated: func(d audit.Detail) string { return "created the " + keyOf(d) + until(d) },
	audit.KeyUpdated: keyUpdated,
	audit.KeyRotated: func(d audit.Detail) string {
		s := "renewed the " + keyOf(d) + until(d)
		if d["old_until"] != "" {
			s += "; the old one works until " + exactly(d["old_until"])
		}
		return s
	},
}

var keyKinds = map[string]string{"": "API key", "api": "API key", "claude_code": "Claude Code key", "admin": "admin key"}

// keyOf is a key with its kind, whose it is and where.
func keyOf(d audit.Detail) string {
	s := or(keyKinds[d["kind"]], "key") + " “" + or(or(d["name"], d["name_after"]), "—") + "”"
	if d["owner"] != "" && d["owner"] != d["by"] {
		s += " for " + d["owner"]
	}
	if d["workspace_name"] != "" {
		s += " in the workspace “" + d["workspace_name"] + "”"
	}
	return s
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
