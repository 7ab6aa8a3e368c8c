package claudecode

import (
	"path/filepath"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

// UserSettings is the path of the user's settings: settings.json in
// $CLAUDE_CONFIG_DIR, or in ~/.claude. getenv reads the environment. It fails
// with Invalid if there is no such folder.
func UserSettings(home string, getenv func(string) string) (string, error) {
	dir := getenv("CLAUDE_CONFIG_DIR")
	if dir == "" && home != "" {
		dir = filepath.Join(home, ".claude")
	}
	if !filepath.IsAbs(dir) {
		return "", fault.New(fault.Invalid, "there are no settings of Claude Code, because neither HOME nor CLAUDE_CONFIG_DIR is an absolute path").
			WithHint(`export CLAUDE_CONFIG_DIR="$HOME/.claude"`)
	}
	return filepath.Join(dir, "settings.json"), nil
}

// ManagedFolder is where a system keeps managed settings.
func ManagedFolder(system string) string {
	switch system {
	case "darwin":
		return "/Library/Application Support/ClaudeCode"
	case "windows":
		return `C:\Program Files\ClaudeCode`
	}
	return "/etc/claude-code"
}

// ManagedSettings is the file of managed settings in a folder.
func ManagedSettings(folder string) string { return filepath.Join(folder, "managed-settings.json") }

// ProjectSettings are the settings that a repository brings along, by a folder
// in it.
func ProjectSettings(folder string) []string {
	return []string{filepath.Join(folder, ".claude", "settings.json"), filepath.Join(folder, ".claude", "settings.local.json")}
}
