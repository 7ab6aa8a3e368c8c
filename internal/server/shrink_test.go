package server_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/apikey"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/serviceaccount"
	"github.com/gatehouse-dev/gatehouse/internal/session"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/nodes"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/upstream"
	"github.com/gatehouse-dev/gatehouse/internal/workspace"
)

// holder is a member with one credential of every sort, in a world of two nodes.
type holder struct {
	*nodes.World
	t          *testing.T
	second     *nodes.Node
	raw        *sql.DB // the same database, to change what no room changes
	member     org.Member
	who        caller.Caller
	place      workspace.Workspace
	robot      serviceaccount.Account
	credential map[string]string // by what it is
}

func hold(t *testing.T, o nodes.Options) *holder {
	t.Helper()
	h := &holder{t: t, World: nodes.Start(t, o), credential: map[string]string{}}
	h.second = h.Join(t)
	driver, at := "pgx", o.Database
	if at == "" {
		driver, at = "sqlite", filepath.Join(h.DataDir(), "gatehouse.db")+"?_pragma=busy_timeout(10000)"
	}
	var err error
	h.raw, err = sql.Open(driver, at)
	h.must(err)
	t.Cleanup(func() { _ = h.raw.Close() })
	operator, rooms, ctx, in := h.operator(), h.Server.Rooms(), t.Context(), h.Sample.Organization
	members, _, err := rooms.Orgs.Members(ctx, operator, in, org.MemberFilter{})
	h.must(err)
	h.member = members[0]
	h.who = h.member.Caller(caller.Web)
	h.place, err = rooms.Workspaces.Create(ctx, operator, in, workspace.New{Name: "Team"})
	h.must(err)
	_, err = rooms.Workspaces.Add(ctx, operator, in, h.place.ID, h.member.Email, access.WorkspaceDeveloper)
	h.must(err)
	h.robot, err = rooms.ServiceAccounts.Create(ctx, operator, in, serviceaccount.New{Name: "robot"})
	h.must(err)
	_, err = rooms.Workspaces.Add(ctx, operator, in, h.place.ID, "robot", access.WorkspaceDeveloper)
	h.must(err)
	h.credential["session"] = signInDevice(t, h.World).text("access_token")
	for name, new := range map[string]apikey.New{"key": {}, "team key": {Workspace: h.place.ID}, "code key": {Kind: apikey.ForClaudeCode}} {
		new.Name = name
		_, value, err := rooms.Keys.Create(ctx, h.who, in, new)
		h.must(err)
		h.credential[name] = value.Reveal()
	}
	_, value, err := rooms.Keys.CreateForService(ctx, operator, in, apikey.New{Name: "robot key", ServiceAccount: h.robot.ID, Workspace: h.place.ID})
	h.must(err)
	h.credential["robot key"] = value.Reveal()
	return h
}

func (h *holder) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *holder) operator() caller.Caller { return caller.OfOperator(h.Sample.Organization) }

// sql changes the database behind everybody's back, and tells that the member is
// another.
func (h *holder) sql(query string, args ...any) {
	h.t.Helper()
	_, err := h.raw.ExecContext(h.t.Context(), query, args...)
	h.must(err)
	h.must(h.Server.SetStatus(h.t.Context(), h.Sample.Organization, h.member.ID, org.Active, audit.MemberUpdated))
}

// expect waits until each credential is answered on both nodes as it should: with
// 200 if it is not named.
func (h *holder) expect(after string, status map[string]int) {
	h.t.Helper()
	for name, value := range h.credential {
		want := status[name]
		if want == 0 {
			want = 200
		}
		for i, base := range []string{h.URL, h.second.URL} {
			waitFor(h.t, fmt.Sprintf("%d for the %s on node %d, after %s", want, name, i+1, after), func() bool { return ask(h.t, base, value) == want })
		}
	}
}

