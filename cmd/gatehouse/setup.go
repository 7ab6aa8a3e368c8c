package main

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/claudecode"
	"github.com/gatehouse-dev/gatehouse/internal/editor"
	"github.com/gatehouse-dev/gatehouse/internal/jsontext"
	"github.com/gatehouse-dev/gatehouse/internal/launch"
	"github.com/gatehouse-dev/gatehouse/internal/login"
	"github.com/gatehouse-dev/gatehouse/internal/settingsfile"
	"github.com/spf13/cobra"
)

type setupFlags struct {
	changeFlags
	door, scope, server, managed string
	cloud                        string
	editor                       string
	print                        bool
}

const setupTargets = "claude-code, vscode, jetbrains, github-action or sdk"

func (m *Main) setupVerb() *cobra.Command {
	setup := m.verb("setup", "Make a program use the sign-in",
		`The program is named: gatehouse setup claude-code. Others are `+setupTargets+`.

What is going to be changed is shown first, and a person at a terminal is asked.
Where nobody can be asked, --yes says yes, and --dry-run shows the change and
makes none. --undo takes it back, byte for byte if nothing else was edited.`,
		func(context.Context) error { return &usageError{"no program is named", "gatehouse setup claude-code"} })
	setup.AddCommand(m.setupClaudeCode(), m.setupVSCode(), m.setupJetBrains(), m.setupAction(), m.setupSDK())
	return setup
}

const doorsHelp = `--door helper   env.ANTHROPIC_BASE_URL and apiKeyHelper: Claude Code runs
                "gatehouse token" whenever it needs a credential
--door profile  env.ANTHROPIC_PROFILE: Claude Code reads the SDK profile and
                renews it by itself; only where the credential is kept in a file
`

func (m *Main) setupClaudeCode() *cobra.Command {
	var flags setupFlags
	c := m.aboutProfile(m.verb("claude-code", "Make Claude Code use the sign-in, in its settings", doorsHelp+
		`--door gateway  forceLoginMethod and forceLoginGatewayUrl: people sign in with
                /login, and nothing of ours is needed; with --scope managed
--door direct   the variables of the organization's cloud, and awsCredentialExport,
                awsAuthRefresh or gcpAuthRefresh: requests go straight to Amazon
                Bedrock or Google Cloud, with a credential that the sign-in gives;
                which cloud, --cloud says, or else the organization

--scope user changes the user's settings. --scope managed changes the managed
settings of this machine, which hold for everybody and need an administrator's
rights; the server is then named with --server, and nobody has to be signed in.

Everything else in the settings stays as it is. A copy is made beside the file,
and --undo takes the change back. With --print nothing is written; what would be
added is printed on standard output.`, func(ctx context.Context) error { return m.setup(ctx, flags) }))
	flags.add(c)
	c.Flags().StringVar(&flags.door, "door", string(claudecode.Helper), "helper, profile, gateway or direct")
	c.Flags().StringVar(&flags.cloud, "cloud", "", "with --door direct: aws or gcp (the one that the organization prefers)")
	c.Flags().StringVar(&flags.scope, "scope", "user", "user or managed")
	c.Flags().StringVar(&flags.server, "server", "", "the server's address, for managed settings")
	c.Flags().StringVar(&flags.managed, "managed-folder", claudecode.ManagedFolder(m.System), "where managed settings are, for an image that is being made")
	c.Flags().BoolVar(&flags.print, "print", false, "print what would be added, and write nothing")
	return c
}

func (m *Main) setupVSCode() *cobra.Command {
	var flags setupFlags
	c := m.aboutProfile(m.verb("vscode", "Make the Claude Code extension of VS Code use the sign-in",
		`The extension looks for a sign-in in the editor's user settings, and Claude Code,
which it starts, in its own: both are changed. Comments in the editor's settings
stay. No credential is written: editors copy their settings between machines.

`+doorsHelp+`
--editor names one that is made from VS Code: insiders, codium, cursor, windsurf.`,
		func(context.Context) error { return m.setupEditor(flags) }))
	flags.add(c)
	c.Flags().StringVar(&flags.door, "door", string(claudecode.Helper), "helper or profile")
	c.Flags().StringVar(&flags.editor, "editor", "code", strings.Join(editor.Names(), ", "))
	return c
}

