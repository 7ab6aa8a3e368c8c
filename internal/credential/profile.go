package credential

import (
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

// Profile names one of a member's sign-ins on this machine. The zero Profile is
// DefaultProfile.
type Profile string

// DefaultProfile is the sign-in that is meant when none is named.
const DefaultProfile Profile = "default"

const maxProfile = 64

// ParseProfile checks a name that a person gave: 1 to 64 letters, digits, '_',
// '-' and '.', not beginning with '.'. It fails with Invalid.
func ParseProfile(name string) (Profile, error) {
	ok := name != "" && len(name) <= maxProfile && name[0] != '.'
	for _, r := range name {
		ok = ok && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-.", r))
	}
	if !ok {
		return "", fault.New(fault.Invalid, "%q is not a profile name (letters, digits, '_', '-' and '.', at most %d)", shorten(name), maxProfile)
	}
	return Profile(name), nil
}

func shorten(s string) string {
	if len(s) > maxProfile {
		return s[:maxProfile] + "…"
	}
	return s
}

// String returns the name, that of DefaultProfile for the zero value.
func (p Profile) String() string {
	if p == "" {
		return string(DefaultProfile)
	}
	return string(p)
}

// SDKName is the name under which the official SDKs and Claude Code know the
// sign-in: what ANTHROPIC_PROFILE is set to.
func (p Profile) SDKName() string {
	if p == "" || p == DefaultProfile {
		return "gatehouse"
	}
	return "gatehouse-" + string(p)
}

// Flag is what a command line needs to name the profile again: " --profile x",
// or nothing for the default.
func (p Profile) Flag() string {
	if p == "" || p == DefaultProfile {
		return ""
	}
	return " --profile " + string(p)
}
