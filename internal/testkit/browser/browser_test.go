package browser_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/browser"
)

const page = `<!doctype html><title>t</title>
<style>@media (prefers-color-scheme: dark) { body { background: rgb(1,2,3) } }</style>
<body><p id="who">%s</p><p id="script">no script</p>
<form method="post"><input name="word"><button name="decision" value="approve">Go</button></form>
<script>document.getElementById('script').textContent = 'script'; console.error('seen', 7)</script>`

func serve(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			http.SetCookie(w, &http.Cookie{Name: "who", Value: r.FormValue("word") + "/" + r.FormValue("decision")})
			http.Redirect(w, r, "/", http.StatusSeeOther)
			return
		}
		who := "nobody"
		if c, err := r.Cookie("who"); err == nil {
			who = c.Value
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprintf(w, page, who)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestProfilesAreApart(t *testing.T) {
	t.Parallel()
	url := serve(t)
	ctx := browser.New(t)
	browser.Do(t, ctx, chromedp.Navigate(url),
		chromedp.SendKeys(chromedp.CSS(`[name=word]`), "me"),
		chromedp.Click(chromedp.CSS(`[value=approve]`)))
	browser.WaitText(t, ctx, "me/approve")

	other := browser.New(t)
	browser.Do(t, other, chromedp.Navigate(url))
	if got := browser.Get(t, other, chromedp.Text(chromedp.CSS(`#who`))); got != "nobody" {
		t.Errorf("the second profile has the first one's cookie: %q", got)
	}
}

func TestConsoleErrorsAreKept(t *testing.T) {
	t.Parallel()
	ctx := browser.New(t)
	browser.Do(t, ctx, chromedp.Navigate(serve(t)))
	got := strings.Join(browser.Errors(ctx), "\n")
	if !strings.Contains(got, `console.error: "seen" 7`) {
		t.Errorf("kept %q", got)
	}
}

func TestSchemesAndScripts(t *testing.T) {
	t.Parallel()
	url := serve(t)
	ctx := browser.New(t)
	const colour = `getComputedStyle(document.body).backgroundColor`
	browser.Do(t, ctx, browser.Prefer(browser.Dark), chromedp.Navigate(url))
	if got := browser.Get(t, ctx, chromedp.Evaluate[string](colour)); got != "rgb(1, 2, 3)" {
		t.Errorf("dark: %s", got)
	}
	browser.Do(t, ctx, browser.Prefer(browser.Light), browser.WithoutScripts(), chromedp.Navigate(url))
	if got := browser.Get(t, ctx, chromedp.Evaluate[string](colour)); got == "rgb(1, 2, 3)" {
		t.Errorf("light: %s", got)
	}
	if got := browser.Get(t, ctx, chromedp.Text(chromedp.CSS(`#script`))); got != "no script" {
		t.Errorf("a script ran: %q", got)
	}
	// A form must go on working in this mode.
	browser.Do(t, ctx, chromedp.SendKeys(chromedp.CSS(`[name=word]`), "me"), chromedp.Click(chromedp.CSS(`[value=approve]`)))
	browser.WaitText(t, ctx, "me/approve")
}

func TestScreenshotsGoWhereTheVariableSays(t *testing.T) {
	folder := t.TempDir()
	t.Setenv(browser.Folder, folder)
	ctx := browser.New(t)
	browser.Do(t, ctx, chromedp.Navigate(serve(t)))
	browser.Screenshot(t, ctx, "page one")
	content, err := os.ReadFile(filepath.Join(folder, "TestScreenshotsGoWhereTheVariableSays-page_one.png"))
	if err != nil || !strings.HasPrefix(string(content), "\x89PNG") {
		t.Errorf("no picture: %v", err)
	}
}
