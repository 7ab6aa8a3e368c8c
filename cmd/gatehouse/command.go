package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/keystore"
	"github.com/gatehouse-dev/gatehouse/internal/keystore/secretservice"
	"github.com/gatehouse-dev/gatehouse/internal/launch"
	"github.com/gatehouse-dev/gatehouse/internal/login"
	"github.com/gatehouse-dev/gatehouse/internal/sdkprofile"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/spf13/cobra"
)

// Main is the whole command with everything it touches passed in. All fields
// but Transport and Prompt are required.
type Main struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Interactive    func() bool // a person can be asked on Stdin, and sees Stderr
	Getenv         func(string) string
	Home           string // the person's home folder; "" if there is none
	System, Arch   string // as in runtime.GOOS and GOARCH
	Hostname       func() (string, error)
	Executable     func() (string, error)
	Now            func() time.Time
	Wait           func(ctx context.Context, d time.Duration) error
	LookPath       func(name string) (string, error)
	Environ        func() []string // as Getenv sees it
	Start          func(path string, args, env []string) (code int, err error)
	Output         func(ctx context.Context, name string, args ...string) (string, error) // of a program, bounded
	Screen         func() (columns, rows int)                                             // of the terminal that shows Stderr; 0 without one
	Root           fs.FS                                                                  // of this machine: what kind of machine it is, is read from it
	// OpenBrowser shows an address to the person, through Windows where this is
	// WSL. It returns when a browser has it or ctx ends.
	OpenBrowser func(ctx context.Context, address string, wsl bool) error
	// Attend starts a program and waits for it, as the program of our terminal.
	Attend func(path string, args, env []string) (launch.Ended, error)
	// Detach starts a program that stays behind, and returns when it has printed a line.
	Detach    func(ctx context.Context, path string, args, env []string) (Said, error)
	Transport http.RoundTripper
	Version   string
	// Prompt asks for what must not be shown, silently without a question; nil:
	// there is no terminal.
	Prompt func(ctx context.Context, question string) (secret.Text, error)
	// Silence shows nothing of what is typed, also between the lines that are
	// prompted for, until what it returns is called. Set where Prompt is.
	Silence func() (end func())

	profileFlag string
	bus         *secretservice.Service // of a process that stays: one connection, and not one for each look
	wantAgent   bool                   // to be started where none runs
	anyway      bool                   // a binding to another profile is no reason to refuse
	typed       secret.Text            // the passphrase, once it was asked for
	running     bool                   // a verb has begun: its errors are not about usage any more
}

// Exit codes, as documented for the command.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitSignedOut   = 3
	exitUnreachable = 4
	exitNoMeans     = 5
	exitNotStarted  = 126
	exitNoProgram   = 127
	exitInterrupted = 130
)

// Run executes one command line and returns its exit code.
func (m *Main) Run(ctx context.Context, args []string) int {
	root := m.root(args)
	if len(args) > 0 && (args[0] == cobra.ShellCompRequestCmd || args[0] == cobra.ShellCompNoDescRequestCmd) {
		m.completes(root)
	}
	root.SetArgs(args)
	root.SetOut(m.Stdout)
	root.SetErr(m.Stderr)
	verb, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	if ended, ok := errors.AsType[programEnded](err); ok {
		return int(ended)
	}
	code, hint := m.judge(ctx, verb, err)
	fmt.Fprintf(m.Stderr, "gatehouse: %s; run: %s\n", oneLine(message(err)), hint)
	return code
}

// root is the command line. "token" runs for every few requests of every program:
// nothing is made for it that it does not need.
func (m *Main) root(args []string) *cobra.Command {
	root := &cobra.Command{
		Use:               "gatehouse",
		Short:             "Sign in once, and Claude Code and every Anthropic SDK work through your organization's Gatehouse",
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.AddCommand(m.tokenVerb())
	if len(args) > 0 && args[0] == "token" {
		return root
	}
	root.AddCommand(m.loginVerb(), m.logoutVerb(), m.useVerb(), m.statusVerb(), m.credentialVerb(), m.runVerb(), m.envVerb(), m.setupVerb(), m.storageVerb(), m.doctorVerb(), m.agentVerb(),
		m.versionVerb(), m.completionVerb(), m.manVerb())
	return root
}

// verb makes a command without arguments whose errors are its own.
func (m *Main) verb(use, short, long string, do func(ctx context.Context) error) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Long: short + ".\n\n" + long, Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			m.running = true
			return do(c.Context())
		}}
}

// withProfile is for verbs that hand out the sign-in: they refuse one that the
// folder is not bound to.
func (m *Main) withProfile(c *cobra.Command) *cobra.Command {
	c.Flags().BoolVar(&m.anyway, "anyway", false, "use the named profile although this folder is bound to another")
	return m.profileFlagOf(c)
}

// aboutProfile is for verbs that look after a sign-in and hand out nothing.
func (m *Main) aboutProfile(c *cobra.Command) *cobra.Command {
	c.PreRun = func(*cobra.Command, []string) { m.anyway = true }
	return m.profileFlagOf(c)
}

func (m *Main) profileFlagOf(c *cobra.Command) *cobra.Command {
	c.Flags().StringVar(&m.profileFlag, "profile", "", "the sign-in that is meant, if there are several (GATEHOUSE_PROFILE)")
	return c
}

