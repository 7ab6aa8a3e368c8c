package console

import "github.com/gatehouse-dev/gatehouse/internal/audit"

var roleTellings = map[audit.Type]telling{
	audit.RoleCreated: func(d audit.Detail) string {
		return "made the role “" + or(d["name"], "—") + "”" + mayDo(d["permissions_after"])
	},
	audit.RoleUpdated:  changedThing("role"),
	audit.RoleDeleted:  say("deleted the role “%s”", "name"),
	audit.GroupCreated: say("made the group “%s”", "name"),
	audit.GroupUpdated: changedThing("group"),
	audit.GroupDeleted: func(d audit.Detail) string {
		s := "deleted the group “" + or(d["name"], "—") + "”"
		if d["count"] != "" {
			s += ", which had " + d["count"] + " in it"
		}
		return s
	},
	audit.GroupMemberAdded:   say("put %s into the group “%s”", "email", "group"),
	audit.GroupMemberRemoved: say("took %s out of the group “%s”", "email", "group"),
}

func mayDo(rights string) string {
	if rights == "" {
		return ", with no permission"
	}
	return ", with the permissions " + listed(rights)
}
