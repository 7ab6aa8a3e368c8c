package console_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// linkIn is the path of the one link in a letter.
func (w *world) linkIn(kind string) string {
	w.t.Helper()
	for _, l := range w.mail.take() {
		if string(l.Kind) == kind && !l.Link.Empty() {
			return strings.TrimPrefix(l.Link.Reveal(), w.url)
		}
	}
	w.t.Fatalf("no letter of the kind %s", kind)
	return ""
}

func TestAForgottenPassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	elsewhere := w.as(w.owner)
	phone, _ := w.enrol(elsewhere)
	ask := func() string {
		t.Helper()
		if got := w.visitor().post("/forgot", url.Values{"email": {w.owner.Email}}); got.status != http.StatusOK {
			t.Fatalf("asking: %d", got.status)
		}
		return w.linkIn("password_reset")
	}
	older := ask()
	link := ask()
	if got := w.visitor().get(older); got.status != http.StatusNotFound {
		t.Errorf("the older link: %d", got.status)
	}
	v, fresh := w.visitor(), "another correct horse"
	for range 3 {
		if got := v.get(link); got.status != http.StatusOK || len(got.header.Values("Set-Cookie")) > 0 {
			t.Fatalf("a look: %d", got.status)
		}
	}
	if got := v.post(link, url.Values{"password": {"short"}}); got.status != http.StatusBadRequest {
		t.Errorf("a short password: %d", got.status)
	}
	if got := v.post(link, url.Values{"password": {fresh}}); got.location != "/sign-in/step" {
		t.Fatalf("the reset: %d to %q", got.status, got.location)
	}
	if got := elsewhere.get("/"); got.location != "/sign-in" {
		t.Errorf("another browser after the reset: %d", got.status)
	}
	if got := v.post("/sign-in/step", url.Values{"code": {phone.code()}}); got.location != "/" {
		t.Errorf("the second step: %d", got.status)
	}
	if got := w.visitor().post(link, url.Values{"password": {"a third correct horse"}}); got.status != http.StatusNotFound {
		t.Errorf("the link once more: %d", got.status)
	}
	late := ask()
	w.clock.add(time.Hour)
	if got := w.visitor().get(late); got.status != http.StatusNotFound {
		t.Errorf("the link after an hour: %d", got.status)
	}
	for _, forged := range []string{"/reset/" + secret.Mint(secret.MailToken).Reveal(), "/reset/" + secret.Mint(secret.SignInLink).Reveal(), "/reset/x"} {
		if got := w.visitor().post(forged, url.Values{"password": {fresh}}); got.status != http.StatusNotFound {
			t.Errorf("a guessed link: %d", got.status)
		}
	}
}

func TestNobodyLearnsWhoHasAnAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	for path, in := range map[string]url.Values{"/forgot": {}, "/sign-in": {"password": {"not the password"}}} {
		var seen []string
		for _, email := range []string{w.owner.Email, w.member.Email, "nobody@acme.example"} {
			in.Set("email", email)
			got := w.visitor().post(path, in)
			seen = append(seen, fmt.Sprint(got.status, len(got.header), strings.ReplaceAll(got.body, email, "")))
		}
		if seen[0] != seen[1] || seen[1] != seen[2] {
			t.Errorf("%s tells who has an account:\n%s\n%s\n%s", path, seen[0], seen[1], seen[2])
		}
	}
	if n := len(w.mail.take()); n != 2 {
		t.Errorf("%d letters went out", n)
	}
}
