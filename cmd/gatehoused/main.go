package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/spf13/cobra"
)

// version is set when a release is built.
var version = "0.1.0"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	m := &Main{Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv}
	code := m.Run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// Main is the program as an object: what it talks to comes in, the exit code
// comes out.
type Main struct {
	Stdout io.Writer
	Stderr io.Writer
	Getenv func(string) string
}

// usageError is a mistake in the command line or the configuration.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

// Run runs one command until it is done or the context ends.
func (m *Main) Run(ctx context.Context, args []string) int {
	root := &cobra.Command{
		Use: "gatehoused", Short: "The front door to Claude for an organization", Version: version,
		SilenceErrors: true, SilenceUsage: true, Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddCommand(m.serveCommand(), m.demoCommand(), m.ownerCommand(), m.verifyCommand(), m.versionCommand())
	root.SetArgs(args)
	root.SetOut(m.Stdout)
	root.SetErr(m.Stderr)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	fmt.Fprintf(m.Stderr, "gatehoused: %s\n", sentence(err))
	if _, ok := errors.AsType[usageError](err); ok || strings.HasPrefix(err.Error(), "unknown command") {
		return 2
	}
	return 1
}

// sentence is an error with what to do about it.
func sentence(err error) string {
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Hint != "" {
		return err.Error() + "; " + f.Hint
	}
	return err.Error()
}

func (m *Main) versionCommand() *cobra.Command {
	return &cobra.Command{Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(m.Stdout, "gatehoused", version)
			return err
		}}
}

// logger writes to stderr, at a level ("debug", "info", "warn", "error") and in
// a format ("text", "json").
func (m *Main) logger(level, format string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(orDefault(level, "info"))); err != nil {
		return nil, usageError{fmt.Errorf("log.level: %q is none of debug, info, warn, error", level)}
	}
	options := &slog.HandlerOptions{Level: l}
	switch orDefault(format, "text") {
	case "text":
		return slog.New(slog.NewTextHandler(m.Stderr, options)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(m.Stderr, options)), nil
	}
	return nil, usageError{fmt.Errorf("log.format: %q is neither text nor json", format)}
}

func orDefault(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}
