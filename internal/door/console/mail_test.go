package console_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/door/console"
	"github.com/gatehouse-dev/gatehouse/internal/letter"
	"github.com/gatehouse-dev/gatehouse/internal/outbox"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// queue puts a letter into the outbox of the world's organization.
func (w *world) queue(kind letter.Kind, to, name, subject string) letter.Letter {
	w.t.Helper()
	o := w.owner.Organization
	l := letter.Write(kind, to, name, subject, "Acme Rockets", secret.New("https://gate.example.com/x/sk-gate-link01-"+to),
		letter.Parts{Greeting: "Hello,", Button: "Go", Why: "Because."}, w.clock.now()).In(o, "about_"+to).Until(w.clock.now().Add(21 * 24 * time.Hour))
	e := audit.New(caller.OfSystem(o), w.clock.now(), audit.InviteSent, "invite_x", nil)
	if err := w.db.Outbox().Queue(context.Background(), []letter.Letter{l}, e); err != nil {
		w.t.Fatal(err)
	}
	return l
}

func (w *world) invitation(to string) letter.Letter {
	w.t.Helper()
	return w.queue(letter.Invitation, to, "Ada", "Olive invites you")
}

// fail has the mail server refuse everything for good.
func (w *world) fail(reason string) {
	w.t.Helper()
	ctx, at := context.Background(), w.clock.now()
	letters, err := w.db.Outbox().Claim(ctx, at, at.Add(time.Minute), 100)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, l := range letters {
		if err := w.db.Outbox().Settle(ctx, []outbox.Outcome{{ID: l.ID, Attempt: l.Attempts, Status: outbox.Failed, LastError: reason, At: at}}); err != nil {
			w.t.Fatal(err)
		}
	}
}

func TestOutboxPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	v := w.as(w.owner)
	if got := v.get("/outbox"); !strings.Contains(got.body, "No letter was written yet") || !strings.Contains(got.body, "No mail server is set") {
		t.Errorf("the empty outbox:\n%s", got.body)
	}
	if got := v.get("/mail"); !strings.Contains(got.body, "no letter is sent") || !strings.Contains(got.body, "password_file:") {
		t.Errorf("mail that is not set:\n%s", got.body)
	}
	invitation := w.invitation("ada@example.com")
	reset := w.queue("password_reset", "bob@example.com", "Bob", "Choose a new password")
	list := v.get("/outbox").body
	if !strings.Contains(list, "sk-gate-link01-ada@example.com") || !strings.Contains(list, "bob@example.com") {
		t.Errorf("the outbox:\n%s", list)
	}
	for _, path := range []string{"/outbox", "/outbox?q=bob", "/outbox?status=waiting", "/outbox/" + string(reset.ID)} {
		if body := v.get(path).body; strings.Contains(body, "sk-gate-link01-bob") {
			t.Errorf("%s shows a link into somebody's account:\n%s", path, body)
		}
	}
	if one := v.get("/outbox/" + string(invitation.ID)); !strings.Contains(one.body, "sk-gate-link01-ada") || strings.Contains(one.body, "Send again") {
		t.Errorf("an invitation's letter:\n%s", one.body)
	}
	for query, want := range map[string]string{"?q=nobody": "No letter to such an address", "?status=sent": "No letter was sent yet", "?q=%25": "No letter to such", "?q=ADA%40": "ada@example.com",
		"?after=msg_nothing": "Show everything", "?status=nonsense": "ada@example.com"} {
		if got := v.get("/outbox" + query); got.status != http.StatusOK || !strings.Contains(got.body, want) {
			t.Errorf("%s: %d\n%s", query, got.status, got.body)
		}
	}
	if got := v.get("/outbox?q=" + strings.Repeat("a", 300)); got.status != http.StatusBadRequest {
		t.Errorf("a long search: %d", got.status)
	}
	w.fail("550 no such user <b>here</b>")
	if body := v.get("/outbox?status=failed").body; !strings.Contains(body, "no such user &lt;b&gt;here") || !strings.Contains(body, "Send again") {
		t.Errorf("failed letters:\n%s", body)
	}
	got := v.post("/outbox/"+string(invitation.ID)+"/retry", nil)
	if got.status != http.StatusSeeOther || !strings.Contains(v.get(got.location).body, "The letter waits to be sent again") {
		t.Errorf("sending again: %d %s", got.status, got.location)
	}
	if got := v.post("/outbox/"+string(invitation.ID)+"/retry", nil); got.status != http.StatusConflict {
		t.Errorf("sending again twice: %d", got.status)
	}
	if body := v.get("/activity").body; !strings.Contains(body, "had a letter to ada@example.com sent again") {
		t.Error("that is not in the record")
	}
	w.clock.add(22 * 24 * time.Hour)
	if body := w.as(w.owner).get("/outbox/" + string(invitation.ID)).body; strings.Contains(body, "sk-gate-link01") {
		t.Error("an expired invitation still shows its link")
	}
}