// TestCredentialsShrinkWithTheirMaker takes away, one by one, everything that a
// credential's rights rest on, and gives it back.
func TestCredentialsShrinkWithTheirMaker(t *testing.T) {
	nodes.Each(t, func(t *testing.T, database string) {
		h := hold(t, nodes.Options{Database: database})
		ctx, rooms, in, m := t.Context(), h.Server.Rooms(), h.Sample.Organization, string(h.member.ID)
		h.expect("nothing", nil)

		h.sql(`UPDATE member SET role = 'claude_code_user' WHERE id = $1`, m)
		h.expect("the role became Claude Code user", map[string]int{"key": 403, "team key": 403})
		got := send(t, http.MethodPost, h.URL+"/v1/messages", "application/json", hello, http.Header{"X-Api-Key": {h.credential["key"]}})
		if !strings.Contains(fmt.Sprint(got.body), `your role "claude_code_user" in the organization "Sample organization" lacks the permission "keys:own"`) {
			t.Errorf("the refusal says %s", got.body)
		}
		h.sql(`UPDATE member SET role = 'user' WHERE id = $1`, m)
		h.expect("the role became user", map[string]int{"key": 403, "team key": 403, "code key": 403, "session": 403})

		// The same rights by a group, and then without it.
		h.must(h.exec(`INSERT INTO role (id, organization_id, name, description, permissions, version, created_at) VALUES ('rbac_role_x', $1, 'x', '', 'models:use keys:own', 1, 0)`, in))
		h.must(h.exec(`INSERT INTO member_group (id, organization_id, name, description, version, created_at, updated_at) VALUES ('rbac_group_x', $1, 'builders', '', 1, 0, 0)`, in))
		h.must(h.exec(`INSERT INTO group_role (group_id, role_id) VALUES ('rbac_group_x', 'rbac_role_x')`))
		h.sql(`INSERT INTO group_member (organization_id, group_id, member_id, source, created_at) VALUES ($1, 'rbac_group_x', $2, 'console', 0)`, in, m)
		h.expect("a group gave keys", map[string]int{"code key": 403})
		h.sql(`DELETE FROM group_member WHERE member_id = $1`, m)
		h.expect("the group was left", map[string]int{"key": 403, "team key": 403, "code key": 403, "session": 403})
		h.sql(`UPDATE member SET role = 'developer' WHERE id = $1`, m)
		h.expect("the role is back", nil)

		h.sql(`UPDATE organization SET plan = 'team' WHERE id = $1`, in)
		h.expect("the plan has no keys", map[string]int{"key": 403, "team key": 403})
		h.sql(`UPDATE organization SET plan = 'enterprise' WHERE id = $1`, in)

		for _, step := range []struct {
			after string
			do    func() error
			want  map[string]int
		}{
			{"the workspace role became user", func() error {
				_, err := rooms.Workspaces.SetRole(ctx, h.operator(), in, h.place.ID, m, access.WorkspaceUser)
				return err
			}, map[string]int{"team key": 401}},
			{"the workspace role is back", func() error {
				_, err := rooms.Workspaces.SetRole(ctx, h.operator(), in, h.place.ID, m, access.WorkspaceDeveloper)
				return err
			}, nil},
			{"the member left the workspace", func() error { return rooms.Workspaces.Remove(ctx, h.operator(), in, h.place.ID, m) }, map[string]int{"team key": 401}},
			{"the service account was archived", func() error {
				_, err := rooms.ServiceAccounts.Archive(ctx, h.operator(), in, h.robot.ID)
				return err
			}, map[string]int{"team key": 401, "robot key": 401}},
			{"the member was suspended", func() error { return rooms.Orgs.Suspend(ctx, h.operator(), in, h.member.ID) },
				map[string]int{"team key": 401, "robot key": 401, "key": 401, "code key": 401, "session": 401}},
		} {
			h.must(step.do())
			h.expect(step.after, step.want)
		}
	})
}

func (h *holder) exec(query string, args ...any) error {
	_, err := h.raw.ExecContext(h.t.Context(), query, args...)
	return err
}

// TestArchivedWorkspaceStopsItsKeys also looks at what cannot be archived.
func TestArchivedWorkspaceStopsItsKeys(t *testing.T) {
	nodes.Each(t, func(t *testing.T, database string) {
		h := hold(t, nodes.Options{Database: database})
		ctx, rooms, in := t.Context(), h.Server.Rooms(), h.Sample.Organization
		h.expect("nothing", nil)
		all, _, err := rooms.Workspaces.List(ctx, h.operator(), in, workspace.Filter{})
		h.must(err)
		if len(all) != 2 {
			t.Fatalf("workspaces: %+v", all)
		}
		for _, w := range all {
			_, err := rooms.Workspaces.Archive(ctx, h.operator(), in, w.ID)
			if (w.Kind == workspace.ClaudeCode) != fault.Is(err, fault.Invalid) {
				t.Errorf("archiving %s: %v", w.Name, err)
			}
		}
		h.expect("the workspace was archived", map[string]int{"team key": 401, "robot key": 401})
		if _, _, err := rooms.Keys.Create(ctx, h.who, in, apikey.New{Name: "late", Workspace: h.place.ID}); !fault.Is(err, fault.Invalid) {
			t.Errorf("a key in an archived workspace: %v", err)
		}
	})
}

