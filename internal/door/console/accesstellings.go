package console

import (
	"fmt"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
)

// accessTellings are the sentences about keys, sessions, workspaces and service
// accounts.
var accessTellings = map[audit.Type]telling{
	audit.KeyCreated: func(d audit.Detail) string {
		return "created the " + keyKinds[d["kind"]] + " “" + d["name"] + "”" + keyWhere(d)
	},
	audit.KeyRotated: func(d audit.Detail) string {
		return "rotated the " + keyKinds[d["kind"]] + " “" + d["name"] + "”" + keyWhere(d) + "; the old one works until " + d["old_until"]
	},
	audit.SessionsRevoked: func(d audit.Detail) string {
		return fmt.Sprintf("ended every session of %s (%s)", d["of"], d["sessions"])
	},
	audit.WorkspaceCreated: say("made the workspace “%s”", "name"),
	audit.WorkspaceUpdated: func(d audit.Detail) string {
		return "changed the workspace “" + d["name"] + "”" + changes(d, "name", "color", "models", "tags", "requests_per_minute", "concurrent_requests")
	},
	audit.WorkspaceArchived: say("archived the workspace “%s”: its keys stopped", "name"),
	audit.WorkspaceMemberAdded: func(d audit.Detail) string {
		return "added " + d["name"] + " to the workspace “" + d["workspace"] + "” as " + workspaceRoleName(d["role"])
	},
	audit.WorkspaceMemberUpdated: func(d audit.Detail) string {
		return "made " + d["name"] + " " + workspaceRoleName(d["role_after"]) + " in the workspace “" + d["workspace"] + "” (before: " + workspaceRoleName(d["role_before"]) + ")"
	},
	audit.WorkspaceMemberRemoved: say("removed %s from the workspace “%s”", "name", "workspace"),
	audit.ServiceAccountCreated:  say("made the service account “%s”", "name"),
	audit.ServiceAccountUpdated: func(d audit.Detail) string {
		return "changed the service account “" + d["name_after"] + "”" + changes(d, "name", "description")
	},
	audit.ServiceAccountArchived: say("archived the service account “%s”: its keys stopped", "name"),
}

var keyKinds = map[string]string{"": "API key", "api": "API key", "claude_code": "Claude Code key", "admin": "admin key"}

func keyWhere(d audit.Detail) string {
	where := ""
	if d["owner"] != "" && d["owner"] != d["by"] {
		where += " for " + d["owner"]
	}
	if d["workspace_name"] != "" {
		where += " in the workspace “" + d["workspace_name"] + "”"
	}
	return where
}

// changes names the fields that differ, before and after.
func changes(d audit.Detail, fields ...string) string {
	text := ""
	for _, f := range fields {
		before, after := d[f+"_before"], d[f+"_after"]
		if before == after {
			continue
		}
		if text != "" {
			text += ";"
		}
		text += fmt.Sprintf(" %s: %s (before: %s)", fieldWords[f], orNone(after), orNone(before))
	}
	if text != "" {
		text = ":" + text
	}
	return text
}

var fieldWords = map[string]string{"name": "name", "color": "colour", "models": "models", "tags": "tags", "description": "description",
	"requests_per_minute": "requests a minute", "concurrent_requests": "requests at once"}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}
