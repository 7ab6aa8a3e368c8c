package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
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

// startServer builds the server's own program and starts its demo on the
// upstream.
func startServer(ctx context.Context, upstream string) (*process, error) {
	dir, err := os.MkdirTemp("", "gatehouse-bench-*")
	if err != nil {
		return nil, err
	}
	tidy := func() { os.RemoveAll(dir) }
	program := filepath.Join(dir, "gatehoused")
	build := exec.CommandContext(ctx, "go", "build", "-o", program, "./cmd/gatehoused")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if err := build.Run(); err != nil {
		tidy()
		return nil, fmt.Errorf("building the server (from the repository's root?): %w", err)
	}
	p := &process{what: "gatehoused demo", tidy: tidy, cmd: exec.CommandContext(ctx, program, "demo", "--json",
		"--listen", "127.0.0.1:0", "--data", filepath.Join(dir, "data"), "--upstream-url", upstream, "--upstream-key", "upstream-key")}
	line, err := p.run()
	if err != nil {
		return nil, err
	}
	var ready struct {
		URL    string `json:"url"`
		Member struct {
			APIKey string `json:"api_key"`
		} `json:"member"`
	}
	if err := json.Unmarshal([]byte(line), &ready); err != nil {
		p.end()
		return nil, fmt.Errorf("reading what gatehoused says of itself: %w", err)
	}
	p.url, p.key = ready.URL, ready.Member.APIKey
	return p, nil
}
