package storetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/apikey"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/letter"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/serviceaccount"
	"github.com/gatehouse-dev/gatehouse/internal/session"
	"github.com/gatehouse-dev/gatehouse/internal/workspace"
)

func (w *World) workspace(t testing.TB, name string) workspace.Workspace {
	t.Helper()
	one := workspace.Workspace{ID: id.NewWorkspace(), Organization: w.org, Name: name, Color: "#112233", Version: 1, CreatedAt: w.now}
	must(t, w.Workspaces().Add(t.Context(), one, w.event(audit.WorkspaceCreated)))
	return one
}

func workspaces(t *testing.T, w *World) {
	ctx, s := t.Context(), w.Workspaces()
	made := workspace.Workspace{ID: id.NewWorkspace(), Organization: w.org, Name: "Ünits 100%", Color: "#112233", Models: []string{"m"}, Tags: map[string]string{"k": "v"}, Version: 1, CreatedAt: w.now}
	must(t, s.Add(ctx, made, w.event(audit.WorkspaceCreated)))
	same(t, "the workspace", one(s.Workspace(ctx, w.org, made.ID)), made)
	if _, ok, err := s.Workspace(ctx, id.NewOrganization(), made.ID); ok || err != nil {
		t.Errorf("found in a foreign organization: %v, %v", ok, err)
	}
	twin := made
	twin.ID = id.NewWorkspace()
	kind(t, "a name that is taken", s.Add(ctx, twin, w.event(audit.WorkspaceCreated)), fault.Conflict)

	is := made
	is.Name, is.Limits, is.Version = "Other", workspace.Limits{PerMinute: 5}, 2
	must(t, s.Update(ctx, made, is, w.event(audit.WorkspaceUpdated)))
	same(t, "the changed workspace", one(s.Workspace(ctx, w.org, made.ID)), is)
	kind(t, "a change from an older version", s.Update(ctx, made, is, w.event(audit.WorkspaceUpdated)), fault.Conflict)
	for i := 1; i < workspace.Most; i++ {
		w.workspace(t, fmt.Sprint("w", i))
	}
	twin.Name = "one too many"
	kind(t, "the hundred and first", s.Add(ctx, twin, w.event(audit.WorkspaceCreated)), fault.Conflict)
	gone := is
	gone.Version, gone.ArchivedAt = 3, w.now
	must(t, s.Update(ctx, is, gone, w.event(audit.WorkspaceArchived)))
	must(t, s.Add(ctx, twin, w.event(audit.WorkspaceCreated)))
	kind(t, "a change of an archived one", s.Update(ctx, gone, gone, w.event(audit.WorkspaceUpdated)), fault.Conflict)
	for search, want := range map[string]int{"": 100, "W1": 11, "%": 0, "OTHER": 0} {
		if page, more, err := s.List(ctx, w.org, workspace.Filter{Search: search, Limit: 200}); err != nil || more || len(page) != want {
			t.Errorf("searching %q: %d, %v, %v", search, len(page), more, err)
		}
	}
	if page, _, err := s.List(ctx, w.org, workspace.Filter{Archived: true, Limit: 200}); err != nil || len(page) != 101 {
		t.Errorf("with archived ones: %d, %v", len(page), err)
	}
}

