package claudecode

import (
	"slices"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/jsontext"
	"github.com/gatehouse-dev/gatehouse/internal/settingsfile"
)

// Door is a way in which Claude Code gets its credential from us.
type Door string

const (
	Helper  Door = "helper"  // it runs "gatehouse token"
	Profile Door = "profile" // it reads the SDK profile
	Gateway Door = "gateway" // people sign in with /login
	Direct  Door = "direct"  // straight to a cloud, whose credential it asks us for
)

// Doors are all doors, the usual one first.
func Doors() []Door { return []Door{Helper, Profile, Gateway, Direct} }

// Target is what a door leads to.
type Target struct {
	Server  string // the origin of our server; for Helper and Gateway
	Command string // the shell command that prints a token; for Helper
	Profile string // the SDK profile's name; for Profile

	Cloud   [][2]string // the variables that lead to a cloud; for Direct
	Export  string      // the shell command that prints keys of AWS; "" for other clouds
	Refresh string      // the shell command that signs in where that must be
	Renews  string      // the setting that takes Refresh: AWSRefresh or GCPRefresh
}

// Leads reports whether a variable is one of those that lead to the target's cloud.
func (to Target) Leads(name string) bool {
	return slices.ContainsFunc(to.Cloud, func(v [2]string) bool { return v[0] == name })
}

// The settings with which Claude Code renews the credential of a cloud.
const (
	AWSExport  = "awsCredentialExport"
	AWSRefresh = "awsAuthRefresh"
	GCPRefresh = "gcpAuthRefresh"
)

// Changes are the members that a door sets.
func (d Door) Changes(to Target) ([]settingsfile.Change, error) {
	switch d {
	case Helper:
		return []settingsfile.Change{settingsfile.Text(to.Server, "env", "ANTHROPIC_BASE_URL"), settingsfile.Text(to.Command, "apiKeyHelper")}, nil
	case Profile:
		return []settingsfile.Change{settingsfile.Text(to.Profile, "env", "ANTHROPIC_PROFILE")}, nil
	case Gateway:
		return []settingsfile.Change{settingsfile.Text("gateway", "forceLoginMethod"), settingsfile.Text(to.Server, "forceLoginGatewayUrl")}, nil
	case Direct:
		return to.direct(), nil
	}
	return nil, fault.New(fault.Invalid, "%q is no door, choose helper, profile, gateway or direct", string(d))
}

func (to Target) direct() []settingsfile.Change {
	var list []settingsfile.Change
	for _, v := range to.Cloud {
		list = append(list, settingsfile.Text(v[1], "env", v[0]))
	}
	if to.Export != "" {
		list = append(list, settingsfile.Text(to.Export, AWSExport))
	}
	if to.Renews != "" {
		list = append(list, settingsfile.Text(to.Refresh, to.Renews))
	}
	return list
}

// Variables are what a door needs in the environment of Claude Code.
func (d Door) Variables(to Target) [][2]string {
	switch d {
	case Helper:
		return [][2]string{{"ANTHROPIC_BASE_URL", to.Server}}
	case Profile:
		return [][2]string{{"ANTHROPIC_PROFILE", to.Profile}}
	case Direct:
		return to.Cloud
	}
	return nil
}

// Fragment is what a door adds to the settings, as JSON.
func Fragment(d Door, to Target) ([]byte, error) {
	changes, err := d.Changes(to)
	if err != nil {
		return nil, err
	}
	t, err := jsontext.Parse(nil, jsontext.Strict)
	for _, c := range changes {
		t = t.Set(c.Path, c.Value)
	}
	return t.Bytes(), err
}

// Stands reports which door to the target stands in settings; "" is none.
func Stands(t jsontext.Text, to Target) Door {
	switch {
	case t.String("forceLoginMethod") == "gateway" && sameOrigin(t.String("forceLoginGatewayUrl"), to.Server):
		return Gateway
	case t.String("apiKeyHelper") == to.Command && sameOrigin(t.String("env", "ANTHROPIC_BASE_URL"), to.Server):
		return Helper
	case to.Profile != "" && t.String("env", "ANTHROPIC_PROFILE") == to.Profile:
		return Profile
	case to.standsDirect(t):
		return Direct
	}
	return ""
}

// standsDirect reports whether settings lead to the target's cloud, and ask us for its
// credential where they can ask.
func (to Target) standsDirect(t jsontext.Text) bool {
	for _, v := range to.Cloud {
		if t.String("env", v[0]) != v[1] {
			return false
		}
	}
	return len(to.Cloud) > 0 && (to.Export == "" || t.String(AWSExport) == to.Export)
}

func sameOrigin(a, b string) bool {
	return b != "" && strings.EqualFold(strings.TrimRight(a, "/"), strings.TrimRight(b, "/"))
}

// Outranking are the variables that Claude Code prefers over a door, most
// preferred first. The settings' own env counts like the shell's. A gateway
// session outranks everything.
func (d Door) Outranking() []string {
	var list []string
	switch d {
	case Gateway:
		return nil
	case Direct:
		return outrankClouds()
	}
	for _, p := range Providers() {
		list = append(list, p.Switch)
	}
	list = append(list, AuthToken, APIKey)
	if d == Profile {
		list = append(list, BaseURL, OAuthToken)
	}
	return list
}

// outrankClouds are the variables that lead away from a cloud, or to it with another
// credential.
func outrankClouds() []string {
	list := []string{"AWS_ACCESS_KEY_ID"}
	for _, p := range Providers() {
		list = append(append(list, p.Switch, p.Endpoint, p.Unsigned), p.Keys...)
	}
	return list
}

// Conflict is something that Claude Code would use instead of the door. Values
// are not told, they may be secret.
type Conflict struct {
	Name string // of a variable, or "apiKeyHelper"
	In   string // the settings file, or "" for the environment
}

// InSettings are the conflicts that stand in one settings file.
func (d Door) InSettings(t jsontext.Text, file string) []Conflict {
	var list []Conflict
	for _, name := range d.Outranking() {
		if v := t.Get([]string{"env", name}); IsSet(name, strings.Trim(string(v), `"`)) {
			list = append(list, Conflict{Name: name, In: file})
		}
	}
	if d == Profile && t.Get([]string{"apiKeyHelper"}) != nil {
		list = append(list, Conflict{Name: "apiKeyHelper", In: file})
	}
	return list
}

// InEnvironment are the conflicts of an environment. The door's own
// ANTHROPIC_BASE_URL in the settings wins over the shell's.
func (d Door) InEnvironment(getenv func(string) string) []Conflict {
	var list []Conflict
	for _, name := range d.Outranking() {
		if IsSet(name, getenv(name)) {
			list = append(list, Conflict{Name: name})
		}
	}
	return list
}
