package console_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/browser"
)

func (w *world) memberOf(email string) org.Member {
	w.t.Helper()
	all, err := w.db.Orgs().MemberByEmail(context.Background(), email)
	if err != nil || len(all) == 0 {
		w.t.Fatalf("nobody has the address %s: %v", email, err)
	}
	return all[0]
}

// upload checks a list that comes as a file.
func (v *visitor) upload(table string, fields url.Values) answer {
	v.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, values := range fields {
		for _, value := range values {
			if err := form.WriteField(name, value); err != nil {
				v.t.Fatal(err)
			}
		}
	}
	file, err := form.CreateFormFile("file", "people.csv")
	if err == nil {
		_, err = io.WriteString(file, table)
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil {
		v.t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodPost, v.url+"/invitations/batches", &body)
	if err != nil {
		v.t.Fatal(err)
	}
	req.Header.Set("Content-Type", form.FormDataContentType())
	res, err := v.client.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, res.Header.Get("Location"), string(text)}
}

// forty is a table of forty people, three of which are wrong.
func forty() string {
	var all strings.Builder
	all.WriteString("email,name,role\n")
	for i := range 37 {
		fmt.Fprintf(&all, "p%02d@acme.example,Person %d,developer\n", i, i)
	}
	all.WriteString("not an address,Ada,developer\n")
	all.WriteString("emperor@acme.example,Norton,emperor\n")
	all.WriteString("hostile@,<script>alert(1)</script>,developer\n")
	return all.String()
}

// pending counts the invitations that wait.
func (w *world) pending() int {
	w.t.Helper()
	counts, err := w.db.Invites().CountInvites(context.Background(), w.owner.Organization, w.clock.now())
	if err != nil {
		w.t.Fatal(err)
	}
	return counts["pending"]
}

func (w *world) sendAll() {
	w.t.Helper()
	if err := w.invites.SendAll(context.Background()); err != nil {
		w.t.Fatal(err)
	}
}

func TestFortyPeopleFromAFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	v := w.as(w.owner)
	got := v.upload(forty(), url.Values{"role": {"claude_code_user"}})
	if got.status != http.StatusSeeOther {
		t.Fatalf("checking: %d\n%s", got.status, got.body)
	}
	batch := got.location
	page := v.get(batch).body
	for _, want := range []string{"Invite 37 people", `name="line-39"`, "There is no role &#34;emperor&#34;.", "&lt;script&gt;", "No mail server is set"} {
		if !strings.Contains(page, want) {
			t.Errorf("the draft does not say %q:\n%s", want, page)
		}
	}
	if strings.Contains(page, "<script>alert") {
		t.Error("a name is a script")
	}
	if w.pending() != 0 {
		t.Error("checking sent")
	}
	var mended = url.Values{}
	for _, part := range strings.Split(page, `name="line-`)[1:] {
		number, _, _ := strings.Cut(part, `"`)
		mended.Set("line-"+number, "")
	}
	if len(mended) != 3 {
		t.Fatalf("%d lines can be mended: %v", len(mended), mended)
	}
	mended.Set("line-39", "ada@acme.example,Ada,developer")
	mended.Set("line-40", "")
	mended.Set("line-41", "hostile@acme.example,<script>alert(1)</script>,developer")
	if got := v.post(batch+"/mend", mended); got.status != http.StatusSeeOther {
		t.Fatalf("mending: %d\n%s", got.status, got.body)
	}
	if page = v.get(batch).body; !strings.Contains(page, "Invite 39 people") || strings.Contains(page, "/mend") {
		t.Errorf("mended:\n%s", page)
	}
	for range 2 { // once is enough
		if got := v.post(batch+"/send", nil); got.status != http.StatusSeeOther || got.location != batch {
			t.Fatalf("sending: %d %s", got.status, got.location)
		}
	}
	if page = v.get(batch).body; !strings.Contains(page, "<progress") || !strings.Contains(page, "0 of 39") {
		t.Errorf("under way:\n%s", page)
	}
	w.sendAll()
	v.post(batch+"/send", nil)
	w.sendAll()
	if n := w.pending(); n != 39 {
		t.Errorf("%d invitations wait", n)
	}
	if page = v.get(batch).body; !strings.Contains(page, "39 people invited") || strings.Contains(page, "<progress") || !strings.Contains(page, `href="/outbox"`) {
		t.Errorf("done:\n%s", page)
	}
	if got := v.post(batch+"/mend", mended); got.status != http.StatusConflict {
		t.Errorf("mending what was sent: %d", got.status)
	}
	list := v.get("/invitations").body
	if !strings.Contains(list, "Waiting 39") || !strings.Contains(list, "39 people invited") || strings.Contains(list, "<script>alert") {
		t.Errorf("the list:\n%s", list)
	}
	if body := v.get("/invitations?q=hostile").body; !strings.Contains(body, "&lt;script&gt;alert(1)") || strings.Contains(body, "p01@") {
		t.Errorf("the search:\n%s", body)
	}
}

func TestFailedLinesAreTriedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	admin := w.add("admin@acme.example", "", access.MembershipAdmin)
	v := w.as(admin)
	got := v.post("/invitations/batches", url.Values{"list": {"a@acme.example, b@acme.example, c@acme.example"}, "role": {"user"}})
	if got.status != http.StatusSeeOther {
		t.Fatalf("checking: %d\n%s", got.status, got.body)
	}
	v.post(got.location+"/send", nil)
	ctx, o, owner := context.Background(), w.owner.Organization, w.owner.Caller("web")
	if err := w.orgs.Suspend(ctx, owner, o, admin.ID); err != nil {
		t.Fatal(err)
	}
	w.sendAll()
	v = w.as(w.owner)
	if body := v.get(got.location).body; !strings.Contains(body, "Try the 3 failed again") {
		t.Errorf("failed:\n%s", body)
	}
	for range 2 {
		if again := v.post(got.location+"/retry", nil); again.status != http.StatusSeeOther {
			t.Errorf("again: %d", again.status)
		}
	}
	w.sendAll()
	if body := v.get(got.location).body; !strings.Contains(body, "3 people invited") || strings.Contains(body, "failed again") || w.pending() != 3 {
		t.Errorf("tried again:\n%s", body)
	}
}

func TestListsThatAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	v := w.as(w.owner)
	for name, c := range map[string]struct {
		table, want string
		status      int
	}{
		"large": {"email\n" + strings.Repeat("x", 3<<20), "The list is larger than 2 MiB.", http.StatusRequestEntityTooLarge},
		"long":  {"email\n" + strings.Repeat("a@acme.example\n", 5001), "The list names more than 5000 people.", http.StatusRequestEntityTooLarge},
		"empty": {"", "The list names nobody.", http.StatusBadRequest},
		"sheet": {"PK\x03\x04", "This is not a CSV file in UTF-8.", http.StatusBadRequest},
	} {
		got := v.upload(c.table, url.Values{"role": {"user"}})
		if got.status != c.status || !strings.Contains(got.body, c.want) || !strings.Contains(got.body, `id="list-problem"`) {
			t.Errorf("%s: %d\n%.3000s", name, got.status, got.body)
		}
	}
	if got := v.post("/invitations/batches", url.Values{"list": {"a@acme.example"}, "role": {"primary_owner"}}); got.status != http.StatusBadRequest || !strings.Contains(got.body, "a@acme.example") {
		t.Errorf("a role that nobody gives: %d\n%s", got.status, got.body)
	}
}

func TestInvitationsAreTheOrganizations(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	v := w.as(w.owner)
	batch := v.post("/invitations/batches", url.Values{"list": {"a@acme.example"}, "role": {"user"}}).location
	v.post(batch+"/send", nil)
	w.sendAll()
	invitation := "/invitations/" + between(v.get("/invitations").body, `action="/invitations/`, "/resend") + "/withdraw"
	w.second(t, "Other", "eve@evil.example")
	eve := w.as(w.memberOf("eve@evil.example"))
	for _, got := range []answer{eve.get(batch), eve.post(batch+"/send", nil), eve.post(batch+"/retry", nil), eve.post(batch+"/mend", url.Values{"line-1": {""}}),
		eve.get(invitation), eve.post(invitation, nil), eve.post(strings.Replace(invitation, "withdraw", "resend", 1), nil), eve.post(strings.Replace(invitation, "withdraw", "again", 1), nil)} {
		if got.status != http.StatusNotFound || strings.Contains(got.body, "a@acme") {
			t.Errorf("a foreign id: %d\n%s", got.status, got.body)
		}
	}
	if body := eve.get("/invitations").body; !strings.Contains(body, "Nobody was invited yet") {
		t.Errorf("an empty list:\n%s", body)
	}
	dev := w.as(w.member)
	for _, got := range []answer{dev.get(batch), dev.get("/invitations"), dev.get("/invitations/new"), dev.upload("a@b.example", nil), dev.post(invitation, nil), dev.post(batch+"/send", nil)} {
		if got.status != http.StatusForbidden {
			t.Errorf("a developer: %d", got.status)
		}
	}
	if w.pending() != 1 {
		t.Error("somebody else changed it")
	}
	w.clock.add(2 * time.Minute)
	if got := v.post(strings.Replace(invitation, "withdraw", "resend", 1), nil); got.status != http.StatusSeeOther {
		t.Errorf("sending again: %d", got.status)
	}
	if got := v.post(invitation, nil); got.status != http.StatusSeeOther || w.pending() != 0 {
		t.Errorf("withdrawing: %d", got.status)
	}
	if body := v.get("/invitations?status=withdrawn").body; !strings.Contains(body, "Invite again") {
		t.Errorf("withdrawn:\n%s", body)
	}
	if got := v.post(strings.Replace(invitation, "withdraw", "again", 1), nil); got.status != http.StatusSeeOther || w.pending() != 1 {
		t.Errorf("inviting again: %d", got.status)
	}
}

