package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/gatehouse-dev/gatehouse/internal/claudecode"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/launch"
	"github.com/spf13/cobra"
)

type setupFlags struct {
	door        string
	print, undo bool
}

func (m *Main) setupVerb() *cobra.Command {
	setup := m.verb("setup", "Make a program use the sign-in", "The program is named: gatehouse setup claude-code.",
		func(context.Context) error { return &usageError{"no program is named", "gatehouse setup claude-code"} })
	var flags setupFlags
	c := m.withProfile(m.verb("claude-code", "Make Claude Code use the sign-in, in its user settings",
		`--door helper   env.ANTHROPIC_BASE_URL and apiKeyHelper: Claude Code runs
                "gatehouse token" whenever it needs a credential
--door profile  env.ANTHROPIC_PROFILE: Claude Code reads the SDK profile and
                renews it by itself

Everything else in the settings stays as it is. A copy is made beside the file,
and --undo takes the change back. With --print nothing is written; what would be
added is printed on standard output.`, func(ctx context.Context) error { return m.setup(ctx, flags) }))
	c.Flags().StringVar(&flags.door, "door", string(claudecode.Helper), "helper or profile")
	c.Flags().BoolVar(&flags.print, "print", false, "print what would be added, and write nothing")
	c.Flags().BoolVar(&flags.undo, "undo", false, "take the change back")
	setup.AddCommand(c)
	return setup
}

func (m *Main) setup(_ context.Context, flags setupFlags) error {
	door := claudecode.Door(flags.door)
	if door != claudecode.Helper && door != claudecode.Profile {
		return &usageError{fmt.Sprintf("%q is no door, choose helper or profile", flags.door), "gatehouse setup claude-code --door helper"}
	}
	at, err := m.places()
	if err != nil {
		return err
	}
	settings, err := m.claudeSettings(at)
	if err != nil {
		return err
	}
	if flags.undo {
		return m.undoSetup(settings)
	}
	known, err := at.memory.Recall(at.profile)
	if err != nil {
		return signedOut(at.profile, err)
	}
	self, err := m.Executable()
	if err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	to := claudecode.Target{Server: known.Origin, Command: shellWord(m.System, self) + " token" + at.profile.Flag(), Profile: at.profile.SDKName()}
	if flags.print {
		b, err := claudecode.Fragment(door, to)
		if err == nil {
			_, err = m.Stdout.Write(b)
		}
		return err
	}
	done, err := settings.Apply(door, to)
	if err != nil {
		return err
	}
	m.report(done)
	return nil
}

func (m *Main) claudeSettings(at places) (claudecode.Settings, error) {
	dir := m.Getenv("CLAUDE_CONFIG_DIR")
	if dir == "" && m.Home != "" {
		dir = filepath.Join(m.Home, ".claude")
	}
	if !filepath.IsAbs(dir) {
		return claudecode.Settings{}, fault.New(fault.Invalid, "there are no settings of Claude Code, because neither HOME nor CLAUDE_CONFIG_DIR is an absolute path").
			WithHint(`export CLAUDE_CONFIG_DIR="$HOME/.claude"`)
	}
	return claudecode.Settings{File: filepath.Join(dir, "settings.json"), Records: filepath.Join(at.memory.Dir, "claude-code"),
		Getenv: m.Getenv, Now: m.Now}, nil
}

func (m *Main) undoSetup(settings claudecode.Settings) error {
	done, err := settings.Undo()
	switch {
	case err != nil:
		return err
	case !done.Changed:
		m.say("There was nothing to take back in %s.", done.File)
	case done.Backup != "":
		m.say("Took our keys out of %s, which was edited meanwhile (a copy is in %s).", done.File, done.Backup)
	default:
		m.say("Restored %s.", done.File)
	}
	return nil
}

func (m *Main) report(done claudecode.Done) {
	switch {
	case !done.Changed:
		m.say("%s is already set up.", done.File)
	case done.Backup == "":
		m.say("Wrote %s. Take it back with: gatehouse setup claude-code --undo", done.File)
	default:
		m.say("Changed %s (a copy is in %s). Take it back with: gatehouse setup claude-code --undo", done.File, done.Backup)
	}
	for _, c := range done.Conflicts {
		if c.In == "" {
			m.say("gatehouse: warning: Claude Code prefers %s, which is set in this shell, to the sign-in; run: unset %s", c.Name, c.Name)
		} else {
			m.say("gatehouse: warning: Claude Code prefers %s, which stands in %s, to the sign-in; take it out there", c.Name, c.In)
		}
	}
}

// shellWord quotes a path for the shell that runs an apiKeyHelper.
func shellWord(system, path string) string {
	if system == "windows" {
		return `"` + path + `"`
	}
	return launch.ShellWord(path)
}