func (m *Main) setupJetBrains() *cobra.Command {
	var flags setupFlags
	c := m.aboutProfile(m.verb("jetbrains", "Make the Claude Code plugin of JetBrains use the sign-in",
		`The plugin runs the claude command in the editor's terminal, so the settings of
Claude Code hold there, and they are what is changed.

`+doorsHelp, func(ctx context.Context) error {
			flags.scope = "user"
			if err := m.setup(ctx, flags); err != nil || flags.undo {
				return err
			}
			if path, err := m.LookPath("claude"); err == nil {
				m.say("If the editor does not find Claude Code, set Settings | Tools | Claude Code | Claude command to %s", path)
			}
			return nil
		}))
	flags.add(c)
	c.Flags().StringVar(&flags.door, "door", string(claudecode.Helper), "helper or profile")
	return c
}

// doorOf checks what a person says about the door.
func doorOf(flags setupFlags) (claudecode.Door, error) {
	door := claudecode.Door(flags.door)
	if _, err := door.Changes(claudecode.Target{}); err != nil {
		return "", &usageError{message(err), "gatehouse setup claude-code --door helper"}
	}
	if flags.scope != "user" && flags.scope != "managed" && flags.scope != "" {
		return "", &usageError{fmt.Sprintf("%q is no scope, choose user or managed", flags.scope), "gatehouse setup claude-code --scope managed"}
	}
	if door == claudecode.Gateway && flags.scope != "managed" {
		return "", &usageError{"Claude Code honours the gateway sign-in in managed settings alone", "sudo gatehouse setup claude-code --door gateway --scope managed --server https://gate.example.com"}
	}
	if door == claudecode.Direct && flags.scope != "user" {
		return "", &usageError{"a person's sign-in opens a cloud, so --door direct is for the user's settings alone", "gatehouse setup claude-code --door direct"}
	}
	if door != claudecode.Direct && flags.cloud != "" {
		return "", &usageError{"--cloud is for --door direct", "gatehouse setup claude-code --door direct --cloud " + flags.cloud}
	}
	return door, nil
}

func (m *Main) setup(ctx context.Context, flags setupFlags) error {
	door, err := doorOf(flags)
	if err != nil {
		return err
	}
	at, err := m.places()
	if err != nil {
		return err
	}
	file, err := m.claudeSettings(at)
	if err != nil {
		return err
	}
	if flags.scope == "managed" {
		folder, err := filepath.Abs(flags.managed)
		if err != nil {
			return fmt.Errorf("finding the folder of managed settings: %w", err)
		}
		file.Path, file.Shared = claudecode.ManagedSettings(folder), true
	}
	job := change{flags: flags.changeFlags, again: "gatehouse setup claude-code" + at.profile.Flag()}
	if flags.scope == "managed" {
		job.again += " --scope managed"
		job.mend = "sudo " + job.again
	}
	if flags.undo {
		return m.takeBack(job, file)
	}
	to, err := m.target(at, flags)
	if err == nil && door == claudecode.Direct {
		err = m.aimAtCloud(ctx, &to, flags)
	}
	if err != nil {
		return err
	}
	if flags.print {
		b, err := claudecode.Fragment(door, to)
		if err == nil {
			_, err = m.Stdout.Write(b)
		}
		return err
	}
	changes, err := door.Changes(to)
	if err != nil {
		return err
	}
	plan, err := file.Plan(changes...)
	if err != nil {
		return err
	}
	if err := m.carryOut(job, harmless(to), plan); err != nil {
		return err
	}
	if after, err := jsontext.Parse(plan.After, jsontext.Strict); err == nil {
		found := append(door.InEnvironment(m.Getenv), door.InSettings(after, plan.Path)...)
		m.warn(slices.DeleteFunc(found, func(c claudecode.Conflict) bool { return to.Leads(c.Name) }))
	}
	return nil
}

