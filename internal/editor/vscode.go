package editor

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/claudecode"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/jsontext"
	"github.com/gatehouse-dev/gatehouse/internal/settingsfile"
)

// folders are the names under which the editors keep their files.
var folders = map[string]string{"code": "Code", "insiders": "Code - Insiders", "codium": "VSCodium", "cursor": "Cursor", "windsurf": "Windsurf"}

// Names lists the editors that are known, as a person says them.
func Names() []string { return []string{"code", "insiders", "codium", "cursor", "windsurf"} }

// UserSettings is the path of an editor's user settings. getenv reads the
// environment. It fails with Invalid for an editor that is not known, or where
// there is no folder for its settings.
func UserSettings(name, system, home string, getenv func(string) string) (string, error) {
	folder, ok := folders[name]
	if !ok {
		return "", fault.New(fault.Invalid, "%q is no editor, choose %s", name, strings.Join(Names(), ", "))
	}
	base := ""
	switch {
	case getenv("VSCODE_PORTABLE") != "" && name == "code":
		return filepath.Join(getenv("VSCODE_PORTABLE"), "user-data", "User", "settings.json"), nil
	case system == "windows":
		base = getenv("APPDATA")
	case system == "darwin" && home != "":
		base = filepath.Join(home, "Library", "Application Support")
	case getenv("XDG_CONFIG_HOME") != "":
		base = getenv("XDG_CONFIG_HOME")
	case home != "":
		base = filepath.Join(home, ".config")
	}
	if !filepath.IsAbs(base) {
		return "", fault.New(fault.Invalid, "there is no folder for the settings of the editor, because HOME is not an absolute path").
			WithHint(`export HOME="$PWD"`)
	}
	return filepath.Join(base, folder, "User", "settings.json"), nil
}

// Members of the editor's settings that the extension reads.
const (
	Variables   = "claudeCode.environmentVariables"
	LoginPrompt = "claudeCode.disableLoginPrompt"
)

// Changes are the members that make the extension use a door. The gateway door
// needs none: people sign in there.
func Changes(d claudecode.Door, to claudecode.Target) []settingsfile.Change {
	var changes []settingsfile.Change
	for _, v := range d.Variables(to) {
		element := settingsfile.Quote(struct {
			Name  string `json:"name"`
			Value string `json:"value"`
		}{v[0], v[1]})
		changes = append(changes, settingsfile.Change{Path: []string{Variables, jsontext.Named(v[0])}, Value: element})
	}
	if len(changes) > 0 {
		changes = append(changes, settingsfile.Change{Path: []string{LoginPrompt}, Value: settingsfile.Quote(true)})
	}
	return changes
}

// Conflicts are the variables that the extension hands to Claude Code and that
// outrank a door there.
func Conflicts(d claudecode.Door, t jsontext.Text, file string) []claudecode.Conflict {
	var list []claudecode.Conflict
	for _, name := range t.Names(Variables) {
		if slices.Contains(d.Outranking(), name) {
			list = append(list, claudecode.Conflict{Name: name, In: file})
		}
	}
	return list
}
