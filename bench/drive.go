package main

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

type plan struct{ rounds, requests, streams, failover int }

const atOnce = 8 // requests under way while CPU is measured

type scenario struct {
	name   string
	body   string
	target float64
}

func scenarios() []scenario {
	return []scenario{
		{"streamed, 2 KB prompt, 52 events", prompt(2<<10, true), 1.3},
		{"streamed, 76 KB prompt", prompt(76<<10, true), 1.3},
		{"JSON, 2 KB prompt", prompt(2<<10, false), 1.7},
	}
}

// drive measures and prints the table.
func drive(ctx context.Context, p plan, assembled bool, profile string) error {
	upstream, err := start(ctx, "-role", "upstream")
	if err != nil {
		return err
	}
	defer upstream.end()
	startAll := func() (reverse, gateway *process, err error) {
		if reverse, err = start(ctx, "-role", "reverse", "-to", upstream.url); err != nil {
			return nil, nil, err
		}
		if assembled {
			gateway, err = start(ctx, "-role", "gateway", "-to", upstream.url, "-profile", profile)
			profile = "" // of the first, which does the CPU rounds
		} else {
			gateway, err = startServer(ctx, upstream.url)
		}
		return reverse, gateway, err
	}
	reverse, gateway, err := startAll()
	if err != nil {
		return err
	}
	fmt.Printf("| | Gatehouse (%s) | `httputil.ReverseProxy` | ratio | target |\n| --- | --- | --- | --- | --- |\n", gateway.what)
	for _, s := range scenarios() {
		ours, theirs, ratio, err := compare(p, s, gateway, reverse)
		if err != nil {
			return err
		}
		fmt.Printf("| CPU per request: %s | %.0f µs | %.0f µs | %.2f× | ≤ %.1f× |\n", s.name, ours, theirs, ratio, s.target)
	}
	reverse.end()
	gateway.end()
	return crowd(p, startAll)
}

// compare returns the median CPU time per request of both, in microseconds, and
// the median of their ratios: the two halves of a round see the same machine.
func compare(p plan, s scenario, gateway, reverse *process) (ours, theirs, ratio float64, err error) {
	var (
		costs  [2][]float64
		ratios []float64
	)
	for round := range p.rounds + 1 {
		for i, proxy := range []*process{gateway, reverse} {
			cost, err := load(proxy, s.body, p.requests)
			if err != nil {
				return 0, 0, 0, fmt.Errorf("%s, %s: %w", s.name, proxy.what, err)
			}
			if round > 0 { // the first warms up
				costs[i] = append(costs[i], cost)
			}
		}
		if round > 0 {
			ratios = append(ratios, costs[0][round-1]/costs[1][round-1])
		}
	}
	return median(costs[0]), median(costs[1]), median(ratios), nil
}

func load(proxy *process, body string, requests int) (float64, error) {
	before, err := proxy.cpu()
	if err != nil {
		return 0, err
	}
	var (
		left    atomic.Int64
		wg      sync.WaitGroup
		failure atomic.Pointer[error]
	)
	left.Store(int64(requests))
	for range atOnce {
		wg.Go(func() {
			for left.Add(-1) >= 0 && failure.Load() == nil {
				if _, err := ask(proxy, "", body); err != nil {
					failure.Store(&err)
				}
			}
		})
	}
	wg.Wait()
	if err := failure.Load(); err != nil {
		return 0, *err
	}
	after, err := proxy.cpu()
	return float64((after - before).Microseconds()) / float64(requests), err
}

