package terminal

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/creack/pty"
	"github.com/hinshun/vt10x"
)

// Screen size in characters: wide enough that no message wraps early.
const columns, rows = 140, 50

// Keys that have no letter.
const (
	Enter  = "\r"
	Escape = "\x1b"
	CtrlC  = "\x03"
	CtrlD  = "\x04" // the end of what is typed
	Down   = "\x1b[B"
	Tab    = "\t"
)

// Terminal is a program on a screen.
type Terminal struct {
	t    testing.TB
	file *os.File
	cmd  *exec.Cmd
	ctx  context.Context

	mu      sync.Mutex
	screen  vt10x.Terminal
	changed chan struct{} // closed and replaced whenever the screen changes
	ended   bool
	exit    error
}

// Start runs cmd in a terminal. It is killed after the limit, or when the test
// ends. A nil cmd.Env stays the environment of the test.
func Start(t testing.TB, cmd *exec.Cmd, limit time.Duration) *Terminal {
	t.Helper()
	file, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: columns, Rows: rows})
	if err != nil {
		t.Fatalf("starting %s in a terminal: %v", cmd.Path, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	term := &Terminal{t: t, file: file, cmd: cmd, ctx: ctx, changed: make(chan struct{}),
		screen: vt10x.New(vt10x.WithSize(columns, rows), vt10x.WithWriter(file))}
	read := make(chan struct{})
	go func() {
		defer close(read)
		term.read()
	}()
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
	t.Cleanup(func() {
		cancel()
		stop()
		_ = cmd.Process.Kill()
		<-read
		_ = file.Close()
	})
	return term
}

// read feeds the screen until the program has closed it, and takes its exit.
func (x *Terminal) read() {
	buffer := make([]byte, 32<<10)
	begun := 0 // bytes of a character whose rest is still to come: the screen would drop it
	for {
		n, err := x.file.Read(buffer[begun:])
		n += begun
		begun = unfinished(buffer[:n])
		if whole := n - begun; whole > 0 {
			x.update(func() { _, _ = x.screen.Write(buffer[:whole]) })
			copy(buffer, buffer[whole:n])
		}
		if err != nil {
			break
		}
	}
	exit := x.cmd.Wait()
	x.update(func() { x.ended, x.exit = true, exit })
}

// unfinished is how many bytes at the end begin a character of UTF-8 without ending it.
func unfinished(b []byte) int {
	for i := 1; i < utf8.UTFMax && i <= len(b); i++ {
		if last := b[len(b)-i]; utf8.RuneStart(last) {
			if utf8.FullRune(b[len(b)-i:]) {
				return 0
			}
			return i
		}
	}
	return 0
}

func (x *Terminal) update(change func()) {
	x.mu.Lock()
	defer x.mu.Unlock()
	change()
	close(x.changed)
	x.changed = make(chan struct{})
}

// Screen is the text as a person sees it, without the blanks at the ends.
func (x *Terminal) Screen() string {
	text, _, _ := x.look()
	return text
}

func (x *Terminal) look() (text string, changed <-chan struct{}, ended bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	// A blank is a blank to a person, also the kind that does not break.
	lines := strings.Split(strings.ReplaceAll(x.screen.String(), "\u00a0", " "), "\n")
	for n, line := range lines {
		lines[n] = strings.TrimRight(line, " \x00")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n"), x.changed, x.ended
}

// Type sends keys as a person would press them.
func (x *Terminal) Type(keys string) {
	x.t.Helper()
	if _, err := x.file.WriteString(keys); err != nil {
		x.t.Fatalf("typing %q: %v\nthe screen:\n%s", keys, err, x.Screen())
	}
}

// Expect waits until the screen shows a match of the pattern, and returns the
// match and its groups. The test ends when the program does so first, or when
// the time limit is over.
func (x *Terminal) Expect(pattern string) []string {
	x.t.Helper()
	return x.expect(pattern, nil, nil)
}

// TypeUntil types keys and waits like Expect. A program that draws a question
// before it listens loses the first key, so the keys are typed again after
// every five seconds in which nothing matched.
func (x *Terminal) TypeUntil(keys, pattern string) []string {
	x.t.Helper()
	x.Type(keys)
	again := time.NewTicker(5 * time.Second)
	defer again.Stop()
	return x.expect(pattern, again.C, func() { x.Type(keys) })
}

func (x *Terminal) expect(pattern string, tick <-chan time.Time, onTick func()) []string {
	x.t.Helper()
	want := regexp.MustCompile(pattern)
	for {
		text, changed, ended := x.look()
		if found := want.FindStringSubmatch(text); found != nil {
			return found
		}
		if ended {
			x.t.Fatalf("the program ended before the screen showed %q; it shows:\n%s", pattern, text)
		}
		select {
		case <-changed:
		case <-tick:
			onTick()
		case <-x.ctx.Done():
			x.t.Fatalf("the screen never showed %q; it shows:\n%s", pattern, text)
		}
	}
}

// ExpectOne waits for whichever of some patterns comes first and returns its
// index: for a program that may ask a question or not.
func (x *Terminal) ExpectOne(patterns ...string) int {
	x.t.Helper()
	names := make([]string, len(patterns))
	for n, pattern := range patterns {
		names[n] = fmt.Sprintf("(?P<g%d>%s)", n, pattern)
	}
	all := regexp.MustCompile(strings.Join(names, "|"))
	found := x.Expect(all.String())
	for n := range patterns {
		if found[all.SubexpIndex(fmt.Sprintf("g%d", n))] != "" {
			return n
		}
	}
	x.t.Fatalf("no pattern of %q matches %q", patterns, found[0])
	return -1
}

// Wait waits until the program has ended and returns its exit code.
func (x *Terminal) Wait() int {
	x.t.Helper()
	for {
		text, changed, ended := x.look()
		if ended {
			return x.cmd.ProcessState.ExitCode()
		}
		select {
		case <-changed:
		case <-x.ctx.Done():
			x.t.Fatalf("the program did not end; the screen shows:\n%s", text)
		}
	}
}
