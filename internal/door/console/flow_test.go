package console_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/oauth"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/browser"
)

func typing(name, text string) chromedp.Action[chromedp.Void] {
	return chromedp.SendKeys(chromedp.CSS(`main [name="`+name+`"]`), text)
}

func press(selector string) chromedp.Action[chromedp.Void] {
	return chromedp.Click(chromedp.CSS(selector))
}

// TestAnOwnerSetsUp goes from the one-time link to a member's sign-in link, with
// the keyboard's and the mouse's means alone.
func TestAnOwnerSetsUp(t *testing.T) {
	for _, scheme := range browser.Schemes() {
		t.Run(string(scheme), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			token, err := w.accounts.MakeSetupLink(t.Context(), caller.OfOperator(""))
			if err != nil {
				t.Fatal(err)
			}
			ctx := browser.New(t)
			browser.Do(t, ctx, browser.Prefer(scheme), chromedp.Navigate(w.url+"/sign-in"))
			browser.Screenshot(t, ctx, "unset")
			browser.Do(t, ctx, chromedp.Navigate(w.url+"/setup/"+token.Reveal()))
			browser.Screenshot(t, ctx, "setup")
			browser.Do(t, ctx, typing("organization", "Acme Rockets"), typing("name", "Olive Owner"), typing("email", "olive@acme.example"), typing("password", password), press("main button"))
			browser.WaitText(t, ctx, "A few things are left to set up")
			browser.Screenshot(t, ctx, "home")
			browser.Do(t, ctx, press(`.steps a[href="/upstreams/new"]`))
			browser.WaitText(t, ctx, "Connect an upstream")
			browser.Screenshot(t, ctx, "upstream")
			browser.Do(t, ctx, press(`main [value="simulated"]`), press("main button"))
			browser.WaitText(t, ctx, "The upstream was connected")
			browser.Screenshot(t, ctx, "upstreams")
			browser.Do(t, ctx, chromedp.Navigate(w.url+"/members"), press(`a[href="/invitations/new"].button`))
			browser.WaitText(t, ctx, "Invite people")
			browser.Do(t, ctx, typing("list", "Dev Eloper <dev@acme.example>"))
			browser.Screenshot(t, ctx, "invite")
			browser.Do(t, ctx, press("main button.primary"))
			browser.WaitText(t, ctx, "Check the list")
			browser.Screenshot(t, ctx, "checked")
			browser.Do(t, ctx, press(`form[action$="/send"] button`))
			browser.WaitText(t, ctx, "Inviting 1 person")
			if err := w.invites.SendAll(t.Context()); err != nil {
				t.Fatal(err)
			}
			browser.WaitText(t, ctx, "1 person invited") // the page looks by itself
			browser.Screenshot(t, ctx, "invited")
			w.owner = w.memberOf("olive@acme.example")
			somebody := w.add("ada@acme.example", "Ada Lovelace", access.Developer)
			browser.Do(t, ctx, chromedp.Navigate(w.url+"/members/"+string(somebody.ID)), press(`form[action$="/link"] button`))
			browser.WaitText(t, ctx, "A sign-in link for Ada Lovelace")
			browser.Screenshot(t, ctx, "once")
			link := browser.Get(t, ctx, chromedp.Text(chromedp.CSS(".once code")))
			if !strings.HasPrefix(link, w.url+"/link/sk-gate-link01-") {
				t.Fatalf("the link is %q", link)
			}
			if got := w.visitor().post(strings.TrimPrefix(link, w.url), nil); got.status != http.StatusSeeOther {
				t.Errorf("the link does not sign in: %d", got.status)
			}
			browser.Do(t, ctx, press(`.side > .wide .theme [value="dark"]`))
			browser.WaitFor(t, ctx, `document.documentElement.dataset.theme === "dark"`)
			browser.NoErrors(t, ctx)
		})
	}
}

// TestADeviceWithoutScripts signs in by password and lets a device in, in a
// browser that runs no script.
func TestADeviceWithoutScripts(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	if got := w.as(w.member).post("/account/password", map[string][]string{"password": {password}}); got.location != "/account/security?done=password" {
		t.Fatalf("giving oneself a password: %d\n%s", got.status, got.body)
	}
	started := w.ask()
	ctx := browser.New(t)
	browser.Do(t, ctx, browser.WithoutScripts(), chromedp.EmulateViewport(390, 844), chromedp.Navigate(w.url+"/device?user_code="+started.UserCode))
	browser.WaitText(t, ctx, "E-mail address")
	browser.Screenshot(t, ctx, "sign-in")
	browser.Do(t, ctx, typing("email", "dev@acme.example"), typing("password", "not the password"), press("main button"))
	browser.WaitText(t, ctx, "do not go together")
	browser.Screenshot(t, ctx, "wrong")
	browser.Do(t, ctx, typing("password", password), press("main button"))
	browser.WaitText(t, ctx, started.UserCode)
	browser.Screenshot(t, ctx, "confirm")
	if _, err := w.devices.Poll(t.Context(), started.DeviceCode); !errors.Is(err, oauth.ErrPending) {
		t.Fatalf("looking decided: %v", err)
	}
	browser.Do(t, ctx, press(`[value="approve"]`))
	browser.WaitText(t, ctx, "go back to your terminal")
	browser.Screenshot(t, ctx, "connected")
	if _, err := w.devices.Poll(t.Context(), started.DeviceCode); err != nil {
		t.Errorf("after the approval: %v", err)
	}
	for _, text := range browser.Errors(ctx) {
		if !strings.Contains(text, "401") { // the wrong password
			t.Errorf("the console says: %s", text)
		}
	}
}

