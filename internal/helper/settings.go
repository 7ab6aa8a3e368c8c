package helper

import (
	"encoding/json"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

// InSettings returns the scripts of a settings file, with the endpoint that its
// own env names. It fails with Invalid for what is no JSON object; a value that is
// no text counts as none, as it does for Claude Code.
func InSettings(raw []byte, file string, place Place, trusted bool) ([]Script, error) {
	var all map[string]json.RawMessage
	if json.Unmarshal(raw, &all) != nil {
		return nil, fault.New(fault.Invalid, "%s is not the JSON object that it should be", file)
	}
	var env map[string]json.RawMessage
	_ = json.Unmarshal(all["env"], &env)
	server := text(env["ANTHROPIC_BASE_URL"])
	var found []Script
	for _, kind := range []Kind{APIKey, Proxy, OTelHeaders, AWSExport, AWSRefresh, GCPRefresh} {
		if line := text(all[string(kind)]); line != "" {
			found = append(found, Script{Kind: kind, Line: line, File: file, Place: place, Trusted: trusted, Server: server})
		}
	}
	return found, nil
}

func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// Trusts reports whether Claude Code's own state (~/.claude.json) says that the
// person trusts the project in a folder. What cannot be read trusts nobody.
func Trusts(state []byte, folder string) bool {
	var s struct {
		Projects map[string]struct {
			Trusted bool `json:"hasTrustDialogAccepted"`
		} `json:"projects"`
	}
	return json.Unmarshal(state, &s) == nil && s.Projects[folder].Trusted
}
