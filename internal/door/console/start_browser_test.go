package console_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/checkup"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/session"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/browser"
	"github.com/gatehouse-dev/gatehouse/internal/usage"
)

// TestStartTurnsGreen has a member look at their page while their machine gets
// on: the page is never touched.
func TestStartTurnsGreen(t *testing.T) {
	t.Parallel() // the page asks every few seconds
	w := newWorld(t).populate()
	bg := context.Background()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for i, scheme := range browser.Schemes() {
		m := w.add(fmt.Sprintf("new%d@acme.example", i), "Nora New", access.Developer)
		ctx := w.tab(t, m, scheme)
		browser.Do(t, ctx, chromedp.Navigate(w.url+"/start?system=linux"))
		shot := func(name string) {
			browser.Screenshot(t, ctx, "start-"+string(scheme)+"-"+name)
			browser.Do(t, ctx, chromedp.EmulateViewport(390, 844))
			browser.Screenshot(t, ctx, "start-"+string(scheme)+"-"+name+"-phone")
			browser.Do(t, ctx, chromedp.EmulateViewport(1280, 900))
		}
		shot("1")
		report := checkup.Report{Program: "0.1.0", System: "linux", Arch: "amd64", Release: "Ubuntu 24.04.1 LTS", Checks: []checkup.Check{
			{Name: checkup.Server, State: checkup.OK}, {Name: checkup.Clock, State: checkup.Fail, Code: checkup.Wrong},
			{Name: checkup.Credentials, State: checkup.Warn, Code: checkup.Outranked, Items: []string{"ANTHROPIC_API_KEY"}}}}
		code, err := w.onboarding.Code(bg, m.Caller(caller.Web))
		must(err)
		send := func() {
			w.clock.add(time.Minute)
			_, err := w.onboarding.ReportByCode(bg, code.Text, "192.0.2.1", report)
			must(err)
		}
		send()
		browser.WaitText(t, ctx, "The clock is wrong")
		shot("2")
		report.Checks = report.Checks[:1]
		send()
		browser.WaitFor(t, ctx, `document.querySelectorAll(".start-step.done").length === 2`)
		shot("3")
		report.Claude = "2.1.197"
		send()
		browser.WaitFor(t, ctx, `document.querySelectorAll(".start-step.done").length === 3`)
		_, err = w.sessions.Start(bg, m.Caller(caller.Session), session.Device{ClientID: "gatehouse", Name: "maple"})
		must(err)
		browser.WaitFor(t, ctx, `document.querySelectorAll(".start-step.done").length === 4 && document.getElementById("start-said").textContent.includes("signed in")`)
		must(w.db.Ledger().Append(bg, []usage.Entry{{Kind: usage.Settled, Request: id.NewRequest(), At: w.clock.now(), Organization: m.Organization, Member: m.ID, Model: "m", Status: 200, Ending: usage.Complete, PriceVersion: "t"}}))
		browser.WaitFor(t, ctx, `document.querySelectorAll(".start-step.done").length === 5 && document.querySelector("[data-poll]") === null`)
		shot("5")
		browser.NoErrors(t, ctx)
	}
}

// TestSetupsInABrowser shows an admin a funnel with everything in it.
func TestSetupsInABrowser(t *testing.T) {
	w := lived(t)
	bg, owner := context.Background(), w.owner.Caller(caller.Web)
	for i, name := range []string{"Grace Hopper", "Edsger Dijkstra", "Barbara Liskov", "Niklaus Wirth"} {
		m := w.add(fmt.Sprintf("p%d@acme.example", i), name, access.Developer)
		w.clock.add(5 * time.Hour)
		if i == 0 {
			continue
		}
		checks := []checkup.Check{{Name: checkup.Server, State: checkup.OK}}
		if i == 1 {
			checks = []checkup.Check{{Name: checkup.Server, State: checkup.Fail, Code: checkup.Untrusted}, {Name: checkup.Credentials, State: checkup.Warn, Code: checkup.Outranked, Items: []string{"ANTHROPIC_AUTH_TOKEN"}}}
		}
		if _, err := w.onboarding.Report(bg, m.Caller(caller.Session), checkup.Report{Program: "0.1.0", System: []string{"", "darwin", "windows", "linux"}[i], Arch: "arm64", Checks: checks}); err != nil {
			t.Fatal(err)
		}
		if i == 1 {
			if err := w.onboarding.Nudge(bg, owner, w.owner.Organization, m.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, scheme := range browser.Schemes() {
		ctx := w.tab(t, w.owner, scheme)
		for _, width := range []int64{1280, 390} {
			browser.Do(t, ctx, chromedp.EmulateViewport(width, 900), chromedp.Navigate(w.url+"/people/setup"))
			browser.WaitText(t, ctx, "The server's certificate is not trusted there")
			if wide := browser.Get(t, ctx, chromedp.Evaluate[int64]("document.documentElement.scrollWidth")); wide > width {
				t.Errorf("%d pixels wide in %d", wide, width)
			}
			browser.Screenshot(t, ctx, fmt.Sprintf("setups-%s-%d", scheme, width))
		}
		browser.Do(t, ctx, chromedp.Navigate(w.url+"/people/setup/nudge?step=install"))
		browser.Screenshot(t, ctx, "nudge-"+string(scheme))
		browser.NoErrors(t, ctx)
	}
}
