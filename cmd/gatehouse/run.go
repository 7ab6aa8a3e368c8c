package main

import (
	"context"
	"errors"
	"io/fs"
	"os/exec"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/launch"
	"github.com/spf13/cobra"
)

func (m *Main) runVerb() *cobra.Command {
	var private bool
	var direct string
	c := m.withProfile(m.verb("run -- COMMAND [ARGUMENT...]", "Start a program that uses the sign-in and nothing else",
		`Variables that would be used instead (another key, another provider, another
server) are taken out of the program's environment, and ANTHROPIC_PROFILE is set.
Which were taken out, and why, is said on standard error; values are not shown.
Settings files of Claude Code are left as they are: what stands there in "env"
still counts, and "gatehouse doctor" finds it.

With --private the program gets an address of this machine and a token instead,
which are good until it ends: nothing that lasts is in its environment, and
gatehouse, which stays as its parent, puts the sign-in on its requests. That works
with every storage, and is what happens where GATEHOUSE_AGENT_SOCK names an agent.

With --direct it is led straight to the cloud provider, as by "gatehouse env
--direct". For Microsoft Foundry it gets a token, which ends within about an hour.

The program gets the terminal and every signal, and its exit code is the exit
code. Before it starts: 3 if nobody is signed in, 126 if it cannot be started,
127 if there is no such program.`, nil))
	c.Example = "  gatehouse run -- claude\n  gatehouse run --private -- claude\n  gatehouse run --direct -- claude"
	c.Args = cobra.MinimumNArgs(1)
	c.Flags().BoolVar(&private, "private", false, "give it an address and a token for this run alone")
	directFlag(c, &direct)
	c.Flags().SetInterspersed(false) // flags after the program's name are the program's
	c.RunE = func(c *cobra.Command, args []string) error {
		m.running = true
		if direct != "" && private {
			return &usageError{"--private leads to the server and --direct past it", "gatehouse run --direct -- " + launch.ShellWord(args[0])}
		}
		if direct == "" && (private || m.Getenv(agentSocket) != "") {
			return m.runPrivate(c.Context(), args)
		}
		return m.run(c.Context(), direct, args)
	}
	return c
}

func (m *Main) run(ctx context.Context, direct string, args []string) error {
	door, err := m.runWay(ctx, direct, args)
	if err != nil {
		return err
	}
	path, err := m.LookPath(args[0])
	if err != nil {
		return notStarted(args[0], err)
	}
	env, taken := door.Clean(m.System, m.Environ())
	m.tellTaken(taken)
	if err := ctx.Err(); err != nil {
		return err // a signal that came before is not lost
	}
	code, err := m.Start(path, args, env)
	if err != nil {
		return notStarted(args[0], err)
	}
	return programEnded(code)
}

func (m *Main) runWay(ctx context.Context, direct string, args []string) (way, error) {
	if direct != "" {
		return m.runDirect(ctx, direct)
	}
	return m.launchDoor(ctx, "gatehouse run --private -- "+launch.ShellWord(args[0]))
}

func (m *Main) tellTaken(taken []launch.Taken) {
	for _, t := range taken {
		m.say("gatehouse: took %s out of the environment, because %s", t.Name, t.Why)
	}
}

// programEnded is the exit code of a program that we waited for.
type programEnded int

func (programEnded) Error() string { return "the program has ended" }

// notStartedError is a program that did not start, with the exit code that
// shells have for it.
type notStartedError struct {
	code  int
	cause *fault.Error
}

func (e *notStartedError) Error() string { return e.cause.Error() }
func (e *notStartedError) Unwrap() error { return e.cause }

func notStarted(name string, err error) error {
	shown := printable(name)
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		return &notStartedError{exitNoProgram, fault.Wrap(fault.NotFound, err, "there is no program "+shown).WithHint("gatehouse doctor")}
	}
	return &notStartedError{exitNotStarted, fault.Wrap(fault.Invalid, err, shown+" cannot be started: "+oneLine(err.Error())).WithHint("gatehouse run --help")}
}

// launchDoor is the SDK profile of the sign-in. It fails as "status" does if
// nobody is signed in. otherwise is what to run where the credential is kept in a
// storage that no SDK can read.
func (m *Main) launchDoor(ctx context.Context, otherwise string) (launch.Door, error) {
	at, err := m.places()
	if err != nil {
		return launch.Door{}, err
	}
	s, problem := m.look(ctx, at)
	if problem != nil {
		return launch.Door{}, at.signedOut(problem)
	}
	if err := at.readBySDKs(); err != nil {
		return launch.Door{}, fault.New(fault.Conflict, "%s", message(err)).WithHint(otherwise)
	}
	if !s.SDKProfile.OK {
		return launch.Door{}, fault.New(fault.Unauthenticated, "the SDK profile %s does not lead to %s", s.SDKProfile.Name, s.Server)
	}
	return launch.Door{Profile: s.SDKProfile.Name, Origin: s.Server, Folder: m.Getenv("ANTHROPIC_CONFIG_DIR")}, nil
}
