package launch

import (
	"slices"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/claudecode"
)

// Door is the SDK profile that a program is to use.
type Door struct {
	Profile string // the profile's name, for ANTHROPIC_PROFILE
	Origin  string // the server it leads to, without a slash at the end
	Folder  string // ANTHROPIC_CONFIG_DIR; "" where the SDKs find the folder by themselves
}

// Variable is one variable of an environment.
type Variable struct{ Name, Value string }

// Taken is a variable that competes, and why. The value is not told, it may be
// secret.
type Taken struct{ Name, Why string }

const (
	otherCredential = "it is another credential, which would be used and paid for instead"
	otherProvider   = "it sends requests to another provider"
	providersKey    = "it is a credential of another provider"
	otherServer     = "it leads to another server than the sign-in"
	otherSignIn     = "it is another way of signing in"
	ownHeaders      = "it sets the header that carries the credential"
)

var reasons = map[claudecode.Role]string{
	claudecode.Switches: otherProvider, claudecode.Credential: otherCredential,
	claudecode.SignsIn: otherSignIn, claudecode.ProvidersKey: providersKey,
}

// Set are the variables of the door; none of them is secret.
func (d Door) Set() []Variable {
	list := []Variable{{"ANTHROPIC_PROFILE", d.Profile}}
	if d.Folder != "" {
		list = append(list, Variable{"ANTHROPIC_CONFIG_DIR", d.Folder})
	}
	return list
}

// Clean returns environ ("NAME=value" each) without what competes and with the
// variables of the door, and what was taken away, in the order of environ.
// system is as in runtime.GOOS: names of Windows have no case.
func (d Door) Clean(system string, environ []string) (env []string, taken []Taken) {
	return clean(system, environ, d.Set(), d.competes)
}

func clean(system string, environ []string, set []Variable, competes func(name, value string) string) (env []string, taken []Taken) {
	for _, entry := range environ {
		name, value := split(entry)
		if system == "windows" {
			name = strings.ToUpper(name)
		}
		if why := competes(name, value); why != "" {
			if !slices.Contains(taken, Taken{name, why}) {
				taken = append(taken, Taken{name, why})
			}
			continue
		}
		if !slices.ContainsFunc(set, func(v Variable) bool { return v.Name == name }) {
			env = append(env, entry)
		}
	}
	for _, v := range set {
		env = append(env, v.Name+"="+v.Value)
	}
	return env, taken
}

// Unset are the names that a shell has to forget: those that always compete,
// set or not, and those of environ that compete by their value.
func (d Door) Unset(system string, environ []string) []string {
	var names []string
	for _, c := range claudecode.Competitors() {
		names = append(names, c.Name)
	}
	_, taken := d.Clean(system, environ)
	for _, t := range taken {
		if t.Name != "ANTHROPIC_PROFILE" && !slices.Contains(names, t.Name) {
			names = append(names, t.Name)
		}
	}
	return names
}

// competes says why a variable competes, or "" if it does not.
func (d Door) competes(name, value string) string {
	if !claudecode.IsSet(name, value) {
		return ""
	}
	switch {
	case name == "ANTHROPIC_BASE_URL" && strings.TrimRight(value, "/") != d.Origin:
		return otherServer
	case name == "ANTHROPIC_PROFILE" && value != d.Profile:
		return otherSignIn
	case name == "ANTHROPIC_CUSTOM_HEADERS" && carriesCredential(value):
		return ownHeaders
	}
	for _, c := range claudecode.Competitors() {
		if c.Name == name {
			return reasons[c.Role]
		}
	}
	return ""
}

// carriesCredential says whether headers of one's own carry a credential.
func carriesCredential(headers string) bool {
	return slices.ContainsFunc(claudecode.ParseHeaders(headers), func(h claudecode.Header) bool {
		return h.Name == "authorization" || h.Name == "x-api-key"
	})
}

// split parts an entry. Windows has entries whose name begins with "=".
func split(entry string) (name, value string) {
	if i := strings.IndexByte(entry[min(1, len(entry)):], '='); i >= 0 {
		return entry[:i+1], entry[i+2:]
	}
	return entry, ""
}