// crowd measures many slow streams at once, each proxy fresh.
func crowd(p plan, startAll func() (*process, *process, error)) error {
	var first, memory [2][]float64
	for range 3 {
		reverse, gateway, err := startAll()
		if err != nil {
			return err
		}
		for i, proxy := range []*process{gateway, reverse} {
			p50, err := manyStreams(proxy, p.streams)
			if err != nil {
				return fmt.Errorf("%d streams, %s: %w", p.streams, proxy.what, err)
			}
			first[i] = append(first[i], float64(p50.Microseconds())/1000)
			peak, err := proxy.peakMemory()
			if err != nil {
				return err
			}
			memory[i] = append(memory[i], peak)
			proxy.end()
		}
	}
	ours, theirs := median(first[0]), median(first[1])
	fmt.Printf("| %d concurrent streams of 2 s: first byte, p50 | %.1f ms | %.1f ms | %.2f× | ≤ 1.3× |\n", p.streams, ours, theirs, ours/theirs)
	ours, theirs = median(memory[0]), median(memory[1])
	fmt.Printf("| the same: peak resident memory | %.1f MB | %.1f MB | %.2f× | ≤ 2× |\n", ours, theirs, ours/theirs)
	return nil
}

func manyStreams(proxy *process, n int) (p50 time.Duration, err error) {
	body := prompt(2<<10, true)
	times, errs := make([]time.Duration, n), make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { times[i], errs[i] = ask(proxy, "?over=2s", body) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return 0, err
		}
	}
	slices.Sort(times)
	return times[n/2], nil
}

var client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}}

// ask sends one request, reads the answer whole and returns the time to its
// first byte.
func ask(proxy *process, query, body string) (first time.Duration, err error) {
	request, err := http.NewRequest(http.MethodPost, proxy.url+cmp.Or(proxy.path, "/v1/messages")+query, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	for name, value := range clientHeader {
		request.Header.Set(name, value)
	}
	request.Header.Set("X-Api-Key", proxy.key)
	began := time.Now()
	response, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	var piece [4096]byte
	n, err := response.Body.Read(piece[:])
	first = time.Since(began)
	last := append([]byte(nil), piece[:n]...)
	for err == nil {
		if n, err = response.Body.Read(piece[:]); n > 0 {
			last = append(last[:0], piece[:n]...)
		}
	}
	if err != io.EOF {
		return 0, err
	}
	if response.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("status %d: %s", response.StatusCode, last)
	}
	return first, nil
}

// clientHeader is what Claude Code sends.
var clientHeader = map[string]string{
	"Accept": "application/json", "Content-Type": "application/json", "User-Agent": "claude-cli/2.1.197 (external, cli)",
	"Anthropic-Version": "2023-06-01", "Anthropic-Beta": "claude-code-20250219,interleaved-thinking-2025-05-14,context-management-2025-06-27",
	"X-App": "cli", "X-Claude-Code-Session-Id": "4f6f2a0e-9b1c-4d0e-8b1a-2f5a6c7d8e9f", "X-Stainless-Lang": "js", "X-Stainless-Runtime": "node",
	"X-Stainless-Os": "Linux", "X-Stainless-Arch": "x64", "X-Stainless-Package-Version": "0.60.0", "X-Stainless-Retry-Count": "0", "X-Stainless-Timeout": "600",
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// process is one that we started.
type process struct {
	what string
	url  string
	key  string
	path string // where it is asked; "": the Messages API's
	cmd  *exec.Cmd
	tidy func()
}

// start runs this program again in another role.
func start(ctx context.Context, args ...string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{what: args[1] + " assembled", key: benchKey, cmd: exec.CommandContext(ctx, self, args...)}
	if _, err := p.cmd.StdinPipe(); err != nil { // stays open until the child has ended, or we have
		return nil, err
	}
	line, err := p.run()
	p.url = line
	return p, err
}

// run starts the process and returns the first line it prints.
func (p *process) run() (string, error) {
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.Stderr = os.Stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := p.cmd.Start(); err != nil {
		return "", err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		p.end()
		return "", fmt.Errorf("starting %s: %w", p.what, err)
	}
	return strings.TrimSpace(line), nil
}

func (p *process) end() {
	if p.cmd.ProcessState == nil {
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		_ = p.cmd.Wait()
	}
	if p.tidy != nil {
		p.tidy()
	}
}
