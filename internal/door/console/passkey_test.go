package console_test

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/browser"
)

// named serves the world under a name: there are no passkeys for a bare address.
func (w *world) named() *world {
	w.url = strings.Replace(w.url, "127.0.0.1", "localhost", 1)
	w.accounts.At(w.url)
	return w
}

// key is a device that keeps passkeys and knows its holder.
type key struct {
	t   *testing.T
	ctx context.Context
	id  webauthn.AuthenticatorID
}

// call sends the tab a command about its device.
func call[P, R any](t *testing.T, ctx context.Context, command cdp.Command[P, R], params P) R {
	t.Helper()
	return browser.Get(t, ctx, chromedp.Action[R](func(ctx context.Context, _ *chromedp.Target) (R, error) {
		return chromedp.Call(ctx, command, params)
	}))
}

func authenticator(t *testing.T, ctx context.Context) key {
	t.Helper()
	call(t, ctx, webauthn.Enable, webauthn.EnableParams{})
	made := call(t, ctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal, HasResidentKey: true, HasUserVerification: true,
		IsUserVerified: true, AutomaticPresenceSimulation: true}})
	return key{t, ctx, made.AuthenticatorID}
}

func (k key) verifies(does bool) {
	call(k.t, k.ctx, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: k.id, IsUserVerified: does})
}

// countsTo turns the counters of what the device keeps.
func (k key) countsTo(n float64) {
	k.t.Helper()
	all := call(k.t, k.ctx, webauthn.GetCredentials, webauthn.GetCredentialsParams{AuthenticatorID: k.id})
	for _, c := range all.Credentials {
		call(k.t, k.ctx, webauthn.SetCredentialProperties, webauthn.SetCredentialPropertiesParams{AuthenticatorID: k.id, CredentialID: c.CredentialID, SignCount: &n})
	}
}

// inTab signs somebody in by a link.
func (w *world) inTab(t *testing.T, ctx context.Context, m org.Member) {
	t.Helper()
	browser.Do(t, ctx, chromedp.Navigate(w.url+w.link(m)), press(`form[action^="/link/"] button`))
	browser.WaitText(t, ctx, "Welcome")
}

func (w *world) outOfTab(t *testing.T, ctx context.Context) {
	t.Helper()
	browser.Do(t, ctx, chromedp.Navigate(w.url+"/account/sign-out-everywhere"), press(`form[action="/account/sign-out-everywhere"] button`))
	browser.WaitText(t, ctx, "Sign in with a passkey")
}

func TestPasskeysInABrowser(t *testing.T) {
	w := newWorld(t).populate().named()
	ctx := browser.New(t)
	device := authenticator(t, ctx)
	w.inTab(t, ctx, w.owner)

	// Enrol: the first second factor comes with recovery codes.
	browser.Do(t, ctx, chromedp.Navigate(w.url+"/account/security"), press(`a[href="/account/passkeys/new"]`))
	browser.WaitText(t, ctx, "Make a passkey")
	browser.Do(t, ctx, chromedp.SendKeys(chromedp.CSS("#name"), "Work laptop"), press("form.passkey button"))
	browser.WaitText(t, ctx, "Store these now")
	codes := shownCodes.FindAllString(browser.Get(t, ctx, chromedp.Evaluate[string]("document.body.innerText")), -1)
	if len(codes) != 10 {
		t.Fatalf("%d recovery codes", len(codes))
	}
	browser.Do(t, ctx, chromedp.Navigate(w.url+"/account/security"))
	browser.WaitText(t, ctx, "Work laptop")
	// The device refuses a second one for the same account.
	browser.Do(t, ctx, chromedp.Navigate(w.url+"/account/passkeys/new"))
	browser.WaitText(t, ctx, "Make a passkey")
	browser.Do(t, ctx, press("form.passkey button"))
	browser.WaitText(t, ctx, "This device has a passkey for your account already.")

	// Sign in with nothing but the passkey; the browser is asked at once.
	w.outOfTab(t, ctx)
	browser.Do(t, ctx, press(`form[action="/sign-in/passkey"] button`))
	browser.WaitText(t, ctx, "Welcome")
	browser.Do(t, ctx, chromedp.Navigate(w.url+"/account/history"))
	browser.WaitText(t, ctx, "Signed in by passkey")

	// As the second factor after the password.
	w.outOfTab(t, ctx)
	browser.Do(t, ctx, chromedp.SendKeys(chromedp.CSS("#email"), w.owner.Email), chromedp.SendKeys(chromedp.CSS("#password"), password), press(`form[action="/sign-in"] button`))
	browser.WaitText(t, ctx, "One more step")
	browser.Screenshot(t, ctx, "step")
	browser.Do(t, ctx, press("form.passkey button"))
	browser.WaitText(t, ctx, "Welcome")

	// And as a fresh proof.
	w.clock.add(20 * time.Minute)
	browser.Do(t, ctx, chromedp.Navigate(w.url+"/account/codes"))
	browser.WaitText(t, ctx, "Is it still you?")
	browser.Screenshot(t, ctx, "confirm")
	browser.Do(t, ctx, press("form.passkey button"))
	browser.WaitText(t, ctx, "Make new recovery codes?")
	browser.NoErrors(t, ctx)

	// A counter that goes back: somebody has a copy. It is refused and recorded.
	w.outOfTab(t, ctx)
	device.countsTo(1)
	browser.Do(t, ctx, press(`form[action="/sign-in/passkey"] button`))
	browser.WaitText(t, ctx, "This passkey does not open an account here")
	device.countsTo(1000)
	browser.Do(t, ctx, press(`form[action="/sign-in/passkey"] button`))
	browser.WaitText(t, ctx, "Welcome")
	browser.Do(t, ctx, chromedp.Navigate(w.url+"/account/history"))
	browser.WaitText(t, ctx, "counts backwards")
	browser.Screenshot(t, ctx, "history")

	// A device that does not make sure of its holder is one factor, and not enough.
	w.outOfTab(t, ctx)
	device.verifies(false)
	browser.Do(t, ctx, press(`form[action="/sign-in/passkey"] button`))
	browser.WaitText(t, ctx, "Use a passkey")
	browser.Do(t, ctx, press("form.passkey button"))
	browser.WaitText(t, ctx, "That did not work")
	device.verifies(true)
	browser.Do(t, ctx, press("form.passkey button"))
	browser.WaitText(t, ctx, "Welcome")

	// Removed, it opens nothing.
	browser.Do(t, ctx, chromedp.Navigate(w.url+"/account/security"), press(`a[href$="/remove"][href*="passkeys"]`))
	browser.WaitText(t, ctx, "Remove the passkey “Work laptop”?")
	browser.Do(t, ctx, press("button.danger"))
	browser.WaitText(t, ctx, "The passkey was removed.")
	w.outOfTab(t, ctx)
	browser.Do(t, ctx, press(`form[action="/sign-in/passkey"] button`))
	browser.WaitText(t, ctx, "This passkey does not open an account here")
}

