package console_test

import (
	"context"
	"html"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/account"
	"github.com/gatehouse-dev/gatehouse/internal/apikey"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/door/console"
	"github.com/gatehouse-dev/gatehouse/internal/invite"
	"github.com/gatehouse-dev/gatehouse/internal/letter"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/outbox"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/browser"
)

// posted is the store of invitations, with the letters that are queued in it.
type posted struct {
	invite.Store
	w *world
}

func (p posted) AddInvite(ctx context.Context, out invite.Outgoing, most int) error {
	err := p.Store.AddInvite(ctx, out, most)
	if out.Letter.ID == "" {
		return err
	}
	return p.w.mail.keep(err, []letter.Letter{out.Letter})
}

// invited is a fresh invitation, and the path that its letter leads to.
func (w *world) invited(email, name string, role access.Role) (invite.Invite, string) {
	w.t.Helper()
	w.mail.take()
	i, err := w.invites.Create(context.Background(), w.owner.Caller(caller.Web), w.owner.Organization, invite.New{Email: email, Name: name, Place: invite.Place{Role: role}})
	if err != nil {
		w.t.Fatal(err)
	}
	return i, w.led(email)
}

// led is where the one letter that was sent leads.
func (w *world) led(email string) string {
	w.t.Helper()
	sent := w.mail.take()
	if len(sent) != 1 || sent[0].To != email {
		w.t.Fatalf("%d letters were sent, not one to %s", len(sent), email)
	}
	path, ok := strings.CutPrefix(sent[0].Link.Reveal(), w.url)
	if !ok {
		w.t.Fatal("the letter leads elsewhere")
	}
	return path
}

// shows fails the test unless a page has a status and says all that.
func (got answer) shows(t *testing.T, status int, all ...string) {
	t.Helper()
	if got.status != status {
		t.Errorf("%d, not %d, leading to %q", got.status, status, got.location)
	}
	text := html.UnescapeString(got.body)
	for _, some := range all {
		if !strings.Contains(text, some) {
			t.Errorf("it does not say %q:\n%s", some, text)
		}
	}
}

