package console

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
)

var activityRoutes = []route{
	get("/activity", member, (*Console).activity),
}

// activityGroups are the choices of the page's filter.
var activityGroups = []struct {
	value, text string
	types       []audit.Type
}{
	{"", "Everything", nil},
	{"sign-in", "Sign-ins", []audit.Type{audit.SignedIn, audit.SignInFailed, audit.SignedOut, audit.SignInLinkMade, audit.PasswordChanged}},
	{"devices", "Devices and sessions", []audit.Type{audit.DeviceApproved, audit.DeviceDenied, audit.SessionStarted, audit.SessionRevoked, audit.SessionsRevoked, audit.TokenReplayed}},
	{"refreshes", "Refreshes", []audit.Type{audit.SessionRefreshed}},
	{"keys", "Keys", []audit.Type{audit.KeyCreated, audit.KeyUpdated, audit.KeyRotated}},
	{"workspaces", "Workspaces", []audit.Type{audit.WorkspaceCreated, audit.WorkspaceUpdated, audit.WorkspaceArchived, audit.WorkspaceMemberAdded, audit.WorkspaceMemberUpdated,
		audit.WorkspaceMemberRemoved, audit.ServiceAccountCreated, audit.ServiceAccountUpdated, audit.ServiceAccountArchived}},
	{"members", "Members", []audit.Type{audit.MemberAdded, audit.MemberSuspended, audit.AccountCreated, audit.MemberNudged, audit.SetupReported}},
	{"settings", "Settings", []audit.Type{audit.OrganizationCreated, audit.OrganizationUpdated, audit.UpstreamConnected, audit.UpstreamRemoved, audit.SigningKeyRotated}},
}

type activityRow struct {
	Position  int64
	When      moment
	Who, What string
	Address   string
	Alarming  bool
}

func (c *Console) activity(v *visit) error {
	if err := access.Check(v.who, caller.ReadActivity, v.who.Organization); err != nil {
		return err
	}
	var pairs [][2]string
	for _, g := range activityGroups {
		pairs = append(pairs, [2]string{g.value, g.text})
	}
	filters, chosen := tabs(v.r.URL, "type", pairs...)
	at := slices.IndexFunc(pairs, func(p [2]string) bool { return p[0] == chosen })
	before, _ := strconv.ParseInt(v.r.URL.Query().Get("before"), 10, 64) // nonsense is the end
	events, positions, err := c.cfg.Record.List(v.r.Context(), v.who.Organization, activityGroups[at].types, max(before, 0), pageRows)
	if err != nil {
		return err
	}
	var rows []activityRow
	for i, e := range events {
		rows = append(rows, activityRow{Position: positions[i], When: c.moment(e.At), Who: actor(e), What: did(e), Address: e.Detail["address"],
			Alarming: e.Type == audit.TokenReplayed || e.Type == audit.SignInFailed})
	}
	var l paging
	// The first entry of the log has the position 0, which asks for the end.
	if len(positions) == pageRows && positions[len(positions)-1] > 0 {
		l.Older = with(v.r.URL, "before", strconv.FormatInt(positions[len(positions)-1], 10))
	}
	if before > 0 {
		l.Newer = with(v.r.URL, "before", "")
	}
	return v.show(http.StatusOK, "activity", view{Title: "The record", Lead: "Who did what, and when. Entries can be proven: none was changed or taken out.", Body: struct {
		Rows     []activityRow
		Filters  []tab
		Filtered bool
		Paging   paging
	}{rows, filters, chosen != "" || before > 0, l}})
}

// actor is who did it, as people know them.
func actor(e audit.Event) string {
	if by := e.Detail["by"]; by != "" {
		return by
	}
	switch e.ActorKind {
	case caller.System:
		return "The server"
	case caller.Operator:
		return "Somebody in the server's shell"
	case caller.AdminKey:
		return "The admin key " + e.Actor
	}
	return e.Actor
}

