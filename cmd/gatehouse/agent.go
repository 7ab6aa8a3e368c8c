package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/agent"
	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/keystore/sealed"
	"github.com/gatehouse-dev/gatehouse/internal/keystore/secretservice"
	"github.com/gatehouse-dev/gatehouse/internal/refresh"
	"github.com/gatehouse-dev/gatehouse/internal/screenlock"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/spf13/cobra"
)

const defaultIdle = 8 * time.Hour

type agentFlags struct {
	foreground, withScreen bool
	idle                   time.Duration
}

func (m *Main) agentVerb() *cobra.Command {
	flags := agentFlags{idle: defaultIdle}
	c := m.withProfile(m.verb("agent", "Hold the sign-in for all programs, for SSH and for containers",
		`Starts a process in the background that holds access tokens in memory, renews
them ahead of time and answers "gatehouse token" on a Unix socket. It opens no
port, ends when nobody has asked for 8 hours, and never hands out what renews the
sign-in. If one runs already, that one stays.

  gatehouse token                 uses it by itself while it runs
  gatehouse agent forward HOST    a shell on HOST that has tokens, and no secret
  gatehouse agent socket          what to mount into a container
  gatehouse agent lock            forget everything until "agent unlock"

With GATEHOUSE_AGENT=on, "gatehouse token" starts it where none runs; with "off" it
is not looked for. Where GATEHOUSE_AGENT_SOCK names a socket, tokens come from there
and from nowhere else. There is no agent on Windows yet (exit code 5).`,
		func(ctx context.Context) error { return m.agent(ctx, flags) }))
	c.Flags().BoolVar(&flags.foreground, "foreground", false, "stay, and end with the terminal")
	c.Flags().BoolVar(&flags.withScreen, "lock-with-screen", false, "lock when the screen is locked (Linux)")
	c.Flags().DurationVar(&flags.idle, "idle", flags.idle, "end when nobody has asked for so long")
	c.AddCommand(m.agentStatusVerb(),
		m.withProfile(m.verb("lock", "Forget what is in memory, and refuse until unlock", "Also on a terminal elsewhere: every program is refused, with exit code 4.",
			func(ctx context.Context) error { return m.agentDo(ctx, agent.VerbLock, "Locked.") })),
		m.withProfile(m.verb("unlock", "Open the storage again", "Asks for the passphrase where the storage has one.", m.agentUnlock)),
		m.withProfile(m.verb("stop", "End the agent", "It is no error if none runs.", m.agentStop)),
		m.agentForwardVerb(), m.agentSocketVerb())
	return c
}

// agentFolder is where the agent of this user has its sockets. It is found
// without a look at the disk: "token" takes one look in all.
func (m *Main) agentFolder() string {
	if dir := m.Getenv("XDG_RUNTIME_DIR"); strings.HasPrefix(dir, "/") {
		return strings.TrimRight(dir, "/") + "/gatehouse"
	}
	switch {
	case strings.HasPrefix(m.Getenv("XDG_CACHE_HOME"), "/"):
		return strings.TrimRight(m.Getenv("XDG_CACHE_HOME"), "/") + "/gatehouse/agent"
	case m.Home == "":
		return ""
	case m.System == "darwin":
		return m.Home + "/Library/Caches/gatehouse/agent"
	}
	return m.Home + "/.cache/gatehouse/agent"
}

// agentHome names the configuration that an agent serves.
func (m *Main) agentHome() (string, error) {
	memory, sdk, err := m.folders()
	if err != nil {
		return "", err
	}
	return agent.HomeOf(memory.Dir, string(sdk)), nil
}

func (m *Main) agent(ctx context.Context, flags agentFlags) error {
	if !agent.Supported {
		return &noMeans{"there is no agent on Windows yet", "gatehouse token"}
	}
	if flags.idle < time.Second {
		return &usageError{"an agent that ends after less than a second is of no use", "gatehouse agent --idle 8h"}
	}
	if flags.foreground {
		return m.serveAgent(ctx, flags)
	}
	return m.beginAgent(ctx, flags)
}

