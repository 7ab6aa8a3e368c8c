package e2e_test

import (
	"bufio"
	"io"
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/browser"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/claude"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/gatehoused"
)

// model is one that the demo's organization may use.
const model = "claude-sonnet-4-6"

// decide opens a person's sign-in link, then the device page, and presses one of
// its two buttons: "approve" or "deny". The person is signed in afterwards.
func decide(t *testing.T, demo *gatehoused.Demo, code, decision string) {
	t.Helper()
	ctx := browser.New(t)
	browser.Do(t, ctx, chromedp.Navigate(demo.Member.SignInURL))
	browser.Screenshot(t, ctx, "1-sign-in")
	browser.Do(t, ctx, chromedp.Click(chromedp.CSS(`form button[type=submit], form button:not([type])`)))
	browser.WaitFor(t, ctx, `location.href !== `+quoted(demo.Member.SignInURL)+` && document.readyState === 'complete'`)
	browser.Do(t, ctx, chromedp.Navigate(demo.URL+"/device?user_code="+url.QueryEscape(code)))
	browser.Screenshot(t, ctx, "2-device")
	button := `button[name=decision][value=` + decision + `]`
	browser.Do(t, ctx, chromedp.Click(chromedp.CSS(button)))
	browser.WaitFor(t, ctx, `document.readyState === 'complete' && document.querySelector('`+button+`') === null`)
	browser.Screenshot(t, ctx, "3-decided")
	browser.NoErrors(t, ctx)
}

func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `\'`) + "'" }

var userCode = regexp.MustCompile(`\b([B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4})\b`)

// signIn runs `gatehouse login` as on a machine without a display and answers
// the code that it shows. It returns the exit code and what was said.
func signIn(t *testing.T, demo *gatehoused.Demo, home, decision string) (exit int, said string) {
	t.Helper()
	return logIn(t, demo.URL, home, func(code string) { decide(t, demo, code, decision) })
}

// logIn is signIn for any server, and whoever answers the code.
func logIn(t *testing.T, server, home string, answer func(code string)) (exit int, said string) {
	t.Helper()
	cmd := exec.Command(gatehoused.Command(t), "login", "--server", server, "--no-browser")
	cmd.Dir, cmd.Env = home, gatehoused.Environment(home, nil)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop := time.AfterFunc(90*time.Second, func() { _ = cmd.Process.Kill() })
	defer stop.Stop()
	var all strings.Builder
	lines := bufio.NewReader(io.TeeReader(stderr, &all))
	for {
		line, err := lines.ReadString('\n')
		if code := userCode.FindString(line); code != "" {
			answer(code)
			break
		}
		if err != nil {
			_ = cmd.Wait()
			t.Fatalf("gatehouse login showed no code:\n%s", all.String())
		}
	}
	_, _ = io.Copy(io.Discard, lines)
	_ = cmd.Wait()
	return cmd.ProcessState.ExitCode(), all.String()
}

// signedIn is a new home folder that is signed in.
func signedIn(t *testing.T, demo *gatehoused.Demo) string {
	t.Helper()
	home := claude.Home(t)
	if exit, said := signIn(t, demo, home, "approve"); exit != 0 {
		t.Fatalf("gatehouse login: exit %d\n%s", exit, said)
	}
	return home
}

// onPath makes the member's command findable by name, as an installed one is.
func onPath(t *testing.T) map[string]string {
	t.Helper()
	return map[string]string{"PATH": filepath.Dir(gatehoused.Command(t)) + ":" + pathOfTests}
}
