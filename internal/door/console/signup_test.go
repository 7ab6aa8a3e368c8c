package console_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/account"
	"github.com/gatehouse-dev/gatehouse/internal/door/console"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// openWorld is one in which strangers make accounts.
func openWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, func(c *console.Config) { c.Strangers = true }).populate()
	w.accounts.Opening(account.Doors{Strangers: true, Mailed: true})
	return w
}

func (w *world) asks(email string) answer {
	return w.visitor().post("/sign-up", url.Values{"email": {email}})
}

func founding(name string) url.Values {
	return url.Values{"name": {"Nora New"}, "password": {"a wholly new battery"}, "organization": {name}, "plan": {"team"}, "email": {"somebody.else@acme.example"}}
}

func TestAStrangerMakesAnOrganization(t *testing.T) {
	t.Parallel()
	w := openWorld(t)
	v := w.visitor()
	if got := v.get("/organizations/new"); got.location != "/sign-up" {
		t.Errorf("a stranger who wants an organization is led to %q", got.location)
	}
	if got := v.get("/sign-in"); !strings.Contains(got.body, `href="/sign-up"`) {
		t.Error("the sign-in page does not lead there")
	}
	if got := v.get("/sign-up"); got.status != http.StatusOK {
		t.Errorf("the page: %d", got.status)
	}
	w.asks("nora@new.example")
	older := w.linkIn("sign_up")
	w.asks("Nora@NEW.example")
	link := w.linkIn("sign_up")
	if got := v.get(older); got.status != http.StatusNotFound {
		t.Errorf("the older link: %d", got.status)
	}
	for range 2 { // a look changes nothing
		got := v.get(link)
		if got.status != http.StatusOK || !strings.Contains(got.body, "nora@new.example") || len(got.header.Values("Set-Cookie")) > 0 {
			t.Fatalf("a look: %d", got.status)
		}
	}
	for field, wrong := range map[string]string{"password": "short", "organization": " ", "plan": "free"} {
		in := founding("New Rockets")
		in.Set(field, wrong)
		if got := v.post(link, in); got.status != http.StatusBadRequest || !strings.Contains(got.body, `id="`+field+`-problem"`) || !strings.Contains(got.body, "Nora New") {
			t.Errorf("a wrong %s: %d\n%s", field, got.status, got.body)
		}
	}
	if got := v.post(link, founding("New Rockets")); got.location != "/" {
		t.Fatalf("making it: %d\n%s", got.status, got.body)
	}
	if got := v.get("/settings/plan"); got.status != http.StatusOK || !strings.Contains(got.body, "Team") {
		t.Errorf("the primary owner sees the plan: %d", got.status)
	}
	if got := v.get("/account"); !strings.Contains(got.body, "nora@new.example") || strings.Contains(got.body, "somebody.else") {
		t.Error("the account has another address than the link was sent to")
	}
	if got := v.get("/activity"); !strings.Contains(got.body, "created the organization “New Rockets” on the plan “team”") {
		t.Errorf("the record:\n%s", got.body)
	}
	who, err := w.accounts.Authenticate(context.Background(), secret.New(v.cookies()["gatehouse_session"]), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, verified, err := w.invites.Whose(context.Background(), who); err != nil || !verified {
		t.Errorf("the address is proven: %v, %v", verified, err)
	}
	if got := w.visitor().post(link, founding("Once more")); got.status != http.StatusNotFound {
		t.Errorf("the link once more: %d", got.status)
	}
	if _, got := w.byPassword("nora@new.example"); got.status != http.StatusUnauthorized {
		t.Errorf("another password: %d", got.status)
	}
	if got := w.visitor().post("/sign-in", url.Values{"email": {"nora@new.example"}, "password": {"a wholly new battery"}}); got.location != "/" {
		t.Errorf("signing in again: %d", got.status)
	}
}

func TestSignUpTellsNobodyWhoIsThere(t *testing.T) {
	t.Parallel()
	w := openWorld(t)
	var seen []string
	for _, email := range []string{w.owner.Email, "nobody@new.example"} {
		got := w.asks(email)
		seen = append(seen, fmt.Sprint(got.status, len(got.header), strings.ReplaceAll(got.body, email, "")))
	}
	if seen[0] != seen[1] {
		t.Errorf("the answers differ:\n%s\n%s", seen[0], seen[1])
	}
	letters := w.mail.take()
	if len(letters) != 2 || letters[0].To != w.owner.Email || !strings.HasSuffix(letters[0].Link.Reveal(), "/sign-in") || strings.Contains(letters[0].Text.Reveal(), "sk-gate-mail01") {
		t.Errorf("who has an account gets %+v", letters)
	}
	if !strings.Contains(letters[1].Link.Reveal(), "/sign-up/") {
		t.Error("who has none gets no link")
	}
	for _, email := range []string{"", "x", "a@b@c", "a b@c.example"} {
		if got := w.asks(email); got.status != http.StatusBadRequest || !strings.Contains(got.body, `id="email-problem"`) {
			t.Errorf("%q: %d", email, got.status)
		}
	}
}

func TestSignUpIsBounded(t *testing.T) {
	t.Parallel()
	w := openWorld(t)
	for i := range 4 {
		if got, want := w.asks("one@new.example").status, http.StatusOK; i == 3 && got != http.StatusTooManyRequests || i < 3 && got != want {
			t.Errorf("letter %d to one address: %d", i+1, got)
		}
	}
	refused := 0
	for i := range 12 {
		if got := w.asks(fmt.Sprintf("p%d@new.example", i)); got.status == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused < 4 || len(w.mail.take()) > 10 {
		t.Errorf("%d of 16 letters from one network were refused", refused)
	}
	for _, forged := range []string{secret.Mint(secret.MailToken).Reveal(), secret.Mint(secret.SignInLink).Reveal(), "x", ""} {
		for _, got := range []answer{w.visitor().get("/sign-up/" + forged), w.visitor().post("/sign-up/"+forged, founding("X"))} {
			if forged != "" && got.status != http.StatusNotFound {
				t.Errorf("a guessed link: %d", got.status)
			}
		}
	}
	w.clock.add(time.Hour)
	w.asks("late@new.example")
	link := w.linkIn("sign_up")
	if got := w.visitor().post(strings.Replace(link, "/sign-up/", "/reset/", 1), url.Values{"password": {"a wholly new battery"}}); got.status != http.StatusNotFound {
		t.Errorf("the link at another door: %d", got.status)
	}
	w.clock.add(24 * time.Hour)
	if got := w.visitor().post(link, founding("X")); got.status != http.StatusNotFound {
		t.Errorf("the link after a day: %d", got.status)
	}
}

func TestOneLinkMakesOneOrganization(t *testing.T) {
	t.Parallel()
	w := openWorld(t)
	w.asks("nora@new.example")
	link := w.linkIn("sign_up")
	var made atomic.Int64
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			if got := w.visitor().post(link, founding(fmt.Sprint("Rockets ", i))); got.location == "/" {
				made.Add(1)
			} else if got.status != http.StatusNotFound {
				t.Errorf("try %d: %d\n%s", i, got.status, got.body)
			}
		})
	}
	wg.Wait()
	if all, err := w.db.Orgs().Organizations(context.Background()); err != nil || made.Load() != 1 || len(all) != 2 {
		t.Errorf("%d were let in, and there are %d organizations: %v", made.Load(), len(all), err)
	}
	// Somebody invited the address in the meantime: the link is nothing any more.
	w.asks("late@new.example")
	late := w.linkIn("sign_up")
	w.add("late@new.example", "", "user")
	if got := w.visitor().post(late, founding("X")); got.status != http.StatusNotFound || !strings.Contains(got.body, "has an account already") {
		t.Errorf("for an address that has an account by now: %d\n%s", got.status, got.body)
	}
}

