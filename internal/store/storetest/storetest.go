package storetest

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/account"
	"github.com/gatehouse-dev/gatehouse/internal/apikey"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/kms"
	"github.com/gatehouse-dev/gatehouse/internal/oauth"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/session"
	"github.com/gatehouse-dev/gatehouse/internal/store"
	"github.com/gatehouse-dev/gatehouse/internal/upstream"
	"github.com/google/go-cmp/cmp"
)

// Run runs the suite. fresh returns the URL of a new and empty database.
func Run(t *testing.T, fresh func(t testing.TB) string) {
	for name, f := range map[string]func(*testing.T, *World){
		"Organizations": organizations, "Seats": seats, "Members": members, "Roles and groups": rolesAndGroups, "Ownership": ownership, "Founding": founding, "Links": links, "Passwords": passwords, "Browsers": browsers,
		"Keys": keys, "Rotation": rotation, "Ending": ending, "DeviceCodes": deviceCodes, "AuthCodes": authCodes,
		"Factors": factors, "Passkeys": passkeys, "HalfSignIns": halves, "MailLinks": mailLinks, "EmailUndo": emailUndo, "InVain": inVain,
		"Upstreams": upstreams, "CloudAccess": cloudAccess, "Log": activityLog, "Searching": searching, "Places": places, "SeveralAtOnce": severalAtOnce, "Instance": instance,
		"Letters": letters, "LetterRetries": letterRetries, "LetterLists": letterLists, "LetterClaims": letterClaims,
		"Workspaces": workspaces, "WorkspaceMembers": workspaceMembers, "ClaudeCode": claudeCode, "ServiceAccounts": serviceAccounts,
		"KeyKinds": keyKinds, "Proof": proofs, "Expiry": expiry,
		"Invitations": invitations, "InviteBatches": inviteBatches, "InviteLinks": inviteLinks, "Proposals": proposals,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f(t, open(t, fresh(t)))
		})
	}
}

// World is an opened store with one organization in it.
type World struct {
	*store.DB
	url    string
	ring   *kms.Keyring
	proof  store.Instance
	org    id.Organization
	member org.Member
	now    time.Time
}

func open(t testing.TB, url string) *World {
	t.Helper()
	ring, err := kms.New(secret.New(base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32)))))
	must(t, err)
	w := &World{url: url, ring: ring, now: time.Date(2026, 1, 2, 3, 4, 5, 678000, time.UTC)}
	w.DB, err = store.Open(t.Context(), url)
	must(t, err)
	t.Cleanup(func() { _ = w.Close() })
	w.proof, err = w.Unlock(t.Context(), ring, w.now)
	must(t, err)
	o := org.Organization{ID: id.NewOrganization(), Name: "Örg", Plan: org.Enterprise, Version: 1, CreatedAt: w.now, Settings: org.Settings{Models: []string{"m"}}}
	w.org = o.ID
	w.member = org.Member{ID: id.NewMember(), Organization: o.ID, OrganizationName: o.Name, Plan: o.Plan, Account: id.NewAccount(), Email: "a@example.com", Name: "A",
		Role: access.PrimaryOwner, Status: org.Active, Version: 1, CreatedAt: w.now, JoinedAt: w.now}
	must(t, w.Accounts().Found(t.Context(), nil, o, w.member, "", w.event(audit.OrganizationCreated)))
	return w
}

