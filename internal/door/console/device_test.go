package console_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/oauth"
	"github.com/gatehouse-dev/gatehouse/internal/session"
)

var laptop = session.Device{ClientID: "claude-code", Name: "maple", System: "linux/amd64", ClientVersion: "2.1.9", Address: "203.0.113.7"}

func (w *world) ask() oauth.Started {
	w.t.Helper()
	started, err := w.devices.Authorize(context.Background(), laptop)
	if err != nil {
		w.t.Fatal(err)
	}
	return started
}

func TestADeviceIsLetInByAPerson(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	started := w.ask()
	page := "/device?user_code=" + started.UserCode
	if got := w.visitor().get(page); got.location != "/sign-in?next="+url.QueryEscape(page) {
		t.Fatalf("signed out: %d to %q", got.status, got.location)
	}
	v := w.as(w.member)
	got := v.get(page)
	for _, want := range []string{started.UserCode, "maple", "linux/amd64", "2.1.9", "203.0.113.7", "dev@acme.example", "Acme Rockets", "just now", `value="approve"`, `value="deny"`} {
		if !strings.Contains(got.body, want) {
			t.Errorf("the page does not show %q", want)
		}
	}
	if _, err := w.devices.Poll(t.Context(), started.DeviceCode); !errors.Is(err, oauth.ErrPending) {
		t.Fatalf("looking decided: %v", err)
	}
	typed := strings.ToLower(strings.ReplaceAll(started.UserCode, "-", " "))
	if got := v.post("/device", url.Values{"user_code": {typed}}); got.status != http.StatusOK || !strings.Contains(got.body, "maple") {
		t.Errorf("typing the code: %d", got.status)
	}
	w.clock.add(10 * time.Second)
	if got := v.post("/device", url.Values{"user_code": {typed}, "decision": {"approve"}}); got.status != http.StatusOK || !strings.Contains(got.body, "go back to your terminal") {
		t.Fatalf("approving: %d\n%s", got.status, got.body)
	}
	tokens, err := w.devices.Poll(t.Context(), started.DeviceCode)
	if err != nil || tokens.Session.Member != w.member.ID {
		t.Errorf("after the approval: %v, member %q", err, tokens.Session.Member)
	}
	if got := v.post("/device", url.Values{"user_code": {typed}, "decision": {"deny"}}); got.status != http.StatusNotFound {
		t.Errorf("deciding twice: %d", got.status)
	}
}

func TestADeviceIsTurnedAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	started := w.ask()
	if got := w.as(w.member).post("/device", url.Values{"user_code": {started.UserCode}, "decision": {"deny"}}); got.status != http.StatusOK || !strings.Contains(got.body, "was denied") {
		t.Fatalf("denying: %d", got.status)
	}
	if _, err := w.devices.Poll(t.Context(), started.DeviceCode); !errors.Is(err, oauth.ErrDenied) {
		t.Errorf("after the denial: %v", err)
	}
}

func TestWrongCodesAreLimited(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	right := w.ask().UserCode
	v := w.as(w.member)
	for i := range 10 {
		if got := v.get("/device?user_code=" + right); got.status != http.StatusOK { // right ones use nothing up
			t.Fatalf("a right code after %d wrong ones: %d", i, got.status)
		}
		wrong := fmt.Sprintf("BBBB-BBB%c", "BCDFGHJKLM"[i])
		if got := v.get("/device?user_code=" + wrong); got.status != http.StatusNotFound || !strings.Contains(got.body, "no device is waiting") && !strings.Contains(got.body, "No device is waiting") {
			t.Fatalf("wrong code %d: %d", i, got.status)
		}
	}
	for _, code := range []string{"BBBB-BBBN", right} {
		got := v.post("/device", url.Values{"user_code": {code}, "decision": {"approve"}})
		if got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") == "" || !strings.Contains(got.body, "Too many wrong codes") {
			t.Errorf("after ten wrong codes %s: %d, retry after %q", code, got.status, got.header.Get("Retry-After"))
		}
	}
	w.clock.add(61 * time.Second)
	if got := v.get("/device?user_code=" + right); got.status != http.StatusOK {
		t.Errorf("a minute later: %d", got.status)
	}
}
