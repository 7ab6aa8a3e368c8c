package console_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/totp"
)

var (
	typedSecret = regexp.MustCompile(`<pre><code>([A-Z2-7 ]+)</code></pre>`)
	shownCodes  = regexp.MustCompile(`[a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4}`)
)

// app is somebody's authenticator app.
type app struct {
	w      *world
	secret secret.Text
}

func (a app) code() string {
	a.w.t.Helper()
	code, err := totp.Code(a.secret, totp.Step(a.w.clock.now()))
	if err != nil {
		a.w.t.Fatal(err)
	}
	return code
}

// enrol sets an authenticator app up, and returns the recovery codes too.
func (w *world) enrol(v *visitor) (app, []string) {
	w.t.Helper()
	page := v.get("/account/app")
	found := typedSecret.FindStringSubmatch(page.body)
	if found == nil || !strings.Contains(page.body, `src="data:image/png;base64,`) {
		w.t.Fatalf("no secret or picture: %d\n%s", page.status, page.body)
	}
	a := app{w, secret.New(strings.ReplaceAll(found[1], " ", ""))}
	if got := v.post("/account/app", url.Values{"code": {"000000"}}); got.status != http.StatusBadRequest || !strings.Contains(got.body, found[1]) {
		w.t.Fatalf("a wrong code: %d, or another secret", got.status)
	}
	got := v.post("/account/app", url.Values{"code": {a.code()}})
	codes := shownCodes.FindAllString(got.body, -1)
	if got.status != http.StatusOK || len(codes) != 10 {
		w.t.Fatalf("turning it on: %d, %d codes\n%s", got.status, len(codes), got.body)
	}
	w.clock.add(time.Minute) // the code is used up
	return a, codes
}

// byPassword takes the first step.
func (w *world) byPassword(email string) (*visitor, answer) {
	v := w.visitor()
	return v, v.post("/sign-in", url.Values{"email": {email}, "password": {password}, "next": {"/keys"}})
}

func (v *visitor) cookies() map[string]string {
	at, _ := url.Parse(v.url)
	all := map[string]string{}
	for _, c := range v.client.Jar.Cookies(at) {
		all[c.Name] = c.Value
	}
	return all
}

func TestTheSecondStep(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	phone, codes := w.enrol(w.as(w.owner))

	v, got := w.byPassword(w.owner.Email)
	if got.location != "/sign-in/step?next=%2Fkeys" {
		t.Fatalf("after the password: %d to %q", got.status, got.location)
	}
	half := v.cookies()
	if half["gatehouse_session"] != "" || half["gatehouse_step"] == "" {
		t.Fatalf("the cookies of a half sign-in: %v", half)
	}
	// It is good for nothing else, also as the other cookie.
	for _, path := range []string{"/", "/account", "/account/security", "/organization", "/keys"} {
		for _, headers := range []map[string]string{nil, {"Cookie": "gatehouse_session=" + half["gatehouse_step"]}} {
			u := w.visitor()
			u.client.Jar, u.headers = v.client.Jar, headers
			if got := u.get(path); !strings.HasPrefix(got.location, "/sign-in") {
				t.Errorf("half signed in, %s: %d", path, got.status)
			}
		}
	}
	if got := v.post("/sign-in/step", url.Values{"code": {"123456"}}); got.status != http.StatusBadRequest || strings.Contains(got.body, "123456") {
		t.Errorf("a wrong code: %d", got.status)
	}
	code := phone.code()
	if got := v.post("/sign-in/step", url.Values{"code": {code}, "next": {"/keys"}}); got.location != "/keys" {
		t.Fatalf("the right code: %d\n%s", got.status, got.body)
	}
	whole := v.cookies()
	if whole["gatehouse_session"] == "" || whole["gatehouse_step"] != "" || whole["gatehouse_session"] == half["gatehouse_step"] {
		t.Errorf("the cookies after both steps: %v", whole)
	}
	if got := v.get("/account/history"); !strings.Contains(got.body, "Signed in by password and code") || !strings.Contains(got.body, "This browser") {
		t.Errorf("the history:\n%s", got.body)
	}

	// The same code once more, in a sign-in of its own.
	u, _ := w.byPassword(w.owner.Email)
	if got := u.post("/sign-in/step", url.Values{"code": {code}}); got.status != http.StatusBadRequest {
		t.Errorf("a code that was used: %d", got.status)
	}
	// A recovery code, once.
	if got := u.post("/sign-in/step", url.Values{"code": {strings.ToUpper(codes[0])}}); got.status != http.StatusSeeOther {
		t.Fatalf("a recovery code: %d\n%s", got.status, got.body)
	}
	u, _ = w.byPassword(w.owner.Email)
	if got := u.post("/sign-in/step", url.Values{"code": {codes[0]}}); got.status != http.StatusBadRequest {
		t.Errorf("a recovery code that was used: %d", got.status)
	}
	w.clock.add(6 * time.Minute)
	if got := u.post("/sign-in/step", url.Values{"code": {phone.code()}}); got.status != http.StatusUnauthorized {
		t.Errorf("a half sign-in after its time: %d", got.status)
	}
	// A sign-in link is one factor as well.
	u = w.visitor()
	if got := u.post(w.link(w.owner), nil); got.location != "/sign-in/step" {
		t.Errorf("a link: %d to %q", got.status, got.location)
	}
}

func TestGuessingCodesEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	phone, _ := w.enrol(w.as(w.owner))
	refused := false
	for range 5 { // new halves give no new tries
		v, got := w.byPassword(w.owner.Email)
		if got.status != http.StatusSeeOther {
			break
		}
		for i := range 4 {
			got := v.post("/sign-in/step", url.Values{"code": {fmt.Sprintf("%06d", i)}})
			refused = refused || got.status == http.StatusTooManyRequests
		}
	}
	if !refused {
		t.Fatal("twenty wrong codes were all looked at")
	}
	v, _ := w.byPassword(w.owner.Email)
	if got := v.post("/sign-in/step", url.Values{"code": {phone.code()}}); got.status != http.StatusTooManyRequests {
		t.Errorf("the right code after too many wrong ones: %d", got.status)
	}
}

func TestOneCodeLetsOneIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	phone, codes := w.enrol(w.as(w.owner))
	for what, now := range map[string]func() string{"an app's code": phone.code, "a recovery code": func() string { return codes[3] }} {
		code := now() // an app's is good for as long as the clock stands
		var in atomic.Int64
		var wg sync.WaitGroup
		for range 4 {
			v, _ := w.byPassword(w.owner.Email)
			wg.Go(func() {
				if got := v.post("/sign-in/step", url.Values{"code": {code}}); got.status == http.StatusSeeOther {
					in.Add(1)
				}
			})
		}
		wg.Wait()
		if in.Load() != 1 {
			t.Errorf("%s at once from four browsers let %d in", what, in.Load())
		}
		w.clock.add(time.Hour) // the tries come back
	}
}

func TestAnOrganizationWantsASecondFactor(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	ctx, o := context.Background(), w.owner.Organization
	before, asked := w.as(w.member), w.ask()
	yes := true
	if _, err := w.orgs.Update(ctx, w.owner.Caller(caller.Web), o, 1, org.Change{RequireSecondFactor: &yes}); err != nil {
		t.Fatal(err)
	}
	for _, v := range []*visitor{before, w.as(w.member)} {
		for _, path := range []string{"/", "/keys", "/sessions", "/device?user_code=" + asked.UserCode, "/oauth/authorize?" + codeRequest("http://127.0.0.1:5/callback").Encode()} {
			if got := v.get(path); !strings.HasPrefix(got.location, "/account/security") {
				t.Errorf("%s: %d to %q", path, got.status, got.location)
			}
		}
		for path, in := range map[string]url.Values{"/keys": {"name": {"k"}}, "/device": {"user_code": {asked.UserCode}, "decision": {"approve"}}} {
			if got := v.post(path, in); !strings.HasPrefix(got.location, "/account/security") {
				t.Errorf("POST %s: %d to %q", path, got.status, got.location)
			}
		}
		if got := v.get("/account/security"); got.status != http.StatusOK || !strings.Contains(got.body, "Acme Rockets wants a second factor") {
			t.Errorf("the page that helps: %d", got.status)
		}
		if got := v.get("/organization"); got.status != http.StatusOK {
			t.Errorf("the choice of an organization: %d", got.status)
		}
		if got := v.post("/organization", url.Values{"organization": {string(o)}}); got.location != "/" {
			t.Errorf("choosing it: %d", got.status)
		}
		if got := v.get("/"); got.location != "/account/security" {
			t.Errorf("after choosing it: %d to %q", got.status, got.location)
		}
	}
	w.enrol(before)
	if got := before.get("/keys"); got.status != http.StatusOK {
		t.Errorf("once there is one: %d to %q", got.status, got.location)
	}
	if got := before.post("/account/app/remove", nil); got.status != http.StatusSeeOther {
		t.Fatalf("removing it: %d", got.status)
	}
	if got := before.get("/keys"); got.location != "/account/security?next=%2Fkeys" && got.location != "/account/security" {
		t.Errorf("once it is gone: %d to %q", got.status, got.location)
	}
}

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

