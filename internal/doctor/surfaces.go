package doctor

import (
	"context"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/checkup"
	"github.com/gatehouse-dev/gatehouse/internal/claudecode"
	"github.com/gatehouse-dev/gatehouse/internal/editor"
	"github.com/gatehouse-dev/gatehouse/internal/jsontext"
	"github.com/gatehouse-dev/gatehouse/internal/precedence"
	"github.com/gatehouse-dev/gatehouse/internal/settingsfile"
)

// extensions are where the editors keep what is installed into them.
var extensions = map[string]string{"code": ".vscode", "insiders": ".vscode-insiders", "codium": ".vscode-oss", "cursor": ".cursor", "windsurf": ".windsurf"}

// editors looks at what the extension of each editor hands to Claude Code, and
// whether it knows of the sign-in. JetBrains runs the command in a terminal.
func (e *Examination) editors(context.Context) Finding {
	to, _ := e.Target() // without a sign-in nothing leads there
	var with []string
	for _, name := range editor.Names() {
		file, err := editor.UserSettings(name, e.System, e.Home, e.Getenv)
		if err != nil {
			continue
		}
		setUp := "gatehouse setup vscode --editor " + name + e.Profile.Flag()
		installed, _ := filepath.Glob(filepath.Join(e.Home, extensions[name], "extensions", "anthropic.claude-code-*")) // the pattern is good
		t, err := settingsfile.Read(file, jsontext.Comments)
		if err != nil {
			t, _ = jsontext.Parse(nil, jsontext.Comments) // an empty text is one
		}
		var rivals []precedence.Rival
		for _, c := range editor.Conflicts(e.doorOrHelper(), t, file) {
			rivals = append(rivals, precedence.Rival{Name: c.Name, Title: c.Name, From: c.In})
		}
		if len(rivals) > 0 {
			names, places := told(rivals)
			return warn(checkup.Outranked, setUp, "in the editor Claude Code prefers other credentials to the sign-in: %s; take them out there", strings.Join(places, ", ")).about(names...)
		}
		if len(installed) == 0 || e.Home == "" {
			continue
		}
		with = append(with, name)
		if missing := withoutDoor(t, e.doorOrHelper(), to); to.Server != "" && missing != "" {
			return warn("not_set_up", setUp, "the extension of %s does not know of the sign-in, and asks for another", name).about(editor.Variables)
		}
	}
	if len(with) == 0 {
		return ok("no editor has the extension; in one, the settings of Claude Code hold")
	}
	return ok("the extension uses the sign-in too (%s)", strings.Join(with, ", "))
}

// withoutDoor names a variable of the door that the editor's settings lack.
func withoutDoor(t jsontext.Text, d claudecode.Door, to claudecode.Target) string {
	for _, v := range d.Variables(to) {
		if t.Get([]string{editor.Variables, jsontext.Named(v[0])}) == nil {
			return v[0]
		}
	}
	return ""
}

// background looks at what a process sees that no shell has started: a service,
// a scheduled job, an editor from the desktop.
func (e *Examination) background(ctx context.Context) Finding {
	getenv, where := e.withoutShell(ctx)
	rivals := e.explain(ctx, getenv).Rivals(e.wanted())
	// What is in files is the same for all, and told by credentials.
	rivals = slices.DeleteFunc(rivals, func(r precedence.Rival) bool { return r.From != precedence.Environment })
	if len(rivals) > 0 {
		for i := range rivals {
			rivals[i].From = where
		}
		names, places := told(rivals)
		return warn(checkup.Outranked, "claude doctor", "in a process that no shell starts Claude Code prefers other credentials to the sign-in: %s", strings.Join(places, ", ")).about(names...)
	}
	setUp := "gatehouse setup claude-code" + e.Profile.Flag()
	if e.local && getenv("ANTHROPIC_PROFILE") == "" {
		return warn("shell_only", setUp, "only this shell knows of the sign-in: a process that no shell starts does not see its ANTHROPIC_PROFILE").
			about("ANTHROPIC_PROFILE").fixedBy("run: "+setUp, e.SetUp)
	}
	if e.Getenv("CLAUDE_CONFIG_DIR") != "" && getenv("CLAUDE_CONFIG_DIR") == "" {
		return warn("shell_only", "unset CLAUDE_CONFIG_DIR", "only this shell sees CLAUDE_CONFIG_DIR: a process that no shell starts uses other settings").about("CLAUDE_CONFIG_DIR")
	}
	return ok("a process that no shell starts uses the same")
}

// withoutShell is the environment that the system gives to such processes, and
// its name.
func (e *Examination) withoutShell(ctx context.Context) (getenv func(string) string, where string) {
	switch e.System {
	case "windows": // services of a person get what is set for the person
		return e.Getenv, "the environment"
	case "darwin":
		return func(name string) string {
			out, err := e.Output(ctx, "launchctl", "getenv", name)
			if err != nil {
				return ""
			}
			return strings.TrimSpace(out)
		}, "launchd"
	}
	files := []string{"/etc/environment"}
	for _, pattern := range []string{e.at("/etc/environment.d/*.conf"), filepath.Join(e.configHome(), "environment.d", "*.conf")} {
		found, _ := filepath.Glob(pattern) // the patterns are good
		for _, file := range found {
			files = append(files, strings.TrimPrefix(file, e.Root))
		}
	}
	values := map[string]string{}
	for _, file := range files {
		for line := range strings.Lines(e.read(file)) {
			if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(name, "#") {
				values[strings.TrimPrefix(name, "export ")] = strings.Trim(value, `"'`)
			}
		}
	}
	return func(name string) string { return values[name] }, "environment.d"
}

func (e *Examination) configHome() string {
	if dir := e.Getenv("XDG_CONFIG_HOME"); dir != "" {
		return dir
	}
	return filepath.Join(e.Home, ".config")
}
