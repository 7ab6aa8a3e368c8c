package subprocess

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

// Grace is how long the output of a program that has ended is waited for, when
// a child of it holds the pipes open.
const Grace = time.Second

// Command is one run. Argv or Shell is required, everything else may be zero.
type Command struct {
	// Argv is a program, as a path or a name on this process's PATH, and its
	// arguments.
	Argv []string
	// Shell is a line for the shell instead: /bin/sh -c, on Windows cmd.exe.
	Shell string
	Dir   string   // empty is the working folder
	Env   []string // nil is this process's own
	// MaxStdout is how many bytes it may print before it is ended, MaxStderr how
	// many of its complaints, the last ones, are kept; zero is 64 KiB and 4 KiB.
	MaxStdout, MaxStderr int
	// Show, when not nil, gets what it prints and complains of as it comes. It is
	// written to by one goroutine at a time.
	Show io.Writer
}

// Result is what a program left behind.
type Result struct {
	Stdout, Stderr []byte
	Exit           int  // its exit code; -1 if it was ended
	Flooded        bool // it printed more than MaxStdout and was ended
}

// Run runs a program to its end, or until ctx ends. It fails with Timeout when
// ctx ran out and with Unavailable when it was cancelled, with NotFound if there
// is no such program and with Internal if it cannot be started; an exit code is
// no error. The result is valid in every case.
func Run(ctx context.Context, c Command) (Result, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	cmd, err := c.build(ctx)
	if err != nil {
		return Result{Exit: -1}, err
	}
	out := &head{limit: orDefault(c.MaxStdout, 64<<10), full: func() { stop(errFlooded) }}
	complaints := &tail{limit: orDefault(c.MaxStderr, 4<<10)}
	cmd.Stdout, cmd.Stderr = out, complaints
	if c.Show != nil {
		show := &serial{to: c.Show}
		cmd.Stdout, cmd.Stderr = io.MultiWriter(out, show), io.MultiWriter(complaints, show)
	}
	release, err := start(cmd)
	if err != nil {
		if ctx.Err() == nil {
			err = notStarted(err)
		}
		return Result{Exit: -1}, c.judge(ctx, Result{}, err)
	}
	err = cmd.Wait()
	release()
	result := Result{Stdout: out.kept.Bytes(), Stderr: complaints.kept, Exit: cmd.ProcessState.ExitCode(), Flooded: out.over}
	return result, c.judge(ctx, result, err)
}

func (c Command) build(ctx context.Context) (*exec.Cmd, error) {
	var cmd *exec.Cmd
	switch {
	case c.Shell != "":
		cmd = shell(ctx, c.Shell)
	case len(c.Argv) > 0:
		cmd = exec.CommandContext(ctx, c.Argv[0], c.Argv[1:]...)
	default:
		return nil, errors.New("there is no command to run")
	}
	cmd.Dir, cmd.Env, cmd.WaitDelay = c.Dir, c.Env, Grace
	return cmd, nil
}

var errFlooded = errors.New("it printed without end")

func (c Command) judge(ctx context.Context, r Result, err error) error {
	_, exited := errors.AsType[*exec.ExitError](err)
	switch {
	case r.Flooded:
		return nil
	case fault.Is(err, fault.NotFound):
		return err
	case errors.Is(context.Cause(ctx), context.DeadlineExceeded):
		return fault.Wrap(fault.Timeout, context.Cause(ctx), "it did not end in time")
	case ctx.Err() != nil:
		return fault.Wrap(fault.Unavailable, context.Cause(ctx), "it was interrupted")
	case err == nil, exited, errors.Is(err, exec.ErrWaitDelay):
		return nil
	}
	return fmt.Errorf("running it: %w", err)
}

func notStarted(err error) error {
	if errors.Is(err, exec.ErrNotFound) {
		return fault.Wrap(fault.NotFound, err, "there is no such program")
	}
	return fmt.Errorf("it could not be started: %w", err)
}

func orDefault(n, otherwise int) int {
	if n == 0 {
		return otherwise
	}
	return n
}

// head keeps the beginning and reports when there is more.
type head struct {
	limit int
	full  func()
	kept  bytes.Buffer
	over  bool
}

func (h *head) Write(p []byte) (int, error) {
	room := h.limit - h.kept.Len()
	h.kept.Write(p[:min(room, len(p))])
	if len(p) > room && !h.over {
		h.over = true
		h.full()
	}
	return len(p), nil
}

// tail keeps the end: the reason stands in the last lines.
type tail struct {
	limit int
	kept  []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p[max(0, len(p)-t.limit):]...)
	if over := len(t.kept) - t.limit; over > 0 {
		t.kept = append(t.kept[:0], t.kept[over:]...)
	}
	return len(p), nil
}

// serial lets one goroutine write at a time.
type serial struct {
	mu sync.Mutex
	to io.Writer
}

func (s *serial) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.to.Write(p)
}