func (w *World) event(what audit.Type) audit.Event {
	return audit.New(caller.OfSystem(w.org), w.now, what, "target", audit.Detail{"k": "v"})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func same(t testing.TB, what string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func kind(t testing.TB, what string, err error, want fault.Kind) {
	t.Helper()
	if !fault.Is(err, want) {
		t.Errorf("%s: got %v, want the kind %s", what, err, want)
	}
}

func organizations(t *testing.T, w *World) {
	ctx, s := t.Context(), w.Orgs()
	o, ok, err := s.Organization(ctx, w.org)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	same(t, "the organization", o, org.Organization{ID: w.org, Name: "Örg", Plan: org.Enterprise, Version: 1, CreatedAt: w.now, Settings: org.Settings{Models: []string{"m"}}})
	changed := o
	changed.Settings, changed.Plan, changed.Seats = org.Settings{Color: "#112233", Domains: []string{"example.com"}}, org.Team, 7
	changed = done(s.SaveOrganization(ctx, changed, w.event(audit.OrganizationUpdated)))
	saved, _, err := s.Organization(ctx, w.org)
	must(t, err)
	same(t, "the changed organization", saved, changed)
	_, err = s.SaveOrganization(ctx, o, w.event(audit.OrganizationUpdated))
	kind(t, "a change of what somebody else has changed", err, fault.Conflict)
	o.Version = changed.Version
	_ = done(s.SaveOrganization(ctx, o, w.event(audit.OrganizationUpdated)))
	if _, ok, err := s.Organization(ctx, id.NewOrganization()); ok || err != nil {
		t.Errorf("an organization that is not there: %v, %v", ok, err)
	}

	same(t, "the first member", one(s.Member(ctx, w.org, w.member.ID)), w.member)
	if _, ok, _ := s.Member(ctx, id.NewOrganization(), w.member.ID); ok {
		t.Error("a member is found in a foreign organization")
	}
	second := org.Member{ID: id.NewMember(), Organization: w.org, Account: id.NewAccount(), Email: "b@example.com", Name: "B", Role: access.User, Status: org.Active, Version: 1, CreatedAt: w.now.Add(time.Second), JoinedAt: w.now.Add(time.Second)}
	got, err := s.AddMember(ctx, second, w.event(audit.MemberAdded))
	must(t, err)
	again := second
	again.ID, again.Account = id.NewMember(), id.NewAccount()
	_, err = s.AddMember(ctx, again, w.event(audit.MemberAdded))
	kind(t, "the same address again", err, fault.Conflict)
	got.Status, got.EndedAt = org.Suspended, w.now.Add(time.Minute)
	got = done(s.SaveMember(ctx, got, w.event(audit.MemberSuspended)))
	all, more, err := s.Members(ctx, w.org, org.MemberFilter{Limit: 10})
	must(t, err)
	if len(all) != 2 || more || all[1].ID != w.member.ID || all[0].Status != org.Suspended || !all[0].EndedAt.Equal(got.EndedAt) {
		t.Errorf("members: %+v", all)
	}
	first := w.member
	first.Status = org.Removed
	_, err = s.SaveMember(ctx, first, w.event(audit.MemberRemoved))
	kind(t, "removing the primary owner", err, fault.Conflict)
	if mine, err := s.MembershipsOf(ctx, got.Account); err != nil || len(mine) != 0 {
		t.Errorf("a suspended member still has memberships: %+v, %v", mine, err)
	}
}

func one[T any](v T, ok bool, err error) T {
	if !ok || err != nil {
		panic(fmt.Sprint("not there: ", ok, err))
	}
	return v
}

// done is what was done; an error of it ends the test.
func done[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func founding(t *testing.T, w *World) {
	ctx, s := t.Context(), w.Accounts()
	link := account.Link{Hash: secret.New("setup").Hash(), Kind: account.SetupLink, CreatedAt: w.now, ExpiresAt: w.now.Add(time.Hour)}
	must(t, s.SaveLink(ctx, link, w.event(audit.SignInLinkMade)))
	o := org.Organization{ID: id.NewOrganization(), Name: "Second", Plan: org.Enterprise, Version: 1, CreatedAt: w.now}
	m := org.Member{ID: id.NewMember(), Organization: o.ID, Account: id.NewAccount(), Email: "c@example.com", Role: access.PrimaryOwner, Status: org.Active, Version: 1, CreatedAt: w.now, JoinedAt: w.now}
	kind(t, "founding with a link where somebody is", s.Found(ctx, &link.Hash, o, m, "hash", w.event(audit.OrganizationCreated)), fault.Conflict)
	if _, ok, _ := w.Orgs().Organization(ctx, o.ID); ok {
		t.Error("the refused founding left an organization behind")
	}
	if l := one(s.Link(ctx, link.Hash)); !l.UsedAt.IsZero() {
		t.Error("the refused founding used the link up")
	}
}

func links(t *testing.T, w *World) {
	ctx, s := t.Context(), w.Accounts()
	for _, reusable := range []bool{false, true} {
		l := account.Link{Hash: secret.New(fmt.Sprint("link", reusable)).Hash(), Kind: account.SignInLink, Organization: w.org, Account: w.member.Account,
			Reusable: reusable, CreatedAt: w.now, ExpiresAt: w.now.Add(time.Hour)}
		must(t, s.SaveLink(ctx, l, w.event(audit.SignInLinkMade)))
		same(t, "the link", one(s.Link(ctx, l.Hash)), l)
		enter := func(n string) error {
			return s.EnterByLink(ctx, l.Hash, w.arrival(w.browser(fmt.Sprint(reusable, n))))
		}
		must(t, enter("first"))
		if err := enter("second"); reusable && err != nil {
			t.Errorf("a reusable link, used again: %v", err)
		} else if !reusable {
			kind(t, "a link, used again", err, fault.Conflict)
			if _, ok, _ := s.Browser(ctx, w.browser("falsesecond").Hash); ok {
				t.Error("the spent link left a session behind")
			}
		}
	}
}

func (w *World) arrival(b account.Browser) account.Arrival {
	return account.Arrival{Browser: b, Events: []audit.Event{w.event(audit.SignedIn)}}
}

func (w *World) browser(name string) account.Browser {
	return account.Browser{ID: id.NewBrowser(), Hash: secret.New("browser " + name).Hash(), Account: w.member.Account, Organization: w.org, Address: "192.0.2.1", UserAgent: "ua",
		Method: "password", CreatedAt: w.now, ConfirmedAt: w.now, ExpiresAt: w.now.Add(time.Hour)}
}

func browsers(t *testing.T, w *World) {
	ctx, s := t.Context(), w.Accounts()
	b := w.browser("one")
	must(t, s.StartBrowser(ctx, w.arrival(b)))
	same(t, "the browser session", one(s.Browser(ctx, b.Hash)), b)
	must(t, s.ChooseOrganization(ctx, b.Hash, "other"))
	must(t, s.EndBrowser(ctx, b.Hash, w.now, w.event(audit.SignedOut)))
	if got := one(s.Browser(ctx, b.Hash)); got.EndedAt != w.now || got.Organization != "other" {
		t.Errorf("after the end: %+v", got)
	}
	kind(t, "choosing in a session that is over", s.ChooseOrganization(ctx, b.Hash, w.org), fault.NotFound)
}

func passwords(t *testing.T, w *World) {
	ctx, s := t.Context(), w.Accounts()
	same(t, "before there is one", one(s.Credential(ctx, "a@example.com")), account.Credential{Account: w.member.Account})
	keep, other := w.browser("keep"), w.browser("other")
	must(t, s.StartBrowser(ctx, w.arrival(keep)))
	must(t, s.StartBrowser(ctx, w.arrival(other)))
	for _, hash := range []string{"first", "second"} {
		must(t, s.SavePassword(ctx, w.member.Account, hash, keep.Hash, w.now, w.event(audit.PasswordChanged)))
		same(t, "the password", one(s.Credential(ctx, "a@example.com")).Password, hash)
	}
	if kept, ended := one(s.Browser(ctx, keep.Hash)), one(s.Browser(ctx, other.Hash)); !kept.EndedAt.IsZero() || ended.EndedAt.IsZero() {
		t.Error("a new password ends the session it was set in, or leaves the others")
	}
	if _, ok, err := s.Credential(ctx, "nobody@example.com"); ok || err != nil {
		t.Errorf("a stranger's credential: %v, %v", ok, err)
	}
}

func keys(t *testing.T, w *World) {
	ctx, s := t.Context(), w.APIKeys()
	hash := secret.New("the key").Hash()
	k := apikey.Key{ID: id.NewAPIKey(), Organization: w.org, Kind: apikey.ForModels, Name: "naïve", Hint: "sk…", Member: w.member.ID, CreatedBy: "x",
		Status: apikey.Active, CreatedAt: w.now, ExpiresAt: w.now.Add(time.Hour), Owner: w.member.Name, OwnerEmail: w.member.Email}
	must(t, s.Insert(ctx, k, hash, w.event(audit.KeyCreated)))
	same(t, "the key by id", one(s.Key(ctx, w.org, k.ID)), k)
	same(t, "the key by hash", one(s.ByHash(ctx, hash)), k)
	if _, ok, _ := s.Key(ctx, id.NewOrganization(), k.ID); ok {
		t.Error("a key is found in a foreign organization")
	}
	off := k
	off.Status = apikey.Inactive
	must(t, s.Update(ctx, k, off, w.event(audit.KeyUpdated)))
	kind(t, "an update of what has changed meanwhile", s.Update(ctx, k, off, w.event(audit.KeyUpdated)), fault.Conflict)
	must(t, s.Touch(ctx, map[id.APIKey]apikey.Use{k.ID: {At: w.now.Add(time.Minute), Address: "192.0.2.1"}, "apikey_gone": {At: w.now}}))
	must(t, s.Touch(ctx, map[id.APIKey]apikey.Use{k.ID: {At: w.now}}))
	if got := one(s.Key(ctx, w.org, k.ID)); got.UsedAt != w.now.Add(time.Minute) {
		t.Errorf("last used at %v", got.UsedAt)
	}
	// Keys made in the same microsecond still have one order.
	for i := range 4 {
		k.ID = id.APIKey(fmt.Sprint("apikey_", i))
		must(t, s.Insert(ctx, k, secret.New(fmt.Sprint(i)).Hash(), w.event(audit.KeyCreated)))
	}
	var seen []string
	for after := id.APIKey(""); ; {
		page, more, err := s.List(ctx, w.org, apikey.Filter{After: after, Limit: 2}, w.now)
		must(t, err)
		for _, one := range page {
			seen = append(seen, string(one.ID))
		}
		if !more {
			break
		}
		after = page[len(page)-1].ID
	}
	if len(seen) != 5 || !slices.IsSortedFunc(seen, func(a, b string) int { return strings.Compare(b, a) }) {
		t.Errorf("paging saw %v", seen)
	}
	for status, want := range map[apikey.Status]int{"": 5, apikey.Active: 4, apikey.Inactive: 1, apikey.Expired: 0, apikey.Archived: 0} {
		got, _, err := s.List(ctx, w.org, apikey.Filter{Status: status, Limit: 10}, w.now)
		if err != nil || len(got) != want {
			t.Errorf("%d keys are %q, want %d (%v)", len(got), status, want, err)
		}
	}
	if got, _, _ := s.List(ctx, w.org, apikey.Filter{Status: apikey.Expired, Limit: 10}, w.now.Add(2*time.Hour)); len(got) != 5 {
		t.Errorf("%d keys are expired later", len(got))
	}
}

func (w *World) session(t testing.TB) (session.Session, session.Refresh) {
	t.Helper()
	d := session.Session{ID: id.NewDeviceSession(), Organization: w.org, Member: w.member.ID, Email: w.member.Email, Name: w.member.Name,
		Device: session.Device{ClientID: "c", Name: "n", System: "s", ClientVersion: "v", Address: "a"}, CreatedAt: w.now, UsedAt: w.now}
	r := session.Refresh{Hash: secret.Mint(secret.RefreshToken).Hash(), Session: d.ID, CreatedAt: w.now, ExpiresAt: w.now.Add(time.Hour)}
	must(t, w.Sessions().Start(t.Context(), d, r, w.event(audit.SessionStarted)))
	return d, r
}

func rotation(t *testing.T, w *World) {
	ctx, s := t.Context(), w.Sessions()
	d, first := w.session(t)
	same(t, "the session", one(s.Session(ctx, d.ID)), d)
	same(t, "the token", one(s.Refresh(ctx, first.Hash)), first)
	next := session.Refresh{Hash: secret.New("next").Hash(), Session: d.ID, Generation: 1, CreatedAt: w.now, ExpiresAt: w.now.Add(time.Hour)}
	used := first
	used.UsedAt = w.now
	var wins sync.Map
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			won, err := s.Rotate(ctx, used, next, w.event(audit.SessionRefreshed))
			if err != nil {
				t.Error(err)
			}
			if won {
				wins.Store(i, true)
			}
		})
	}
	wg.Wait()
	n := 0
	wins.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("%d of 8 rotations at once won", n)
	}
	if got := one(s.Session(ctx, d.ID)); got.Generation != 1 {
		t.Errorf("the session is at generation %d", got.Generation)
	}
	if events, _, err := w.Activities().List(ctx, w.org, []audit.Type{audit.SessionRefreshed}, 0, 10); err != nil || len(events) != 1 {
		t.Errorf("%d refreshes are recorded, %v", len(events), err)
	}
}

