package console_test

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/account"
	"github.com/gatehouse-dev/gatehouse/internal/apikey"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/door/console"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/session"
	"github.com/gatehouse-dev/gatehouse/internal/upstream"
)

const evil = `"><script>window.pwned=1</script><img src=x onerror=alert(1)>'{{.}}`

// everyPage is what an owner can look at.
func (w *world) everyPage(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, route := range console.Routes() {
		if path, ok := strings.CutPrefix(route.Pattern, "GET "); ok && route.Credential && path != "/oauth/authorize" && path != "/start/state" {
			all = append(all, w.example(t, "GET "+path))
		}
	}
	return all
}

func TestWhatPeopleTypeIsOnlyText(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := context.Background()
	var err error
	if w.owner, err = w.accounts.Found(ctx, caller.OfOperator(""), account.First{Organization: evil, Email: "olive@acme.example", Name: evil}); err != nil {
		t.Fatal(err)
	}
	w.member = w.add("o'x&amp@acme.example", evil, access.Developer)
	owner, o := w.owner.Caller(caller.Web), w.owner.Organization
	device := session.Device{ClientID: evil, Name: evil, System: evil, ClientVersion: evil, Address: evil}
	if _, err := w.sessions.Start(ctx, owner, device); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.keys.Create(ctx, owner, owner.Organization, apikey.New{Name: evil}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.upstreams.Connect(ctx, owner, o, upstream.New{Name: evil, Provider: upstream.Simulated}); err != nil {
		t.Fatal(err)
	}
	if err := w.orgs.SetModels(ctx, owner, o, []string{evil}); err != nil {
		t.Fatal(err)
	}
	started, err := w.devices.Authorize(ctx, device)
	if err != nil {
		t.Fatal(err)
	}
	v, shown := w.as(w.owner), 0
	request := codeRequest(loopback)
	for _, name := range []string{"device_name", "device_system", "client_version", "state"} {
		request.Set(name, evil)
	}
	pages := append(w.everyPage(t), "/device?user_code="+started.UserCode, "/device?user_code="+url.QueryEscape(evil), "/oauth/authorize?"+request.Encode(),
		"/members?q="+url.QueryEscape(evil), "/organization?next="+url.QueryEscape("/"+evil), "/activity?type="+url.QueryEscape(evil), w.link(w.member), "/members/"+string(w.member.ID))
	for _, page := range pages {
		got := v.get(page)
		if !strings.HasPrefix(got.header.Get("Content-Type"), "text/html") {
			continue // it leads elsewhere, or is a file
		}
		check(t, page, got.body)
		if strings.Contains(got.body, "pwned") {
			shown++
		}
	}
	got := v.post("/keys", url.Values{"name": {strings.Repeat(evil, 3)}, "expires": {evil}, "kind": {evil}})
	check(t, "POST /keys", got.body)
	if shown < 10 {
		t.Errorf("what was typed shows on %d pages: the test looks at the wrong ones", shown)
	}
}

// check reads a page strictly enough to notice anything that does not belong.
func check(t *testing.T, name, page string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	seen, ids, labels, inputs := map[string]int{}, map[string]bool{}, map[string]bool{}, []string{}
	var open []string
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		switch e := token.(type) {
		case xml.StartElement:
			open = append(open, e.Name.Local)
			seen[e.Name.Local]++
			at := attributes(t, name, e)
			if at["id"] != "" && ids[at["id"]] {
				t.Errorf("%s: two things have the id %q", name, at["id"])
			}
			ids[at["id"]] = true
			switch e.Name.Local {
			case "script":
				if !strings.HasPrefix(at["src"], "/assets/") {
					t.Errorf("%s: a script of its own", name)
				}
			case "label":
				labels[at["for"]] = true
			case "input", "select", "textarea":
				if at["type"] != "hidden" && !slices.Contains(open, "label") {
					inputs = append(inputs, at["id"])
				}
			case "img":
				if !ours(at) {
					t.Errorf("%s: an img of %.40q", name, at["src"])
				}
			case "style", "iframe", "object", "embed", "base", "b-", "marquee":
				t.Errorf("%s: a %s", name, e.Name.Local)
			}
		case xml.EndElement:
			open = open[:len(open)-1]
		}
	}
	for _, input := range inputs {
		if !labels[input] {
			t.Errorf("%s: the input %q has no label", name, input)
		}
	}
	if seen["h1"] != 1 || seen["main"] != 1 || seen["title"] < 1 {
		t.Errorf("%s: %d h1, %d main", name, seen["h1"], seen["main"])
	}
	if len(page) > 60<<10 {
		t.Errorf("%s has %d bytes", name, len(page))
	}
}