// founder is the owner of another organization.
func (w *world) founder(name, email string) org.Member {
	w.t.Helper()
	m, err := w.accounts.Found(context.Background(), caller.OfOperator(""), account.First{Organization: name, Email: email})
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

func fresh(name, pass string) url.Values { return url.Values{"name": {name}, "password": {pass}} }

func TestANewPersonJoins(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	_, path := w.invited("ada@acme.example", "Ada", access.Developer)
	v := w.visitor()
	v.get(path).shows(t, http.StatusOK, "Join Acme Rockets", "Olive Owner invites you to join as developer.", `value="ada@acme.example"`, "readonly", `value="Ada"`)
	v.post(path, fresh("Ada L", "short")).shows(t, http.StatusBadRequest, `value="Ada L"`, "Go to the field", `id="password-problem"`)
	// The address is that of the invitation, whatever is sent.
	in := fresh("Ada Lovelace", password)
	in.Set("email", "olive@acme.example")
	in.Set("role", "owner")
	if got := v.post(path, in); got.status != http.StatusSeeOther || got.location != "/start" {
		t.Fatalf("joining: %d to %q\n%s", got.status, got.location, got.body)
	}
	v.get("/start").shows(t, http.StatusOK, "Acme Rockets")
	v.get("/account").shows(t, http.StatusOK, "ada@acme.example", "Ada Lovelace")
	v.get("/members").shows(t, http.StatusForbidden)
	if got := w.visitor().post("/sign-in", url.Values{"email": {"ada@acme.example"}, "password": {password}}); got.status != http.StatusSeeOther {
		t.Errorf("the password does not sign in: %d", got.status)
	}
	// Twice is once.
	v.get(path).shows(t, http.StatusOK, "You accepted this invitation", `href="/"`)
	v.post(path, nil).shows(t, http.StatusOK, "You accepted this invitation")
	other := w.visitor()
	other.get(path).shows(t, http.StatusGone, "This invitation was used already", `href="/sign-in"`)
	other.post(path, fresh("Eve", password)).shows(t, http.StatusGone, "This invitation was used already")
	w.as(w.member).get(path).shows(t, http.StatusGone, "This invitation was used already")
}

func TestWhoUsesNoModelsBeginsAtHome(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	_, path := w.invited("bill@acme.example", "", access.Billing)
	if got := w.visitor().post(path, fresh("", password)); got.location != "/" {
		t.Errorf("%d to %q", got.status, got.location)
	}
}

func TestSomebodyWithAnAccountJoins(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	bo := w.founder("Beta Boats", "bo@beta.example")
	_, path := w.invited("bo@beta.example", "", access.Developer)
	v := w.visitor()
	v.get(path).shows(t, http.StatusOK, "bo@beta.example has an account here already", `href="/sign-in?next=`+url.QueryEscape(path)+`"`)
	if got := v.post(path, fresh("Mallory", password)); strings.Contains(got.header.Get("Set-Cookie"), "gatehouse_session") {
		t.Fatal("the link alone opens an account that is there")
	}
	v.get("/sign-in?next="+url.QueryEscape(path)).shows(t, http.StatusOK, `name="next" value="`+path+`"`)

	wrong := w.as(w.member)
	wrong.get(path).shows(t, http.StatusOK, "for somebody else", "dev@acme.example", "bo@beta.example", `action="/sign-out"`, `name="next" value="`+path+`"`)
	wrong.post(path, fresh("Mallory", password)).shows(t, http.StatusOK, "for somebody else")
	if got := wrong.post("/sign-out", url.Values{"next": {path}}); got.location != path {
		t.Errorf("signing out leads to %q", got.location)
	}
	wrong.get(path).shows(t, http.StatusOK, "Sign in to go on")
	for _, lead := range leads {
		if got := wrong.post("/sign-out", url.Values{"next": {lead}}); got.location != console.Local(lead) {
			t.Errorf("signing out leads to %q", got.location)
		}
	}

	right := w.visitor()
	if got := right.post(w.link(bo), url.Values{"next": {path}}); got.location != path {
		t.Fatalf("signing in leads to %q", got.location)
	}
	right.get(path).shows(t, http.StatusOK, "Join Acme Rockets as developer</button>")
	if got := right.post(path, nil); got.location != "/start" {
		t.Fatalf("joining: %d to %q\n%s", got.status, got.location, got.body)
	}
	right.get("/start").shows(t, http.StatusOK, "Acme Rockets") // the session acts there now
	right.get(path).shows(t, http.StatusOK, "You accepted this invitation")
}

// TestTwoAcceptAtOnce has one invitation pressed in many browsers together.
func TestTwoAcceptAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	_, path := w.invited("ada@acme.example", "", access.Developer)
	var all sync.WaitGroup
	got := make([]answer, 4)
	for i := range got {
		v := w.visitor()
		all.Go(func() { got[i] = v.post(path, fresh("Ada", password)) })
	}
	all.Wait()
	in := 0
	for _, one := range got {
		if one.status == http.StatusSeeOther && one.location == "/start" {
			in++
		} else {
			one.shows(t, http.StatusGone, "This invitation was used already")
		}
	}
	if in != 1 {
		t.Errorf("%d of them joined", in)
	}
}

// TestJoiningWhereASecondFactorIsRequired leads to setting one up first.
func TestJoiningWhereASecondFactorIsRequired(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	ctx, owner, o, yes := t.Context(), w.owner.Caller(caller.Web), w.owner.Organization, true
	_, path := w.invited("ada@acme.example", "", access.Developer)
	found, err := w.orgs.Get(ctx, owner, o)
	if err == nil {
		_, err = w.orgs.Update(ctx, owner, o, found.Version, org.Change{RequireSecondFactor: &yes})
	}
	if err != nil {
		t.Fatal(err)
	}
	v := w.visitor()
	if got := v.post(path, fresh("Ada", password)); got.location != "/start" {
		t.Fatalf("joining: %d\n%s", got.status, got.body)
	}
	if got := v.get("/start"); got.location != "/account/security?next=%2Fstart" {
		t.Errorf("%d to %q", got.status, got.location)
	}
}

func TestInvitationsThatAreOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	ctx, owner, o := t.Context(), w.owner.Caller(caller.Web), w.owner.Organization
	i, withdrawn := w.invited("ada@acme.example", "", access.Developer)
	v := w.visitor()
	v.get(withdrawn).shows(t, http.StatusOK, "Create the account and join")
	if _, err := w.invites.Withdraw(ctx, owner, o, i.ID); err != nil {
		t.Fatal(err)
	}
	v.post(withdrawn, fresh("Ada", password)).shows(t, http.StatusGone, "This invitation was withdrawn")
	v.get(withdrawn).shows(t, http.StatusGone, "This invitation was withdrawn", "Acme Rockets")
	_, late := w.invited("ada@acme.example", "", access.Developer)
	w.clock.add(invite.Life)
	v.get(late).shows(t, http.StatusGone, "This invitation has run out", "Ask Olive Owner to invite you again.")
	v.post(late, fresh("Ada", password)).shows(t, http.StatusGone, "This invitation has run out")
	if got := w.visitor().post("/sign-in", url.Values{"email": {"ada@acme.example"}, "password": {password}}); got.status == http.StatusSeeOther {
		t.Error("an account was made")
	}
}