func workspaceMembers(t *testing.T, w *World) {
	ctx, s := t.Context(), w.Workspaces()
	at := w.workspace(t, "one")
	robot := serviceaccount.Account{ID: id.NewServiceAccount(), Organization: w.org, Name: "robot", Version: 1, CreatedAt: w.now, CreatedBy: "x"}
	must(t, w.ServiceAccounts().Add(ctx, robot, w.event(audit.ServiceAccountCreated)))
	join := func(principal string, role access.WorkspaceRole) error {
		return s.Join(ctx, w.org, workspace.Member{Workspace: at.ID, Principal: principal, Role: role, CreatedAt: w.now, CreatedBy: "x"}, w.event(audit.WorkspaceMemberAdded))
	}
	must(t, join(string(w.member.ID), access.WorkspaceUser))
	must(t, join(string(robot.ID), access.WorkspaceDeveloper))
	kind(t, "joining twice", join(string(robot.ID), access.WorkspaceAdmin), fault.Conflict)
	kind(t, "a stranger", join("user_stranger", access.WorkspaceUser), fault.NotFound)
	if got := one(s.Standing(ctx, w.org, at.ID, string(robot.ID))); got.Role != access.WorkspaceDeveloper || got.Workspace.Name != "one" {
		t.Errorf("standing: %+v", got)
	}
	if got := one(s.Standing(ctx, w.org, at.ID, "user_stranger")); got.Role != "" {
		t.Errorf("a stranger stands: %+v", got)
	}
	if _, ok, err := s.Standing(ctx, id.NewOrganization(), at.ID, string(robot.ID)); ok || err != nil {
		t.Errorf("in a foreign organization: %v, %v", ok, err)
	}
	for called, want := range map[string]string{"a@example.com": string(w.member.ID), "robot": string(robot.ID)} {
		if got := one(s.Principal(ctx, w.org, called)); got != want {
			t.Errorf("%s is %s", called, got)
		}
	}
	var seen []string
	for after := ""; ; {
		page, more, err := s.Members(ctx, w.org, at.ID, workspace.MemberFilter{After: after, Limit: 1})
		must(t, err)
		for _, m := range page {
			seen = append(seen, m.Name)
			after = m.Principal
		}
		if !more {
			break
		}
	}
	if len(seen) != 2 || seen[0] == seen[1] {
		t.Errorf("paging through members saw %v", seen)
	}
	for sort, want := range map[workspace.Sort]int{"": 2, workspace.People: 1, workspace.ServiceAccounts: 1} {
		if page, _, err := s.Members(ctx, w.org, at.ID, workspace.MemberFilter{Sort: sort, Limit: 9}); err != nil || len(page) != want {
			t.Errorf("members of sort %q: %d, %v", sort, len(page), err)
		}
	}
	must(t, s.SetRole(ctx, w.org, at.ID, string(robot.ID), access.WorkspaceDeveloper, access.WorkspaceAdmin, w.event(audit.WorkspaceMemberUpdated)))
	kind(t, "a role that changed meanwhile", s.SetRole(ctx, w.org, at.ID, string(robot.ID), access.WorkspaceDeveloper, access.WorkspaceUser, w.event(audit.WorkspaceMemberUpdated)), fault.Conflict)
	if page, _, err := s.Of(ctx, w.org, string(robot.ID), workspace.MemberFilter{Limit: 9}); err != nil || len(page) != 1 || page[0].WorkspaceName != "one" {
		t.Errorf("the robot's workspaces: %+v, %v", page, err)
	}
	must(t, s.Leave(ctx, w.org, at.ID, string(robot.ID), w.event(audit.WorkspaceMemberRemoved)))
	kind(t, "leaving twice", s.Leave(ctx, w.org, at.ID, string(robot.ID), w.event(audit.WorkspaceMemberRemoved)), fault.NotFound)
}