func TestPasskeysSayThatTheyNeedAScript(t *testing.T) {
	w := newWorld(t).populate().named()
	ctx := browser.New(t)
	browser.Do(t, ctx, browser.WithoutScripts(), chromedp.Navigate(w.url+"/sign-in"), press(`form[action="/sign-in/passkey"] button`))
	browser.WaitText(t, ctx, "Passkeys need JavaScript")
	if seen := browser.Get(t, ctx, chromedp.Evaluate[int64](`document.querySelector("form.passkey button").offsetHeight`)); seen != 0 {
		t.Error("a button that does nothing is shown")
	}
}

func TestAnAnswerIsBoundToItsBrowserAndUsedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate().named()
	v := w.as(w.owner)
	if got := v.post("/account/passkeys", url.Values{"response": {"{}"}}); got.status != http.StatusUnauthorized {
		t.Errorf("an answer that nobody asked for: %d", got.status)
	}
	for _, response := range []string{"", "{}", "null", "[]", strings.Repeat("x", 40<<10), `{"id":"AA","rawId":"AA","type":"public-key","response":{}}`} {
		_ = v.get("/account/passkeys/new")
		if got := v.post("/account/passkeys", url.Values{"response": {response}}); got.status != http.StatusBadRequest {
			t.Errorf("a wrong answer: %d", got.status)
		}
		u := w.visitor()
		if got := u.post("/sign-in/passkey", nil); got.status != http.StatusOK || u.cookies()["gatehouse_step"] == "" {
			t.Fatalf("asking: %d", got.status)
		}
		if got := u.post("/sign-in/passkey/answer", url.Values{"response": {response}}); got.status != http.StatusUnauthorized {
			t.Errorf("a wrong answer: %d", got.status)
		}
	}
}

func TestAccountPagesInABrowser(t *testing.T) {
	w := newWorld(t).populate().named()
	ctx := browser.New(t)
	authenticator(t, ctx)
	w.inTab(t, ctx, w.owner)
	browser.Do(t, ctx, chromedp.Navigate(w.url+"/account/passkeys/new"))
	browser.WaitText(t, ctx, "Make a passkey")
	browser.Do(t, ctx, chromedp.SendKeys(chromedp.CSS("#name"), "Olive’s phone"), press("form.passkey button"))
	browser.WaitText(t, ctx, "Store these now")
	if err := w.accounts.AskEmail(context.Background(), w.owner.Caller(caller.Web), sessionOf(t, ctx), "olive@elsewhere.example"); err != nil {
		t.Fatal(err)
	}
	for _, l := range looks() {
		browser.Do(t, ctx, browser.Prefer(l.scheme), chromedp.EmulateViewport(l.width, 844))
		for _, page := range []string{"/account", "/account/security", "/account/browsers", "/account/history", "/account/app", "/account/passkeys/new", "/account/codes", "/account/confirm",
			"/account/sign-out-everywhere", "/forgot"} {
			browser.Do(t, ctx, chromedp.Navigate(w.url+page))
			if wide := browser.Get(t, ctx, chromedp.Evaluate[int64]("document.documentElement.scrollWidth")); wide > l.width {
				t.Errorf("%s is %d pixels wide in %d", page, wide, l.width)
			}
			browser.Screenshot(t, ctx, string(l.scheme)+"-"+regexp.MustCompile(`\W+`).ReplaceAllString(page, "-")+"-"+map[int64]string{390: "phone", 1280: "desk"}[l.width])
		}
	}
	browser.NoErrors(t, ctx)
	w.outOfTab(t, ctx)
	browser.Screenshot(t, ctx, "sign-in-phone")
	browser.Do(t, ctx, browser.Prefer(browser.Light), chromedp.EmulateViewport(1280, 844), chromedp.Navigate(w.url+"/sign-in"))
	browser.Screenshot(t, ctx, "sign-in-desk")
}

// sessionOf is the token that a tab is signed in with.
func sessionOf(t *testing.T, ctx context.Context) secret.Text {
	t.Helper()
	for _, c := range call(t, ctx, network.GetCookies, network.GetCookiesParams{}).Cookies {
		if c.Name == "gatehouse_session" {
			return secret.New(c.Value)
		}
	}
	t.Fatal("the tab is not signed in")
	return secret.Text{}
}
