//go:build unix

package launch

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// passed are the signals that are handed on to the program. What a terminal
// sends to everybody on it comes to the program by itself.
var passed = []os.Signal{syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGWINCH}

// Attend runs the program in our place on the terminal, and waits for it. Signals
// that reach us reach it. It fails only if the program cannot be started.
func Attend(p Program) (Ended, error) {
	signals := make(chan os.Signal, 16)
	for _, s := range passed {
		if !signal.Ignored(s) { // under nohup the program is to ignore it too
			signal.Notify(signals, s)
		}
	}
	defer signal.Stop(signals)
	cmd := exec.Cmd{Path: p.Path, Args: p.Args, Env: p.Env, Stdin: p.Stdin, Stdout: p.Stdout, Stderr: p.Stderr}
	if err := cmd.Start(); err != nil {
		return Ended{}, fmt.Errorf("starting %s: %w", p.Path, unwrapPath(err))
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case s := <-signals:
			if !fromTerminal(s) {
				_ = cmd.Process.Signal(s) // it may have ended meanwhile
			}
		case err := <-ended:
			return howEnded(cmd.ProcessState, err)
		}
	}
}

// The path in it says nothing that is not said beside it.
func unwrapPath(err error) error {
	if e, ok := errors.AsType[*os.PathError](err); ok {
		return e.Err
	}
	return err
}

func howEnded(state *os.ProcessState, err error) (Ended, error) {
	if state == nil {
		return Ended{}, fmt.Errorf("waiting for the program: %w", err)
	}
	status, ok := state.Sys().(syscall.WaitStatus)
	if ok && status.Signaled() {
		return Ended{Code: 128 + int(status.Signal()), Signal: status.Signal()}, nil
	}
	return Ended{Code: state.ExitCode()}, nil
}

// fromTerminal reports whether a signal is one that the terminal sends to its
// whole foreground group, and we are in that group: a second one, from us, would
// count as a second press of the key.
func fromTerminal(s os.Signal) bool {
	if s != syscall.SIGINT && s != syscall.SIGQUIT && s != syscall.SIGWINCH {
		return false
	}
	tty, err := os.OpenFile("/dev/tty", os.O_RDONLY|syscall.O_NOCTTY, 0)
	if err != nil {
		return false
	}
	defer tty.Close()
	group, err := unix.IoctlGetInt(int(tty.Fd()), unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

// Follow ends this process by the signal that ended the program, so that whoever
// waits for us sees the same. It returns where that is not possible: Code then
// says it.
func (e Ended) Follow() {
	s, ok := e.Signal.(syscall.Signal)
	switch {
	case !ok:
	case s == syscall.SIGTERM || s == syscall.SIGHUP || s == syscall.SIGINT || s == syscall.SIGKILL:
		// The others Go catches, ignores, or prints its stacks at.
		signal.Reset(s)
		if syscall.Kill(os.Getpid(), s) == nil {
			select {} // it comes
		}
	}
}