func ending(t *testing.T, w *World) {
	ctx, s := t.Context(), w.Sessions()
	d, _ := w.session(t)
	must(t, s.Touch(ctx, map[id.DeviceSession]time.Time{d.ID: w.now.Add(time.Minute)}))
	if all, _, err := s.List(ctx, w.org, session.Filter{Member: w.member.ID, Limit: 9}); err != nil || len(all) != 1 || all[0].UsedAt != w.now.Add(time.Minute) {
		t.Errorf("sessions: %+v, %v", all, err)
	}
	for range 2 {
		must(t, s.NoteClient(ctx, d.ID, "2.1"))
	}
	if got := one(s.Session(ctx, d.ID)); got.Device.ClientVersion != "2.1" {
		t.Errorf("the client's version is %q", got.Device.ClientVersion)
	}
	for range 2 {
		must(t, s.End(ctx, d.ID, "why", w.now, w.event(audit.SessionRevoked)))
	}
	if got := one(s.Session(ctx, d.ID)); got.EndedAt != w.now || got.EndedWhy != "why" {
		t.Errorf("ended: %+v", got)
	}
	for why, n := range map[string]int{"why": 1, "other": 0} {
		if got, err := s.EndedFor(ctx, w.org, w.member.ID, why, w.now.Add(-time.Hour)); err != nil || len(got) != n {
			t.Errorf("ended for %q: %+v, %v", why, got, err)
		}
	}
	if all, _, err := s.List(ctx, w.org, session.Filter{Limit: 9}); err != nil || len(all) != 0 {
		t.Errorf("sessions after the end: %+v, %v", all, err)
	}
	if events, _, err := w.Activities().List(ctx, w.org, []audit.Type{audit.SessionRevoked}, 0, 10); err != nil || len(events) != 1 {
		t.Errorf("%d ends are recorded, %v", len(events), err)
	}
}

