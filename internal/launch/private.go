package launch

import (
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/claudecode"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// Private is an endpoint of this machine that a program is to use, with a token
// that is good for as long as the program runs.
type Private struct {
	Address string // "http://127.0.0.1:40123"
	Token   secret.Text
}

// Clean is Door.Clean for an endpoint. Requests to the endpoint pass no proxy,
// which would see the token.
func (p Private) Clean(system string, environ []string) (env []string, taken []Taken) {
	set := []Variable{{"ANTHROPIC_BASE_URL", p.Address}, {"ANTHROPIC_AUTH_TOKEN", p.Token.Reveal()}}
	for _, name := range []string{"NO_PROXY", "no_proxy"} {
		if system == "windows" && name == "no_proxy" {
			continue
		}
		set = append(set, Variable{name, direct(system, environ, name)})
	}
	return clean(system, environ, set, p.competes)
}

// competes says why a variable competes. Nothing that leads elsewhere stays: not
// even our own server, nor an SDK profile.
func (p Private) competes(name, value string) string {
	switch {
	case name == "ANTHROPIC_PROFILE" && claudecode.IsSet(name, value):
		return otherSignIn
	case name == "ANTHROPIC_BASE_URL" && claudecode.IsSet(name, value):
		return otherServer
	}
	return Door{}.competes(name, value)
}

// direct is the value of a variable that lists what passes no proxy, with this
// machine in it. Where only the other spelling is set, that one's list counts.
func direct(system string, environ []string, name string) string {
	const self = "127.0.0.1"
	list, found := "", false
	for _, entry := range environ {
		n, value := split(entry)
		if n == name || system == "windows" && strings.EqualFold(n, name) {
			list, found = value, true
		} else if !found && strings.EqualFold(n, name) {
			list = value
		}
	}
	switch {
	case strings.TrimSpace(list) == "":
		return self
	case strings.TrimSpace(list) == "*":
		return list
	}
	return list + "," + self
}
