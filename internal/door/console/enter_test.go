package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
)

func TestALinkSignsInOnPostAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	v, path := w.visitor(), w.link(w.member)
	for range 3 { // a preview may look as often as it likes
		got := v.get(path)
		if got.status != http.StatusOK || len(got.header.Values("Set-Cookie")) > 0 {
			t.Fatalf("looking at the link: %d, cookies %q", got.status, got.header.Values("Set-Cookie"))
		}
		if n := strings.Count(got.body, "<form"); n != 1 || !strings.Contains(got.body, "Acme Rockets") || !strings.Contains(got.body, "dev@acme.example") {
			t.Errorf("the page has %d forms, or does not say whose it is:\n%s", n, got.body)
		}
	}
	if got := v.get("/"); got.location != "/sign-in" {
		t.Fatalf("a look signed in: %d %q", got.status, got.location)
	}
	if got := v.post(path, url.Values{"next": {"/sessions"}}); got.status != http.StatusSeeOther || got.location != "/sessions" {
		t.Fatalf("signing in: %d to %q", got.status, got.location)
	}
	if got := v.get("/"); got.status != http.StatusOK {
		t.Errorf("home: %d", got.status)
	}
	if got := w.visitor().post(path, nil); got.status != http.StatusNotFound || !strings.Contains(got.body, "This link does not work") {
		t.Errorf("the second use of a link: %d", got.status)
	}
}

func TestSigningOutEndsTheSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	v := w.as(w.member)
	at, _ := url.Parse(w.url)
	before := v.client.Jar.Cookies(at)
	if got := v.post("/sign-out", nil); got.location != "/sign-in" {
		t.Fatalf("signing out leads to %q", got.location)
	}
	if left := v.client.Jar.Cookies(at); len(left) != 0 {
		t.Errorf("cookies are left: %v", left)
	}
	v.client.Jar.SetCookies(at, before)
	if got := v.get("/"); got.location != "/sign-in" {
		t.Errorf("a kept cookie still opens: %d", got.status)
	}
}

func TestTheFirstOwner(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if got := w.visitor().get("/sign-in"); !strings.Contains(got.body, "no owner yet") {
		t.Errorf("the sign-in page of an empty server:\n%s", got.body)
	}
	token, err := w.accounts.MakeSetupLink(t.Context(), caller.OfOperator(""))
	if err != nil {
		t.Fatal(err)
	}
	v, path := w.visitor(), "/setup/"+token.Reveal()
	in := url.Values{"organization": {"Acme"}, "name": {"Olive"}, "email": {"olive@acme.example"}, "password": {"short"}}
	got := v.post(path, in)
	if got.status != http.StatusBadRequest || !strings.Contains(got.body, "at least 10 characters") || !strings.Contains(got.body, `value="olive@acme.example"`) || strings.Contains(got.body, "short") {
		t.Fatalf("a short password: %d\n%s", got.status, got.body)
	}
	in.Set("password", password)
	if got := v.post(path, in); got.location != "/" {
		t.Fatalf("setting up: %d\n%s", got.status, got.body)
	}
	if got := v.get("/"); got.status != http.StatusOK || !strings.Contains(got.body, "Acme") {
		t.Errorf("home: %d", got.status)
	}
	if got := w.visitor().get(path); got.status != http.StatusNotFound {
		t.Errorf("the link works on: %d", got.status)
	}
	if got := w.visitor().post("/sign-in", url.Values{"email": {"Olive@acme.example"}, "password": {password}, "next": {"/device?user_code=WDJB-MJHT"}}); got.location != "/device?user_code=WDJB-MJHT" {
		t.Errorf("signing in by password: %d to %q", got.status, got.location)
	}
	if got := w.visitor().post("/sign-in", url.Values{"email": {"olive@acme.example"}, "password": {"wrong password"}}); got.status != http.StatusUnauthorized || strings.Contains(got.body, "wrong password") || !strings.Contains(got.body, `value="olive@acme.example"`) {
		t.Errorf("a wrong password: %d\n%s", got.status, got.body)
	}
}

func TestASuspendedMemberIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	v, link := w.as(w.member), w.link(w.member)
	if got := w.as(w.owner).post("/members/"+string(w.member.ID)+"/suspend", nil); got.location != "/members/"+string(w.member.ID)+"?done=suspended" {
		t.Fatalf("suspending: %d to %q", got.status, got.location)
	}
	if got := v.get("/keys"); got.location != "/organization?next=%2Fkeys" {
		t.Errorf("a page: %d to %q", got.status, got.location)
	}
	if got := v.get("/organization"); got.status != http.StatusOK || !strings.Contains(got.body, "You are in no organization") {
		t.Errorf("what is said: %d", got.status)
	}
	if got := w.visitor().get(link); got.status != http.StatusForbidden {
		t.Errorf("a link made before: %d", got.status)
	}
	if got := w.visitor().post(link, nil); got.status != http.StatusForbidden || len(got.header.Values("Set-Cookie")) > 0 {
		t.Errorf("signing in by it: %d", got.status)
	}
}