func between(text, before, after string) string {
	_, text, _ = strings.Cut(text, before)
	text, _, _ = strings.Cut(text, after)
	return text
}

// TestInvitingInABrowser takes a list from the paste to its end, on a phone.
func TestInvitingInABrowser(t *testing.T) {
	for _, scheme := range browser.Schemes() {
		width := map[browser.Scheme]int64{browser.Light: 390, browser.Dark: 1280}[scheme]
		t.Run(string(scheme), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t).populate()
			ctx := w.tab(t, w.owner, scheme)
			look := func(name string) {
				browser.Accessible(t, ctx)
				browser.Screenshot(t, ctx, name)
				if wide := browser.Get(t, ctx, chromedp.Evaluate[int64]("document.documentElement.scrollWidth")); wide > width {
					t.Errorf("%s is %d pixels wide in %d", name, wide, width)
				}
			}
			browser.Do(t, ctx, chromedp.EmulateViewport(width, 844), chromedp.Navigate(w.url+"/invitations"))
			browser.WaitText(t, ctx, "Nobody was invited yet")
			look("invitations-none")
			browser.Do(t, ctx, chromedp.Navigate(w.url+"/invitations/new"))
			look("invite")
			browser.Do(t, ctx, typing("list", "Ada Lovelace <ada@acme.example>; grace@acme.example, not-an-address"), press("main button.primary"))
			browser.WaitText(t, ctx, "Invite 2 people")
			look("invite-list-draft")
			browser.Do(t, ctx, press(`form[action$="/send"] button`))
			browser.WaitText(t, ctx, "0 of 2")
			// Held still, to be looked at.
			browser.Get(t, ctx, chromedp.Evaluate[bool](`(() => { for (let i = 0; i < 1000; i++) clearInterval(i); return true; })()`))
			look("invite-list-sending")
			w.sendAll()
			browser.Get(t, ctx, chromedp.Evaluate[bool](`(() => { setTimeout(() => location.reload(), 50); return true; })()`))
			browser.WaitText(t, ctx, "2 people invited")
			look("invite-list-done")
			browser.Do(t, ctx, chromedp.Navigate(w.url+"/invitations"))
			browser.WaitText(t, ctx, "ada@acme.example")
			look("invitations")
			browser.NoErrors(t, ctx)
		})
	}
}

func TestInviteLinkPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	v := w.as(w.owner)
	if body := v.get("/invitations/links").body; !strings.Contains(body, "no invite links") && !strings.Contains(body, "switched off") {
		t.Errorf("without invite links:\n%s", body)
	}
	ctx, owner := context.Background(), w.owner.Caller("web")
	o, err := w.orgs.Get(ctx, owner, owner.Organization)
	if err == nil && !o.Plan.HasInviteLinks() {
		o, err = w.orgs.SetPlan(ctx, owner, owner.Organization, o.Version, org.Team, 100)
	}
	yes := true
	if err == nil {
		_, err = w.orgs.Update(ctx, owner, owner.Organization, o.Version, org.Change{InviteLinks: &yes})
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := v.post("/invitations/links", url.Values{"domains": {""}, "days": {"7"}, "role": {"user"}}); got.status != http.StatusBadRequest || !strings.Contains(got.body, "needs a domain") {
		t.Errorf("without a domain: %d", got.status)
	}
	if got := v.post("/invitations/links", url.Values{"domains": {"acme.example"}, "days": {"91"}, "role": {"user"}}); got.status != http.StatusBadRequest || !strings.Contains(got.body, `id="days-problem"`) {
		t.Errorf("for too long: %d", got.status)
	}
	if got := v.post("/invitations/links", url.Values{"domains": {"acme.example, acme.test"}, "days": {"7"}, "role": {"user"}}); got.status != http.StatusSeeOther {
		t.Fatalf("making: %d\n%s", got.status, got.body)
	}
	body := v.get("/invitations/links").body
	first, act := between(body, w.url+"/join/", "<"), "/invitations/links/"+between(body, `href="/invitations/links/invlink_`, "/renew")
	if first == "" || !strings.Contains(body, "acme.example, acme.test") {
		t.Fatalf("made:\n%s", body)
	}
	act = "/invitations/links/invlink_" + strings.TrimPrefix(act, "/invitations/links/")
	w.second(t, "Other", "eve@evil.example")
	eve := w.as(w.memberOf("eve@evil.example"))
	for _, got := range []answer{eve.get(act + "/disable"), eve.post(act+"/disable", nil), eve.post(act+"/renew", nil)} {
		if got.status != http.StatusNotFound {
			t.Errorf("a foreign link: %d", got.status)
		}
	}
	if strings.Contains(eve.get("/invitations/links").body, first) {
		t.Error("a foreign link is listed")
	}
	if got := v.get(act + "/renew"); got.status != http.StatusOK || !strings.Contains(got.body, "does not work any more, at once") {
		t.Errorf("asking: %d", got.status)
	}
	v.post(act+"/renew", nil)
	if body := v.get("/invitations/links").body; strings.Contains(body, first) || !strings.Contains(body, w.url+"/join/") {
		t.Errorf("renewed:\n%s", body)
	}
	v.post(act+"/disable", nil)
	if body := v.get("/invitations/links").body; strings.Contains(body, "/join/") || !strings.Contains(body, "Switched off") {
		t.Errorf("switched off:\n%s", body)
	}
}

func TestProposals(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	dev, v := w.as(w.member), w.as(w.owner)
	if body := dev.get("/proposals").body; !strings.Contains(body, "takes no proposals") {
		t.Errorf("switched off:\n%s", body)
	}
	ctx, owner, yes := context.Background(), w.owner.Caller("web"), true
	o, err := w.orgs.Get(ctx, owner, owner.Organization)
	if err == nil {
		_, err = w.orgs.Update(ctx, owner, owner.Organization, o.Version, org.Change{Proposals: &yes})
	}
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(dev.get("/").body, `href="/proposals"`) || strings.Contains(v.get("/").body, `href="/proposals"`) {
		t.Error("the way to the page is shown to the wrong people")
	}
	if got := dev.post("/proposals", url.Values{"email": {"nobody"}, "why": {"she is <b>good</b>"}}); got.status != http.StatusBadRequest || !strings.Contains(got.body, "&lt;b&gt;good") {
		t.Errorf("no address: %d", got.status)
	}
	for _, email := range []string{"ada@acme.example", "bob@acme.example"} {
		if got := dev.post("/proposals", url.Values{"email": {email}, "why": {"she is <b>good</b>"}}); got.status != http.StatusSeeOther {
			t.Fatalf("proposing: %d\n%s", got.status, got.body)
		}
	}
	body := v.get("/invitations").body
	if !strings.Contains(body, "ada@acme.example") || strings.Contains(body, "<b>good") {
		t.Errorf("to decide:\n%s", body)
	}
	first := "/invitations/proposals/" + between(body, `action="/invitations/proposals/`, `"`)
	if got := dev.post(first, url.Values{"decision": {"approve"}, "role": {"user"}}); got.status != http.StatusForbidden || w.pending() != 0 {
		t.Errorf("deciding on one's own: %d", got.status)
	}
	for range 2 { // the second time there is nothing to decide
		v.post(first, url.Values{"decision": {"approve"}, "role": {"user"}})
	}
	second := "/invitations/proposals/" + between(v.get("/invitations").body, `action="/invitations/proposals/`, `"`)
	if got := v.post(second, url.Values{"decision": {"decline"}}); got.status != http.StatusSeeOther || w.pending() != 1 {
		t.Errorf("declining: %d, %d invited", got.status, w.pending())
	}
	if body := dev.get("/proposals").body; strings.Contains(body, "Waiting for an answer") {
		t.Errorf("decided:\n%s", body)
	}
}
