package launch

import (
	"errors"
	"fmt"
	"os/exec"
)

// Start runs the program and returns its exit code. What is pressed on the
// console reaches both of us; the caller must outlive it (os/signal).
func Start(p Program) (code int, err error) {
	cmd := exec.Cmd{Path: p.Path, Args: p.Args, Env: p.Env, Stdin: p.Stdin, Stdout: p.Stdout, Stderr: p.Stderr}
	err = cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), nil
	}
	if err != nil {
		return 0, fmt.Errorf("starting %s: %w", p.Path, err)
	}
	return 0, nil
}
