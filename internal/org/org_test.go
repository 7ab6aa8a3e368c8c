package org_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/migrated"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/account"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/kms"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/store"
)

// world is two organizations on a real database, with a member of each role in
// the first.
type world struct {
	*org.Service
	t       *testing.T
	mu      sync.Mutex
	now     time.Time
	home    id.Organization
	foreign org.Member // the primary owner of the second
	people  map[access.Role]org.Member
}

func newWorld(t *testing.T) *world {
	t.Helper()
	ctx := t.Context()
	db, err := store.Open(ctx, migrated.SQLite(t))
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	ring, err := kms.New(secret.New(base64.StdEncoding.EncodeToString(make([]byte, 32))))
	must(t, err)
	w := &world{t: t, now: time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC), people: map[access.Role]org.Member{}}
	_, err = db.Unlock(ctx, ring, w.now)
	must(t, err)
	w.Service = &org.Service{Store: db.Orgs(), Now: func() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.now }}
	accounts := account.New(db.Accounts(), db.Orgs(), w.Now)
	found := func(name string) org.Member {
		m, err := accounts.Found(ctx, caller.OfOperator(""), account.First{Organization: name, Email: name + "@example.com"})
		must(t, err)
		return m
	}
	owner := found("home")
	w.home, w.foreign = owner.Organization, found("foreign")
	w.people[access.PrimaryOwner] = owner
	for _, r := range access.Roles()[1:] {
		w.people[r] = w.add(string(r), r)
	}
	return w
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) wait(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) add(name string, r access.Role) org.Member {
	w.t.Helper()
	m, err := w.Add(context.Background(), caller.OfOperator(w.home), w.home, org.NewMember{Email: name + "@example.com", Name: name, Role: r})
	must(w.t, err)
	return m
}

// as is a member as they are now, in the console.
func (w *world) as(m org.Member) caller.Caller {
	w.t.Helper()
	now, ok, err := w.Store.Member(context.Background(), m.Organization, m.ID)
	if err != nil || !ok {
		w.t.Fatal(ok, err)
	}
	return now.Caller(caller.Web)
}

// adminKey is a key of the Admin API with every scope.
func (w *world) adminKey() caller.Caller {
	return caller.Caller{Kind: caller.AdminKey, Way: caller.Key, Organization: w.home, Key: "apikey_a", Rights: access.AdminKeyRights()}
}

// gives is who may make somebody what, written out by hand: a row is the giver,
// a letter a role in the order of access.Roles, "p" for the primary owner's.
var gives = map[access.Role]string{
	access.PrimaryOwner:    ".omMbdcug",
	access.Owner:           ".omMbdcug",
	access.Admin:           "....bdcug",
	access.MembershipAdmin: "......cug",
}

// TestWhoMakesWhomWhat has everybody give every role to somebody, and take
// somebody of every role out.
func TestWhoMakesWhomWhat(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := 0
	for _, giver := range append(access.Roles(), "admin key") {
		who, row := w.adminKey(), "....bdcug"
		if giver != "admin key" {
			who, row = w.as(w.people[giver]), gives[giver]
		}
		if row == "" {
			row = "........."
		}
		for i, given := range access.Roles() {
			n++
			victim := w.add(fmt.Sprintf("victim%d", n), access.User)
			_, err := w.SetRole(t.Context(), who, w.home, victim.ID, victim.Version, given)
			if allowed := row[i] != '.'; allowed != (err == nil) {
				t.Errorf("%s makes somebody %s: %v", giver, given, err)
			}
			if after := w.as(victim); err != nil && after.Role != string(access.User) {
				t.Errorf("%s was refused and somebody is %s now", giver, after.Role)
			}
			// Whoever may remove people may remove everybody who does not run the
			// organization, and owners everybody but the primary owner.
			_, err = w.Remove(t.Context(), who, w.home, w.fresh(given, n).ID)
			mighty := giver == access.PrimaryOwner || giver == access.Owner
			may := who.Rights.Has(caller.ManageMembers) && (!given.Runs() || mighty) && given != access.PrimaryOwner
			if may != (err == nil) {
				t.Errorf("%s removes a %s: %v", giver, given, err)
			}
		}
	}
}