// TestRemovedMemberIsRefusedEverywhere is the promise of item 7: all of it within a
// second, on every node, with the proof.
func TestRemovedMemberIsRefusedEverywhere(t *testing.T) {
	nodes.Each(t, func(t *testing.T, database string) {
		up := upstream.New(t)
		h := hold(t, nodes.Options{Database: database, UpstreamURL: up.URL})
		ctx, rooms, in := t.Context(), h.Server.Rooms(), h.Sample.Organization
		h.expect("nothing", nil)
		used := h.Clock.Now()
		step := make(chan struct{}, 4)
		up.Always(upstream.Plan{Words: 50, Step: step})
		for range cap(step) {
			step <- struct{}{}
		}
		stream := openStream(t, h.second.URL, h.credential["team key"])
		for range 3 {
			stream.next(t)
		}
		removed := time.Now()
		_, err := rooms.Orgs.Remove(ctx, h.operator(), in, h.member.ID)
		h.must(err)
		if last := stream.rest(t); !strings.Contains(last, "authentication_error") || time.Since(removed) > patience {
			t.Errorf("the stream ended after %v with %q", time.Since(removed), last)
		}
		up.Always(upstream.Plan{})
		h.expect("the member was removed", map[string]int{"key": 401, "team key": 401, "code key": 401, "session": 401})

		keys, sessions := apikey.Proof{}, session.Proof{}
		waitWithin(t, 15*time.Second, "the proof", func() bool {
			var err error
			keys, err = rooms.Keys.Proof(ctx, h.operator(), in, h.member.ID)
			h.must(err)
			sessions, err = rooms.Sessions.Proof(ctx, h.operator(), in, h.member.ID)
			h.must(err)
			return !keys.FirstRefused.IsZero() && !sessions.FirstRefused.IsZero()
		})
		for what, p := range map[string][2]time.Time{"keys": {keys.LastAccepted, keys.FirstRefused}, "sessions": {sessions.LastAccepted, sessions.FirstRefused}} {
			if p[0].Before(used.Add(-5*time.Second)) || !p[1].After(p[0]) || p[1].Sub(used) > 15*time.Second {
				t.Errorf("%s were last accepted at %v and first refused at %v", what, p[0], p[1])
			}
		}
		if keys.Keys != 4 || sessions.Sessions != 1 { // the sample has a key of its own
			t.Errorf("%d keys and %d sessions ended", keys.Keys, sessions.Sessions)
		}
		// Another node may let a key in after the first refusal and say so late: for a while
		// refusals are told again, and then never more.
		var told refusals
		room := *rooms.Keys
		room.Witness = &told
		again := func() int {
			before := len(told)
			if _, _, err := room.Resolve(ctx, secret.New(h.credential["key"])); !fault.Is(err, fault.Unauthenticated) {
				t.Errorf("resolving the key: %v", err)
			}
			told = told[before:]
			return len(told)
		}
		if again() != 1 {
			t.Error("a refusal just after the first is not told")
		}
		h.Clock.Forward(time.Hour)
		waitFor(t, "the first refusal to be known for good", func() bool { return again() == 0 })
		// Whoever comes back comes back without what they had.
		h.Clock.Forward(time.Second)
		h.sql(`UPDATE member SET joined_at = $1, ended_at = NULL WHERE id = $2`, h.Clock.Now().UnixMicro(), h.member.ID)
		h.expect("the member came back", map[string]int{"key": 401, "team key": 401, "code key": 401, "session": 401})
	})
}

// refusals are what a witness is told.
type refusals []string

func (r *refusals) Refused(credential string, _ time.Time) { *r = append(*r, credential) }

// TestAdminKeysFollowTheirMaker chooses scopes, and takes the maker's rights away.
func TestAdminKeysFollowTheirMaker(t *testing.T) {
	nodes.Each(t, func(t *testing.T, database string) {
		h := hold(t, nodes.Options{Database: database})
		ctx, rooms, in := t.Context(), h.Server.Rooms(), h.Sample.Organization
		if _, _, err := rooms.Keys.CreateAdmin(ctx, h.who, in, apikey.New{Name: "x"}); !fault.Is(err, fault.Denied) {
			t.Errorf("a developer makes an admin key: %v", err)
		}
		h.sql(`UPDATE member SET role = 'admin' WHERE id = $1`, h.member.ID)
		who := h.member
		who.Role = access.Admin
		maker := who.Caller(caller.Web)
		for _, beyond := range []caller.Right{caller.ManageAdmins, caller.UseModels, caller.ManageAdminKeys, caller.OwnOrganization} {
			if _, _, err := rooms.Keys.CreateAdmin(ctx, maker, in, apikey.New{Name: "x", Scopes: caller.RightsOf(beyond)}); !fault.Is(err, fault.Invalid) {
				t.Errorf("an admin key with %s: %v", beyond, err)
			}
		}
		_, value, err := rooms.Keys.CreateAdmin(ctx, maker, in, apikey.New{Name: "reads members", Scopes: caller.RightsOf(caller.ReadMembers)})
		h.must(err)
		get := func(path string) int {
			return send(t, http.MethodGet, h.second.URL+path, "", "", http.Header{"X-Api-Key": {value.Reveal()}}).status
		}
		if me, keys := get("/v1/organizations/me"), get("/v1/organizations/api_keys"); me != 200 || keys != 403 {
			t.Errorf("a key that reads members: me %d, keys %d", me, keys)
		}
		h.sql(`UPDATE member SET role = 'developer' WHERE id = $1`, h.member.ID)
		waitFor(t, "the key of who may make none any more to be refused", func() bool { return get("/v1/organizations/me") == 401 })
	})
}

