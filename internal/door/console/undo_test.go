package console_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// moveTo changes the address of whoever v is, and returns the path of the way
// back that went to the old one.
func (w *world) moveTo(v *visitor, old, email string) string {
	w.t.Helper()
	w.mail.take()
	if got := v.post("/account/email", url.Values{"email": {email}}); got.location != "/account?done=email-sent" {
		w.t.Fatalf("asking for %s: %d", email, got.status)
	}
	if got := v.post(w.linkIn("email_change"), nil); got.location != "/account?done=email" {
		w.t.Fatalf("changing to %s: %d\n%s", email, got.status, got.body)
	}
	letters := w.mail.take()
	if len(letters) != 1 || letters[0].To != old || !letters[0].ExpiresAt.Equal(w.clock.now().Add(7*24*time.Hour)) {
		w.t.Fatalf("the letters to the old address: %+v", letters)
	}
	return strings.TrimPrefix(letters[0].Link.Reveal(), w.url)
}

// TestAnAddressComesBack lets a stranger into an account who does all they can to
// keep it.
func TestAnAddressComesBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	ctx := context.Background()
	mine := w.as(w.owner)
	if _, err := w.sessions.Start(ctx, w.owner.Caller(caller.Web), laptop); err != nil {
		t.Fatal(err)
	}
	stranger, got := w.byPassword(w.owner.Email)
	if got.status != http.StatusSeeOther {
		t.Fatal("the stranger knows the password and does not get in")
	}
	w.enrol(stranger)
	back := w.moveTo(stranger, w.owner.Email, "mallory@evil.example")
	// The way back goes to nobody else, is not taken away by a second change, and
	// the address is not given to somebody else.
	second := w.moveTo(stranger, "mallory@evil.example", "mallory2@evil.example")
	if _, err := w.orgs.Add(ctx, caller.OfOperator(w.owner.Organization), w.owner.Organization, org.NewMember{Email: w.owner.Email, Role: access.User}); !fault.Is(err, fault.Conflict) {
		t.Errorf("somebody else gets the address: %v", err)
	}
	if got := stranger.post("/account/password", url.Values{"current": {password}, "password": {"the stranger's own password"}}); got.status != http.StatusSeeOther {
		t.Fatalf("the stranger's password: %d", got.status)
	}
	if got := stranger.post("/account/email/withdraw", nil); got.status != http.StatusSeeOther {
		t.Fatal(got.status)
	}
	asked := w.moveAsk(stranger, "mallory3@evil.example")

	v := w.visitor()
	for range 3 { // a look changes nothing
		if got := v.get(back); got.status != http.StatusOK || !strings.Contains(got.body, w.owner.Email) || len(got.header.Values("Set-Cookie")) > 0 {
			t.Fatalf("looking at the link: %d\n%s", got.status, got.body)
		}
	}
	got = v.post(back, nil)
	if got.status != http.StatusSeeOther || !strings.HasPrefix(got.location, "/reset/") {
		t.Fatalf("putting it back: %d to %q", got.status, got.location)
	}
	reset := got.location
	for what, u := range map[string]*visitor{"the stranger's": stranger, "the owner's": mine} {
		if got := u.get("/account"); !strings.HasPrefix(got.location, "/sign-in") {
			t.Errorf("%s browser afterwards: %d", what, got.status)
		}
	}
	if n, err := w.sessions.Count(ctx, w.owner.Caller(caller.Web), w.owner.Organization, w.owner.ID); err != nil || n != 0 {
		t.Errorf("%d device sessions live on: %v", n, err)
	}
	for _, email := range []string{w.owner.Email, "mallory@evil.example", "mallory2@evil.example"} {
		if got := w.visitor().post("/sign-in", url.Values{"email": {email}, "password": {"the stranger's own password"}}); got.status != http.StatusUnauthorized {
			t.Errorf("the stranger signs in as %s: %d", email, got.status)
		}
	}
	for what, path := range map[string]string{"the link once more": back, "the way back to the stranger's address": second} {
		if got := w.visitor().post(path, nil); got.status != http.StatusNotFound {
			t.Errorf("%s: %d", what, got.status)
		}
	}
	// The stranger's app is not asked for: it was set up on the day of the change.
	fresh := "yet another correct horse"
	if got := v.post(reset, url.Values{"password": {fresh}}); got.location != "/" {
		t.Fatalf("the new password: %d to %q\n%s", got.status, got.location, got.body)
	}
	if got := v.post(asked, nil); got.status != http.StatusNotFound {
		t.Errorf("the change that the stranger had asked for: %d", got.status)
	}
	page := v.get("/account/history")
	if want := "Put their address back to olive@acme.example; it had been changed to mallory2@evil.example"; !strings.Contains(page.body, want) {
		t.Errorf("the history does not say %q", want)
	}
	if got := v.get("/activity"); !strings.Contains(got.body, "ended every session of olive@acme.example (1)") {
		t.Error("the organization's record does not tell of the sessions")
	}
}

// moveAsk asks for another address and returns the path of the link.
func (w *world) moveAsk(v *visitor, email string) string {
	w.t.Helper()
	w.mail.take()
	if got := v.post("/account/email", url.Values{"email": {email}}); got.location != "/account?done=email-sent" {
		w.t.Fatalf("asking for %s: %d", email, got.status)
	}
	return w.linkIn("email_change")
}

func TestAWayBackEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	back := w.moveTo(w.as(w.member), w.member.Email, "new.dev@acme.example")
	for _, forged := range []string{"/undo/" + secret.Mint(secret.MailToken).Reveal(), "/undo/" + secret.Mint(secret.SignInLink).Reveal(), "/undo/x", strings.Replace(back, "/undo/", "/reset/", 1)} {
		if got := w.visitor().post(forged, url.Values{"password": {"long enough, this"}}); got.status != http.StatusNotFound {
			t.Errorf("%.12s…: %d", forged, got.status)
		}
	}
	w.clock.add(7*24*time.Hour - time.Second)
	if got := w.visitor().get(back); got.status != http.StatusOK {
		t.Errorf("a second before its end: %d", got.status)
	}
	w.clock.add(time.Second)
	if got := w.visitor().post(back, nil); got.status != http.StatusNotFound {
		t.Errorf("after seven days: %d", got.status)
	}
	if p, ok, err := w.db.Accounts().PersonByEmail(context.Background(), "new.dev@acme.example"); !ok || err != nil || p.Account != w.member.Account {
		t.Error("the address was put back for all that")
	}
	// Then it is anybody's.
	if got := w.add(w.member.Email, "", access.User); got.Account == w.member.Account {
		t.Error("the address has its old account")
	}
}