// fresh is a member with a role, the primary owner for theirs.
func (w *world) fresh(r access.Role, n int) org.Member {
	if r == access.PrimaryOwner {
		return w.people[r]
	}
	return w.add(fmt.Sprintf("fresh%d", n), r)
}

func TestNobodyChangesThemselves(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, r := range access.Roles() {
		m := w.people[r]
		who := w.as(m)
		for what, err := range map[string]error{
			"role":    second(w.SetRole(t.Context(), who, w.home, m.ID, 0, access.Owner)),
			"suspend": w.Suspend(t.Context(), who, w.home, m.ID),
			"remove":  second(w.Remove(t.Context(), who, w.home, m.ID)),
		} {
			if err == nil {
				t.Errorf("%s: %s of themselves", r, what)
			}
		}
		if got := w.as(m); got.Role != string(r) || got.Rights != r.Rights() {
			t.Errorf("%s is %s now", r, got.Role)
		}
	}
	if err := w.Leave(t.Context(), w.as(w.people[access.PrimaryOwner]), w.home); !fault.Is(err, fault.Conflict) {
		t.Errorf("the primary owner leaves: %v", err)
	}
	must(t, w.Leave(t.Context(), w.as(w.people[access.Owner]), w.home))
	if got := w.as(w.people[access.Owner]); got.Rights != 0 {
		t.Errorf("who left still has %s", got.Rights)
	}
}

func second[T any](_ T, err error) error { return err }

// TestAForeignOrganizationIsNotThere asks every method about another
// organization's things, by their own id and through one's own organization.
func TestAForeignOrganizationIsNotThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, owner, stranger := t.Context(), w.as(w.people[access.PrimaryOwner]), w.as(w.foreign)
	role, err := w.CreateRole(ctx, owner, w.home, org.Role{Name: "R", Rights: caller.RightsOf(caller.ReadActivity)})
	must(t, err)
	group, err := w.CreateGroup(ctx, owner, w.home, org.Group{Name: "G", Roles: []id.Role{role.ID}})
	must(t, err)
	own, err := w.CreateGroup(ctx, stranger, w.foreign.Organization, org.Group{Name: "Own"})
	must(t, err)
	m := w.people[access.Developer].ID
	for _, in := range []id.Organization{w.home, w.foreign.Organization} {
		for what, err := range map[string]error{
			"Member":          second(w.Member(ctx, stranger, in, m)),
			"SetRole":         second(w.SetRole(ctx, stranger, in, m, 0, access.User)),
			"Suspend":         w.Suspend(ctx, stranger, in, m),
			"Reinstate":       w.Reinstate(ctx, stranger, in, m),
			"Remove":          second(w.Remove(ctx, stranger, in, m)),
			"GroupsOf":        second(w.GroupsOf(ctx, stranger, in, m)),
			"Role":            second(w.Role(ctx, stranger, in, role.ID)),
			"UpdateRole":      second(w.UpdateRole(ctx, stranger, in, org.Role{ID: role.ID, Name: "X", Rights: role.Rights, Version: 1})),
			"DeleteRole":      w.DeleteRole(ctx, stranger, in, role.ID),
			"Group":           second(w.Group(ctx, stranger, in, group.ID)),
			"UpdateGroup":     second(w.UpdateGroup(ctx, stranger, in, org.Group{ID: group.ID, Name: "X"})),
			"DeleteGroup":     w.DeleteGroup(ctx, stranger, in, group.ID),
			"AddToGroup":      w.AddToGroup(ctx, stranger, in, group.ID, m),
			"RemoveFromGroup": w.RemoveFromGroup(ctx, stranger, in, group.ID, m),
			"OfferOwnership":  w.OfferOwnership(ctx, stranger, in, m),
		} {
			if !fault.Is(err, fault.NotFound) {
				t.Errorf("%s through %s: %v", what, in, err)
			}
		}
	}
	if err := w.AddToGroup(ctx, stranger, w.foreign.Organization, own.ID, m); !fault.Is(err, fault.NotFound) {
		t.Errorf("a foreign member in one's own group: %v", err)
	}
	if _, err := w.CreateGroup(ctx, stranger, w.foreign.Organization, org.Group{Name: "Graft", Roles: []id.Role{role.ID}}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a foreign role in one's own group: %v", err)
	}
}

