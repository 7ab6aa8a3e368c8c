package console

import (
	"slices"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
)

var organizationTellings = map[audit.Type]telling{
	audit.OrganizationCreated:  sayWith("created the organization “%s”", []string{"name"}, [2]string{"plan", " on the plan “%s”"}),
	audit.OrganizationUpdated:  organizationUpdated,
	audit.OrganizationDeleted:  say("deleted the organization “%s”", "name"),
	audit.OrganizationExported: exported,
	audit.OwnershipOffered:     say("offered the ownership of the organization to %s", "email"),
	audit.OwnershipWithdrawn:   say("called off the transfer of the ownership to %s", "email"),
	audit.OwnershipTransferred: say("took over the ownership of the organization: the primary owner was %s and is %s", "owner_before", "owner_after"),
	audit.SeatsChanged: func(d audit.Detail) string {
		return "changed the plan or its seats" + listOf(changedFields(d))
	},
}

func organizationUpdated(d audit.Detail) string {
	_, before := d["models_before"]
	_, after := d["models_after"]
	fields := changedFields(d)
	if !slices.Equal(fields, []string{"models"}) && !(len(fields) == 0 && (before || after || len(d) <= 2)) {
		return "changed the organization's settings" + listOf(fields)
	}
	if d["models_after"] == "" {
		return "allowed every model"
	}
	return "allowed the models " + listed(d["models_after"]) + " (before: " + orAll(d["models_before"]) + ")"
}

func orAll(models string) string {
	if models == "" {
		return "every model"
	}
	return listed(models)
}

func exported(d audit.Detail) string {
	what := "the organization"
	switch d["what"] {
	case "activity":
		what = "the record"
	case "", "everything":
	default:
		what = words(d["what"])
	}
	s := "exported " + what
	if d["format"] != "" {
		s += " as " + d["format"]
	}
	for _, part := range [][2]string{{"done_by", ", what was done by "}, {"done_to", ", what was done to "}, {"types", ", of the types "}, {"text", ", with the words "}, {"from", ", from "}, {"to", ", before "}} {
		if d[part[0]] != "" {
			s += part[1] + "“" + d[part[0]] + "”"
		}
	}
	return s
}

// changedFields are the names of what differs, in order.
func changedFields(d audit.Detail) (fields []string) {
	for _, c := range changes(d) {
		fields = append(fields, midWord(c.What))
	}
	return fields
}
