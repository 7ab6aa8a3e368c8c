package server_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/apikey"
	"github.com/gatehouse-dev/gatehouse/internal/bearer"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/door/admin"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/invite"
	"github.com/gatehouse-dev/gatehouse/internal/limit"
	"github.com/gatehouse-dev/gatehouse/internal/server"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/nodes"
	"github.com/gatehouse-dev/gatehouse/internal/workspace"
)

// adminDoor opens an Admin API of its own on the world's rooms, at which nearly
// any number of requests may be made, and returns its URL.
func adminDoor(t testing.TB, w *nodes.World, invitations int) string {
	t.Helper()
	rooms, now := w.Server.Rooms(), w.Clock.Now
	door := admin.New(admin.Config{Authenticator: bearer.New(bearer.Config{Sources: []bearer.Source{rooms.Keys}, Now: now}), Orgs: rooms.Orgs, Invites: rooms.Invites,
		Keys: rooms.Keys, Workspaces: rooms.Workspaces, ServiceAccounts: rooms.ServiceAccounts, Upstreams: rooms.Upstreams, Requests: limit.New(1_000_000, time.Minute, now),
		Invitations: limit.New(invitations, time.Hour, now), Address: func(*http.Request) string { return "192.0.2.1" }, Now: now})
	mux := http.NewServeMux()
	for _, r := range door.Routes() {
		mux.Handle(r.Pattern, r.Handler)
	}
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL + "/v1/organizations"
}

func withKey(value string) http.Header { return http.Header{"X-Api-Key": {value}} }

// TestInvitationsAnHour makes more invitations than an hour allows.
func TestInvitationsAnHour(t *testing.T) {
	t.Parallel()
	w := nodes.Start(t, nodes.Options{})
	base, key := adminDoor(t, w, 2), w.Sample.AdminKey.Reveal()
	invite := func(email string, want int) answer {
		t.Helper()
		got := send(t, "POST", base+"/invites", "application/json", `{"email":"`+email+`","role":"user"}`, withKey(key))
		if got.status != want {
			t.Errorf("inviting %s: %d %s, want %d", email, got.status, toString(got), want)
		}
		return got
	}
	invite("a@example.com", 200)
	invite("a@example.com", 409) // and that does not count
	invite("b@example.com", 200)
	refused := invite("c@example.com", 429)
	if wait, err := strconv.Atoi(refused.header.Get("Retry-After")); err != nil || wait < 1 || wait > 1800 || !strings.Contains(toString(refused), "1,200 invitations an hour") {
		t.Errorf("Retry-After %q: %s", refused.header.Get("Retry-After"), toString(refused))
	}
	if got := send(t, "GET", base+"/invites", "", "", withKey(key)); got.status != 200 {
		t.Errorf("listing meanwhile: %d", got.status)
	}
	w.Forward(t, 30*time.Minute)
	invite("c@example.com", 200)
	invite("d@example.com", 429)
}

// TestForeignPlacesInInvitations invites into a group and a workspace of another
// organization: nothing tells these from such as are nowhere.
func TestForeignPlacesInInvitations(t *testing.T) {
	t.Parallel()
	w := nodes.Start(t, nodes.Options{})
	foreign, o := strangers(t, w), w.Sample.Organization
	into := func(p invite.Place) string {
		p.Role = access.User
		_, err := w.Server.Rooms().Invites.Create(t.Context(), caller.OfOperator(o), o, invite.New{Email: "x@example.com", Place: p})
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("inviting into %v: %v", p, err)
		}
		said := fmt.Sprint(err)
		for _, one := range slices.Concat(strings.Fields(fmt.Sprint(p.Groups)), strings.Fields(fmt.Sprint(p.Workspaces))) {
			if one = strings.Trim(one, "[]"); one != "" {
				said = strings.ReplaceAll(said, one, "…")
			}
		}
		return said
	}
	for _, pair := range [][2]invite.Place{
		{{Groups: []id.Group{id.Group(foreign.group)}}, {Groups: []id.Group{id.NewGroup()}}},
		{{Workspaces: []id.Workspace{id.Workspace(foreign.workspace)}}, {Workspaces: []id.Workspace{id.NewWorkspace()}}},
	} {
		if theirs, nobodys := into(pair[0]), into(pair[1]); theirs != nobodys {
			t.Errorf("into theirs: %q; into nobody's: %q", theirs, nobodys)
		}
	}
}