// TestNobodyClimbs tries to get more rights than one has by roles and groups.
func TestNobodyClimbs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, owner := t.Context(), w.as(w.people[access.PrimaryOwner])
	keeper, err := w.CreateRole(ctx, owner, w.home, org.Role{Name: "Keeper", Rights: caller.RightsOf(caller.ReadOrganization, caller.ReadMembers, caller.ManageMembers, caller.ManageRoles)})
	must(t, err)
	mighty, err := w.CreateRole(ctx, owner, w.home, org.Role{Name: "Mighty", Rights: access.Assignable()})
	must(t, err)
	keepers, err := w.CreateGroup(ctx, owner, w.home, org.Group{Name: "Keepers", Roles: []id.Role{keeper.ID}})
	must(t, err)
	gods, err := w.CreateGroup(ctx, owner, w.home, org.Group{Name: "Gods", Roles: []id.Role{mighty.ID}})
	must(t, err)
	climber := w.people[access.Managed]
	must(t, w.AddToGroup(ctx, owner, w.home, keepers.ID, climber.ID))
	who := w.as(climber)
	if who.Rights != keeper.Rights {
		t.Fatalf("a managed member has %s from the group", who.Rights)
	}
	version := func(r org.Role, err error) org.Role { must(t, err); return r }
	keeper = version(w.Role(ctx, owner, w.home, keeper.ID))
	for what, err := range map[string]error{
		"a role with more":              second(w.CreateRole(ctx, who, w.home, org.Role{Name: "More", Rights: caller.RightsOf(caller.AllKeys)})),
		"an owner's rights":             second(w.CreateRole(ctx, owner, w.home, org.Role{Name: "Own", Rights: caller.RightsOf(caller.ManageAdmins)})),
		"more in their own role":        second(w.UpdateRole(ctx, who, w.home, org.Role{ID: keeper.ID, Name: "Keeper", Rights: keeper.Rights | caller.RightsOf(caller.UseModels), Version: keeper.Version})),
		"a mighty role made small":      second(w.UpdateRole(ctx, who, w.home, org.Role{ID: mighty.ID, Name: "Mighty", Rights: keeper.Rights, Version: 1})),
		"a mighty role deleted":         w.DeleteRole(ctx, who, w.home, mighty.ID),
		"the mighty group joined":       w.AddToGroup(ctx, who, w.home, gods.ID, climber.ID),
		"the mighty role put in a new":  second(w.CreateGroup(ctx, who, w.home, org.Group{Name: "New", Roles: []id.Role{mighty.ID}})),
		"the mighty role put in theirs": second(w.UpdateGroup(ctx, who, w.home, org.Group{ID: keepers.ID, Name: "Keepers", Roles: []id.Role{keeper.ID, mighty.ID}})),
		"an admin made":                 second(w.SetRole(ctx, who, w.home, w.people[access.User].ID, 0, access.Admin)),
		"a developer made":              second(w.SetRole(ctx, who, w.home, w.people[access.User].ID, 0, access.Developer)),
	} {
		if err == nil {
			t.Errorf("%s: nobody minded", what)
		}
	}
	if got := w.as(climber); got.Rights != keeper.Rights {
		t.Errorf("the climber has %s now", got.Rights)
	}
	// What the group gives goes with the role, at the next look.
	_, err = w.UpdateRole(ctx, owner, w.home, org.Role{ID: keeper.ID, Name: "Keeper", Rights: caller.RightsOf(caller.ReadOrganization), Version: keeper.Version})
	must(t, err)
	if got := w.as(climber); got.Rights != caller.RightsOf(caller.ReadOrganization) {
		t.Errorf("after the role became less: %s", got.Rights)
	}
	must(t, w.Suspend(ctx, owner, w.home, climber.ID))
	if got := w.as(climber); got.Rights != 0 {
		t.Errorf("a suspended member has %s", got.Rights)
	}
}