// beginAgent starts an agent in the background, or joins the one that runs.
func (m *Main) beginAgent(ctx context.Context, flags agentFlags) error {
	status, err := m.askAgent(ctx, agent.Request{Verb: agent.VerbStatus})
	switch {
	case err == nil && m.Getenv(agentSocket) != "":
		m.say("The agent behind %s answers; nothing is started here.", printable(m.Getenv(agentSocket)))
		return nil
	case err == nil:
		if status.Status == nil || flags.withScreen && !status.Status.Screen {
			return fault.New(fault.Conflict, "the agent that runs does not lock with the screen").WithHint("gatehouse agent stop")
		}
		m.say("The agent runs already (process %d).", status.Status.Process)
	case !errors.Is(err, agent.ErrNone):
		return err
	default:
		if err := m.startAgent(ctx, flags); err != nil {
			return err
		}
		m.say(`The agent runs. "gatehouse token" uses it by itself; "gatehouse agent stop" ends it.`)
	}
	at, err := m.places()
	if err != nil {
		return err
	}
	if !m.wantsPassphrase(at) || m.Prompt == nil {
		return nil
	}
	if _, err := m.askAgent(ctx, agent.Request{Verb: agent.VerbToken, Profile: at.profile}); !fault.Is(err, fault.Unavailable) {
		return nil // it knows the passphrase, or that is not what is missing
	}
	return m.agentUnlock(ctx)
}

func byPassphrase(at places) bool {
	s, ok := at.store.(*sealed.Store)
	return ok && s.ByPassphrase(at.profile)
}

// wantsPassphrase says whether the agent cannot open the storage by itself.
func (m *Main) wantsPassphrase(at places) bool {
	return m.Getenv(passphraseFile) == "" && byPassphrase(at)
}

// startAgent starts an agent in the background and returns when one answers.
func (m *Main) startAgent(ctx context.Context, flags agentFlags) error {
	self, err := m.Executable()
	if err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	args := []string{"gatehouse", "agent", "--foreground", "--idle", flags.idle.String()}
	if flags.withScreen {
		args = append(args, "--lock-with-screen")
	}
	var env []string
	for _, e := range m.Environ() {
		if !strings.HasPrefix(e, agentSocket+"=") {
			env = append(env, e)
		}
	}
	said, err := m.Detach(ctx, self, args, env)
	if err != nil {
		return err
	}
	if !said.Ready {
		wrong, mend, _ := strings.Cut(strings.TrimPrefix(oneLine(said.Text), "gatehouse: "), "; run: ")
		return fault.New(fault.Unavailable, "the agent did not start: %s", printable(wrong)).WithHint(printable(mend))
	}
	return nil
}

// serveAgent is the agent.
func (m *Main) serveAgent(ctx context.Context, flags agentFlags) error {
	dir := m.agentFolder()
	if dir == "" {
		return fault.New(fault.Invalid, "there is no folder for the agent's socket, because neither XDG_RUNTIME_DIR nor HOME is an absolute path").
			WithHint("export XDG_RUNTIME_DIR=/run/user/$(id -u)")
	}
	home, err := m.agentHome()
	if err != nil {
		return err
	}
	if err := agent.Harden(); err != nil {
		return err
	}
	// Whoever started us may be gone, and with it what our words went to.
	signal.Ignore(syscall.SIGPIPE)
	m.bus = &secretservice.Service{Address: secretservice.FindBus(m.Getenv)}
	keeper := &agent.Keeper{Opener: opener{m}, Now: m.Now, Wait: m.Wait}
	s := &agent.Server{Keeper: keeper, Dir: dir, Home: home, Idle: flags.idle, Screen: flags.withScreen}
	if flags.withScreen {
		if err := m.lockWithScreen(ctx, keeper); err != nil {
			return err
		}
	}
	err = s.Run(ctx, m.announce)
	if errors.Is(err, agent.ErrRuns) {
		m.announce(agent.SocketIn(dir)) // the other one does
		return nil
	}
	return err
}

func (m *Main) announce(socket string) { fmt.Fprintln(m.Stdout, socket) }

// lockWithScreen begins to watch the screen. When nothing tells any more, the
// agent locks.
func (m *Main) lockWithScreen(ctx context.Context, keeper *agent.Keeper) error {
	system := m.Getenv("DBUS_SYSTEM_BUS_ADDRESS")
	if system == "" {
		system = "unix:path=/run/dbus/system_bus_socket"
	}
	buses := screenlock.Buses{Session: secretservice.FindBus(m.Getenv), System: system}
	profile, err := m.profile()
	if err != nil {
		return err
	}
	began := make(chan error, 1)
	var byScreen bool
	go func() {
		err := screenlock.Watch(ctx, buses, func() { began <- nil }, func(locked bool) {
			switch {
			case locked && !keeper.Locked():
				byScreen = true
				keeper.Lock()
			case !locked && byScreen:
				byScreen = false
				// Where a passphrase is wanted, it stays locked until somebody types it.
				_ = keeper.Unlock(ctx, profile, secret.Text{})
			}
		})
		keeper.Lock()
		began <- err
	}()
	return <-began
}

// opener opens the sign-ins of an agent.
type opener struct{ m *Main }

// Mark is what the file that remembers the sign-in looks like.
func (o opener) Mark(profile credential.Profile) string {
	memory, err := o.m.memory()
	if err != nil {
		return ""
	}
	info, err := os.Lstat(memory.Path(profile))
	if err != nil {
		return "none"
	}
	return fmt.Sprint(info.ModTime().UnixNano(), info.Size())
}

