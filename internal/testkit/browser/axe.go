package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/repository"
)

// violation is a rule of axe that a page breaks, with where.
type violation struct {
	ID    string   `json:"id"`
	Help  string   `json:"help"`
	Where []string `json:"where"`
}

// Accessible fails the test for each rule of axe-core that the page in the tab
// breaks: those of WCAG 2.2 A and AA, and what axe calls best practice. What
// depends on colours is looked at in the other scheme as well.
func Accessible(t testing.TB, ctx context.Context) {
	t.Helper()
	source, err := os.ReadFile(filepath.Join(repository.Root(t), "test", "node", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatalf("axe-core is not installed: scripts/test-deps does that: %v", err)
	}
	const run = `axe.run(document, {resultTypes: ["violations"]%s}).then(r => JSON.stringify(r.violations.map(v =>
		({id: v.id, help: v.help, where: v.nodes.slice(0, 3).map(n => n.html.slice(0, 200) + " — " + (n.failureSummary || "").split("\n").slice(1, 2).join("").trim())}))))`
	_ = Get(t, ctx, chromedp.Evaluate[bool](string(source)+"; true"))
	report(t, ctx, fmt.Sprintf(run, ""))
	now, other := Light, Dark
	if Get(t, ctx, chromedp.Evaluate[bool](`matchMedia("(prefers-color-scheme: dark)").matches`)) {
		now, other = Dark, Light
	}
	// Colours that change in a moment are looked at when they have changed.
	Do(t, ctx, Prefer(other))
	_ = Get(t, ctx, chromedp.Evaluate[bool](`document.getAnimations().forEach(a => a.finish()); true`))
	report(t, ctx, fmt.Sprintf(run, `, runOnly: ["color-contrast", "link-in-text-block"]`))
	Do(t, ctx, Prefer(now))
}

// report fails the test for each violation that a run of axe finds.
func report(t testing.TB, ctx context.Context, run string) {
	t.Helper()
	found := Get(t, ctx, chromedp.Evaluate[string](run, awaited))
	var all []violation
	if err := json.Unmarshal([]byte(found), &all); err != nil {
		t.Fatalf("axe answered %.200q: %v", found, err)
	}
	if len(all) == 0 {
		return
	}
	at := Get(t, ctx, chromedp.Evaluate[string](`location.pathname + " at " + innerWidth + " pixels, " + (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")`))
	for _, v := range all {
		t.Errorf("%s: %s (%s)", at, v.Help, v.ID)
		for _, where := range v.Where {
			t.Logf("    %s", where)
		}
	}
}

func awaited(p *runtime.EvaluateParams) { yes := true; p.AwaitPromise = &yes }