func TestGuessingInvitationsIsLimited(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	_, good := w.invited("ada@acme.example", "", access.Developer)
	v := w.visitor()
	v.get("/invite/nonsense").shows(t, http.StatusNotFound, "This link does not work")
	for range 50 { // what is there costs nothing
		v.get(good).shows(t, http.StatusOK)
	}
	refused := 0
	for range 40 {
		guess := secret.Mint(secret.InviteToken).Reveal()
		switch got := v.get("/invite/" + guess); got.status {
		case http.StatusNotFound:
			got.shows(t, http.StatusNotFound, "This link does not work")
		case http.StatusTooManyRequests:
			if got.header.Get("Retry-After") == "" {
				t.Error("it does not say how long to wait")
			}
			refused++
		default:
			t.Fatalf("a guess: %d", got.status)
		}
	}
	if refused < 15 {
		t.Errorf("%d of 40 guesses were refused", refused)
	}
	v.get("/join/"+secret.Mint(secret.InviteToken).Reveal()).shows(t, http.StatusTooManyRequests)
	w.clock.add(time.Hour)
	v.get(good).shows(t, http.StatusOK)
}

func TestHostileNamesInInvitations(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	const evil = `"><script>alert(1)</script>`
	_, path := w.invited("ada@acme.example", evil, access.Developer)
	v := w.visitor()
	for _, got := range []answer{v.get(path), v.post(path, fresh(evil, "short"))} {
		if strings.Contains(got.body, "<script>alert") || !strings.Contains(got.body, "&lt;script&gt;") {
			t.Errorf("the name is not escaped:\n%s", got.body)
		}
		if strings.Contains(got.body, `value="short"`) {
			t.Error("the password is sent back")
		}
	}
	if got := v.post(path, fresh(evil, password)); got.location != "/start" {
		t.Fatalf("%d\n%s", got.status, got.body)
	}
	if got := v.get("/account"); strings.Contains(got.body, "<script>alert") {
		t.Error("the name is not escaped in the console")
	}
}

func TestJoiningFromAnotherSite(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	_, path := w.invited("dev2@acme.example", "", access.Developer)
	link := w.inviteLink("acme.example")
	for _, headers := range []map[string]string{{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}} {
		v := w.visitor()
		v.headers = headers
		v.post(path, fresh("Eve", password)).shows(t, http.StatusForbidden, "came from another site")
		v.post(link, url.Values{"email": {"eve@acme.example"}}).shows(t, http.StatusForbidden, "came from another site")
	}
	if sent := w.mail.take(); len(sent) != 0 {
		t.Errorf("%d letters were sent", len(sent))
	}
	w.visitor().get(path).shows(t, http.StatusOK, "Create the account and join")
}

// TestWhoComesBackKeepsNothingOld invites a removed member again.
func TestWhoComesBackKeepsNothingOld(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	ctx, owner, o := t.Context(), w.owner.Caller(caller.Web), w.owner.Organization
	_, value, err := w.keys.Create(ctx, w.member.Caller(caller.Web), o, apikey.New{Name: "old"})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.keys.Resolve(ctx, value); err != nil {
		t.Fatal(err)
	}
	old := w.as(w.member)
	old.post("/account/password", url.Values{"password": {password}})
	if _, err := w.orgs.Remove(ctx, owner, o, w.member.ID); err != nil {
		t.Fatal(err)
	}
	w.clock.add(time.Hour)
	_, path := w.invited("dev@acme.example", "", access.ClaudeCodeUser)
	v := w.visitor()
	if got := v.post("/sign-in", url.Values{"email": {"dev@acme.example"}, "password": {password}, "next": {path}}); got.location != path {
		t.Fatalf("signing in: %d to %q\n%s", got.status, got.location, got.body)
	}
	if got := v.post(path, nil); got.location != "/start" {
		t.Fatalf("joining: %d to %q\n%s", got.status, got.location, got.body)
	}
	v.get("/start").shows(t, http.StatusOK, "Acme Rockets")
	if _, _, err := w.keys.Resolve(ctx, value); err == nil {
		t.Error("an old key opens again")
	}
}