// TestSpraying tries one password at many accounts from one address: changing
// the account buys no tries.
func TestSpraying(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	tried, refused := 0, false
	for round := range 12 { // slower than every other limit
		for i := range 10 {
			got := w.visitor().post("/sign-in", url.Values{"email": {fmt.Sprintf("p%d.%d@acme.example", round, i)}, "password": {"Summer2026!"}})
			if refused = got.status == http.StatusTooManyRequests; refused {
				break
			}
			tried++
		}
		if refused {
			break
		}
		w.clock.add(2 * time.Minute)
	}
	if !refused || tried > 60 {
		t.Errorf("%d accounts were tried", tried)
	}
	// Whoever signs in rightly is not held for a sprayer after a while.
	w.clock.add(10 * time.Minute)
	if _, got := w.byPassword(w.owner.Email); got.status != http.StatusSeeOther {
		t.Errorf("the owner, later: %d", got.status)
	}
}

func TestNoFormIsTakenFromAnotherSite(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	v := w.as(w.owner)
	v.headers = map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
	for pattern := range matrix {
		path, post := strings.CutPrefix(pattern, "POST ")
		if !post || !(strings.HasPrefix(path, "/account") || strings.HasPrefix(path, "/sign-in") || strings.HasPrefix(path, "/forgot") || strings.HasPrefix(path, "/reset")) {
			continue
		}
		if got := v.post(strings.NewReplacer("{id}", "x", "{token}", "x").Replace(path), nil); got.status != http.StatusForbidden {
			t.Errorf("%s: %d", pattern, got.status)
		}
	}
}

func TestALinkOpensNoMightierAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	ctx := context.Background()
	admin, second := w.add("admin@acme.example", "", access.Admin), w.add("second@acme.example", "", access.Owner)
	for _, c := range []struct {
		who, of org.Member
		fails   bool
	}{{admin, w.member, false}, {admin, second, true}, {admin, w.owner, true}, {second, admin, false}, {second, w.owner, true}, {w.owner, second, false}} {
		who, _, err := w.db.Orgs().Member(ctx, c.who.Organization, c.who.ID)
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.accounts.MakeSignInLink(ctx, who.Caller(caller.Web), c.of.Organization, c.of.ID, false)
		if fault.Is(err, fault.Denied) != c.fails || (err != nil) != c.fails {
			t.Errorf("%s makes a link for %s: %v", c.who.Role, c.of.Role, err)
		}
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

func TestTheLastWayInStays(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	v := w.as(w.owner)
	w.enrol(v)
	if got := v.post("/account/password/remove", nil); got.status != http.StatusConflict || !strings.Contains(got.body, "last way into your account") {
		t.Errorf("removing the only password: %d", got.status)
	}
	if err := w.accounts.RemoveFactors(context.Background(), w.owner.Caller(caller.Web), w.owner.Account); !fault.Is(err, fault.Denied) {
		t.Errorf("an owner removes second factors as the operator does: %v", err)
	}
	if err := w.accounts.RemoveFactors(context.Background(), caller.OfOperator(""), w.owner.Account); err != nil {
		t.Fatal(err)
	}
	if _, got := w.byPassword(w.owner.Email); got.location != "/keys" {
		t.Errorf("after the operator's help: %q", got.location)
	}
}
