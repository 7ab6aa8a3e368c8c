package console_test

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
)

func TestBrowsersOfOneself(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	v, other, foreign := w.as(w.owner), w.as(w.owner), w.as(w.member)
	end := regexp.MustCompile(`/account/browsers/(brws_\w+)/end`)
	ids := end.FindAllString(v.get("/account/browsers").body, -1)
	if len(ids) != 2 {
		t.Fatalf("%d browsers", len(ids))
	}
	for _, path := range ids {
		if got := foreign.post(path, nil); got.status != http.StatusNotFound {
			t.Errorf("somebody else's browser: %d", got.status)
		}
	}
	ended := 0
	for _, path := range ids {
		if got := v.post(path, nil); got.location == "/account/browsers?done=out" {
			ended++
			break
		} else if got.location == "/sign-in" {
			v = other
			break
		}
	}
	if a, b := v.get("/account").status, other.get("/account").status; ended == 1 && (a != http.StatusOK || b == http.StatusOK) {
		t.Errorf("after ending the other: %d and %d", a, b)
	}
	v = w.as(w.owner)
	started, err := w.sessions.Start(context.Background(), w.owner.Caller(caller.Web), laptop)
	if err != nil {
		t.Fatal(err)
	}
	if got := v.post("/account/sign-out-everywhere", url.Values{"devices": {"yes"}}); got.location != "/sign-in" {
		t.Fatalf("everywhere: %d", got.status)
	}
	if _, err := w.sessions.Refresh(context.Background(), started.Refresh, ""); err == nil {
		t.Error("a device session lives on")
	}
	for _, u := range []*visitor{v, other} {
		if got := u.get("/account"); got.status == http.StatusOK {
			t.Error("a browser is still signed in")
		}
	}
	if got := foreign.get("/account"); got.status != http.StatusOK {
		t.Errorf("somebody else was signed out: %d", got.status)
	}
}