// TestPlansWithhold says what a plan does not have, and that it is the plan.
func TestPlansWithhold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, owner := t.Context(), w.as(w.people[access.PrimaryOwner])
	o, err := w.Get(ctx, owner, w.home)
	must(t, err)
	if _, err := w.SetPlan(ctx, owner, w.home, o.Version, org.Team, 3); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "9 seats are taken") {
		t.Errorf("fewer seats than members: %v", err)
	}
	o, err = w.SetPlan(ctx, owner, w.home, o.Version, org.Team, 12)
	must(t, err)
	owner = w.as(w.people[access.PrimaryOwner])
	_, err = w.CreateRole(ctx, owner, w.home, org.Role{Name: "R", Rights: caller.RightsOf(caller.ReadActivity)})
	if !fault.Is(err, fault.Denied) || !strings.Contains(err.Error(), `the plan "team" of the organization "home" does not have the permission "roles:manage"`) {
		t.Errorf("a custom role on the plan team: %v", err)
	}
	if dev := w.as(w.people[access.Developer]); dev.Rights.Has(caller.OwnKeys) || !dev.Rights.Has(caller.OwnClaudeCodeKeys) {
		t.Errorf("a developer on the plan team has %s", dev.Rights)
	}
	taken, err := w.Seats(ctx, owner, w.home)
	must(t, err)
	if taken.Seats != 12 || taken.Members != 9 || taken.Free() != 3 {
		t.Errorf("seats: %+v", taken)
	}
	if _, err := w.SetPlan(ctx, owner, w.home, o.Version-1, org.Console, 0); !fault.Is(err, fault.Conflict) {
		t.Errorf("a change of what somebody else has changed: %v", err)
	}
	_, err = w.SetPlan(ctx, owner, w.home, o.Version, org.Enterprise, 0)
	must(t, err)
	if dev := w.as(w.people[access.Developer]); !dev.Rights.Has(caller.OwnKeys) {
		t.Error("the way back brings back nothing")
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, admin := t.Context(), w.as(w.people[access.Admin])
	o, err := w.Get(ctx, admin, w.home)
	must(t, err)
	text := func(s string) *string { return &s }
	list := func(s ...string) *[]string { return &s }
	num := func(n int) *int { return &n }
	for field, c := range map[string]org.Change{
		"name":         {Name: text("  ")},
		"color":        {Color: text("red; background: url(x)")},
		"domains":      {Domains: list("example.com", "not a domain")},
		"key_days":     {KeyDays: num(-1)},
		"session_days": {SessionDays: num(1000)},
	} {
		_, err := w.Update(ctx, admin, w.home, o.Version, c)
		var f *fault.Error
		if !fault.Is(err, fault.Invalid) || !asFault(err, &f) || f.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	is, err := w.Update(ctx, admin, w.home, o.Version, org.Change{Name: text(" New  name "), Color: text("#AABBCC"), Domains: list("@Example.com", "example.com", "b.example"), KeyDays: num(90)})
	must(t, err)
	if is.Name != "New name" || is.Settings.Color != "#aabbcc" || fmt.Sprint(is.Settings.Domains) != "[example.com b.example]" || is.Settings.KeyDays != 90 {
		t.Errorf("saved: %+v", is)
	}
	if _, err := w.Update(ctx, w.as(w.people[access.Owner]), w.home, o.Version, org.Change{Name: text("Other")}); !fault.Is(err, fault.Conflict) {
		t.Errorf("the second of two admins overwrites the first: %v", err)
	}
}

func asFault(err error, into **fault.Error) bool {
	f, ok := err.(*fault.Error)
	*into = f
	return ok
}

func TestOwnershipNeedsTheOthersYes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, primary := t.Context(), w.people[access.PrimaryOwner]
	to, third := w.people[access.Developer], w.people[access.Owner]
	must(t, w.OfferOwnership(ctx, w.as(primary), w.home, to.ID))
	for _, r := range []access.Role{access.Owner, access.Admin, access.User, access.PrimaryOwner} {
		if err := w.AnswerOwnership(ctx, w.as(w.people[r]), w.home, true); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s accepts for another: %v", r, err)
		}
	}
	if _, ok, _ := w.OwnershipOffer(ctx, w.as(third), w.home); ok {
		t.Error("who is no party sees the offer")
	}
	byKey := w.as(to)
	byKey.Way = caller.Key
	if err := w.AnswerOwnership(ctx, byKey, w.home, true); err == nil {
		t.Error("an API key of the one who is offered it accepts")
	}
	w.wait(8 * 24 * time.Hour)
	if err := w.AnswerOwnership(ctx, w.as(to), w.home, true); !fault.Is(err, fault.NotFound) {
		t.Errorf("an offer that ended is accepted: %v", err)
	}
	must(t, w.OfferOwnership(ctx, w.as(primary), w.home, to.ID))
	must(t, w.WithdrawOwnership(ctx, w.as(primary), w.home))
	if err := w.AnswerOwnership(ctx, w.as(to), w.home, true); !fault.Is(err, fault.NotFound) {
		t.Errorf("an offer that was withdrawn is accepted: %v", err)
	}
	must(t, w.OfferOwnership(ctx, w.as(primary), w.home, to.ID))
	must(t, w.AnswerOwnership(ctx, w.as(to), w.home, true))
	if was, is := w.as(primary), w.as(to); was.Role != string(access.Owner) || is.Role != string(access.PrimaryOwner) {
		t.Errorf("after it: %s and %s", was.Role, is.Role)
	}
	if err := w.Delete(ctx, w.as(primary), w.home, "home"); !fault.Is(err, fault.Denied) {
		t.Errorf("who gave it away deletes it: %v", err)
	}
	if err := w.Delete(ctx, w.as(to), w.home, "Home"); !fault.Is(err, fault.Invalid) {
		t.Errorf("deleted with another name typed: %v", err)
	}
	must(t, w.Delete(ctx, w.as(to), w.home, "home"))
	if _, ok, _ := w.Store.Member(ctx, w.home, to.ID); ok {
		t.Error("a deleted organization has members")
	}
}

func TestOneMakesOnesOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	who := w.as(w.people[access.User])
	m, err := w.Create(t.Context(), who, "Mine", org.Console)
	must(t, err)
	if m.Account != who.Account || m.Role != access.PrimaryOwner || m.Organization == w.home {
		t.Errorf("made: %+v", m)
	}
	for name, plan := range map[string]org.Plan{"": org.Team, "x": "golden"} {
		if _, err := w.Create(t.Context(), who, name, plan); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q on %q: %v", name, plan, err)
		}
	}
	byKey := who
	byKey.Way = caller.Key
	if _, err := w.Create(t.Context(), byKey, "By key", org.Team); err == nil {
		t.Error("an API key makes an organization")
	}
	w.Closed = true
	if _, err := w.Create(t.Context(), who, "Second", org.Team); !fault.Is(err, fault.Denied) {
		t.Errorf("on a closed server: %v", err)
	}
}
