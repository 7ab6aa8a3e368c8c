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

	"github.com/gatehouse-dev/gatehouse/internal/caller"
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