// inviteLink is the path of a fresh invite link.
func (w *world) inviteLink(domains ...string) string {
	w.t.Helper()
	ctx, o, yes := context.Background(), w.owner.Organization, true
	found, err := w.orgs.Get(ctx, w.owner.Caller(caller.Web), o)
	if err != nil {
		w.t.Fatal(err)
	}
	if !found.Plan.HasInviteLinks() {
		if found, err = w.orgs.SetPlan(ctx, caller.OfOperator(o), o, found.Version, org.Team, 0); err != nil {
			w.t.Fatal(err)
		}
	}
	if _, err := w.orgs.Update(ctx, w.owner.Caller(caller.Web), o, found.Version, org.Change{InviteLinks: &yes}); err != nil {
		w.t.Fatal(err)
	}
	l, err := w.invites.MakeLink(ctx, w.owner.Caller(caller.Web), o, invite.NewLink{Role: access.Developer, Domains: domains, Days: 7})
	if err != nil {
		w.t.Fatal(err)
	}
	w.mail.take()
	return "/join/" + l.Token.Reveal()
}

// mailing has a mail server deliver the letters.
func mailing(c *console.Config) {
	c.Outbox.(*outbox.Service).Server = "mail.acme.example:587"
}

// TestJoiningByALinkWithoutMail promises nobody a mail that nothing sends.
func TestJoiningByALinkWithoutMail(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	link := w.inviteLink("acme.example")
	got := w.visitor().post(link, url.Values{"email": {"new@acme.example"}})
	got.shows(t, http.StatusOK, "Ask for your invitation", "This server sends no mail")
	if other := w.visitor().post(link, url.Values{"email": {"dev@acme.example"}}); other.body != got.body {
		t.Error("the answers tell addresses apart")
	}
}

func TestJoiningByALink(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mailing).populate()
	link := w.inviteLink("beta.example", "acme.example")
	v := w.visitor()
	v.get(link).shows(t, http.StatusOK, "Join Acme Rockets", "beta.example or acme.example", "as developer", "Send me the invitation")
	v.post(link, url.Values{"email": {"no address"}}).shows(t, http.StatusBadRequest, `value="no address"`)
	var said []string
	for _, email := range []string{"new@beta.example", "dev@acme.example", "stranger@elsewhere.example"} {
		got := v.post(link, url.Values{"email": {email}})
		got.shows(t, http.StatusOK, "Look at your mail")
		said = append(said, got.body)
	}
	if said[0] != said[1] || said[1] != said[2] {
		t.Error("the answers tell addresses apart")
	}
	path := w.led("new@beta.example")
	v.get(path).shows(t, http.StatusOK, "You asked to join as developer.")
	if got := v.post(path, fresh("Newt", password)); got.location != "/start" {
		t.Fatalf("joining: %d\n%s", got.status, got.body)
	}
	v.get(link).shows(t, http.StatusOK, "You are a member of Acme Rockets already")
	v.post(link, nil).shows(t, http.StatusOK, "You are a member of Acme Rockets already")

	// Newt has proven the address: in another organization one press is enough.
	first := w.owner
	w.owner = w.founder("Beta Boats", "bo@other.example")
	second := w.inviteLink("beta.example", "rockets.example")
	v.get(second).shows(t, http.StatusOK, "Join Beta Boats as developer</button>")
	if got := v.post(second, nil); got.location != "/start" {
		t.Fatalf("joining at once: %d\n%s", got.status, got.body)
	}
	v.get("/start").shows(t, http.StatusOK, "Beta Boats")
	w.as(first).get(second).shows(t, http.StatusOK, "olive@acme.example, which is another address", `name="next" value="`+second+`"`)
	w.as(first).post(second, nil).shows(t, http.StatusOK, "which is another address")

	// Nobody has proven this address yet: a mail does, to whoever is signed in.
	beta := w.owner
	w.owner = first
	rob := w.add("rob@rockets.example", "Rob", access.Developer)
	w.owner = beta
	u := w.as(rob)
	u.get(second).shows(t, http.StatusOK, "Send me the invitation", `value="rob@rockets.example"`)
	w.mail.take()
	u.post(second, nil).shows(t, http.StatusBadRequest)
	u.post(second, url.Values{"email": {"rob@rockets.example"}}).shows(t, http.StatusOK, "Look at your mail")
	path = w.led("rob@rockets.example")
	u.get(path).shows(t, http.StatusOK, "Join Beta Boats as developer</button>")
	if got := u.post(path, nil); got.location != "/start" {
		t.Errorf("joining by mail: %d\n%s", got.status, got.body)
	}
	v.get("/join/nonsense").shows(t, http.StatusNotFound, "This link does not work")
	w.clock.add(8 * 24 * time.Hour)
	v.get(second).shows(t, http.StatusNotFound, "This link does not work")
}

