package claudecode

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

// Door is a way in which Claude Code gets its credential from us.
type Door string

const (
	Helper  Door = "helper"  // it runs "gatehouse token"
	Profile Door = "profile" // it reads the SDK profile
)

// Target is what a door leads to.
type Target struct {
	Server  string // the origin of our server; for Helper
	Command string // the shell command that prints a token; for Helper
	Profile string // the SDK profile's name; for Profile
}

// change is one key that a door sets; all values are strings.
type change struct {
	Path  []string `json:"path"`
	Value string   `json:"value"`
	// Before is the raw value that stood there; nil if there was none.
	Before json.RawMessage `json:"before,omitempty"`
}

func (c change) raw() json.RawMessage {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(c.Value) // a string always encodes
	return bytes.TrimSpace(out.Bytes())
}

func (d Door) changes(to Target) ([]change, error) {
	switch d {
	case Helper:
		return []change{{Path: []string{"env", "ANTHROPIC_BASE_URL"}, Value: to.Server}, {Path: []string{"apiKeyHelper"}, Value: to.Command}}, nil
	case Profile:
		return []change{{Path: []string{"env", "ANTHROPIC_PROFILE"}, Value: to.Profile}}, nil
	}
	return nil, fault.New(fault.Invalid, "%q is no door, choose helper or profile", string(d))
}

// Fragment is what a door adds to the settings, as JSON.
func Fragment(d Door, to Target) ([]byte, error) {
	changes, err := d.changes(to)
	if err != nil {
		return nil, err
	}
	t := text("{}\n")
	for _, c := range changes {
		t = t.set(c.Path, c.raw())
	}
	return t, nil
}

// What Claude Code prefers over a door, most preferred first. The settings' own
// env counts like the shell's.
var (
	outrankHelper  = []string{"CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX", "CLAUDE_CODE_USE_FOUNDRY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_API_KEY"}
	outrankProfile = append(append([]string{}, outrankHelper...), "ANTHROPIC_BASE_URL", "CLAUDE_CODE_OAUTH_TOKEN")
)

// Conflict is something that Claude Code would use instead of the door. Values
// are not told, they may be secret.
type Conflict struct {
	Name string // of a variable, or "apiKeyHelper"
	In   string // the settings file, or "" for the environment
}

func conflicts(d Door, t text, file string, getenv func(string) string) []Conflict {
	names := outrankHelper
	if d == Profile {
		names = outrankProfile
	}
	var list []Conflict
	for _, name := range names {
		if v := t.get([]string{"env", name}); IsSet(name, strings.Trim(string(v), `"`)) {
			list = append(list, Conflict{Name: name, In: file})
		}
		// The door's own ANTHROPIC_BASE_URL in the settings wins over the shell's.
		if IsSet(name, getenv(name)) {
			list = append(list, Conflict{Name: name})
		}
	}
	if d == Profile && t.get([]string{"apiKeyHelper"}) != nil {
		list = append(list, Conflict{Name: "apiKeyHelper", In: file})
	}
	return list
}

// IsSet says whether a variable counts: a switch (CLAUDE_CODE_USE_…) only when
// it is on, everything else when it is not empty.
func IsSet(name, value string) bool {
	if strings.HasPrefix(name, "CLAUDE_CODE_USE_") {
		return value != "" && value != "0" && !strings.EqualFold(value, "false")
	}
	return value != ""
}
