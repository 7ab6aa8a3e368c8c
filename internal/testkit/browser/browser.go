package browser

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/remote"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/leash"
)

// patience is what a whole test may take in the browser.
const patience = 60 * time.Second

var (
	once     sync.Once
	endpoint string
	failed   error
)

// New returns a context for chromedp.Do and chromedp.Run: a tab in a profile of
// its own, 1280 by 900 pixels, closed when the test ends. After a minute every
// action on it fails.
func New(t testing.TB) context.Context {
	t.Helper()
	once.Do(func() { endpoint, failed = start() })
	if failed != nil {
		t.Fatal(failed)
	}
	seen := &console{}
	base := context.WithValue(context.Background(), consoleKey{}, seen)
	allocated, release := remote.NewAllocator(base, endpoint, remote.NoModifyURL)
	tab, closeTab := chromedp.NewContext(allocated, chromedp.WithNewBrowserContext(),
		chromedp.WithErrorf(func(string, ...any) {}))
	t.Cleanup(func() {
		closeTab()
		release()
	})
	// The first action allocates, and must not carry the deadline.
	if err := chromedp.Listen(tab, seen.hear); err != nil {
		t.Fatalf("opening a tab: %v", err)
	}
	err := chromedp.Do(tab, chromedp.EmulateViewport(1280, 900))
	if err != nil {
		t.Fatalf("opening a tab: %v", err)
	}
	ctx, cancel := context.WithTimeout(tab, patience)
	t.Cleanup(cancel)
	return ctx
}

// Do runs actions and ends the test with a picture of the page when one fails.
func Do(t testing.TB, ctx context.Context, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, actions...); err != nil {
		Screenshot(t, ctx, "failed")
		t.Fatalf("%v\nthe page is %s", err, describe(ctx))
	}
}

// Get runs an action that has a value and ends the test when it fails.
func Get[V any](t testing.TB, ctx context.Context, action chromedp.Action[V]) V {
	t.Helper()
	value, err := chromedp.Run(ctx, action)
	if err != nil {
		Screenshot(t, ctx, "failed")
		t.Fatalf("%v\nthe page is %s", err, describe(ctx))
	}
	return value
}

// WaitText waits until the page shows text, across navigations, and ends the
// test when it has not come within a minute of New.
func WaitText(t testing.TB, ctx context.Context, text string) {
	t.Helper()
	WaitFor(t, ctx, fmt.Sprintf("document.body !== null && document.body.innerText.includes(%q)", text))
}

// WaitFor waits until a JavaScript expression is true, across navigations.
func WaitFor(t testing.TB, ctx context.Context, expression string) {
	t.Helper()
	for {
		_, err := chromedp.Run(ctx, chromedp.Poll[bool](expression))
		if err == nil {
			return
		}
		// A page that goes away takes its poll with it: ask the next one.
		var gone *cdproto.Error
		if ctx.Err() != nil || !errors.As(err, &gone) || gone.Code != pageGone {
			Screenshot(t, ctx, "failed")
			t.Fatalf("waiting until %s: %v\nthe page is %s", expression, err, describe(ctx))
		}
	}
}

// pageGone is what the protocol answers about a page that was navigated away.
const pageGone = -32000

// describe says where a page stands, for the message of a failed test.
func describe(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	where, err := chromedp.Run(ctx, chromedp.Location())
	if err != nil {
		return "not to be reached: " + err.Error()
	}
	text, _ := chromedp.Run(ctx, chromedp.Evaluate[string]("document.body ? document.body.innerText : ''"))
	return fmt.Sprintf("%s:\n%s", where, text)
}

// Scheme is the colour scheme that the system asks pages for.
type Scheme string

// The two schemes of prefers-color-scheme.
const (
	Light Scheme = "light"
	Dark  Scheme = "dark"
)

// Schemes are those in which a way through pages is gone: one, as Accessible
// looks at the other by itself; both, if pictures are taken for a person.
func Schemes() []Scheme {
	if os.Getenv(Folder) == "" {
		return []Scheme{Light}
	}
	return []Scheme{Light, Dark}
}

// Prefer makes the tab ask for a colour scheme from now on.
func Prefer(scheme Scheme) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: string(scheme)}},
		})
		return err
	})
}

// WithoutScripts makes the tab run no script of a page from now on.
func WithoutScripts() chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled,
			emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	})
}

var devtools = regexp.MustCompile(`DevTools listening on (ws://\S+)`)

func start() (string, error) {
	program, ok := Program()
	if !ok {
		return "", fmt.Errorf("Chromium is not installed: run scripts/test-deps")
	}
	dir, err := os.MkdirTemp("", "gatehouse-browser-")
	if err != nil {
		return "", fmt.Errorf("making a profile: %w", err)
	}
	var found string
	_, err = leash.Start(leash.Options{
		Argv: append([]string{program}, flags(dir)...), Dir: dir, Remove: true,
		Ready: func(line string) bool {
			m := devtools.FindStringSubmatch(line)
			if m != nil {
				found = strings.TrimSpace(m[1])
			}
			return m != nil
		},
	})
	if err != nil {
		return "", fmt.Errorf("starting Chromium: %w", err)
	}
	return found, nil
}

// Program returns the path of the browser the tests use: the one without a window
// of its own if it is there, which takes half of the time.
func Program() (string, bool) {
	for _, name := range []string{"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, ok := leash.Lookup(name); ok {
			return path, true
		}
	}
	return leash.Lookup("Google Chrome", "/Applications/Google Chrome.app/Contents/MacOS")
}

func flags(dir string) []string {
	all := []string{
		"--headless", "--remote-debugging-port=0", "--user-data-dir=" + dir,
		"--disable-gpu", "--disable-quic", "--no-first-run", "--no-default-browser-check",
		"--disable-background-networking", "--disable-component-update", "--disable-sync",
		"--disable-default-apps", "--disable-extensions", "--disable-breakpad", "--disable-dev-shm-usage",
		"--disable-features=Translate,OptimizationHints,MediaRouter,DialMediaRouteProvider",
		"--password-store=basic", "--use-mock-keychain", "--force-color-profile=srgb", "--hide-scrollbars",
		"about:blank",
	}
	// The sandbox needs a user who is not root.
	if os.Geteuid() == 0 {
		all = append([]string{"--no-sandbox"}, all...)
	}
	return all
}
