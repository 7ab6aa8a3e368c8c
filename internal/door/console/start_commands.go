package console

import (
	"fmt"
	"net/url"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/onboarding"
)

// startDoor is a way for Claude Code to get its credential.
type startDoor struct {
	value, text, help string
	needs             caller.Rights // one of them
	command           bool          // it needs the gatehouse command
}

var startDoors = []startDoor{
	{"gatehouse", "gatehouse command", "You sign in once in the browser; Claude Code asks the command for a fresh credential whenever it needs one.", caller.RightsOf(caller.OwnSessions), true},
	{"login", "Claude Code’s /login", "Nothing of ours is installed. Claude Code signs in by itself, once its managed settings name this server.", caller.RightsOf(caller.OwnSessions), false},
	{"profile", "SDK profile", "Signing in writes a profile that Claude Code and every official SDK read, and renew by themselves.", caller.RightsOf(caller.OwnSessions), true},
	{"helper", "Credential helper", "For settings that you keep yourself: they name the command that prints a credential.", caller.RightsOf(caller.OwnSessions), true},
	{"key", "API key", "A key of your own, for tools that know nothing else. It is the least safe way: a key lies around until it ends.", caller.RightsOf(caller.OwnKeys, caller.OwnClaudeCodeKeys), false},
}

var startSystems = [][2]string{{"macos", "macOS"}, {"linux", "Linux"}, {"windows", "Windows"}}

// target is what the commands of the page are for.
type target struct {
	url          string
	organization string
	system       string
	door         startDoor
	offered      []startDoor
	code         string
}

// chosen is what the visitor asks for, or what suits them.
func (c *Console) chosen(v *visit, code onboarding.Code) target {
	to := target{url: c.publicURL, organization: v.organizationName(), system: detect(v.r.UserAgent()), code: shownCode(code.Text)}
	query := v.r.URL.Query()
	for _, s := range startSystems {
		if query.Get("system") == s[0] {
			to.system = s[0]
		}
	}
	for _, d := range startDoors {
		if v.who.Rights&d.needs != 0 {
			to.offered = append(to.offered, d)
		}
	}
	if len(to.offered) > 0 {
		to.door = to.offered[0]
	}
	for _, d := range to.offered {
		if query.Get("door") == d.value {
			to.door = d
		}
	}
	return to
}

func (to target) systems(at *url.URL) []tab {
	var all []tab
	for _, s := range startSystems {
		all = append(all, tab{with(at, "system", s[0]), s[1], s[0] == to.system})
	}
	return all
}

func (to target) doors(at *url.URL) []tab {
	var all []tab
	for _, d := range to.offered {
		all = append(all, tab{with(at, "door", d.value), d.text, d.value == to.door.value})
	}
	return all
}

func (to target) checkHelp() string {
	const get = "The gatehouse program is one file. Take it from where your organization keeps it, or from the project’s release for your system; " +
		"if you do not know where, ask whoever invited you."
	if to.door.command {
		return get
	}
	return "This way in does not need the gatehouse program, so you may leave this step out: it turns green when you sign in. With the program, it finds out what could be in your way."
}

func (to target) checkCommands() []startCommand {
	return []startCommand{{"Look at this computer, and tell this page what was found. Names and versions are sent, and nothing secret.",
		"gatehouse doctor --server " + to.url + " --report " + to.code}}
}

func (to target) installCommands() []startCommand {
	native := startCommand{"With Anthropic’s installer:", "curl -fsSL https://claude.ai/install.sh | bash"}
	if to.system == "windows" {
		native = startCommand{"With Anthropic’s installer, in PowerShell:", "irm https://claude.ai/install.ps1 | iex"}
	}
	all := []startCommand{native, {"Or with npm, if you have Node.js:", "npm install -g @anthropic-ai/claude-code"}}
	if to.door.command {
		all = append(all, startCommand{"Then, in a new terminal window, let this page know:", "gatehouse doctor --server " + to.url + " --report " + to.code})
	}
	return all
}

func (to target) installWaits() string {
	if to.door.command {
		return "Turns green when a report finds it, or when it signs in."
	}
	if to.door.value == "key" {
		return "Turns green when your first request is answered."
	}
	return "Turns green when Claude Code signs in."
}

func (to target) signInHelp() string {
	switch to.door.value {
	case "login":
		return "The file below needs an administrator’s rights on your computer; your organization may have put it there already. Then start Claude Code, type /login and confirm. Press 1 when it asks whether to trust this server."
	case "helper":
		return "Sign in, then add this to your settings of Claude Code."
	case "key":
		return "Create a key and put it where the dots are. It is shown once."
	case "profile":
		return "A browser opens; without one, a code is shown that you type here."
	}
	return "A browser opens; without one, a code is shown that you type here. The second command makes Claude Code use the sign-in, and can be taken back."
}

func (to target) signInLink() *link {
	if to.door.value == "key" {
		return &link{"/keys/new", "Create a key"}
	}
	return nil
}

func (to target) signInWaits() string {
	if to.door.value == "key" {
		return "Turns green when your first request is answered."
	}
	return "Turns green when this computer is signed in."
}

var managedFiles = map[string]string{
	"macos":   "/Library/Application Support/ClaudeCode/managed-settings.json",
	"linux":   "/etc/claude-code/managed-settings.json",
	"windows": `C:\Program Files\ClaudeCode\managed-settings.json`,
}

func (to target) signInCommands() []startCommand {
	login := startCommand{"Sign in:", "gatehouse login --server " + to.url}
	switch to.door.value {
	case "login":
		return []startCommand{{"In " + managedFiles[to.system] + ":", fmt.Sprintf("{\n  \"forceLoginMethod\": \"gateway\",\n  \"forceLoginGatewayUrl\": %q\n}", to.url)},
			{"Start Claude Code:", "claude"}, {"And type there:", "/login"}}
	case "profile":
		return []startCommand{{"Sign in, into a file that the clients read:", "gatehouse login --storage file --server " + to.url}}
	case "helper":
		file := "~/.claude/settings.json"
		if to.system == "windows" {
			file = `%USERPROFILE%\.claude\settings.json`
		}
		return []startCommand{login, {"In " + file + ":", fmt.Sprintf("{\n  \"env\": {\"ANTHROPIC_BASE_URL\": %q},\n  \"apiKeyHelper\": \"gatehouse token\"\n}", to.url)}}
	case "key":
		if to.system == "windows" {
			return []startCommand{{"In PowerShell:", "$env:ANTHROPIC_BASE_URL = \"" + to.url + "\"\n$env:ANTHROPIC_API_KEY = \"sk-gate-api01-…\""}}
		}
		return []startCommand{{"In your terminal:", "export ANTHROPIC_BASE_URL=" + to.url + "\nexport ANTHROPIC_API_KEY=sk-gate-api01-…"}}
	}
	return []startCommand{login, {"Make Claude Code use it:", "gatehouse setup claude-code"}}
}

func (to target) requestCommands() []startCommand {
	const ask = `claude -p "Say hello"`
	switch {
	case to.door.value == "profile" && to.system == "windows":
		return []startCommand{{"In PowerShell:", "$env:ANTHROPIC_PROFILE = \"gatehouse\"\n" + ask}}
	case to.door.value == "profile":
		return []startCommand{{"", "ANTHROPIC_PROFILE=gatehouse " + ask}}
	}
	return []startCommand{{"", ask}}
}