// TestScopesOfAdminKeys asks for more than a key has: the answer says what it
// has and what was needed, and is the same whether a thing is there or not.
func TestScopesOfAdminKeys(t *testing.T) {
	t.Parallel()
	w := nodes.Start(t, nodes.Options{})
	ctx, rooms, o := t.Context(), w.Server.Rooms(), w.Sample.Organization
	space, err := rooms.Workspaces.Create(ctx, caller.OfOperator(o), o, workspace.New{Name: "Robots"})
	must(t, err)
	foreign := strangers(t, w)
	base := w.URL + "/v1/organizations"
	for _, one := range []struct {
		scopes caller.Rights
		has    string
		asks   map[string]string // method and path → the scope that is needed
	}{
		{caller.RightsOf(caller.ReadWorkspaces), "organization:read, workspaces:read", map[string]string{
			"GET /users": "members:read", "GET /invites": "members:read", "GET /rbac_groups": "members:read", "GET /api_keys": "keys:all",
			"GET /service_accounts": "service_accounts:manage", "POST /workspaces": "workspaces:manage", "POST /workspaces/" + string(space.ID): "workspaces:manage",
			"GET /workspaces": ""}},
		{caller.RightsOf(caller.ReadMembers), "organization:read, members:read", map[string]string{
			"GET /workspaces": "workspaces:read", "GET /workspaces/" + string(space.ID): "workspaces:read", "GET /workspaces/" + foreign.workspace: "workspaces:read",
			"GET /workspaces/wrkspc_none": "workspaces:read", "POST /rbac_groups": "roles:manage", "GET /users": "", "GET /rbac_groups": ""}},
	} {
		_, value, err := rooms.Keys.CreateAdmin(ctx, caller.OfOperator(o), o, apikey.New{Name: "ci", Scopes: one.scopes})
		must(t, err)
		for ask, needs := range one.asks {
			method, path, _ := strings.Cut(ask, " ")
			body := ""
			if method == "POST" {
				body = `{"name":"x"}`
			}
			got := send(t, method, base+path, "application/json", body, withKey(value.Reveal()))
			says := `the admin key "ci" lacks the scope "` + needs + `"; its scopes are: ` + one.has + `: an owner or admin makes a key with this scope in the console`
			if needs == "" && got.status != 200 || needs != "" && (got.status != 403 || toString(got) != says) {
				t.Errorf("%s with %s: %d %s", ask, one.has, got.status, toString(got))
			}
		}
	}
	owner := send(t, "GET", base+"/users?email="+w.Sample.Owner.Email, "", "", withKey(w.Sample.AdminKey.Reveal()))
	first := owner.body["data"].([]any)[0].(map[string]any)["id"].(string)
	if got := send(t, "DELETE", base+"/users/"+first, "", "", withKey(w.Sample.AdminKey.Reveal())); got.status != 409 && got.status != 403 {
		t.Errorf("removing the owner: %d %s", got.status, toString(got))
	}
}

// TestAdminKeyIsSeen looks at where an admin key was last used from, which is
// what the proxy says.
func TestAdminKeyIsSeen(t *testing.T) {
	t.Parallel()
	w := nodes.Start(t, nodes.Options{Change: func(c *server.Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")} }})
	header := withKey(w.Sample.AdminKey.Reveal())
	for _, from := range []string{"198.51.100.7", "2001:db8::7"} {
		header.Set("X-Forwarded-For", from)
		if got := send(t, "GET", w.URL+"/v1/organizations/me", "", "", header); got.status != 200 {
			t.Fatalf("asking: %d", got.status)
		}
		must(t, w.Server.Housekeep(t.Context(), time.Time{}))
		keys, _, err := w.Server.Rooms().Keys.List(t.Context(), caller.OfOperator(w.Sample.Organization), w.Sample.Organization, apikey.Filter{Kind: apikey.ForAdmin})
		must(t, err)
		if len(keys) != 1 || keys[0].UsedAddress != from || keys[0].UsedAt.IsZero() {
			t.Errorf("used at %v from %q, want %s", keys[0].UsedAt, keys[0].UsedAddress, from)
		}
	}
}