func claudeCode(t *testing.T, w *World) {
	ctx, s := t.Context(), w.Workspaces()
	if _, ok, err := s.ClaudeCode(ctx, w.org, w.member.ID); ok || err != nil {
		t.Fatalf("it is there before: %v, %v", ok, err)
	}
	var all sync.WaitGroup
	for range 8 { // eight sign-ins at once
		all.Go(func() {
			fresh := workspace.Workspace{ID: id.NewWorkspace(), Organization: w.org, Name: workspace.ClaudeCodeName, Kind: workspace.ClaudeCode, Color: "#112233", Version: 1, CreatedAt: w.now}
			m := workspace.Member{Principal: string(w.member.ID), Role: access.WorkspaceDeveloper, CreatedAt: w.now}
			if err := s.JoinClaudeCode(ctx, fresh, m, w.event(audit.WorkspaceCreated), w.event(audit.WorkspaceMemberAdded)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	at := one(s.ClaudeCode(ctx, w.org, w.member.ID))
	if at.Role != access.WorkspaceDeveloper || at.Workspace.Kind != workspace.ClaudeCode {
		t.Errorf("standing: %+v", at)
	}
	for what, want := range map[audit.Type]int{audit.WorkspaceCreated: 1, audit.WorkspaceMemberAdded: 1} {
		events, _, err := w.Activities().List(ctx, w.org, []audit.Type{what}, 0, 10)
		if err != nil || len(events) != want || events[0].Target != string(at.Workspace.ID) {
			t.Errorf("%s: %+v, %v", what, events, err)
		}
	}
}

func serviceAccounts(t *testing.T, w *World) {
	ctx, s := t.Context(), w.ServiceAccounts()
	a := serviceaccount.Account{ID: id.NewServiceAccount(), Organization: w.org, Name: "robot", Description: "d", Version: 1, CreatedAt: w.now, CreatedBy: "x"}
	must(t, s.Add(ctx, a, w.event(audit.ServiceAccountCreated)))
	same(t, "the service account", one(s.ServiceAccount(ctx, w.org, a.ID)), a)
	twin := a
	twin.ID = id.NewServiceAccount()
	kind(t, "a name that is taken", s.Add(ctx, twin, w.event(audit.ServiceAccountCreated)), fault.Conflict)
	is := a
	is.Description, is.Version, is.UpdatedAt, is.UpdatedBy = "e", 2, w.now, "y"
	must(t, s.Update(ctx, a, is, w.event(audit.ServiceAccountUpdated)))
	same(t, "the changed one", one(s.ServiceAccount(ctx, w.org, a.ID)), is)
	kind(t, "a change from an older version", s.Update(ctx, a, is, w.event(audit.ServiceAccountUpdated)), fault.Conflict)
	if name, of, ok, err := s.Serving(ctx, w.org, a.ID); name != "robot" || of != "Örg" || !ok || err != nil {
		t.Errorf("serving: %s, %s, %v, %v", name, of, ok, err)
	}
	gone := is
	gone.Version, gone.ArchivedAt, gone.ArchivedBy = 3, w.now, "z"
	must(t, s.Update(ctx, is, gone, w.event(audit.ServiceAccountArchived)))
	if _, _, ok, err := s.Serving(ctx, w.org, a.ID); ok || err != nil {
		t.Errorf("an archived one serves: %v, %v", ok, err)
	}
	must(t, s.Add(ctx, twin, w.event(audit.ServiceAccountCreated)))
	for archived, want := range map[bool]int{false: 1, true: 2} {
		if page, _, err := s.List(ctx, w.org, serviceaccount.Filter{Archived: archived, Search: "ROB", Limit: 9}); err != nil || len(page) != want {
			t.Errorf("listing, archived %v: %d, %v", archived, len(page), err)
		}
	}
}

func keyKinds(t *testing.T, w *World) {
	ctx, s := t.Context(), w.APIKeys()
	at, none := w.workspace(t, "one"), id.Workspace("")
	admin := apikey.Key{ID: id.NewAPIKey(), Organization: w.org, Kind: apikey.ForAdmin, Name: "50%", Hint: "sk-admin…", Scopes: caller.RightsOf(caller.ReadMembers), CreatedBy: string(w.member.ID),
		Status: apikey.Active, CreatedAt: w.now}
	in := apikey.Key{ID: id.NewAPIKey(), Organization: w.org, Kind: apikey.ForModels, Name: "In One", Hint: "sk-one…", Workspace: at.ID, WorkspaceName: "one", Member: w.member.ID, CreatedBy: string(w.member.ID),
		Status: apikey.Active, CreatedAt: w.now, Owner: "A", OwnerEmail: "a@example.com"}
	for _, k := range []apikey.Key{admin, in} {
		must(t, s.Insert(ctx, k, secret.New(string(k.ID)).Hash(), w.event(audit.KeyCreated)))
		same(t, "the key", one(s.Key(ctx, w.org, k.ID)), k)
	}
	for name, f := range map[string]apikey.Filter{"kind": {Kind: apikey.ForAdmin}, "no admin": {NotAdmin: true}, "workspace": {Workspace: &at.ID}, "default": {Workspace: &none},
		"name": {Search: "in oNE"}, "hint": {Search: "SK-ONE"}, "a sign": {Search: "%"}} {
		f.Limit = 9
		if page, _, err := s.List(ctx, w.org, f, w.now); err != nil || len(page) != 1 {
			t.Errorf("by %s: %+v, %v", name, page, err)
		}
		if n, err := s.Count(ctx, w.org, f, w.now); err != nil || n != 1 {
			t.Errorf("counting by %s: %d, %v", name, n, err)
		}
	}
	next, is := in, in
	next.ID, is.ReplacedBy, is.ExpiresAt = id.NewAPIKey(), next.ID, w.now.Add(time.Hour)
	is.ReplacedBy = next.ID
	must(t, s.Rotate(ctx, in, is, next, secret.New("next").Hash(), w.event(audit.KeyRotated)))
	same(t, "the rotated key", one(s.Key(ctx, w.org, in.ID)), is)
	same(t, "its successor", one(s.ByHash(ctx, secret.New("next").Hash())), next)
	next.ID = id.NewAPIKey()
	kind(t, "rotating it again", s.Rotate(ctx, in, is, next, secret.New("third").Hash(), w.event(audit.KeyRotated)), fault.Conflict)
	if _, ok, _ := s.ByHash(ctx, secret.New("third").Hash()); ok {
		t.Error("the successor of a failed rotation is there")
	}
}

func proofs(t *testing.T, w *World) {
	ctx, minute := t.Context(), time.Minute
	keys, sessions := w.APIKeys(), w.Sessions()
	k := apikey.Key{ID: id.NewAPIKey(), Organization: w.org, Kind: apikey.ForModels, Name: "k", Member: w.member.ID, Status: apikey.Active, CreatedAt: w.now}
	must(t, keys.Insert(ctx, k, secret.New("k").Hash(), w.event(audit.KeyCreated)))
	d, _ := w.session(t)
	second, _ := w.session(t)
	for i := range 3 { // only the first refusal after an acceptance counts
		at := w.now.Add(time.Duration(i+10) * minute)
		must(t, keys.Touch(ctx, map[id.APIKey]apikey.Use{k.ID: {At: w.now.Add(5 * minute), Address: "192.0.2.1"}}))
		must(t, keys.Refuse(ctx, map[id.APIKey]time.Time{k.ID: at}))
		must(t, sessions.Touch(ctx, map[id.DeviceSession]time.Time{d.ID: w.now.Add(6 * minute)}))
		must(t, sessions.Refuse(ctx, map[id.DeviceSession]time.Time{d.ID: at.Add(minute)}))
	}
	same(t, "the keys' proof", oneOf(keys.Proof(ctx, w.org, w.member.ID, w.now.Add(7*minute))), apikey.Proof{Keys: 1, LastAccepted: w.now.Add(5 * minute), FirstRefused: w.now.Add(10 * minute)})
	same(t, "the sessions' proof", oneOf(sessions.Proof(ctx, w.org, w.member.ID, w.now.Add(7*minute))), session.Proof{Sessions: 2, LastAccepted: w.now.Add(6 * minute), FirstRefused: w.now.Add(11 * minute)})
	must(t, keys.Touch(ctx, map[id.APIKey]apikey.Use{k.ID: {At: w.now.Add(20 * minute)}}))
	must(t, keys.Refuse(ctx, map[id.APIKey]time.Time{k.ID: w.now.Add(21 * minute)}))
	if got := one(keys.Key(ctx, w.org, k.ID)); got.RefusedAt != w.now.Add(21*minute) {
		t.Errorf("refused again after it worked again: %v", got.RefusedAt)
	}
	for want := 2; want >= 0; want -= 2 { // the second time there is nothing left, and nothing to record
		if n, err := sessions.EndAll(ctx, w.org, w.member.ID, "why", w.now.Add(30*minute), w.event(audit.SessionsRevoked)); err != nil || n != want {
			t.Errorf("ending all: %d, %v", n, err)
		}
	}
	if events, _, err := w.Activities().List(ctx, w.org, []audit.Type{audit.SessionsRevoked}, 0, 9); err != nil || len(events) != 1 || events[0].Detail["sessions"] != "2" {
		t.Errorf("ending all is recorded as %+v, %v", events, err)
	}
	if got := one(sessions.Session(ctx, second.ID)); got.EndedAt != w.now.Add(30*minute) {
		t.Errorf("the second session: %+v", got)
	}
	for state, want := range map[session.State]int{session.Living: 0, session.Ended: 2, session.Any: 2} {
		if page, _, err := sessions.List(ctx, w.org, session.Filter{State: state, Search: "N", Limit: 9}); err != nil || len(page) != want {
			t.Errorf("sessions that are %q: %d, %v", state, len(page), err)
		}
	}
}

func oneOf[T any](got T, err error) T {
	if err != nil {
		panic(err)
	}
	return got
}

func expiry(t *testing.T, w *World) {
	ctx, s, day := t.Context(), w.APIKeys(), 24*time.Hour
	for name, days := range map[string]int{"a month": 30, "eight days": 8, "a day": 1} {
		must(t, s.Insert(ctx, apikey.Key{ID: id.APIKey("apikey_" + name), Organization: w.org, Kind: apikey.ForModels, Name: name, Member: w.member.ID, Status: apikey.Active, CreatedAt: w.now,
			ExpiresAt: w.now.Add(time.Duration(days) * day)}, secret.New(name).Hash(), w.event(audit.KeyCreated)))
	}
	tell := func(after time.Duration) (told []string) {
		at := w.now.Add(after)
		soon, err := s.Expiring(ctx, at, 9)
		must(t, err)
		for _, x := range soon {
			if ok, err := s.Told(ctx, x.Key.ID, at.Add(-time.Minute), at, letter.Letter{}); err != nil || !ok || x.Email != "a@example.com" {
				t.Errorf("telling of %s: %v, %v, %s", x.Key.Name, ok, err, x.Email)
			}
			told = append(told, x.Key.Name)
			if ok, err := s.Told(ctx, x.Key.ID, at.Add(-time.Minute), at, letter.Letter{}); err != nil || ok {
				t.Errorf("telling of %s twice: %v, %v", x.Key.Name, ok, err)
			}
		}
		return told
	}
	for _, c := range []struct {
		after time.Duration
		want  string
	}{{time.Hour, "[]"}, {7*day + time.Hour, "[eight days]"}, {7*day + 2*time.Hour, "[]"}, {23*day - time.Hour, "[]"}, {23*day + time.Hour, "[a month]"}, {25 * day, "[]"}, {29*day + time.Hour, "[a month]"}, {29*day + 2*time.Hour, "[]"}} {
		if got := fmt.Sprint(tell(c.after)); got != c.want {
			t.Errorf("after %v: told of %s, not %s", c.after, got, c.want)
		}
	}
}
