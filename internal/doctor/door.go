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
	"github.com/gatehouse-dev/gatehouse/internal/settingsfile"
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
func (e *Examination) credentials(context.Context) Finding {
	found, err := e.Rivals(e.doorOrHelper(), e.files(), e.Getenv)
	switch {
	case len(found) > 0:
		names, places := told(found, "in the environment")
		mend := e.mend["unset"] + found[0].Name
		if found[0].In != "" {
			mend = "claude doctor"
		}
		return warn(checkup.Outranked, mend, "Claude Code prefers other credentials to the sign-in: %s", strings.Join(places, ", ")).about(names...)
	case err != nil:
		return warn(checkup.Unreadable, "claude doctor", "%s", message(err))
	}
	return ok("nothing outranks the sign-in in a terminal")
}

// told names what was found and where it is.
func told(found []claudecode.Conflict, environment string) (names, places []string) {
	for _, c := range found {
		names = append(names, c.Name)
		if c.In == "" {
			places = append(places, c.Name+" "+environment)
		} else {
			places = append(places, c.Name+" in "+c.In)
		}
	}
	return names, places
}