func TestWhereStrangersAreNotLetIn(t *testing.T) {
	t.Parallel()
	for says, doors := range map[string]account.Doors{"nobody makes an account by themselves": {Mailed: true}, "no mail server is set": {Strangers: true}} {
		w := newWorld(t).populate()
		w.accounts.Opening(doors)
		for _, got := range []answer{w.visitor().get("/sign-up"), w.asks("nora@new.example"), w.visitor().get("/sign-up/x"), w.visitor().post("/sign-up/x", founding("X"))} {
			if got.status != http.StatusForbidden || !strings.Contains(got.body, says) {
				t.Errorf("%+v: %d\n%s", doors, got.status, got.body)
			}
		}
		if got := w.visitor().get("/organizations/new"); !strings.HasPrefix(got.location, "/sign-in") {
			t.Errorf("a stranger is led to %q", got.location)
		}
		if n := len(w.mail.take()); n != 0 {
			t.Errorf("%d letters went out", n)
		}
	}
	// Nobody gets in before whom the set-up link is for.
	w := newWorld(t)
	w.accounts.Opening(account.Doors{Strangers: true, Mailed: true})
	if got := w.asks("nora@new.example"); got.status != http.StatusForbidden || !strings.Contains(got.body, "not set up yet") {
		t.Errorf("before the set-up: %d", got.status)
	}
}

func TestWhereOnlyTheOperatorMakesOrganizations(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *console.Config) { c.SelfService = false }).populate()
	w.orgs.Closed = true
	v := w.as(w.owner)
	for _, got := range []answer{v.get("/organizations/new"), v.post("/organizations/new", url.Values{"name": {"X"}, "plan": {"team"}})} {
		if got.status != http.StatusForbidden || !strings.Contains(got.body, "only its operator makes organizations") {
			t.Errorf("%d\n%s", got.status, got.body)
		}
	}
}
