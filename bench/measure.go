package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// cpu is how long the threads of the process have run so far.
func (p *process) cpu() (time.Duration, error) {
	paths, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.cmd.Process.Pid))
	if err != nil || len(paths) == 0 {
		return 0, fmt.Errorf("reading the threads of %s: this needs Linux", p.what)
	}
	var total time.Duration
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // a thread that ended meanwhile
		}
		ran, _, _ := strings.Cut(string(text), " ")
		ns, err := strconv.ParseInt(ran, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("reading %s: %w", path, err)
		}
		total += time.Duration(ns)
	}
	return total, nil
}

// peakMemory is the most that was ever resident, in MB.
func (p *process) peakMemory() (float64, error) {
	file, err := os.Open(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "VmHWM:"); ok {
			kb, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64)
			return kb / 1024, err
		}
	}
	return 0, fmt.Errorf("the kernel does not say how much memory %s used", p.what)
}

// startServer builds the server's own program, has its demo make the sample
// organization on the upstream, and serves that. Only what one credential may do
// is raised: here one does everything.
func startServer(ctx context.Context, upstream string) (_ *process, err error) {
	dir, err := os.MkdirTemp("", "gatehouse-bench-*")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			os.RemoveAll(dir)
		}
	}()
	program, data := filepath.Join(dir, "gatehoused"), filepath.Join(dir, "data")
	build := exec.CommandContext(ctx, "go", "build", "-o", program, "./cmd/gatehoused")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if err := build.Run(); err != nil {
		return nil, fmt.Errorf("building the server (from the repository's root?): %w", err)
	}
	demo := &process{what: "gatehoused demo", cmd: exec.CommandContext(ctx, program, "demo", "--json",
		"--listen", "127.0.0.1:0", "--data", data, "--upstream-url", upstream, "--upstream-key", "upstream-key")}
	line, err := demo.run()
	if err != nil {
		return nil, err
	}
	demo.end()
	var sample struct {
		Member struct {
			APIKey string `json:"api_key"`
		} `json:"member"`
	}
	if err := json.Unmarshal([]byte(line), &sample); err != nil {
		return nil, fmt.Errorf("reading what gatehoused says of itself: %w", err)
	}
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	config := filepath.Join(dir, "gatehoused.yaml")
	text := fmt.Sprintf("listen: %s\npublic_url: http://%s\ndata_dir: %s\nlog: {level: warn}\nlimits: {concurrent: 1000000, per_minute: 1000000000}\nupstreams: {allow_local: true}\n", address, address, data)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	p := &process{what: "gatehoused serve", url: "http://" + address, key: sample.Member.APIKey, tidy: func() { os.RemoveAll(dir) },
		cmd: exec.CommandContext(ctx, program, "serve", "--config", config)}
	return p, p.serveQuietly(ctx)
}

// freeAddress is a loopback address that nobody listened on a moment ago.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// serveQuietly starts a process that prints nothing and waits until it answers.
func (p *process) serveQuietly(ctx context.Context) error {
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	if err := p.cmd.Start(); err != nil {
		return err
	}
	for range 500 {
		if response, err := client.Head(p.url + "/api/hello"); err == nil {
			response.Body.Close()
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
	p.end()
	return fmt.Errorf("%s does not answer", p.what)
}