// ours reports whether an img is the one that pages have: a QR code that they
// carry themselves.
func ours(at map[string]string) bool {
	return at["class"] == "qr" && strings.HasPrefix(at["src"], "data:image/png;base64,") && at["alt"] != ""
}

func attributes(t *testing.T, page string, e xml.StartElement) map[string]string {
	t.Helper()
	at := map[string]string{}
	for _, a := range e.Attr {
		at[a.Name.Local] = a.Value
	}
	for _, a := range e.Attr {
		value := strings.ToLower(a.Value)
		switch {
		case a.Name.Local == "style", strings.HasPrefix(a.Name.Local, "on"):
			t.Errorf("%s: <%s %s=%q>", page, e.Name.Local, a.Name.Local, a.Value)
		case e.Name.Local == "img" && ours(at):
		case (a.Name.Local == "href" || a.Name.Local == "action" || a.Name.Local == "src") && !strings.HasPrefix(value, "/") && !strings.HasPrefix(value, "#"):
			t.Errorf("%s: <%s> leads to %q", page, e.Name.Local, a.Value)
		}
	}
	return at
}

// TestPagesStaySmall fills every list beyond a page, with long names.
func TestPagesStaySmall(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	ctx, owner := context.Background(), w.owner.Caller(caller.Web).From("2001:db8:1234:5678:9abc:def0:1234:5678")
	long := strings.Repeat("a rather long name ", 10)
	for i := range 60 {
		m := w.add(fmt.Sprintf("%s%d@%s.acme.example", strings.Repeat("x", 50), i, strings.Repeat("y", 60)), long, access.Developer)
		device := session.Device{ClientID: "claude-code", Name: long, System: "linux/amd64", ClientVersion: "2.1.9", Address: owner.Address}
		if _, err := w.sessions.Start(ctx, m.Caller(caller.Session), device); err != nil {
			t.Fatal(err)
		}
		if _, _, err := w.keys.Create(ctx, m.Caller(caller.Web), m.Organization, apikey.New{Name: long, ExpiresAt: w.clock.now().Add(time.Hour)}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.upstreams.Connect(ctx, owner, w.owner.Organization, upstream.New{Name: long[:60] + fmt.Sprint(len(m.ID), m.ID), Provider: upstream.Simulated}); err != nil {
			t.Fatal(err)
		}
	}
	v := w.as(w.owner)
	for _, page := range w.everyPage(t) {
		got := v.get(page)
		if !strings.HasPrefix(got.header.Get("Content-Type"), "text/html") {
			continue // it leads elsewhere, or is a file
		}
		check(t, page, got.body)
		if slices.Contains([]string{"/members", "/keys", "/sessions", "/upstreams", "/activity"}, page) {
			rows := strings.Count(got.body, "<tr>") - 1
			_, older, _ := strings.Cut(got.body, `<a class="button" href="`+page+"?")
			older, _, _ = strings.Cut(older, `"`)
			if rows != 50 || older == "" {
				t.Errorf("%s has %d rows, and goes on at %q (%d bytes)", page, rows, older, len(got.body))
				continue
			}
			next := v.get(page + "?" + strings.ReplaceAll(older, "&amp;", "&"))
			if rows := strings.Count(next.body, "<tr>") - 1; rows < 10 || next.body == got.body {
				t.Errorf("%s goes on with %d rows", page, rows)
			}
		}
	}
}

func TestFormsOfOtherSites(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	device := w.ask()
	for name, headers := range map[string]map[string]string{
		"a modern browser": {"Sec-Fetch-Site": "cross-site"},
		"a sister site":    {"Sec-Fetch-Site": "same-site"},
		"an old browser":   {"Origin": "https://evil.example"},
		"no origin":        {"Origin": "null"},
	} {
		v := w.as(w.owner)
		v.headers = headers
		for path, in := range map[string]url.Values{
			"/device":          {"user_code": {device.UserCode}, "decision": {"approve"}},
			"/members":         {"email": {"thief@evil.example"}, "role": {"owner"}},
			"/keys":            {"name": {"k"}, "expires": {"never"}},
			"/sign-in":         {"email": {"a@b.example"}, "password": {"x"}},
			w.link(w.member):   nil,
			"/sign-out":        nil,
			"/oauth/authorize": codeRequest(loopback),
			"/members/" + string(w.member.ID) + "/suspend": nil,
		} {
			if got := v.post(path, in); got.status != http.StatusForbidden || !strings.Contains(got.body, "came from another site and was blocked") || len(got.header.Values("Set-Cookie")) > 0 {
				t.Errorf("%s, POST %s: %d", name, path, got.status)
			}
		}
	}
	if members, _, err := w.orgs.Members(t.Context(), w.owner.Caller(caller.Web), w.owner.Organization, org.MemberFilter{}); err != nil || len(members) != 2 || slices.ContainsFunc(members, func(m org.Member) bool { return m.Status != org.Active }) {
		t.Errorf("something was done: %v %+v", err, members)
	}
	if keys, _, err := w.keys.List(t.Context(), w.owner.Caller(caller.Web), w.owner.Organization, apikey.Filter{}); err != nil || len(keys) != 0 {
		t.Errorf("a key was made: %v %v", err, keys)
	}
	own := w.as(w.member)
	own.headers = map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": w.url}
	if got := own.post("/device", url.Values{"user_code": {device.UserCode}, "decision": {"deny"}}); got.status != http.StatusOK {
		t.Errorf("our own form: %d", got.status)
	}
}

var leads = []string{"https://evil.example/", "//evil.example", `/\evil.example`, `\\evil.example`, "/\t/evil.example", "\n//evil.example", "javascript:alert(1)", "evil.example", "///evil.example",
	"/%0d%0aSet-Cookie:x", "http:evil.example", "/a\r\nLocation: //evil.example", "/" + strings.Repeat("a", 5000), "/%2f%2fevil.example/", "//evil.example\\@", "/sign-out", "", "?x"}

func TestNextStaysHere(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	for _, next := range leads {
		v := w.visitor()
		got := v.post(w.link(w.member), url.Values{"next": {next}})
		to, err := url.Parse(got.location)
		if err != nil || got.status != http.StatusSeeOther || to.Host != "" || to.Scheme != "" || !strings.HasPrefix(got.location, "/") || strings.HasPrefix(got.location, "//") || strings.ContainsAny(got.location, "\\\t\r\n") || to.Path == "/sign-out" {
			t.Errorf("next=%.40q leads to %q", next, got.location)
		}
		if got := v.get("/sign-in?next=" + url.QueryEscape(next)); got.status != http.StatusSeeOther || strings.HasPrefix(got.location, "//") || strings.Contains(got.location, "evil.example") && !strings.HasPrefix(got.location, "/%2f") {
			t.Errorf("signed in already, next=%.40q leads to %q", next, got.location)
		}
	}
}

func FuzzNext(f *testing.F) {
	for _, next := range leads {
		f.Add(next)
	}
	f.Add("/device?user_code=WDJB-MJHT")
	base, _ := url.Parse("https://gate.example/sign-in")
	f.Fuzz(func(t *testing.T, next string) {
		got := console.Local(next)
		to, err := base.Parse(got)
		if err != nil || to.Host != "gate.example" || to.Scheme != "https" || strings.ContainsAny(got, "\r\n\t\\ ") {
			t.Errorf("%q leads to %v (%v)", next, to, err)
		}
	})
}

func TestCookies(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		w := newWorld(t, func(c *console.Config) { c.Secure = secure }).populate()
		got := w.visitor().post(w.link(w.member), nil)
		cookie, err := http.ParseSetCookie(got.header.Get("Set-Cookie"))
		if err != nil {
			t.Fatal(err)
		}
		name := map[bool]string{false: "gatehouse_session", true: "__Host-gatehouse_session"}[secure]
		if cookie.Name != name || cookie.Secure != secure || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" || cookie.Domain != "" || cookie.MaxAge != 12*60*60 {
			t.Errorf("secure %v: %s", secure, strings.Replace(cookie.String(), cookie.Value, "…", 1))
		}
	}
}