func TestOutboxIsTheOrganizations(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	l := w.invitation("ada@example.com")
	w.fail("no")
	w.second(t, "Other", "eve@evil.example")
	members, err := w.db.Orgs().MemberByEmail(context.Background(), "eve@evil.example")
	if err != nil {
		t.Fatal(err)
	}
	eve := w.as(members[0])
	if body := eve.get("/outbox").body; strings.Contains(body, "ada@") {
		t.Error("a foreign letter is listed")
	}
	for _, got := range []answer{eve.get("/outbox/" + string(l.ID)), eve.post("/outbox/"+string(l.ID)+"/retry", nil)} {
		if got.status != http.StatusNotFound || strings.Contains(got.body, "ada@") {
			t.Errorf("a foreign letter: %d", got.status)
		}
	}
	if got := w.as(w.add("m@acme.example", "", access.MembershipAdmin)).get("/outbox"); got.status != http.StatusOK {
		t.Errorf("a membership admin: %d", got.status)
	}
	if got := w.as(w.add("b@acme.example", "", access.Billing)).get("/outbox"); got.status != http.StatusForbidden {
		t.Errorf("billing: %d", got.status)
	}
}

func TestOutboxTurnsPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *console.Config) {
		c.Outbox.(*outbox.Service).Server = "smtp.example.com:587"
	}).populate()
	for i := range 120 {
		w.clock.add(time.Second)
		w.queue("notice", fmt.Sprintf("p%03d@example.com", i), "", "Hello")
	}
	v := w.as(w.owner)
	if body := v.get("/mail").body; !strings.Contains(body, "smtp.example.com:587") || !strings.Contains(body, ">120<") {
		t.Errorf("mail that is set:\n%s", body)
	}
	var seen []string
	path := "/outbox?q=%40example.com"
	for path != "" {
		body := v.get(path).body
		for _, part := range strings.Split(body, `scope="row"`)[1:] {
			_, rest, _ := strings.Cut(part, `">`)
			_, rest, _ = strings.Cut(rest, `">`)
			to, _, _ := strings.Cut(rest, "<")
			seen = append(seen, to)
		}
		path = hrefOf(body, `rel="next"`)
		if len(body) > 60_000 {
			t.Errorf("a page has %d bytes", len(body))
		}
	}
	if len(seen) != 120 || seen[0] != "p119@example.com" || seen[119] != "p000@example.com" {
		t.Errorf("%d letters were seen: %v", len(seen), seen)
	}
	second := hrefOf(v.get("/outbox").body, `rel="next"`)
	back := hrefOf(v.get(second).body, `rel="prev"`)
	if body := v.get(back).body; !strings.Contains(body, "p119@") || hrefOf(body, `rel="prev"`) != "" || hrefOf(body, `rel="next"`) == "" {
		t.Errorf("back on the first page:\n%s", body)
	}
}

// hrefOf is where the link with an attribute leads; empty if there is none.
func hrefOf(body, attribute string) string {
	before, _, ok := strings.Cut(body, attribute)
	if !ok {
		return ""
	}
	before = before[strings.LastIndex(before, `href="`)+len(`href="`):]
	to, _, _ := strings.Cut(before, `"`)
	return strings.ReplaceAll(to, "&amp;", "&")
}
