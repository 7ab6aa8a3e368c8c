package precedence

import (
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/source"
)

// Machine is what Read looks at. Getenv is of the shell that Claude Code would be
// started in; what settings set is put over it here.
type Machine struct {
	source.Machine
	Folder  string // in which Claude Code would be started; may be empty
	Managed string // the folder of managed settings; may be empty
	// Own recognises the shell command of a helper that is ours. It may be nil.
	Own func(command string) (Source, bool)
}

// Source is one source that was found. It holds no secret.
type Source struct {
	Where    string    // the file, or "the environment"
	Until    time.Time // zero if nobody says
	Problem  string    // why it may not work; "" if nothing is known
	Identity string    // whom it stands for; "" if it does not say
	Payer    string
}

// Facts are what the choice depends on.
type Facts struct {
	Found map[Name]Source
	// SwitchedOn are the providers that are, whether or not they have a credential.
	SwitchedOn map[Name]Value
	// Unsigned are those that are sent ANTHROPIC_AUTH_TOKEN in place of their own.
	Unsigned map[Name]bool

	Named     bool // ANTHROPIC_PROFILE names the profile
	Federates bool // the profile exchanges an identity token
	Gateway   string
	Bare      bool // no sign-in is read
	// Sets are the headers of ANTHROPIC_CUSTOM_HEADERS that carry a credential.
	SetsAuthorization, SetsKey bool
	Rejected                   bool // the person has said no to the key of ANTHROPIC_API_KEY

	Forced   string // the managed member that demands another sign-in; "" if none does
	ForcedIn string
	NoOrgs   bool // it allows no organization at all

	Base        Value          // ANTHROPIC_BASE_URL
	ProfileBase string         // of the profile
	Endpoints   map[Name]Value // of the providers, if they are not the usual ones
	Notes       []Note
}

func (f Facts) has(n Name) bool { _, ok := f.Found[n]; return ok }

// first is the first of them that was found, or "".
func (f Facts) first(names ...Name) Name {
	for _, n := range names {
		if f.has(n) {
			return n
		}
	}
	return ""
}
