package source

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/patience"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/subprocess"
)

// Machine is what sources may look at. All fields but Environ, Transport and
// Agent are required.
type Machine struct {
	System, Home string // as in runtime.GOOS; the person's home folder
	Getenv       func(string) string
	Environ      []string // of the commands; nil is this process's own
	Now          func() time.Time
	Wait         patience.Wait
	LookPath     func(name string) (string, error)
	// Transport is the way to public token endpoints; nil is
	// http.DefaultTransport. Metadata endpoints have a way of their own.
	Transport http.RoundTripper
	Agent     string // the User-Agent
}

// MaxFile is the largest file that is read, in bytes: that of Claude Code's
// settings.
const MaxFile = 2 << 20

// File reads a file of the clouds or SDKs. Links are followed: projected tokens
// are links. open says that other users of the machine can read it. It fails
// with NotFound if there is none and with Invalid for a folder, a pipe, or more
// than MaxFile.
func (m Machine) File(path string) (content []byte, open bool, err error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, false, fault.Wrap(fault.NotFound, err, "there is no "+path)
	case err != nil:
		return nil, false, fault.Wrap(fault.Invalid, err, path+" cannot be read")
	case !info.Mode().IsRegular():
		return nil, false, fault.New(fault.Invalid, "%s is not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, false, fault.Wrap(fault.Invalid, err, path+" cannot be read")
	}
	defer f.Close()
	content, err = io.ReadAll(io.LimitReader(f, MaxFile+1))
	if err != nil {
		return nil, false, fault.Wrap(fault.Invalid, err, path+" cannot be read")
	}
	if len(content) > MaxFile {
		return nil, false, fault.New(fault.Invalid, "%s is larger than %d bytes", path, MaxFile)
	}
	return content, m.System != "windows" && info.Mode().Perm()&0o077 != 0, nil
}

// OpenToOthers is the Problem of a secret file with such a mode.
func OpenToOthers(path string) string { return "other users can read it; run: chmod 600 " + path }

// At is a path below the home folder, or "" without one.
func (m Machine) At(parts ...string) string {
	if m.Home == "" {
		return ""
	}
	return filepath.Join(append([]string{m.Home}, parts...)...)
}

// On reports whether a switch of the environment is on.
func (m Machine) On(name string) bool {
	v := m.Getenv(name)
	return v != "" && v != "0" && !strings.EqualFold(v, "false")
}

// Has reports whether a program can be found.
func (m Machine) Has(name string) bool {
	_, err := m.LookPath(name)
	return err == nil
}

// Command runs a program of the PATH within a time limit and returns what it
// printed. No argument may be a secret. It fails with NotFound if there is no
// such program, with Timeout, and with Unauthenticated if it fails: the clouds'
// tools do so when somebody must sign in, which mend does.
func (m Machine) Command(ctx context.Context, limit time.Duration, mend string, argv ...string) (secret.Text, error) {
	path, err := m.LookPath(argv[0])
	if err != nil {
		return secret.Text{}, fault.Wrap(fault.NotFound, err, argv[0]+" is not installed")
	}
	return m.run(ctx, limit, argv[0], mend, subprocess.Command{Argv: append([]string{path}, argv[1:]...), Env: m.Environ})
}

// Shell runs a line that the person's own configuration names, like Command.
// name is what errors call it.
func (m Machine) Shell(ctx context.Context, limit time.Duration, name, mend, line string) (secret.Text, error) {
	return m.run(ctx, limit, name, mend, subprocess.Command{Shell: line, Env: m.Environ})
}

func (m Machine) run(ctx context.Context, limit time.Duration, name, mend string, c subprocess.Command) (secret.Text, error) {
	ctx, stop := m.Wait.Limit(ctx, limit)
	defer stop()
	result, err := subprocess.Run(ctx, c)
	switch {
	case fault.Is(err, fault.Timeout):
		return secret.Text{}, fault.Wrap(fault.Timeout, err, name+" did not end within "+limit.String()).WithHint(mend)
	case err != nil:
		return secret.Text{}, fault.Wrap(fault.Unavailable, err, name+" cannot be run").WithHint(mend)
	case result.Flooded:
		return secret.Text{}, fault.New(fault.Invalid, "%s prints without end", name).WithHint(mend)
	case result.Exit == 0:
		return secret.New(string(result.Stdout)), nil
	}
	said := result.Complaint()
	if said != "" {
		said = ", and says: " + said
	}
	return secret.Text{}, fault.New(fault.Unauthenticated, "%s failed with exit code %d%s", name, result.Exit, said).WithHint(mend).
		Coded(ExitCode(result.Exit))
}

// ExitCode is the code (fault.Error.Code) of a program that failed with an exit code.
func ExitCode(n int) string { return "exit_" + strconv.Itoa(n) }
