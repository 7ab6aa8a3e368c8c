package browser

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// Folder is the environment variable that names where pictures go.
const Folder = "GATEHOUSE_SCREENSHOTS"

var awkward = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// Screenshot writes a picture of the whole page to the folder that
// GATEHOUSE_SCREENSHOTS names, as <test>-<name>.png. Without the variable it
// does nothing. It never fails the test.
func Screenshot(t testing.TB, ctx context.Context, name string) {
	t.Helper()
	folder := os.Getenv(Folder)
	if folder == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Logf("no picture: %v", err)
		return
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Logf("no picture: %v", err)
		return
	}
	path := filepath.Join(folder, awkward.ReplaceAllString(t.Name()+"-"+name, "_")+".png")
	if err := os.WriteFile(path, picture, 0o644); err != nil {
		t.Logf("no picture: %v", err)
		return
	}
	t.Logf("picture: %s", path)
}
