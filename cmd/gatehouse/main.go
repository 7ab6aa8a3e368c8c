package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/launch"
	"github.com/mattn/go-isatty"
)

// version is set by the build: -ldflags "-X main.version=1.2.3".
var version = "0.1.0"

// rootFolder is where the machine's own files are; tests set up another machine.
var rootFolder = "/"

func main() { os.Exit(run()) }

// run is main for scripts too, which start this program inside a test.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	home, _ := os.UserHomeDir() // without one, the folders must be named; whoever needs them says so
	m := &Main{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Interactive: func() bool { return isatty.IsTerminal(os.Stdin.Fd()) && isatty.IsTerminal(os.Stderr.Fd()) },
		Getenv:      os.Getenv, Home: home, System: runtime.GOOS, Arch: runtime.GOARCH,
		Hostname: os.Hostname, Executable: os.Executable,
		Now: time.Now, Wait: wait, OpenBrowser: openBrowser(os.Getenv, exec.LookPath, openPatience), Root: os.DirFS(rootFolder), Screen: screenOf(os.Stderr),
		LookPath: exec.LookPath, Output: output,
		Environ: os.Environ, Start: start, Attend: attend, Detach: detach,
		Version: version,
	}
	if k := newKeyboard(os.Stdin, os.Stderr); k != nil {
		m.Prompt, m.Silence = k.ask, k.silence
		defer k.close()
	}
	return m.Run(ctx, os.Args[1:])
}

func start(path string, args, env []string) (int, error) {
	return launch.Start(launch.Program{Path: path, Args: args, Env: env, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr})
}

func attend(path string, args, env []string) (launch.Ended, error) {
	return launch.Attend(launch.Program{Path: path, Args: args, Env: env, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr})
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

const maxOutput = 20 << 10 // a helper's token may have 16 KB

// output is what a program prints. One that leaves children behind, or prints
// without end, does not keep us: it fails.
func output(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.WaitDelay = time.Second
	var out bounded
	cmd.Stdout = &out
	err := cmd.Run()
	return string(out), err
}

var errTooMuch = errors.New("it prints too much")

// bounded takes no more than maxOutput. Its error closes the pipe of a program
// that goes on, which ends most of them.
type bounded []byte

func (b *bounded) Write(p []byte) (int, error) {
	room := min(len(p), maxOutput-len(*b))
	*b = append(*b, p[:room]...)
	if room < len(p) {
		return room, errTooMuch
	}
	return room, nil
}