// did is what was done, as the rest of a sentence that begins with who.
func did(e audit.Event) string {
	if tell, ok := tellings[e.Type]; ok {
		return tell(e.Detail)
	}
	return string(e.Type) + " " + e.Target
}

// telling is the rest of a sentence about an event, made from its detail.
type telling = func(audit.Detail) string

// tellings say what was done, by type. Each file that tells of a subject has a
// map of its own.
var tellings = joined(
	firstTellings,
	accessTellings,
	accountTellings,
	mailTellings,
	setupTellings,
)

func joined(parts ...map[audit.Type]telling) map[audit.Type]telling {
	all := map[audit.Type]telling{}
	for _, part := range parts {
		maps.Copy(all, part)
	}
	return all
}

var firstTellings = map[audit.Type]telling{
	audit.OrganizationCreated: say("created the organization “%s”", "name"),
	audit.OrganizationUpdated: func(d audit.Detail) string {
		if d["models_after"] == "" {
			return "allowed every model"
		}
		return "allowed the models " + listed(d["models_after"]) + " (before: " + orAll(d["models_before"]) + ")"
	},
	audit.AccountCreated:  say("created the account of %s", "email"),
	audit.PasswordChanged: say("changed their password"),
	audit.MemberAdded: func(d audit.Detail) string {
		return "added " + d["email"] + " as " + roleName(d["role"])
	},
	audit.MemberSuspended: say("suspended %s", "email"),
	audit.SignInLinkMade: func(d audit.Detail) string {
		if d["email"] == "" {
			return "made a set-up link"
		}
		return "made a sign-in link for " + d["email"]
	},
	audit.SignedIn:       say("signed in by %s", "method"),
	audit.SignInFailed:   say("did not get in: wrong %s", "method"),
	audit.SignedOut:      say("signed out"),
	audit.DeviceApproved: say("approved the device %s (%s), which asked from %s", "name", "system", "device_address"),
	audit.DeviceDenied:   say("denied the device %s (%s), which asked from %s", "name", "system", "device_address"),
	audit.SessionStarted: func(d audit.Detail) string {
		return "signed in with " + midSentence(clientName(d["client"])) + " on " + orUnnamed(d["name"])
	},
	audit.SessionRefreshed: say("refreshed a session"),
	audit.SessionRevoked: func(d audit.Detail) string {
		return "ended the session of " + d["of"] + " on " + orUnnamed(d["session"])
	},
	audit.TokenReplayed:     say("presented a refresh token that had been used before: its session was ended"),
	audit.KeyUpdated:        keyUpdated,
	audit.UpstreamConnected: say("connected the upstream “%s” (%s)", "name", "provider"),
	audit.UpstreamRemoved:   say("removed an upstream"),
	audit.SigningKeyRotated: say("made a new signing key for access tokens"),
}

func keyUpdated(d audit.Detail) string {
	switch {
	case d["status_before"] != d["status_after"]:
		return fmt.Sprintf("made the key “%s” %s (it was %s)", d["name_after"], d["status_after"], d["status_before"])
	case d["name_before"] != d["name_after"]:
		return fmt.Sprintf("renamed the key “%s” to “%s”", d["name_before"], d["name_after"])
	}
	return "changed a key"
}

// say fills a sentence with details; a detail that is not there, or was erased,
// is a dash.
func say(format string, details ...string) func(audit.Detail) string {
	return func(d audit.Detail) string {
		args := make([]any, len(details))
		for i, name := range details {
			args[i] = "—"
			if d[name] != "" {
				args[i] = d[name]
			}
		}
		return fmt.Sprintf(format, args...)
	}
}

func orAll(models string) string {
	if models == "" {
		return "every model"
	}
	return listed(models)
}

// listed is a list that was kept with spaces.
func listed(models string) string { return strings.Join(strings.Fields(models), ", ") }

func midSentence(name string) string {
	if rest, ok := strings.CutPrefix(name, "The "); ok {
		return "the " + rest
	}
	return name
}

func orUnnamed(name string) string {
	if name == "" {
		return "a device without a name"
	}
	return name
}
