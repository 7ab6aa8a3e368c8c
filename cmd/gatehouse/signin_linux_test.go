package main

import (
	"context"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/login"
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

// The code for a phone's camera stands beside the text, and leads to the page with
// the code filled in.
func TestTheCodeIsDrawn(t *testing.T) {
	t.Parallel()
	m := newMember(t)
	m.server.set(func() { m.server.decision = "wait" })
	start := func(env []string, args ...string) *terminal.Terminal {
		m.env = append([]string{"TERM=xterm-256color", "LANG=C.UTF-8"}, env...)
		x := terminal.Start(t, m.command(append([]string{"login", "--server", m.server.URL}, args...)...), time.Minute)
		x.Expect(`Waiting until it is confirmed`)
		return x
	}
	x := start(nil)
	want := m.server.URL + "/device?user_code=WDJB-MJHT"
	if got, err := x.ReadQR(); err != nil || got != want {
		t.Errorf("the camera reads %q, %v\n%s", got, err, x.Screen())
	}
	for _, line := range []string{`WDJB-MJHT`, `or point a phone's camera here`, want} {
		x.Expect(regexp.QuoteMeta(line))
	}
	m.server.set(func() { m.server.decision = "approve" })
	x.Expect(`Signed in at`)
	m.server.set(func() { m.server.decision = "wait" })
	for name, tt := range map[string]struct {
		env  []string
		args []string
	}{
		"--no-qr":     {nil, []string{"--no-qr"}},
		"NO_COLOR":    {[]string{"NO_COLOR=1"}, nil},
		"TERM=dumb":   {[]string{"TERM=dumb"}, nil},
		"ISO-8859-1":  {[]string{"LC_ALL=de_DE.ISO-8859-1"}, nil},
		"no terminal": {[]string{"TERM="}, nil},
	} {
		if name == "no terminal" {
			tt.env = append(tt.env, "LANG=")
		}
		x := start(tt.env, tt.args...)
		if screen := x.Screen(); strings.Contains(screen, "▀") || !strings.Contains(screen, "WDJB-MJHT") {
			t.Errorf("%s: the screen shows\n%s", name, screen)
		}
		x.Type(terminal.CtrlC)
		x.Wait()
	}
}

// A screen that is too small for the code shows the text alone, and one that is
// narrow has the code below.
func TestTheCodeFitsTheScreen(t *testing.T) {
	t.Parallel()
	code := login.DeviceCode{UserCode: "WDJB-MJHT", URL: "https://gate.example.com/device", Complete: "https://gate.example.com/device?user_code=WDJB-MJHT"}
	text := plainCode("https://gate.example.com", code)
	for size, want := range map[[2]int]string{{140, 50}: "beside", {80, 24}: "beside", {60, 50}: "below", {36, 50}: "none", {140, 20}: "none", {60, 24}: "none", {0, 0}: "none"} {
		m := &Main{System: "linux", Screen: func() (int, int) { return size[0], size[1] }}
		m.Getenv = func(name string) string { return map[string]string{"TERM": "xterm"}[name] }
		lines := m.withQR(code, text)
		got := "none"
		switch {
		case len(lines) > len(text) && lines[0] == text[0]:
			got = "below"
		case len(lines) > len(text):
			got = "beside"
		}
		if got != want {
			t.Errorf("%v: %s", size, got)
		}
	}
}

// In the background nothing is typed, and reading the terminal would stop us: the
// browser's answer is still taken.
func TestSigningInFromTheBackground(t *testing.T) {
	t.Parallel()
	m := newMember(t)
	m.env = []string{"DISPLAY=:0", "BROWSER=true"}
	cmd := m.command("login", "--server", m.server.URL)
	inner := exec.Command("bash", "-c", `set -m; "$0" "$@" & wait $!; echo "ended: $?"; read -r _`, cmd.Path)
	inner.Args = append(inner.Args, cmd.Args[1:]...)
	inner.Env = cmd.Env
	x := terminal.Start(t, inner, time.Minute)
	resp, err := http.Get(carry(t, shownAddress(x)))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	x.Expect(`ended: 0`)
}
