package console_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/apikey"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/cloudaccess"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/price"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/serviceaccount"
	"github.com/gatehouse-dev/gatehouse/internal/session"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/browser"
	"github.com/gatehouse-dev/gatehouse/internal/upstream"
	"github.com/gatehouse-dev/gatehouse/internal/usage"
	"github.com/gatehouse-dev/gatehouse/internal/workspace"
)

// lived makes an organization that has been in use for a while.
func lived(t *testing.T) *world {
	t.Helper()
	w := newWorld(t).populate()
	ctx, o := context.Background(), w.owner.Organization
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	owner, dev := w.owner.Caller(caller.Web).From("192.0.2.10"), w.member.Caller(caller.Web).From("203.0.113.7")
	ada := w.add("ada.lovelace@engineering.acme.example", "Ada Lovelace", access.ClaudeCodeUser)
	gone := w.add("gus@acme.example", "Gus Gone", access.User)
	must(w.orgs.Suspend(ctx, owner, o, gone.ID))
	_, err := w.upstreams.Connect(ctx, owner, o, upstream.New{Name: "Anthropic, production", Provider: upstream.Anthropic, Credential: secret.New("not-a-real-key")})
	must(err)
	_, err = w.clouds.Set(ctx, owner, o, cloudaccess.Access{Cloud: cloudaccess.AWS, Settings: cloudaccess.Settings{RoleARN: "arn:aws:iam::123456789012:role/gatehouse", Region: "eu-central-1"}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.upstreams.Connect(ctx, owner, o, upstream.New{Name: "For trying out", Provider: upstream.Simulated})
	must(err)
	for i, who := range []org.Member{w.member, ada, w.owner} {
		_, err := w.sessions.Start(ctx, who.Caller(caller.Session), session.Device{ClientID: []string{"claude-code", "gatehouse"}[i%2], Name: []string{"maple", "build-agent-17.eu-central.internal.acme.example", "olives-macbook"}[i],
			System: "linux/amd64", ClientVersion: "2.1.9", Address: fmt.Sprintf("203.0.113.%d", 7+i)})
		must(err)
		w.clock.add(47 * time.Minute)
	}
	first, _, err := w.keys.Create(ctx, dev, o, apikey.New{Name: "nightly tests on build-3", ExpiresAt: w.clock.now().Add(30 * 24 * time.Hour)})
	must(err)
	_, _, err = w.keys.Create(ctx, owner, o, apikey.New{Name: "release notes", ExpiresAt: w.clock.now().Add(24 * time.Hour)})
	must(err)
	_, _, err = w.keys.CreateAdmin(ctx, owner, o, apikey.New{Name: "terraform"})
	must(err)
	must(w.db.APIKeys().Touch(ctx, map[id.APIKey]apikey.Use{first.ID: {At: w.clock.now(), Address: "192.0.2.7"}}))
	w.place, err = w.workspaces.Create(ctx, owner, o, workspace.New{Name: "Mobile team", Models: []string{"claude-sonnet-5"}})
	must(err)
	_, err = w.workspaces.Add(ctx, owner, o, w.place.ID, ada.Email, access.WorkspaceAdmin)
	must(err)
	w.robot, err = w.services.Create(ctx, owner, o, serviceaccount.New{Name: "nightly-build", Description: "Builds on build-3; ask the platform team"})
	must(err)
	_, err = w.workspaces.Add(ctx, owner, o, w.place.ID, "nightly-build", access.WorkspaceDeveloper)
	must(err)
	_, _, err = w.keys.CreateForService(ctx, owner, o, apikey.New{Name: "build", ServiceAccount: w.robot.ID, Workspace: w.place.ID})
	must(err)
	w.stopped, _, err = w.keys.Create(ctx, owner, o, apikey.New{Name: "leaked on a screen"})
	must(err)
	must(w.db.APIKeys().Touch(ctx, map[id.APIKey]apikey.Use{w.stopped.ID: {At: w.clock.now(), Address: "198.51.100.4"}}))
	w.clock.add(time.Minute)
	off := apikey.Archived
	_, err = w.keys.Update(ctx, owner, o, w.stopped.ID, apikey.Change{Status: &off})
	must(err)
	w.clock.add(time.Second)
	must(w.db.APIKeys().Refuse(ctx, map[id.APIKey]time.Time{w.stopped.ID: w.clock.now()}))
	w.clock.add(26 * time.Hour)
	must(w.orgs.SetModels(ctx, owner, o, []string{"claude-opus-5", "claude-sonnet-5"}))
	var entries []usage.Entry
	for i := range 60 {
		at := w.clock.now().Add(-time.Duration(i*i) * 5 * time.Minute)
		entries = append(entries, usage.Entry{Kind: usage.Settled, Request: id.NewRequest(), At: at, Organization: o, Member: []id.Member{w.member.ID, ada.ID}[i%2], Key: first.ID,
			Model: "claude-opus-5", Status: 200, Ending: []usage.Ending{usage.Complete, usage.Complete, usage.Aborted}[i%3], Tokens: price.Tokens{Input: int64(i * 713), Output: int64(i * 91), CacheRead: 12000},
			CostNanos: int64(i+1) * 7_300_000, Latency: time.Duration(i) * 300 * time.Millisecond, PriceVersion: "test"})
	}
	must(w.db.Ledger().Append(ctx, entries))
	return w
}

// grouped has a custom role, a group that gives it to somebody, and an offer of
// ownership that waits.
func (w *world) grouped() (org.Role, org.Group) {
	w.t.Helper()
	ctx, owner, o := context.Background(), w.owner.Caller(caller.Web), w.owner.Organization
	role, err := w.orgs.CreateRole(ctx, owner, o, org.Role{Name: "Auditor", Description: "Reads everything, changes nothing", Rights: caller.RightsOf(caller.ReadActivity, caller.AllUsage, caller.ReadMembers)})
	if err == nil {
		_, err = w.orgs.CreateRole(ctx, owner, o, org.Role{Name: "Keys for builds", Rights: caller.RightsOf(caller.OwnKeys)})
	}
	if err != nil {
		w.t.Fatal(err)
	}
	group, err := w.orgs.CreateGroup(ctx, owner, o, org.Group{Name: "Platform team", Description: "Who keeps the builds going", Roles: []id.Role{role.ID}})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.orgs.AddToGroup(ctx, owner, o, group.ID, w.member.ID); err != nil {
		w.t.Fatal(err)
	}
	if err := w.orgs.OfferOwnership(ctx, owner, o, w.member.ID); err != nil {
		w.t.Fatal(err)
	}
	return role, group
}

// tab is a browser that has signed in.
func (w *world) tab(t *testing.T, m org.Member, scheme browser.Scheme) context.Context {
	t.Helper()
	ctx := browser.New(t)
	browser.Do(t, ctx, browser.Prefer(scheme), chromedp.Navigate(w.url+w.link(m)))
	browser.Screenshot(t, ctx, "link-1280")
	browser.Do(t, ctx, chromedp.Click(chromedp.CSS(`form[action^="/link/"] button`)))
	browser.WaitText(t, ctx, "Welcome")
	return ctx
}

func TestPagesInABrowser(t *testing.T) {
	t.Parallel()
	w := lived(t)
	started := w.ask()
	role, group := w.grouped()
	all, _, err := w.sessions.List(t.Context(), w.owner.Caller(caller.Web), w.owner.Organization, session.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	upstreams, err := w.upstreams.List(t.Context(), w.owner.Caller(caller.Web), w.owner.Organization)
	if err != nil {
		t.Fatal(err)
	}
	place, robot, stopped := "/workspaces/"+string(w.place.ID), "/service-accounts/"+string(w.robot.ID), "/keys/"+string(w.stopped.ID)
	pages := []string{"/workspaces", "/workspaces/new", place, place + "/settings", place + "/archive", place + "/members/new", "/service-accounts", "/service-accounts/new", robot, robot + "/archive",
		stopped, "/sessions/" + string(all[0].ID), "/members/" + string(w.member.ID) + "/sessions/end", "/keys?q=nothing", "/mail", "/outbox",
		"/", "/members", "/invitations", "/invitations/new", "/members/" + string(w.member.ID), "/members/" + string(w.member.ID) + "/suspend", "/keys", "/keys/new", "/sessions",
		"/members/" + string(w.member.ID) + "/role", "/members/" + string(w.member.ID) + "/remove", "/members/" + string(w.member.ID) + "/offer", "/members?q=nobody-is-called-so",
		"/roles", "/roles/new", "/roles/" + string(role.ID), "/groups", "/groups/new", "/groups/" + string(group.ID), "/groups/" + string(group.ID) + "/edit",
		"/start", "/start?system=windows&door=login", "/people/setup", "/people/setup?step=check",
		"/settings", "/settings/plan", "/settings/delete", "/ownership", "/leave", "/organizations/new",
		"/upstreams", "/upstreams/new", "/upstreams/" + string(upstreams[0].ID) + "/edit", "/connect/bedrock", "/connect/bedrock-mantle", "/connect/vertex", "/connect/foundry", "/connect/anthropic-aws", "/connect/anthropic-federation", "/models", "/clouds", "/clouds/aws", "/clouds/gcp", "/clouds/azure", "/clouds/aws/remove", "/usage", "/activity", "/account", "/organization", "/device", "/device?user_code=" + started.UserCode,
		"/oauth/authorize?" + codeRequest("http://127.0.0.1:5/callback").Encode()}
	shown := func(t *testing.T, ctx context.Context, page string) {
		name, query, _ := strings.Cut(page, "?")
		if query != "" {
			name += "-query"
		}
		for _, one := range []string{string(w.member.ID), string(w.place.ID), string(w.robot.ID), string(w.stopped.ID), string(all[0].ID), string(role.ID), string(group.ID)} {
			name = strings.ReplaceAll(name, one, "one")
		}
		browser.Screenshot(t, ctx, strings.Trim(name, "/"))
	}
	// Every page is as wide as a phone and as a desk, and accessible on one of them:
	// each on the other than its neighbour.
	const most = 15 // pages of a tab, which has so much time
	for i, some := range slices.Collect(slices.Chunk(pages, most)) {
		ctx := w.tab(t, w.owner, browser.Light)
		for k, page := range some {
			browser.Do(t, ctx, chromedp.Navigate(w.url+page))
			for n, width := range []int64{390, 1280} {
				browser.Do(t, ctx, chromedp.EmulateViewport(width, 844))
				if wide := browser.Get(t, ctx, chromedp.Evaluate[int64]("document.documentElement.scrollWidth")); wide > width {
					t.Errorf("%s is %d pixels wide in %d", page, wide, width)
				}
				if (i*most+k+n)%2 == 0 {
					browser.Accessible(t, ctx)
				}
			}
		}
		browser.NoErrors(t, ctx)
	}
	if os.Getenv(browser.Folder) == "" {
		return
	}
	for _, l := range looks() {
		t.Run(fmt.Sprintf("%s %d", l.scheme, l.width), func(t *testing.T) {
			for some := range slices.Chunk(pages, most) {
				ctx := w.tab(t, w.owner, l.scheme)
				browser.Do(t, ctx, chromedp.EmulateViewport(l.width, 844))
				for _, page := range some {
					browser.Do(t, ctx, chromedp.Navigate(w.url+page))
					shown(t, ctx, page)
				}
			}
		})
	}
}

// look is how a page is looked at.
type look struct {
	scheme browser.Scheme
	width  int64
}

// looks are a phone, and for a person's eye the others as well.
func looks() []look {
	all := []look{{browser.Light, 390}}
	if os.Getenv(browser.Folder) != "" {
		all = append(all, look{browser.Dark, 1280}, look{browser.Light, 1280}, look{browser.Dark, 390}, look{browser.Light, 3840})
	}
	return all
}