// TestTheCodeReachesTheCommand proves that the page's policy lets the browser
// follow to the loopback listener, and that the listener gets a good code.
func TestTheCodeReachesTheCommand(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	codes := make(chan string, 1)
	command := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/callback" {
			codes <- r.URL.Query().Get("code")
			_, _ = rw.Write([]byte("Almost done"))
		}
	}))
	t.Cleanup(command.Close)
	ctx := w.tab(t, w.member, browser.Dark)
	redirect := command.URL + "/callback"
	browser.Do(t, ctx, chromedp.Navigate(w.url+"/oauth/authorize?"+codeRequest(redirect).Encode()), press(`[value="approve"]`))
	browser.WaitText(t, ctx, "Almost done")
	if _, err := w.devices.Redeem(context.Background(), oauth.Exchange{Code: secret.New(<-codes), Verifier: secret.New(verifier), RedirectURI: redirect, ClientID: "gatehouse"}); err != nil {
		t.Errorf("the code is not good: %v", err)
	}
	browser.NoErrors(t, ctx)
}

// TestAKeyIsMadeAndCutOff is a developer's way, and the copy button's.
func TestAKeyIsMadeAndCutOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	ctx := w.tab(t, w.member, browser.Light)
	browser.Screenshot(t, ctx, "home")
	browser.Do(t, ctx, chromedp.Navigate(w.url+"/keys"))
	browser.WaitText(t, ctx, "No keys yet")
	browser.Screenshot(t, ctx, "empty")
	browser.Do(t, ctx, chromedp.Navigate(w.url+"/keys/new"), typing("name", "nightly"), press("main button"))
	browser.WaitText(t, ctx, "It is shown this once")
	browser.Screenshot(t, ctx, "once")
	value := browser.Get(t, ctx, chromedp.Text(chromedp.CSS(".once code")))
	if !secret.Is(secret.APIKey, value) || !w.keys.Accepts(value) {
		t.Fatalf("the value is %q", value)
	}
	browser.Do(t, ctx, press("main .primary"))
	browser.WaitText(t, ctx, "nightly")
	browser.Do(t, ctx, press(`a[href$="/archive"]`))
	browser.WaitText(t, ctx, "for good")
	browser.Screenshot(t, ctx, "archive")
	browser.Do(t, ctx, press("main .danger"))
	browser.WaitText(t, ctx, "The key was archived")
	if _, _, err := w.keys.Resolve(t.Context(), secret.New(value)); err == nil {
		t.Error("the key still opens")
	}
	browser.NoErrors(t, ctx)
}

// TestOneOfSeveralOrganizations is chosen, and the page wanted is reached.
func TestOneOfSeveralOrganizations(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	first := w.owner.Organization
	other := w.second(t, "Beta Boats", "dev@acme.example")
	if other == first {
		t.Fatal("one organization is as good as two here")
	}
	v := w.as(w.member)
	if got := v.get("/sessions"); got.status != http.StatusOK || !strings.Contains(got.body, "Acme Rockets") {
		t.Fatalf("a link is for one organization: %d", got.status)
	}
	if got := v.post("/organization", map[string][]string{"organization": {string(other)}, "next": {"/members"}}); got.location != "/members" {
		t.Fatalf("choosing: %d to %q", got.status, got.location)
	}
	if got := v.get("/members"); got.status != http.StatusOK || !strings.Contains(got.body, "Beta Boats") || strings.Contains(got.body, "olive@acme.example") {
		t.Errorf("the other organization: %d", got.status)
	}
	if got := v.post("/organization", map[string][]string{"organization": {"11111111-1111-4111-8111-111111111111"}}); got.status != http.StatusNotFound {
		t.Errorf("a foreign organization: %d", got.status)
	}
	v.post("/account/password", map[string][]string{"password": {password}})
	fresh := w.visitor()
	fresh.post("/sign-in", map[string][]string{"email": {"dev@acme.example"}, "password": {password}})
	got := fresh.get("/sessions")
	if got.location != "/organization?next=%2Fsessions" {
		t.Fatalf("with two to choose from: %d to %q", got.status, got.location)
	}
	ctx := browser.New(t)
	browser.Do(t, ctx, chromedp.Navigate(w.url+"/sign-in?next=/sessions"), typing("email", "dev@acme.example"), typing("password", password), press("main button"))
	browser.WaitText(t, ctx, "Choose an organization")
	browser.Screenshot(t, ctx, "choose")
	browser.Do(t, ctx, press(`button[value="`+string(first)+`"]`))
	browser.WaitText(t, ctx, "No device is signed in")
	browser.NoErrors(t, ctx)
}
