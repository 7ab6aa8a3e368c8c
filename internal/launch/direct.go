package launch

import (
	"slices"

	"github.com/gatehouse-dev/gatehouse/internal/claudecode"
)

// Direct is the way straight to a cloud provider, which the sign-in opens.
type Direct struct{ Variables []Variable }

// cloudsOwn are the variables from which the clouds' own libraries take another
// credential, or another place that pays, before they ask us.
var cloudsOwn = []Taken{
	{"AWS_ACCESS_KEY_ID", otherCredential}, {"AWS_SECRET_ACCESS_KEY", otherCredential}, {"AWS_SESSION_TOKEN", otherCredential},
	{"GCLOUD_PROJECT", otherProject}, {"GOOGLE_CLOUD_PROJECT", otherProject},
}

const (
	otherProject   = "it names the project that pays, whatever the organization says"
	otherAddress   = "it leads somewhere else than straight to the provider"
	leavesUnsigned = "it leaves the provider's credential out"
)

// Set is what a program needs.
func (d Direct) Set() []Variable { return d.Variables }

// Clean is Door.Clean for a cloud.
func (d Direct) Clean(system string, environ []string) (env []string, taken []Taken) {
	return clean(system, environ, d.Variables, d.competes)
}

// Unset is Door.Unset for a cloud: whatever the environment is, they compete.
func (d Direct) Unset(string, []string) []string {
	var names []string
	for _, r := range d.rivals() {
		names = append(names, r.Name)
	}
	return names
}

func (d Direct) competes(name, value string) string {
	if !claudecode.IsSet(name, value) {
		return ""
	}
	for _, r := range d.rivals() {
		if r.Name == name {
			return r.Why
		}
	}
	return ""
}

// rivals are all that competes. What is used only where no provider is chosen does not.
func (d Direct) rivals() []Taken {
	var list []Taken
	for _, c := range claudecode.Competitors() {
		if c.Role == claudecode.Switches || c.Role == claudecode.ProvidersKey {
			list = append(list, Taken{c.Name, reasons[c.Role]})
		}
	}
	for _, p := range claudecode.Providers() {
		list = append(list, Taken{p.Endpoint, otherAddress}, Taken{p.Unsigned, leavesUnsigned})
	}
	return slices.DeleteFunc(append(list, cloudsOwn...), func(t Taken) bool {
		return slices.ContainsFunc(d.Variables, func(v Variable) bool { return v.Name == t.Name })
	})
}
