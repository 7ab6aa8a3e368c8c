package console

import "github.com/gatehouse-dev/gatehouse/internal/audit"

var mailTellings = map[audit.Type]telling{
	audit.MailFailed:    sayWith("could not deliver a letter to %s", []string{"to"}, [2]string{"reason", ": %s"}),
	audit.MailRetried:   say("had a letter to %s sent again", "to"),
	audit.MailLinkShown: say("saw the link of a letter to %s (%s)", "to", "kind"),
}