// judge gives an error its exit code and the one command that mends it.
func (m *Main) judge(ctx context.Context, verb *cobra.Command, err error) (code int, hint string) {
	if !m.running {
		return exitUsage, verb.CommandPath() + " --help"
	}
	known, _ := m.profile()
	code, hint = exitFailed, "gatehouse status"+known.Flag()
	switch fault.KindOf(err) {
	case fault.Unauthenticated, fault.NotFound:
		code, hint = exitSignedOut, "gatehouse login"+known.Flag()
	case fault.Unavailable:
		code, hint = exitUnreachable, verb.CommandPath()+known.Flag()
	case fault.Denied, fault.Timeout, fault.Conflict, fault.Invalid, fault.Unsupported:
		hint = "gatehouse login" + known.Flag()
	}
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Hint != "" {
		hint = f.Hint
	} else if ok && f.Code == login.OtherServer {
		hint = "gatehouse login --replace-server" + known.Flag()
	}
	if f, ok := errors.AsType[*usageError](err); ok {
		code, hint = exitUsage, f.mend
	}
	if f, ok := errors.AsType[*notStartedError](err); ok {
		code = f.code
	}
	if f, ok := errors.AsType[*elsewhere](err); ok {
		hint = f.mend(verb.CommandPath())
	}
	if f, ok := errors.AsType[*noMeans](err); ok {
		code, hint = exitNoMeans, f.mend
	}
	if ctx.Err() != nil {
		code = exitInterrupted
	}
	return code, hint
}

// usageError is a mistake in the command line that only the verb can see.
type usageError struct{ wrong, mend string }

func (e *usageError) Error() string { return e.wrong }

func message(err error) string {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f.Message
	}
	return err.Error()
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// say tells the person something; it is never data.
func (m *Main) say(format string, args ...any) { fmt.Fprintf(m.Stderr, format+"\n", args...) }

// places is where the files of one profile are.
type places struct {
	profile credential.Profile
	memory  login.Memory
	sdk     sdkprofile.Folder
	store   keystore.Home
	known   login.Enrolment // zero if nothing, or nothing readable, is remembered
	recall  error           // of known
}

func (m *Main) places() (places, error) {
	p, err := m.profile()
	if err != nil {
		return places{}, err
	}
	return m.placesOf(p)
}

func (m *Main) placesOf(p credential.Profile) (places, error) {
	memory, sdk, err := m.folders()
	if err != nil {
		return places{}, err
	}
	at := places{profile: p, memory: memory, sdk: sdk}
	at.known, at.recall = memory.Recall(p)
	if at.store, err = at.open(m, at.known.Storage, at.known.Origin); err != nil {
		at.store = missing{at.known.Storage, err}
	}
	return at, nil
}

// folders are our own and the SDKs'. Nothing is looked at.
func (m *Main) folders() (login.Memory, sdkprofile.Folder, error) {
	sdk, err := sdkprofile.Find(m.System, m.Home, m.Getenv)
	if err != nil {
		return login.Memory{}, "", err
	}
	memory, err := m.memory()
	return memory, sdk, err
}

func (m *Main) memory() (login.Memory, error) {
	dir := m.Getenv("GATEHOUSE_CONFIG_DIR")
	switch {
	case dir != "":
	case m.System == "windows" && m.Getenv("APPDATA") != "":
		dir = filepath.Join(m.Getenv("APPDATA"), "Gatehouse")
	case m.System != "windows" && m.Getenv("XDG_CONFIG_HOME") != "":
		dir = filepath.Join(m.Getenv("XDG_CONFIG_HOME"), "gatehouse")
	case m.Home != "":
		dir = filepath.Join(m.Home, ".config", "gatehouse")
	}
	if !filepath.IsAbs(dir) {
		return login.Memory{}, fault.New(fault.Invalid, "there is no folder to remember the server in, because neither HOME nor GATEHOUSE_CONFIG_DIR is an absolute path").
			WithHint(`export GATEHOUSE_CONFIG_DIR="$PWD/gatehouse"`)
	}
	return login.Memory{Dir: dir}, nil
}

// client is for a server at which nobody is signed in yet; roots is a file of
// certificates that are trusted too, or "".
func (m *Main) client(server login.Server, roots string) *login.Client {
	return &login.Client{Server: server, Agent: fmt.Sprintf("gatehouse/%s (%s/%s)", m.Version, m.System, m.Arch),
		Now: m.Now, Wait: m.Wait, Transport: m.transport(roots)}
}

// clientOf is for the server of a sign-in.
func (m *Main) clientOf(e login.Enrolment) *login.Client { return m.client(e.Server, e.CAFile) }

// transport is the way to servers. The system's roots are trusted, and those that
// other programs are told to trust by the same variables.
func (m *Main) transport(roots string) http.RoundTripper {
	if m.Transport != nil {
		return m.Transport
	}
	trust := login.Trust{CAFile: roots}
	names := []string{"NODE_EXTRA_CA_CERTS"}
	if m.System == "darwin" || m.System == "windows" { // elsewhere it is part of the system's
		names = append(names, "SSL_CERT_FILE")
	}
	for _, name := range names {
		if path := m.Getenv(name); path != "" {
			trust.Extra = append(trust.Extra, path)
		}
	}
	return trust.Transport()
}
