package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/atomicfile"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/source"
	"github.com/gatehouse-dev/gatehouse/internal/source/aws"
	"github.com/gatehouse-dev/gatehouse/internal/source/google"
	"github.com/gatehouse-dev/gatehouse/internal/subprocess"
	"github.com/gofrs/flock"
)

// refreshLimit is what Claude Code gives gcpAuthRefresh.
const refreshLimit = 3 * time.Minute

func (m *Main) awsRefresh(ctx context.Context) error {
	s := aws.Source{Machine: m.machine()}
	return m.cloudRefresh(ctx, "aws", s, s.SignIn())
}

func (m *Main) gcpRefresh(ctx context.Context) error {
	s := google.Source{Machine: m.machine()}
	return m.cloudRefresh(ctx, "gcp", s, s.SignIn())
}

// cloudRefresh signs in at a cloud where nothing holds any more. The sessions
// that noticed at the same time wait for one sign-in, and find it done.
func (m *Main) cloudRefresh(ctx context.Context, name string, s source.Source, signIn []string) error {
	if c, err := s.Credential(ctx); err == nil {
		return m.nothingToDo(c)
	}
	ctx, stop := m.machine().Wait.Limit(ctx, refreshLimit)
	defer stop()
	release, err := m.lockRefresh(ctx, name)
	if err != nil {
		return err
	}
	defer release()
	if c, err := s.Credential(ctx); err == nil {
		return m.nothingToDo(c)
	}
	if err := m.signInAt(ctx, signIn); err != nil {
		return err
	}
	c, err := s.Credential(ctx)
	if err != nil {
		return err
	}
	m.say("Signed in: %s.", c.Origin)
	return nil
}

func (m *Main) nothingToDo(c source.Credential) error {
	m.say("There is nothing to do: %s holds.", printable(c.Origin))
	return nil
}

func (m *Main) signInAt(ctx context.Context, argv []string) error {
	path, err := m.LookPath(argv[0])
	if err != nil {
		return &noMeans{argv[0] + " is not installed, which signs in there", strings.Join(argv, " ")}
	}
	m.say("Running: %s", strings.Join(argv, " "))
	result, err := subprocess.Run(ctx, subprocess.Command{Argv: append([]string{path}, argv[1:]...), Show: m.Stderr, MaxStdout: 1 << 20})
	switch {
	case fault.Is(err, fault.Timeout):
		return fault.New(fault.Timeout, "nobody signed in within %s", refreshLimit).WithHint(strings.Join(argv, " "))
	case err != nil:
		return fmt.Errorf("running %s: %w", argv[0], err)
	case result.Exit != 0 || result.Flooded:
		return fault.New(fault.Unauthenticated, "%s failed with exit code %d", argv[0], result.Exit).WithHint(strings.Join(argv, " "))
	}
	return nil
}

const lockRetry = 100 * time.Millisecond

// lockRefresh keeps sessions apart. Where there is no folder for a lock, each
// signs in by itself.
func (m *Main) lockRefresh(ctx context.Context, name string) (release func(), err error) {
	dir := m.cacheDir()
	if dir == "" || os.MkdirAll(dir, atomicfile.SecretDir) != nil {
		return func() {}, nil
	}
	lock := flock.New(filepath.Join(dir, name+"-refresh.lock"), flock.SetPermissions(atomicfile.SecretFile))
	held, err := lock.TryLockContext(ctx, lockRetry)
	switch {
	case errors.Is(context.Cause(ctx), context.DeadlineExceeded):
		return nil, fault.New(fault.Timeout, "another session has been signing in for %s", refreshLimit)
	case ctx.Err() != nil:
		return nil, fmt.Errorf("waiting for another session that signs in: %w", ctx.Err())
	case err != nil || !held:
		return func() {}, nil
	}
	return func() { _ = lock.Unlock() }, nil
}