func TestOurOwnFaultsAreOurs(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	v, link := w.as(w.member), w.link(w.member)
	if err := w.db.Close(); err != nil {
		t.Fatal(err)
	}
	for _, got := range []answer{v.get("/"), v.get("/keys"), v.post("/keys", nil), v.get("/sign-in"), v.get(link), v.post(link, nil), v.post("/sign-out", nil)} {
		if got.status != http.StatusInternalServerError && got.status != http.StatusServiceUnavailable || !strings.Contains(got.body, got.header.Get("Request-Id")) || got.header.Get("Request-Id") == "" {
			t.Errorf("%d\n%s", got.status, got.body)
		}
		if strings.Contains(strings.ReplaceAll(got.body, got.header.Get("Request-Id"), ""), "sql") || len(got.header.Values("Set-Cookie")) > 0 {
			t.Errorf("it tells too much, or forgets who it is:\n%s", got.body)
		}
		check(t, "failure", got.body)
	}
	if log := w.log.String(); strings.Contains(log, "sk-gate") || !strings.Contains(log, "a page failed") {
		t.Errorf("the log: %s", log)
	}
	if got := v.get("/assets/console.css"); got.status != http.StatusNotFound {
		t.Errorf("an asset without its hash: %d", got.status)
	}
	if got := v.get("/nothing"); got.status != http.StatusNotFound {
		t.Errorf("a wrong path: %d", got.status)
	}
}