func deviceCodes(t *testing.T, w *World) {
	ctx, s := t.Context(), w.OAuth()
	a := oauth.Authorization{Hash: secret.New("device").Hash(), UserCode: "BCDFGHJK", Device: session.Device{ClientID: "c", Name: "n", System: "s", ClientVersion: "v", Address: "a"},
		Status: oauth.Pending, CreatedAt: w.now, ExpiresAt: w.now.Add(time.Minute), Interval: 5 * time.Second}
	must(t, s.AddAuthorization(ctx, a))
	twin := a
	twin.Hash = secret.New("twin").Hash()
	kind(t, "a user code in use", s.AddAuthorization(ctx, twin), fault.Conflict)
	same(t, "by user code", one(s.AuthorizationByUserCode(ctx, "BCDFGHJK")), a)
	must(t, s.Polled(ctx, a.Hash, w.now))
	if ok, err := s.Spend(ctx, a.Hash); ok || err != nil {
		t.Errorf("a pending code can be spent: %v, %v", ok, err)
	}
	who := w.member.Caller(caller.Web)
	must(t, s.Decide(ctx, a.Hash, oauth.Approved, who, w.event(audit.DeviceApproved)))
	kind(t, "deciding twice", s.Decide(ctx, a.Hash, oauth.Denied, who, w.event(audit.DeviceDenied)), fault.Conflict)
	got := one(s.AuthorizationByHash(ctx, a.Hash))
	if got.Status != oauth.Approved || got.Member != w.member.ID || got.Organization != w.org || got.PolledAt != w.now || got.Interval != 5*time.Second {
		t.Errorf("approved: %+v", got)
	}
	for i, want := range []bool{true, false} {
		if ok, err := s.Spend(ctx, a.Hash); ok != want || err != nil {
			t.Errorf("spending %d: %v, %v", i, ok, err)
		}
	}
	must(t, s.Prune(ctx, w.now.Add(time.Hour)))
	if _, ok, _ := s.AuthorizationByHash(ctx, a.Hash); ok {
		t.Error("an old code is not forgotten")
	}
}

