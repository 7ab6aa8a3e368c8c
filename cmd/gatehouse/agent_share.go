package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/agent"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/launch"
	"github.com/spf13/cobra"
)

func (m *Main) agentSocketVerb() *cobra.Command {
	c := m.withProfile(m.verb("socket", "Print the path of the socket that can be mounted into a container",
		`The socket gives tokens of one profile and nothing else: it cannot lock, unlock or
stop the agent. Starts an agent if none runs. Mount the socket's folder, and the
container finds the next agent there too:

  docker run -it -v "$(dirname "$(gatehouse agent socket)")":/run/gatehouse \
    -e GATEHOUSE_AGENT_SOCK=/run/gatehouse/agent.sock IMAGE

The container's user must be root or have your user id.`, m.agentSocketPath))
	return c
}

func (m *Main) agentSocketPath(ctx context.Context) error {
	path, err := m.shareAgent(ctx)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(m.Stdout, path); err != nil {
		return fmt.Errorf("printing the path: %w", err)
	}
	return nil
}

// shareAgent returns the path of the shared socket of the profile, of an agent
// that is started if none runs. A socket that somebody shares with us is passed
// on as it is.
func (m *Main) shareAgent(ctx context.Context) (string, error) {
	profile, err := m.profile()
	if err != nil {
		return "", err
	}
	if named := m.Getenv(agentSocket); named != "" {
		if a, err := m.askAgent(ctx, agent.Request{Verb: agent.VerbStatus}); err != nil {
			return "", noAgent(err)
		} else if a.Status != nil && a.Status.Process == 0 {
			return filepath.Abs(named)
		}
	} else if err := m.beginAgent(ctx, agentFlags{idle: defaultIdle}); err != nil {
		return "", err
	}
	a, err := m.askAgent(ctx, agent.Request{Verb: agent.VerbShare, Profile: profile})
	if err != nil {
		return "", noAgent(err)
	}
	return a.Path, nil
}

func (m *Main) agentForwardVerb() *cobra.Command {
	var options []string
	c := m.withProfile(m.verb("forward HOST [COMMAND [ARGUMENT...]]", "Open a shell on another machine that has this agent's tokens",
		`Runs ssh with a forwarded socket. There "gatehouse token", "gatehouse run" and
"gatehouse credential api-key" work without a sign-in, for as long as the
connection lasts, and nothing secret is stored. The socket gives tokens of one
profile and nothing else.

The other machine needs gatehouse, and an SSH server that allows forwarding of
sockets (AllowStreamLocalForwarding, which is its default).`, nil))
	c.Example = "  gatehouse agent forward build.example.com\n  gatehouse agent forward -o Port=2222 build.example.com claude"
	c.Args = cobra.MinimumNArgs(1)
	c.Flags().SetInterspersed(false) // flags after the host are the command's
	c.Flags().StringArrayVarP(&options, "option", "o", nil, "an `option` for ssh, as in ssh -o")
	c.RunE = func(c *cobra.Command, args []string) error {
		m.running = true
		return m.agentForward(c.Context(), options, args[0], args[1:])
	}
	return c
}

func (m *Main) agentForward(ctx context.Context, options []string, host string, command []string) error {
	if host == "" || strings.HasPrefix(host, "-") {
		return &usageError{fmt.Sprintf("%q is no host", printable(host)), "gatehouse agent forward --help"}
	}
	ssh, err := m.LookPath("ssh")
	if err != nil {
		return notStarted("ssh", err)
	}
	local, err := m.shareAgent(ctx)
	if err != nil {
		return err
	}
	if strings.ContainsAny(local, ": ") {
		return fault.New(fault.Unsupported, "ssh cannot forward a socket whose path has a colon or a blank: %s", printable(local)).WithHint("export XDG_RUNTIME_DIR=/run/user/$(id -u)")
	}
	code, err := m.Start(ssh, forwardArgs(local, remoteSocket(), m.Interactive(), options, host, command), m.Environ())
	if err != nil {
		return notStarted("ssh", err)
	}
	return programEnded(code)
}

// forwardArgs is the command line of ssh. The name of the remote socket cannot be
// guessed, so that nobody there can be first; sshd makes it for its user alone.
// The connection is one of its own: a shared one would keep the socket open when
// the shell has ended.
func forwardArgs(local, remote string, terminal bool, options []string, host string, command []string) []string {
	args := []string{"ssh", "-T", "-R", remote + ":" + local,
		"-o", "ExitOnForwardFailure=yes", "-o", "StreamLocalBindUnlink=yes", "-o", "ControlMaster=no", "-o", "ControlPath=none"}
	if terminal {
		args[1] = "-t"
	}
	for _, o := range options {
		args = append(args, "-o", o)
	}
	// $1 is the command, or the person's shell. sshd leaves the socket's file.
	script := `trap "rm -f ` + remote + `" EXIT; trap "exit 129" HUP; trap "exit 143" TERM; ` +
		agentSocket + `=` + remote + `; export ` + agentSocket + `; test $# -gt 0 || set -- "${SHELL:-/bin/sh}" -l; "$@"`
	line := "exec sh -c " + launch.ShellWord(script) + " sh"
	for _, word := range command {
		line += " " + launch.ShellWord(word)
	}
	return append(args, "--", host, line)
}

func remoteSocket() string { return "/tmp/gatehouse-" + strings.ToLower(rand.Text()) + ".sock" }
