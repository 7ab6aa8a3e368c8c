package main

import (
	"context"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/launch"
)

// version is set by the build: -ldflags "-X main.version=1.2.3".
var version = "0.1.0"

func main() { os.Exit(run()) }

// run is main for scripts too, which start this program inside a test.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	home, _ := os.UserHomeDir() // without one, the folders must be named; whoever needs them says so
	m := &Main{
		Stdout: os.Stdout, Stderr: os.Stderr,
		Getenv: os.Getenv, Home: home, System: runtime.GOOS, Arch: runtime.GOARCH,
		Hostname: os.Hostname, Executable: os.Executable,
		Now: time.Now, Wait: wait, OpenBrowser: openBrowser(os.Getenv),
		LookPath: exec.LookPath, Output: output,
		Environ: os.Environ, Start: start,
		Version: version,
	}
	return m.Run(ctx, os.Args[1:])
}

func start(path string, args, env []string) (int, error) {
	return launch.Start(launch.Program{Path: path, Args: args, Env: env, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr})
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

const maxOutput = 4 << 10

// output is the beginning of what a program prints. One that leaves children
// behind does not keep us.
func output(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.WaitDelay = time.Second
	b, err := cmd.Output()
	return string(b[:min(len(b), maxOutput)]), err
}