func authCodes(t *testing.T, w *World) {
	ctx, s := t.Context(), w.OAuth()
	c := oauth.Code{Hash: secret.New("code").Hash(), RedirectURI: "http://127.0.0.1:1/callback", Challenge: "ch", Device: session.Device{ClientID: "c", Name: "n", System: "s", ClientVersion: "v", Address: "a"},
		Organization: w.org, Member: w.member.ID, CreatedAt: w.now, ExpiresAt: w.now.Add(time.Minute)}
	must(t, s.AddCode(ctx, c))
	same(t, "the code", one(s.Code(ctx, c.Hash)), c)
	for i, want := range []bool{true, false} {
		if ok, err := s.UseCode(ctx, c.Hash, id.DeviceSession(fmt.Sprint("devs_", i)), w.now); ok != want || err != nil {
			t.Errorf("using %d: %v, %v", i, ok, err)
		}
	}
	if got := one(s.Code(ctx, c.Hash)); got.UsedAt != w.now || got.Session != "devs_0" {
		t.Errorf("used: %+v", got)
	}
}

func upstreams(t *testing.T, w *World) {
	ctx, s := t.Context(), w.Upstreams()
	var want []upstream.Upstream
	for i, name := range []string{"z", "a"} {
		u := upstream.Upstream{ID: id.NewUpstream(), Organization: w.org, Name: name, Provider: upstream.Anthropic, BaseURL: "https://x", Credential: secret.New("cred " + name), Place: int64(i + 1), CreatedAt: w.now, Version: 1}
		must(t, s.Add(ctx, u, w.event(audit.UpstreamConnected)))
		want = append(want, u)
	}
	got, err := s.Upstreams(ctx, w.org)
	must(t, err)
	if len(got) != 2 || got[0].Name != "z" || got[1].Credential.Reveal() != "cred a" || got[1].Place != want[1].Place {
		t.Errorf("upstreams: %+v", got)
	}
	twin := want[0]
	twin.ID = id.NewUpstream()
	kind(t, "a second of the same name", s.Add(ctx, twin, w.event(audit.UpstreamConnected)), fault.Invalid)
	// Of two who change one at once, the second is told.
	other := want[1]
	other.BaseURL, other.Credential, other.Settings = "https://y", secret.New("cred b"), upstream.Settings{Weight: 3}
	must(t, s.Change(ctx, other, w.event(audit.UpstreamChanged)))
	kind(t, "changing what has changed", s.Change(ctx, want[1], w.event(audit.UpstreamChanged)), fault.Conflict)
	foreign := other
	foreign.Organization, foreign.Version = id.NewOrganization(), 2
	kind(t, "changing a foreign one", s.Change(ctx, foreign, w.event(audit.UpstreamChanged)), fault.Conflict)
	other.Version = 2
	same(t, "the changed one", done(s.Upstreams(ctx, w.org))[1], other)
	// Whoever changes the order names them all: what came meanwhile is not lost.
	turned := []id.Upstream{want[1].ID, want[0].ID}
	must(t, s.Place(ctx, w.org, turned, w.event(audit.UpstreamMoved)))
	if got := done(s.Upstreams(ctx, w.org)); len(got) != 2 || got[0].Name != "a" || got[1].Name != "z" {
		t.Errorf("in the other order: %+v", got)
	}
	kind(t, "an order that leaves one out", s.Place(ctx, w.org, turned[:1], w.event(audit.UpstreamMoved)), fault.Conflict)
	kind(t, "an order that names one twice", s.Place(ctx, w.org, []id.Upstream{want[0].ID, want[0].ID}, w.event(audit.UpstreamMoved)), fault.Conflict)
	kind(t, "an order with one that is not there", s.Place(ctx, w.org, []id.Upstream{want[0].ID, id.NewUpstream()}, w.event(audit.UpstreamMoved)), fault.Conflict)
	if got := done(s.Upstreams(ctx, w.org)); len(got) != 2 || got[0].Name != "a" {
		t.Errorf("after orders that were refused: %+v", got)
	}
	kind(t, "an order of foreign ones", s.Place(ctx, id.NewOrganization(), turned, w.event(audit.UpstreamMoved)), fault.Conflict)
	kind(t, "removing a foreign one", s.Remove(ctx, id.NewOrganization(), want[0].ID, w.event(audit.UpstreamRemoved)), fault.NotFound)
	must(t, s.Remove(ctx, w.org, want[0].ID, w.event(audit.UpstreamRemoved)))
	if got, _ := s.Upstreams(ctx, w.org); len(got) != 1 {
		t.Errorf("after removing one: %+v", got)
	}
}

