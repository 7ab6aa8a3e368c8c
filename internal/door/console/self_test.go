package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestAnotherAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	v := w.as(w.member)
	if got := v.post("/account/email", url.Values{"email": {"New.Dev@acme.example"}}); got.location != "/account?done=email-sent" {
		t.Fatalf("asking: %d\n%s", got.status, got.body)
	}
	letters := w.mail.take()
	if len(letters) != 2 || letters[0].To != "new.dev@acme.example" || letters[1].To != w.member.Email || strings.Contains(letters[1].Text.Reveal(), "sk-gate-mail01") {
		t.Fatalf("the letters: %+v", letters)
	}
	link := strings.TrimPrefix(letters[0].Link.Reveal(), w.url)
	if got := v.get("/account"); !strings.Contains(got.body, "new.dev@acme.example") {
		t.Error("the page does not say what waits")
	}
	if got := w.as(w.owner).post(link, nil); got.status != http.StatusNotFound {
		t.Errorf("somebody else opens the link: %d", got.status)
	}
	if got := w.visitor().post(link, nil); !strings.HasPrefix(got.location, "/sign-in") {
		t.Errorf("a stranger opens the link: %d", got.status)
	}
	if got := v.get(link); got.status != http.StatusOK || !strings.Contains(got.body, "Use this address") {
		t.Errorf("looking at it: %d", got.status)
	}
	if got := v.post(link, nil); got.location != "/account?done=email" {
		t.Fatalf("opening it: %d\n%s", got.status, got.body)
	}
	if got := w.mail.take(); len(got) != 1 || got[0].To != w.member.Email {
		t.Errorf("the notice to the old address: %+v", got)
	}
	if got := v.get("/account"); !strings.Contains(got.body, "You sign in with <strong>new.dev@acme.example") {
		t.Error("the address is the old one")
	}
	// An address that is somebody's is found out by whoever reads its mail alone.
	if got := v.post("/account/email", url.Values{"email": {w.owner.Email}}); got.location != "/account?done=email-sent" {
		t.Errorf("asking for a taken address: %d", got.status)
	}
	if got := v.post(w.linkIn("email_change"), nil); got.status != http.StatusConflict {
		t.Errorf("taking it: %d", got.status)
	}
	w.clock.add(20 * time.Minute)
	if got := v.post("/account/email", url.Values{"email": {"third@acme.example"}}); got.location != "/account/confirm?next=%2Faccount" {
		t.Errorf("long after the sign-in: %d to %q", got.status, got.location)
	}
}

func TestAFreshProof(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	v := w.as(w.owner)
	w.clock.add(16 * time.Minute)
	for _, path := range []string{"/account/app", "/account/codes", "/account/app/remove", "/account/password/remove"} {
		if got := v.get(path); got.location != "/account/confirm?next="+url.QueryEscape(path) {
			t.Errorf("%s: %d to %q", path, got.status, got.location)
		}
	}
	for _, path := range []string{"/account/app", "/account/codes", "/account/app/remove", "/account/password/remove"} {
		if got := v.post(path, url.Values{"code": {"123456"}}); !strings.HasPrefix(got.location, "/account/confirm") {
			t.Errorf("POST %s: %d to %q", path, got.status, got.location)
		}
	}
	if got := v.post("/account/confirm", url.Values{"password": {"not the password"}}); got.status != http.StatusBadRequest {
		t.Errorf("a wrong password: %d", got.status)
	}
	before := v.cookies()["gatehouse_session"]
	if got := v.post("/account/confirm", url.Values{"password": {password}, "next": {"/account/app"}}); got.location != "/account/app" {
		t.Fatalf("the password: %d to %q", got.status, got.location)
	}
	if now := v.cookies()["gatehouse_session"]; now == before || now == "" {
		t.Error("the session goes on under the same token")
	}
	old := w.visitor()
	old.headers = map[string]string{"Cookie": "gatehouse_session=" + before}
	if got := old.get("/account"); !strings.HasPrefix(got.location, "/sign-in") {
		t.Errorf("the old token: %d", got.status)
	}
	if got := v.get("/account/app"); got.status != http.StatusOK {
		t.Errorf("after the proof: %d", got.status)
	}
}

func TestNamesAreText(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	v := w.as(w.member)
	const hostile = `<img src=x onerror=alert(1)>`
	if got := v.post("/account/name", url.Values{"name": {hostile}, "email": {"x@evil.example"}, "role": {"owner"}}); got.location != "/account?done=name" {
		t.Fatalf("renaming: %d", got.status)
	}
	if got := v.get("/account"); strings.Contains(got.body, hostile) || !strings.Contains(got.body, w.member.Email) {
		t.Error("the name is markup, or another field was taken too")
	}
	if got := v.post("/account/name", url.Values{"name": {strings.Repeat("x", 300)}}); got.status != http.StatusBadRequest {
		t.Errorf("a long name: %d", got.status)
	}
}