func (o opener) Open(profile credential.Profile, passphrase secret.Text) (agent.SignIn, error) {
	m := *o.m
	m.profileFlag, m.typed = profile.String(), passphrase
	at, err := m.places()
	if err != nil {
		return agent.SignIn{}, err
	}
	if m.wantsPassphrase(at) && passphrase.Empty() {
		return agent.SignIn{}, fault.New(fault.Unavailable, "the agent needs the passphrase of the sealed storage").WithHint("gatehouse agent unlock" + profile.Flag())
	}
	return agent.SignIn{Source: held{m.source(at), at}, Server: at.known.Origin, Close: m.bus.Close, Check: func(ctx context.Context) error {
		_, err := at.store.Load(ctx, at.profile)
		return at.signedOut(err)
	}}, nil
}

// held is a source whose errors name the profile.
type held struct {
	*refresh.Source
	at places
}

func (h held) Pair(ctx context.Context) (credential.Pair, error) {
	pair, err := h.Source.Pair(ctx)
	return pair, h.at.signedOut(err)
}

func (h held) PairAfter(ctx context.Context, refused secret.Hash) (credential.Pair, error) {
	pair, err := h.Source.PairAfter(ctx, refused)
	return pair, h.at.signedOut(err)
}

func (m *Main) agentDo(ctx context.Context, verb agent.Verb, done string) error {
	if _, err := m.askAgent(ctx, agent.Request{Verb: verb}); err != nil {
		return noAgent(err)
	}
	m.say("%s", done)
	return nil
}

// noAgent says what to do where none runs.
func noAgent(err error) error {
	if errors.Is(err, agent.ErrNone) {
		return fault.New(fault.Unavailable, "no agent runs").WithHint("gatehouse agent")
	}
	return err
}

func (m *Main) agentStop(ctx context.Context) error {
	_, err := m.askAgent(ctx, agent.Request{Verb: agent.VerbStop})
	switch {
	case errors.Is(err, agent.ErrNone):
		m.say("No agent runs.")
		return nil
	case err != nil:
		return err
	}
	m.say("The agent ends.")
	return nil
}

func (m *Main) agentUnlock(ctx context.Context) error {
	at, err := m.places()
	if err != nil {
		return err
	}
	var passphrase secret.Text
	if byPassphrase(at) {
		if err := m.askPassphrase(ctx, false); err != nil {
			return err
		}
		if passphrase, err = m.passphrase(ctx); err != nil {
			return err
		}
	}
	if _, err := m.askAgent(ctx, agent.Request{Verb: agent.VerbUnlock, Profile: at.profile, Passphrase: passphrase}); err != nil {
		return noAgent(err)
	}
	m.say("Unlocked.")
	return nil
}

func (m *Main) agentStatusVerb() *cobra.Command {
	var asJSON bool
	c := m.withProfile(m.verb("status", "Show whether an agent runs, and what it holds",
		`With --json one object is printed on standard output: process, locked, since,
ends, locks_with_screen, home, profiles [{profile, server, expires_at}], shared.
Fields are only ever added. Exit code 4 if no agent runs.`, func(ctx context.Context) error { return m.agentStatus(ctx, asJSON) }))
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

func (m *Main) agentStatus(ctx context.Context, asJSON bool) error {
	a, err := m.askAgent(ctx, agent.Request{Verb: agent.VerbStatus})
	if err != nil {
		return noAgent(err)
	}
	s := a.Status
	if s == nil {
		return fault.New(fault.Invalid, "the agent gave no status").WithHint("gatehouse agent stop")
	}
	if asJSON {
		enc := json.NewEncoder(m.Stdout)
		enc.SetIndent("", "  ")
		if err := enc.Encode(s); err != nil {
			return fmt.Errorf("printing the status: %w", err)
		}
		return nil
	}
	m.printAgent(s)
	return nil
}

func (m *Main) printAgent(s *agent.Status) {
	row := func(name, value string) { fmt.Fprintf(m.Stdout, "%-16s %s\n", name+":", printable(value)) }
	state := "open"
	if s.Locked {
		state = "locked, run: gatehouse agent unlock"
	}
	row("Agent", state)
	if s.Process != 0 {
		row("Process", fmt.Sprint(s.Process))
		row("Ends", "at "+s.Ends.Local().Format(time.DateTime)+", if nobody asks")
	}
	for _, p := range s.Held {
		row("Profile "+p.Profile, fmt.Sprintf("%s, a token for another %s", p.Server, p.Expires.Sub(m.Now()).Round(time.Second)))
	}
	for _, name := range s.Shared {
		row("Shared", name)
	}
}
