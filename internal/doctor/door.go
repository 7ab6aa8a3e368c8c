package doctor

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/checkup"
	"github.com/gatehouse-dev/gatehouse/internal/claudecode"
	"github.com/gatehouse-dev/gatehouse/internal/jsontext"
	"github.com/gatehouse-dev/gatehouse/internal/precedence"
	"github.com/gatehouse-dev/gatehouse/internal/settingsfile"
	"github.com/gatehouse-dev/gatehouse/internal/source"
)

// files are those that Claude Code takes settings from here, the ones that win
// first. Those of the machine are in the order in which they are merged.
func (e *Examination) files() []string {
	files := []string{claudecode.ManagedSettings(e.Managed)}
	more, _ := filepath.Glob(filepath.Join(e.Managed, "managed-settings.d", "[^.]*.json")) // the pattern is good
	files = append(files, more...)
	files = append(files, claudecode.ProjectSettings(e.Folder)...)
	if e.UserSettings != "" {
		files = append(files, e.UserSettings)
	}
	return files
}

// settings reads every settings file as Claude Code would, and looks for what
// shuts the sign-in out.
func (e *Examination) settings(context.Context) Finding {
	for _, file := range e.files() {
		t, err := settingsfile.Read(file, jsontext.Strict)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return warn(checkup.Unreadable, "claude doctor", "%s, so Claude Code leaves the file out", message(err))
		}
		if info, err := os.Stat(file); err == nil && e.System != "windows" && info.Mode().Perm()&0o002 != 0 {
			return fail(checkup.Exposed, "chmod o-w "+file, "everybody on this machine can change %s, and with it what Claude Code runs", file).
				fixedBy("take the others' right to write from "+file, func(context.Context) error { return os.Chmod(file, info.Mode().Perm()&^0o002) })
		}
		if !strings.HasPrefix(file, e.Managed) {
			continue
		}
		for _, key := range []string{"forceLoginMethod", "forceLoginOrgUUID"} {
			if t.Get([]string{key}) == nil || key == "forceLoginMethod" && t.String(key) == "gateway" {
				continue
			}
			return warn("forced_login", "claude auth status", "%s of the managed settings allows Claude Code other sign-ins only, so a helper is refused at its start", key).about(key)
		}
	}
	return ok("the settings of Claude Code can be read")
}

// doors finds the door to the sign-in that stands in the settings.
func (e *Examination) doors(context.Context) Finding {
	to, err := e.Target()
	if err != nil {
		return fail(checkup.SignedOut, e.logIn(), "%s", message(err))
	}
	for _, file := range e.files() {
		t, err := settingsfile.Read(file, jsontext.Strict)
		if err != nil {
			continue // settings has said so
		}
		if e.door = claudecode.Stands(t, to); e.door != "" {
			if e.door == claudecode.Helper {
				e.helper = to.Command
			}
			return ok("Claude Code uses the sign-in by its %s door, in %s", e.door, file)
		}
	}
	mend := "gatehouse setup claude-code" + e.Profile.Flag()
	if f, found := e.otherHelper(to, mend); found {
		return f
	}
	if e.Getenv("ANTHROPIC_PROFILE") == to.Profile {
		e.door, e.local = claudecode.Profile, true
		return ok("Claude Code uses the sign-in in this shell, by ANTHROPIC_PROFILE")
	}
	return warn("not_set_up", mend, "nothing makes Claude Code use the sign-in").fixedBy("run: "+mend, e.SetUp)
}

// otherHelper judges a helper for our server that is not this program: one of an
// older place may be gone, and one of the person's own is theirs. Helpers that
// came with a repository are no doors.
func (e *Examination) otherHelper(to claudecode.Target, mend string) (Finding, bool) {
	for _, file := range []string{claudecode.ManagedSettings(e.Managed), e.UserSettings} {
		t, err := settingsfile.Read(file, jsontext.Strict)
		if err != nil {
			continue
		}
		command := t.String("apiKeyHelper")
		program := strings.Trim(strings.Fields(command + " -")[0], `'"`)
		switch {
		case command == "" || strings.TrimRight(t.String("env", "ANTHROPIC_BASE_URL"), "/") != to.Server:
			continue
		case filepath.IsAbs(program) && !e.runs(program):
			return fail("helper_gone", mend, "the helper in %s is not there any more, so Claude Code gets no credential", file).about("apiKeyHelper").fixedBy("run: "+mend, e.SetUp), true
		}
		e.door, e.helper = claudecode.Helper, command
		return warn("another_helper", mend, "Claude Code gets its credential from another program than this one, in %s", file).about("apiKeyHelper"), true
	}
	return Finding{}, false
}

func (e *Examination) runs(program string) bool {
	info, err := os.Stat(program)
	return err == nil && info.Mode().IsRegular() && (e.System == "windows" || info.Mode().Perm()&0o111 != 0)
}

// doorOrHelper is the door that is judged: what stands, else what setup makes.
func (e *Examination) doorOrHelper() claudecode.Door {
	if e.door == "" && e.Getenv("ANTHROPIC_PROFILE") != "" {
		return claudecode.Profile
	}
	if e.door == "" {
		return claudecode.Helper
	}
	return e.door
}

// credentials looks for what wins over the sign-in in a terminal.
func (e *Examination) credentials(ctx context.Context) Finding {
	x := e.explain(ctx, e.Getenv)
	if rivals := x.Rivals(e.wanted()); len(rivals) > 0 {
		names, places := told(rivals)
		return warn(checkup.Outranked, e.mendRival(rivals[0]), "Claude Code prefers other credentials to the sign-in: %s", strings.Join(places, ", ")).about(names...)
	}
	for _, n := range x.Notes {
		switch n.Code {
		case precedence.Unreadable:
			return warn(checkup.Unreadable, n.Mend, "%s", n.Says)
		case precedence.Redirected:
			return warn(checkup.Outranked, n.Mend, "%s", n.Says).about(claudecode.BaseURL)
		}
	}
	return ok("nothing outranks the sign-in in a terminal")
}

// explain is Claude Code's choice with an environment.
func (e *Examination) explain(ctx context.Context, getenv func(string) string) precedence.Explanation {
	machine := source.Machine{System: e.System, Home: e.Home, Getenv: getenv, Now: e.Now, LookPath: e.LookPath}
	return precedence.Explain(precedence.Read(ctx, precedence.Machine{Machine: machine, Folder: e.Folder, Managed: e.Managed}))
}

// wanted is the source that the door is.
func (e *Examination) wanted() precedence.Name {
	switch e.doorOrHelper() {
	case claudecode.Profile:
		return precedence.Profile
	case claudecode.Gateway:
		return precedence.Gateway
	}
	return precedence.Helper
}

// mendRival takes a variable out of the shell. What stands in a file is shown
// first: it may be wanted there.
func (e *Examination) mendRival(r precedence.Rival) string {
	if r.From == precedence.Environment {
		return e.mend["unset"] + r.Name
	}
	return "gatehouse status --explain"
}

// told names what was found and where it is.
func told(found []precedence.Rival) (names, places []string) {
	for _, r := range found {
		names, places = append(names, r.Name), append(places, r.Title+" in "+r.From)
	}
	return names, places
}