func TestAnInvitedPersonAcceptsInABrowser(t *testing.T) {
	for _, scheme := range browser.Schemes() {
		t.Run(string(scheme), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, mailing).populate()
			link := w.inviteLink("acme.example")
			ctx := browser.New(t)
			browser.Do(t, ctx, browser.Prefer(scheme), chromedp.Navigate(w.url+link))
			browser.WaitText(t, ctx, "Send me the invitation")
			browser.Screenshot(t, ctx, "link")
			browser.Accessible(t, ctx)
			browser.Do(t, ctx, typing("email", "ada@acme.example"), press("main button"))
			browser.WaitText(t, ctx, "Look at your mail")
			browser.Accessible(t, ctx)
			path := w.led("ada@acme.example")
			browser.Do(t, ctx, chromedp.EmulateViewport(390, 844), chromedp.Navigate(w.url+path))
			browser.WaitText(t, ctx, "Create the account and join")
			browser.Screenshot(t, ctx, "phone")
			browser.Do(t, ctx, chromedp.EmulateViewport(1280, 800))
			browser.Screenshot(t, ctx, "new")
			browser.Accessible(t, ctx)
			browser.Do(t, ctx, typing("name", "Ada Lovelace"), typing("password", password), press("main button"))
			browser.WaitText(t, ctx, "Get started")
			browser.Screenshot(t, ctx, "start")
			browser.Accessible(t, ctx)
			browser.Do(t, ctx, chromedp.Navigate(w.url+path))
			browser.WaitText(t, ctx, "You accepted this invitation")
			browser.Screenshot(t, ctx, "accepted")
			browser.Accessible(t, ctx)
			_, other := w.invited("bob@acme.example", "Bob", access.Developer)
			browser.Do(t, ctx, chromedp.Navigate(w.url+other))
			browser.WaitText(t, ctx, "for somebody else")
			browser.Screenshot(t, ctx, "else")
			browser.Accessible(t, ctx)
			browser.Do(t, ctx, press(`main form[action="/sign-out"] button`))
			browser.WaitText(t, ctx, "Create the account and join")
			browser.NoErrors(t, ctx)
		})
	}
}

// TestEndsOfInvitationsInABrowser looks at the pages that lead no further.
func TestEndsOfInvitationsInABrowser(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	owner, o := w.owner.Caller(caller.Web), w.owner.Organization
	ctx := browser.New(t)
	see := func(path, text, name string) {
		t.Helper()
		browser.Do(t, ctx, chromedp.Navigate(w.url+path))
		browser.WaitText(t, ctx, text)
		browser.Screenshot(t, ctx, name)
		browser.Accessible(t, ctx)
	}
	see("/invite/nonsense", "This link does not work", "unknown")
	i, path := w.invited("ada@acme.example", "", access.Developer)
	if _, err := w.invites.Withdraw(t.Context(), owner, o, i.ID); err != nil {
		t.Fatal(err)
	}
	see(path, "This invitation was withdrawn", "withdrawn")
	_, path = w.invited("bob@acme.example", "", access.Developer)
	if got := w.visitor().post(path, fresh("Bob", password)); got.location != "/start" {
		t.Fatalf("joining: %d", got.status)
	}
	see(path, "This invitation was used already", "used")
	bo := w.founder("Beta Boats", "bo@beta.example")
	_, path = w.invited("bo@beta.example", "", access.Developer)
	see(path, "Sign in to go on", "existing")
	browser.Do(t, ctx, chromedp.Navigate(w.url+w.link(bo)+"?next="+url.QueryEscape(path)), press(`form[action^="/link/"] button`))
	browser.WaitText(t, ctx, "Join Acme Rockets as developer")
	browser.Screenshot(t, ctx, "join")
	browser.Accessible(t, ctx)
	w.clock.add(invite.Life)
	see(path, "This invitation has run out", "expired")
}
