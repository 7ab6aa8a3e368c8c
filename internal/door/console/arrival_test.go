package console_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/outbox"
)

const (
	firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:%d.0) Gecko/20100101 Firefox/%[1]d.0"
	edge    = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0"
)

// signInWith signs the owner in by password with a browser, and returns the
// letters that this brings.
func (w *world) signInWith(agent string) (alerts int, said string) {
	w.t.Helper()
	v := w.visitor()
	v.headers = map[string]string{"User-Agent": agent}
	if got := v.post("/sign-in", url.Values{"email": {w.owner.Email}, "password": {password}}); got.location != "/" {
		w.t.Fatalf("signing in: %d to %q", got.status, got.location)
	}
	for _, l := range w.mail.take() {
		if l.Kind != "new_browser" || l.To != w.owner.Email || l.Organization != "" {
			w.t.Errorf("a letter %s to %s in %q", l.Kind, l.To, l.Organization)
		}
		alerts, said = alerts+1, said+l.Text.Reveal()
	}
	w.clock.add(2 * time.Minute)
	return alerts, said
}

func TestANewBrowserIsToldOf(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	ctx, o := context.Background(), w.owner.Organization
	if n, _ := w.signInWith(fmt.Sprintf(firefox, 140)); n != 0 {
		t.Errorf("the very first sign-in brings %d letters", n)
	}
	for _, version := range []int{140, 141, 9} {
		if n, _ := w.signInWith(fmt.Sprintf(firefox, version)); n != 0 {
			t.Errorf("the same browser brings %d letters with the version %d", n, version)
		}
	}
	// Whatever an organization decides, it does not decide on this.
	no, none, zero := false, []string{}, 0
	if _, err := w.orgs.Update(ctx, w.owner.Caller(caller.Web), o, 1, org.Change{Domains: &none, KeyDays: &zero, SessionDays: &zero, RequireSecondFactor: &no, Proposals: &no, InviteLinks: &no}); err != nil {
		t.Fatal(err)
	}
	n, said := w.signInWith(edge)
	for _, part := range []string{"Edge on Windows", "127.0.0.1", "14 March 2026, 09:38 UTC", "by password", w.url + "/account/history"} {
		if n != 1 || !strings.Contains(said, part) {
			t.Errorf("%d letters, without %q:\n%s", n, part, said)
		}
	}
	if n, _ := w.signInWith(edge); n != 0 {
		t.Errorf("once it is known, it brings %d letters", n)
	}
	letters := 1
	for i := range 6 {
		n, _ := w.signInWith("other browser " + strings.Repeat("x", i))
		letters += n
	}
	if letters != 3 {
		t.Errorf("%d letters went out within a day", letters)
	}
	v := w.as(w.owner)
	page := v.get("/account/history")
	if got := strings.Count(page.body, "Signed in by password, in a browser or from a network not seen before"); got != 7 {
		t.Errorf("the history knows %d new browsers of 7", got)
	}
	w.clock.add(24 * time.Hour)
	if n, _ := w.signInWith("one more"); n != 1 {
		t.Errorf("on the next day a new browser brings %d letters", n)
	}
	// It waits in the outbox like any other, and no organization sees it there.
	waiting, _, err := w.db.Outbox().Messages(ctx, outbox.Filter{Everywhere: true, Statuses: []outbox.Status{outbox.Waiting}, Limit: 50})
	if err != nil || len(waiting) != 4 || waiting[0].Kind != "new_browser" || waiting[0].Organization != "" {
		t.Errorf("what waits in the outbox: %+v, %v", waiting, err)
	}
	if got := w.as(w.owner).get("/outbox"); got.status != http.StatusOK || strings.Contains(got.body, "new browser") {
		t.Errorf("the organization's outbox shows the letter: %d", got.status)
	}
}

// TestAnUnfinishedSecondStepIsToldOf lets somebody in who knows the password
// alone.
func TestAnUnfinishedSecondStepIsToldOf(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	ctx, system := context.Background(), caller.OfSystem("")
	owner := w.as(w.owner)
	phone, _ := w.enrol(owner)
	tell := func() {
		t.Helper()
		if err := w.accounts.TellUnfinished(ctx, system); err != nil {
			t.Fatal(err)
		}
	}
	const caution = "Somebody got past the first step of a sign-in and no further"
	finished, _ := w.byPassword(w.owner.Email)
	if got := finished.post("/sign-in/step", url.Values{"code": {phone.code()}}); got.status != http.StatusSeeOther {
		t.Fatal(got.status)
	}
	w.byPassword(w.owner.Email)
	tell()
	if got := owner.get("/account/security"); strings.Contains(got.body, caution) {
		t.Error("a sign-in that may still be finished is told of")
	}
	guesser, _ := w.byPassword(w.owner.Email)
	for _, code := range []string{"000000", "000001"} {
		if got := guesser.post("/sign-in/step", url.Values{"code": {code}}); got.status != http.StatusBadRequest {
			t.Fatal(got.status)
		}
	}
	w.clock.add(5 * time.Minute)
	tell()
	tell() // each once
	history := owner.get("/account/history").body
	const sentence = "egan to sign in by password, which was right, and did not take the second step"
	if strings.Count(history, sentence) != 2 || strings.Count(history, sentence+" (wrong tries: 2)") != 1 || !strings.Contains(history, "Did not get in: wrong code") {
		t.Errorf("the history:\n%s", history)
	}
	if got := owner.get("/account/security"); strings.Count(got.body, caution) != 1 || strings.Count(got.body, "<code>127.0.0.1</code>") != 2 {
		t.Errorf("the security page:\n%s", got.body)
	}
	if got := owner.get("/activity?subject=sign-in"); strings.Count(got.body, "olive@acme.example</") == 0 || strings.Count(got.body, sentence) != 2 {
		t.Errorf("the organization's record:\n%s", got.body)
	}
	if got := w.as(w.member).get("/account/security"); strings.Contains(got.body, caution) {
		t.Error("somebody else is told of it")
	}
	// A password change ends what is half done, and it is told of all the same.
	w.byPassword(w.owner.Email)
	if got := owner.post("/account/password", url.Values{"current": {password}, "password": {"another correct horse"}}); got.status != http.StatusSeeOther {
		t.Fatal(got.status)
	}
	tell()
	if got := owner.get("/account/history").body; strings.Count(got, sentence) != 3 {
		t.Error("a sign-in that a new password ended is not told of")
	}
	w.clock.add(15 * 24 * time.Hour)
	later := w.visitor()
	later.post(w.link(w.owner), nil)
	if got := later.post("/sign-in/step", url.Values{"code": {phone.code()}}); got.status != http.StatusSeeOther {
		t.Fatal(got.status)
	}
	if got := later.get("/account/security"); got.status != http.StatusOK || strings.Contains(got.body, caution) {
		t.Errorf("what is two weeks old still alarms: %d", got.status)
	}
}
