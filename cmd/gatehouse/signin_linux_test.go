package main

import (
	"context"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/testkit/terminal"
)

// carry follows an authorization request as a browser on another machine does,
// and returns the address that it cannot open.
func carry(t *testing.T, address string) string {
	t.Helper()
	elsewhere := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := elsewhere.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.Header.Get("Location")
}

// shownAddress is the authorization request on the screen, which may be broken
// over lines there.
func shownAddress(x *terminal.Terminal) string {
	x.Expect(`paste that page's address`)
	screen := x.Screen()
	begin := strings.Index(screen, "address:") + len("address:")
	text, _, _ := strings.Cut(screen[begin:], "If the browser is on another machine")
	return regexp.MustCompile(`\s+`).ReplaceAllString(text, "")
}

// A browser that does not open is no dead end: the address is there, the wait
// goes on, and what a browser on another machine could not open is pasted.
func TestTheAnswerIsPasted(t *testing.T) {
	t.Parallel()
	m := newMember(t)
	m.env = []string{"DISPLAY=:0", "BROWSER=no-such-browser"}
	x := terminal.Start(t, m.command("login", "--server", m.server.URL), time.Minute)
	address := shownAddress(x)
	x.Expect(`Starting no-such-browser: .*not found.*\. If no page opened, open the address above\.`)
	x.Type("https://evil.example.com/callback?code=c&state=s" + terminal.Enter)
	x.Expect(`Not taken: that is not the address that the browser was sent to`)
	x.Type("\x1b[31mred#\x07state" + terminal.Enter)
	x.Type("a-code#of-another-sign-in" + terminal.Enter)
	x.Expect(`Not taken: that answer does not belong to the sign-in that waits here`)
	answer := carry(t, address)
	x.Type(answer + terminal.Enter)
	x.Expect(`Signed in at .* as Ada Lovelace`)
	if code := x.Wait(); code != 0 {
		t.Errorf("exit %d", code)
	}
	if screen := x.Screen(); strings.Contains(screen, "ac-") || strings.Contains(screen, "of-another") || strings.Contains(screen, "red#") {
		t.Errorf("what was typed is shown:\n%s", screen)
	}
	if m.server.count("authorization_code") != 1 || m.server.count("device") != 0 {
		t.Error("another way was taken")
	}
}

// The terminal echoes again after a sign-in that a browser ended.
func TestTheTerminalIsPutRight(t *testing.T) {
	t.Parallel()
	m := newMember(t)
	m.env = []string{"DISPLAY=:0", "BROWSER=true"} // it ends well, and shows nothing
	cmd := m.command("login", "--server", m.server.URL)
	inner := exec.Command("sh", "-c", `"$0" "$@"; echo "ended: $?"; stty -a | tr ';' '\n' | grep -w echo; read -r _`, cmd.Path)
	inner.Args = append(inner.Args, cmd.Args[1:]...)
	inner.Env = cmd.Env
	x := terminal.Start(t, inner, time.Minute)
	resp, err := http.Get(carry(t, shownAddress(x)))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	x.Expect(`ended: 0`)
	if echo := x.Expect(`(-?)\becho\b`); echo[1] != "" {
		t.Errorf("the terminal is left silent:\n%s", x.Screen())
	}
}

// Ctrl-C gives up.
func TestPastingIsGivenUp(t *testing.T) {
	t.Parallel()
	m := newMember(t)
	m.env = []string{"DISPLAY=:0", "BROWSER=true"}
	x := terminal.Start(t, m.command("login", "--server", m.server.URL), time.Minute)
	shownAddress(x)
	x.Type(terminal.CtrlC)
	x.Expect(`gatehouse: the sign-in was given up`)
	if code := x.Wait(); code != exitInterrupted {
		t.Errorf("exit %d", code)
	}
}

// A program that neither ends nor opens anything is said not to come back, and
// is not waited for.
func TestABrowserThatHangs(t *testing.T) {
	t.Parallel()
	name := func(string) string { return "sleep" }
	err := openBrowser(name, exec.LookPath, time.Millisecond)(context.Background(), "2", false)
	if err == nil || !strings.Contains(err.Error(), "sleep has not come back after 1ms, and may hang") {
		t.Errorf("%v", err)
	}
	if err := openBrowser(func(string) string { return "false" }, exec.LookPath, time.Minute)(context.Background(), "x", false); err == nil || !strings.Contains(err.Error(), "running false: exit status 1") {
		t.Errorf("%v", err)
	}
}