// activityLog has several nodes record at once and replays the log.
func activityLog(t *testing.T, w *World) {
	other := w.again(t)
	var wg sync.WaitGroup
	for i := range 60 {
		db := []*store.DB{w.DB, other}[i%2]
		wg.Go(func() { must(t, db.Accounts().Note(context.WithoutCancel(t.Context()), w.event(audit.SignInFailed))) })
	}
	wg.Wait()
	ctx, a := t.Context(), w.Activities()
	size, signed, err := a.Head(ctx)
	must(t, err)
	if size != 61 {
		t.Errorf("the log counts %d entries", size)
	}
	entries, err := a.Proof(ctx, 0, 100)
	must(t, err)
	var v audit.Verifier
	for _, e := range entries {
		must(t, v.Add(e))
	}
	head, err := audit.OpenHead(signed, w.proof.LogVerifier)
	must(t, err)
	must(t, v.Finish(head))
	changes, err := a.Changes(ctx, 0, 100)
	must(t, err)
	for i, c := range changes {
		if c.Position != int64(i) {
			t.Fatalf("change %d has position %d", i, c.Position)
		}
	}
	events, positions, err := a.List(ctx, w.org, nil, 50, 5)
	must(t, err)
	if len(events) != 5 || positions[0] != 49 || events[0].Detail["k"] != "v" {
		t.Errorf("a page of the record: %v, %+v", positions, events)
	}
	if events, _, _ := a.List(ctx, id.NewOrganization(), nil, 0, 5); len(events) != 0 {
		t.Errorf("a foreign organization's record: %+v", events)
	}
}

// again opens the same database once more, as another node does.
func (w *World) again(t testing.TB) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), w.url)
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	_, err = db.Unlock(t.Context(), w.ring, w.now)
	must(t, err)
	return db
}

// severalAtOnce has several nodes find an empty database at the same time.
func severalAtOnce(t *testing.T, w *World) {
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() { w.again(t) })
	}
	wg.Wait()
}

func instance(t *testing.T, w *World) {
	stranger, err := kms.New(secret.New(base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", 32)))))
	must(t, err)
	db, err := store.Open(t.Context(), w.url)
	must(t, err)
	defer db.Close()
	if _, err := db.Unlock(t.Context(), stranger, w.now); err == nil || !strings.Contains(err.Error(), "master key") {
		t.Errorf("another master key: %v", err)
	}
	if err := db.Accounts().Note(t.Context(), w.event(audit.SignInFailed)); err == nil {
		t.Error("something can be recorded without the log's key")
	}
	again, err := db.Unlock(t.Context(), w.ring, w.now)
	must(t, err)
	if string(again.RefreshKey) != string(w.proof.RefreshKey) || again.LogKey != w.proof.LogKey || again.ID != w.proof.ID || len(again.ID) != len("inst_")+26 {
		t.Error("a second node has other keys")
	}
}