// TestOldSessionsEnd has an organization shorten its sessions' lives.
func TestOldSessionsEnd(t *testing.T) {
	nodes.Each(t, func(t *testing.T, database string) {
		h := hold(t, nodes.Options{Database: database})
		refresh := signInDevice(t, h.World).text("refresh_token")
		h.must(h.exec(`UPDATE organization SET settings = '{"session_days":1,"key_days":30}' WHERE id = $1`, h.Sample.Organization))
		h.Forward(t, 25*time.Hour)
		want(t, "refreshing a session that is too old", form(t, h.URL, "/oauth/token", "grant_type", "refresh_token", "refresh_token", refresh), http.StatusUnauthorized, "invalid_grant")
		ended, _, err := h.Server.Rooms().Sessions.List(t.Context(), h.operator(), h.Sample.Organization, session.Filter{State: session.Ended})
		if err != nil || len(ended) != 1 || !strings.Contains(ended[0].EndedWhy, "old") {
			t.Errorf("ended sessions: %+v, %v", ended, err)
		}
		for life, ok := range map[time.Duration]bool{0: false, 31 * 24 * time.Hour: false, 30 * 24 * time.Hour: true} {
			expires := time.Time{}
			if life > 0 {
				expires = h.Clock.Now().Add(life)
			}
			if _, _, err := h.Server.Rooms().Keys.Create(t.Context(), h.who, h.Sample.Organization, apikey.New{Name: "k", ExpiresAt: expires}); (err == nil) != ok {
				t.Errorf("a key that lives %v where 30 days are allowed: %v", life, err)
			}
		}
	})
}

// TestWorkspaceNarrowsModelsAndLimits asks by a key of a workspace.
func TestWorkspaceNarrowsModelsAndLimits(t *testing.T) {
	nodes.Each(t, func(t *testing.T, database string) {
		h := hold(t, nodes.Options{Database: database})
		ctx, rooms, in := t.Context(), h.Server.Rooms(), h.Sample.Organization
		change := func(c workspace.Change) {
			t.Helper()
			_, err := rooms.Workspaces.Update(ctx, h.operator(), in, h.place.ID, c)
			h.must(err)
		}
		change(workspace.Change{Models: &[]string{"some-other-model"}})
		h.expect("the workspace allows another model alone", map[string]int{"team key": 400, "robot key": 400})
		got := send(t, http.MethodPost, h.URL+"/v1/messages", "application/json", hello, http.Header{"X-Api-Key": {h.credential["team key"]}})
		if !strings.Contains(fmt.Sprint(got.body), `the workspace "Team"`) {
			t.Errorf("the refusal says %s", got.body)
		}
		h.must(rooms.Orgs.SetModels(ctx, h.operator(), in, []string{"claude-nothing"}))
		everything := map[string]int{}
		for name := range h.credential {
			everything[name] = 400
		}
		h.expect("they have no model in common", everything)
		h.must(rooms.Orgs.SetModels(ctx, h.operator(), in, nil))
		change(workspace.Change{Models: &[]string{}})
		h.expect("everything is allowed again", nil)
		change(workspace.Change{Limits: &workspace.Limits{PerMinute: 1}})
		waitFor(t, "the limit of the workspace", func() bool { return ask(t, h.URL, h.credential["robot key"]) == 429 })
		if got := ask(t, h.URL, h.credential["key"]); got != 200 {
			t.Errorf("a key of the default workspace: %d", got)
		}
	})
}

// TestUsedFrom looks at where a key was used from, once that is written down.
func TestUsedFrom(t *testing.T) {
	t.Parallel()
	h := hold(t, nodes.Options{})
	h.expect("nothing", nil)
	h.must(h.Server.Housekeep(context.Background(), h.Clock.Now().Add(-time.Hour)))
	keys, _, err := h.Server.Rooms().Keys.List(t.Context(), h.operator(), h.Sample.Organization, apikey.Filter{Search: "team"})
	if err != nil || len(keys) != 1 || keys[0].UsedAddress != "127.0.0.1" || keys[0].UsedAt.IsZero() {
		t.Errorf("keys: %+v, %v", keys, err)
	}
	if _, err := h.Server.Rooms().Keys.Get(t.Context(), h.who, id.NewOrganization(), keys[0].ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("a key asked for in a foreign organization: %v", err)
	}
}