func (m *Main) setupEditor(flags setupFlags) error {
	door, err := doorOf(flags)
	if err != nil {
		return err
	}
	at, err := m.places()
	if err != nil {
		return err
	}
	own, err := m.claudeSettings(at)
	if err != nil {
		return err
	}
	theirs, err := m.editorSettings(at, flags.editor)
	if err != nil {
		return &usageError{message(err), "gatehouse setup vscode --editor code"}
	}
	again := "gatehouse setup vscode" + at.profile.Flag()
	if flags.editor != "code" {
		again += " --editor " + flags.editor
	}
	job := change{flags: flags.changeFlags, again: again}
	if flags.undo {
		return m.takeBack(job, theirs, own)
	}
	to, err := m.target(at, flags)
	if err != nil {
		return err
	}
	changes, err := door.Changes(to)
	if err != nil {
		return err
	}
	first, err := theirs.Plan(editor.Changes(door, to)...)
	if err != nil {
		return err
	}
	second, err := own.Plan(changes...)
	if err != nil {
		return err
	}
	if err := m.carryOut(job, harmless(to), first, second); err != nil {
		return err
	}
	found := door.InEnvironment(m.Getenv)
	if after, err := jsontext.Parse(first.After, jsontext.Comments); err == nil {
		found = append(found, editor.Conflicts(door, after, first.Path)...)
	}
	if after, err := jsontext.Parse(second.After, jsontext.Strict); err == nil {
		found = append(found, door.InSettings(after, second.Path)...)
	}
	m.warn(found)
	return nil
}

// harmless are the texts of a target: they may be shown.
func harmless(to claudecode.Target) []string {
	list := []string{to.Server, to.Command, to.Profile, to.Export, to.Refresh}
	for _, v := range to.Cloud {
		list = append(list, v[1])
	}
	return list
}

// target is where a door of this sign-in leads to.
func (m *Main) target(at places, flags setupFlags) (claudecode.Target, error) {
	self, err := m.Executable()
	if err != nil {
		return claudecode.Target{}, fmt.Errorf("finding this program: %w", err)
	}
	to := claudecode.Target{Command: shellWord(m.System, self) + " token" + at.profile.Flag(), Profile: at.profile.SDKName()}
	if flags.scope == "managed" {
		address, err := m.serverFor(at, flags.server)
		if err != nil {
			return claudecode.Target{}, &usageError{"no server is named", "gatehouse setup claude-code --scope managed --server https://gate.example.com"}
		}
		to.Server, err = login.ParseServer(address)
		return to, err
	}
	if at.recall != nil {
		return claudecode.Target{}, at.signedOut(at.recall)
	}
	if claudecode.Door(flags.door) == claudecode.Profile {
		if err := at.readBySDKs(); err != nil {
			return claudecode.Target{}, err
		}
	}
	to.Server = at.known.Origin
	return to, nil
}

// aimAtCloud makes the member's cloud the target. Claude Code asks us for keys of AWS
// itself; Google's library in it does, by way of a file.
func (m *Main) aimAtCloud(ctx context.Context, to *claudecode.Target, flags setupFlags) error {
	name, err := parseDirect(cmp.Or(flags.cloud, preferred), "gatehouse env")
	if err != nil {
		return err
	}
	d, err := m.desk(ctx)
	if err != nil {
		return err
	}
	cloud, err := d.cloud(ctx, name)
	if err != nil {
		return err
	}
	set, err := leads(cloud)
	if err != nil {
		return err
	}
	self, err := m.Executable()
	if err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	p, err := m.profile()
	if err != nil {
		return err
	}
	to.Refresh = shellWord(m.System, self) + " login --if-needed" + p.Flag()
	switch cloud.Cloud {
	case login.AWS:
		to.Export, to.Renews = shellWord(m.System, self)+" credential aws --format export"+p.Flag(), claudecode.AWSRefresh
	case login.Google:
		to.Renews = claudecode.GCPRefresh
		asks, err := m.askUs(cloud)
		if err != nil {
			return err
		}
		set = append(set, asks...)
	default:
		return &noMeans{"Claude Code has no setting that asks a program for a credential of Microsoft Foundry", "gatehouse run --direct=azure -- claude"}
	}
	for _, v := range set {
		to.Cloud = append(to.Cloud, [2]string{v.Name, v.Value})
	}
	return nil
}

func (m *Main) claudeSettings(at places) (settingsfile.File, error) {
	path, err := claudecode.UserSettings(m.Home, m.Getenv)
	return settingsfile.File{Path: path, Records: filepath.Join(at.memory.Dir, "claude-code"), Mend: "claude doctor", Now: m.Now}, err
}

func (m *Main) editorSettings(at places, name string) (settingsfile.File, error) {
	path, err := editor.UserSettings(name, m.System, m.Home, m.Getenv)
	return settingsfile.File{Path: path, Dialect: jsontext.Comments, Records: filepath.Join(at.memory.Dir, "editors"), Now: m.Now}, err
}

func (m *Main) warn(found []claudecode.Conflict) {
	for _, c := range found {
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