func TestOversizedForms(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	if got := w.as(w.member).post("/keys", url.Values{"name": {strings.Repeat("x", 100<<10)}}); got.status != http.StatusRequestEntityTooLarge {
		t.Errorf("%d", got.status)
	}
	v := w.as(w.member)
	v.headers = map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	if got := v.post("/device?decision=approve&user_code="+w.ask().UserCode, nil); got.status != http.StatusNotFound {
		t.Errorf("fields of the address decide: %d", got.status)
	}
}

func TestAssets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	page := w.visitor().get("/sign-in").body
	for _, kind := range []string{".css", ".js", ".svg"} {
		_, rest, _ := strings.Cut(page, `"/assets/console.`)
		if kind == ".svg" {
			_, rest, _ = strings.Cut(page, `"/assets/icon.`)
		} else if kind == ".js" {
			_, rest, _ = strings.Cut(rest, `"/assets/console.`)
		}
		rest, _, _ = strings.Cut(rest, `"`)
		path := "/assets/console." + rest
		if kind == ".svg" {
			path = "/assets/icon." + rest
		}
		got := w.visitor().get(path)
		if got.status != http.StatusOK || !strings.HasSuffix(path, kind) || got.header.Get("Cache-Control") != "public, max-age=31536000, immutable" || len(got.body) == 0 {
			t.Errorf("%s: %d, %q", path, got.status, got.header.Get("Cache-Control"))
		}
	}
}
