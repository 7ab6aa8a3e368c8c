package console

import "github.com/gatehouse-dev/gatehouse/internal/audit"

var workspaceTellings = map[audit.Type]telling{
	audit.WorkspaceCreated: sayWith("made the workspace “%s”", []string{"name"}, [2]string{"models", ", for the models %s"}),
	audit.WorkspaceUpdated: changedThing("workspace"),
	audit.WorkspaceArchived: func(d audit.Detail) string {
		return "archived the workspace “" + or(d["name"], "—") + "”: its keys stopped"
	},
	audit.WorkspaceMemberAdded: func(d audit.Detail) string {
		return "put " + whoIn(d) + " into the workspace “" + or(d["workspace"], "—") + "”" + asRole(d["role"])
	},
	audit.WorkspaceMemberUpdated: func(d audit.Detail) string {
		return "changed the role of " + whoIn(d) + " in the workspace “" + or(d["workspace"], "—") + "” from " +
			workspaceRoleName(or(d["role_before"], "nothing")) + " to " + workspaceRoleName(or(d["role_after"], "nothing"))
	},
	audit.WorkspaceMemberRemoved: func(d audit.Detail) string {
		return "took " + whoIn(d) + " out of the workspace “" + or(d["workspace"], "—") + "”"
	},
	audit.ServiceAccountCreated:  say("made the service account “%s”", "name"),
	audit.ServiceAccountUpdated:  changedThing("service account"),
	audit.ServiceAccountArchived: say("archived the service account “%s”: its keys stopped", "name"),
}

// whoIn is a member or service account of a workspace.
func whoIn(d audit.Detail) string {
	for _, key := range []string{"email", "name", "principal", "of"} {
		if d[key] != "" {
			return d[key]
		}
	}
	return "somebody"
}

func asRole(role string) string {
	if role == "" {
		return ""
	}
	return " as " + workspaceRoleName(role)
}
