package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
)

// add adds a member who joined so many seconds after the first.
func (w *World) add(t testing.TB, email, name string, role access.Role, after int) org.Member {
	t.Helper()
	at := w.now.Add(time.Duration(after) * time.Second)
	m := org.Member{ID: id.NewMember(), Organization: w.org, OrganizationName: "Örg", Plan: org.Enterprise, Account: id.NewAccount(), Email: email, Name: name,
		Role: role, Status: org.Active, Version: 1, CreatedAt: at, JoinedAt: at}
	m, err := w.Orgs().AddMember(t.Context(), m, w.event(audit.MemberAdded))
	must(t, err)
	return m
}

func members(t *testing.T, w *World) {
	ctx, s := t.Context(), w.Orgs()
	zoe := w.add(t, "zoe+x@example.com", "Zoë 100%", access.Developer, 1)
	bob := w.add(t, "bob@example.com", "bob", access.User, 2)
	ada := w.add(t, "ada@example.com", "Ada_L", access.Developer, 3)
	found := func(f org.MemberFilter) (names string) {
		t.Helper()
		if f.Limit == 0 {
			f.Limit = 10
		}
		all, more, err := s.Members(ctx, w.org, f)
		must(t, err)
		for _, m := range all {
			names += m.Name + ";"
		}
		if more {
			names += "…"
		}
		return names
	}
	for want, f := range map[string]org.MemberFilter{
		"Ada_L;bob;Zoë 100%;A;":  {},
		"A;Ada_L;bob;Zoë 100%;":  {Order: org.ByName},
		"A;Ada_L;bob;Zoë 100%; ": {Order: org.ByEmail},
		"Ada_L;bob;…":            {Limit: 2},
		"Zoë 100%;A;":            {Limit: 2, After: bob.ID},
		"bob;Zoë 100%;…":         {Limit: 2, Before: w.member.ID},
		"Ada_L;bob;":             {Limit: 2, Before: zoe.ID},
		"bob;…":                  {Limit: 1, After: ada.ID, Order: org.ByName},
		"A;":                     {Limit: 1, Before: ada.ID, Order: org.ByEmail},
		"Ada_L;Zoë 100%;":        {Roles: []access.Role{access.Developer}},
		"Zoë 100%; ":             {Text: "0%"},
		"Ada_L; ":                {Text: "a_"},
		"bob;":                   {Text: "BOB@"},
		"":                       {Text: `\\`},
		"Zoë 100%;":              {Email: "ZOE@example.com"},
		" ":                      {Email: "o@example.com"},
	} {
		if got := found(f); got != trimmed(want) {
			t.Errorf("%+v finds %q, want %q", f, got, trimmed(want))
		}
	}
	bob.Status = org.Removed
	bob = done(s.SaveMember(ctx, bob, w.event(audit.MemberRemoved)))
	if got := found(org.MemberFilter{Status: org.Removed}); got != "bob;" {
		t.Errorf("removed: %s", got)
	}
	if got := found(org.MemberFilter{Text: "bob"}); got != "" {
		t.Errorf("a removed member is found without being asked for: %s", got)
	}
	same(t, "counts", done(s.CountMembers(ctx, w.org)), map[org.Status]int{org.Active: 3, org.Removed: 1})
	same(t, "seats", done(s.Taken(ctx, w.org)).Members, 3)
	stale := ada
	ada.Role = access.User
	ada = done(s.SaveMember(ctx, ada, w.event(audit.MemberUpdated)))
	_, err := s.SaveMember(ctx, stale, w.event(audit.MemberUpdated))
	kind(t, "a change of an older state", err, fault.Conflict)
	if all, _, err := s.Members(ctx, id.NewOrganization(), org.MemberFilter{Limit: 10}); err != nil || len(all) != 0 {
		t.Errorf("a foreign organization has members: %v, %v", all, err)
	}
	must(t, s.DeleteOrganization(ctx, w.org, w.now, w.event(audit.OrganizationDeleted)))
	if _, ok, err := s.Member(ctx, w.org, ada.ID); ok || err != nil {
		t.Errorf("a deleted organization has members: %v", err)
	}
	kind(t, "deleting it again", s.DeleteOrganization(ctx, w.org, w.now, w.event(audit.OrganizationDeleted)), fault.NotFound)
}

// trimmed lets two filters have the same answer in a map of answers.
func trimmed(want string) string {
	for len(want) > 0 && want[len(want)-1] == ' ' {
		want = want[:len(want)-1]
	}
	return want
}

func rolesAndGroups(t *testing.T, w *World) {
	ctx, s := t.Context(), w.Orgs()
	role := org.Role{ID: id.NewRole(), Organization: w.org, Name: "Auditor", Description: "reads", Rights: caller.RightsOf(caller.ReadActivity, caller.AllUsage), Version: 1, CreatedAt: w.now}
	must(t, s.AddRole(ctx, role, 2, w.event(audit.RoleCreated)))
	same(t, "the role", one(s.Role(ctx, w.org, role.ID)), role)
	twin := role
	twin.ID = id.NewRole()
	kind(t, "a role of the same name", s.AddRole(ctx, twin, 2, w.event(audit.RoleCreated)), fault.Conflict)
	twin.Name, twin.Rights = "Keys", caller.RightsOf(caller.OwnKeys)
	must(t, s.AddRole(ctx, twin, 2, w.event(audit.RoleCreated)))
	third := twin
	third.ID, third.Name = id.NewRole(), "Third"
	kind(t, "one role too many", s.AddRole(ctx, third, 2, w.event(audit.RoleCreated)), fault.Conflict)

	group := org.Group{ID: id.NewGroup(), Organization: w.org, Name: "Platform", Roles: []id.Role{role.ID}, Rights: role.Rights, Version: 1, CreatedAt: w.now, UpdatedAt: w.now}
	must(t, s.AddGroup(ctx, group, 2, w.event(audit.GroupCreated)))
	same(t, "the group", one(s.Group(ctx, w.org, group.ID)), group)
	m := w.add(t, "m@example.com", "M", access.Managed, 1)
	if m.Grants != 0 {
		t.Errorf("a fresh member has %s", m.Grants)
	}
	for range 2 { // the second time changes nothing
		must(t, s.AddToGroup(ctx, w.org, group.ID, m.ID, org.ByConsole, w.now, w.event(audit.GroupMemberAdded)))
	}
	got := one(s.Member(ctx, w.org, m.ID))
	if got.Groups != string(group.ID) || got.Grants != role.Rights {
		t.Errorf("a member of the group is in %q and has %q", got.Groups, got.Grants)
	}
	group.Roles, group.Models = []id.Role{role.ID, twin.ID}, []string{"claude-haiku-4-5", "claude-opus-5"}
	group = done(s.SaveGroup(ctx, group, w.event(audit.GroupUpdated)))
	if got := one(s.Member(ctx, w.org, m.ID)).Grants; got != role.Rights|twin.Rights {
		t.Errorf("with two roles the member has %q", got)
	}
	same(t, "the groups that give the role", done(s.GroupsWith(ctx, w.org, twin.ID)), []string{string(group.ID)})
	if all := done(s.Groups(ctx, w.org)); len(all) != 1 || all[0].Members != 1 || len(all[0].Roles) != 2 || !slices.Equal(all[0].Models, group.Models) {
		t.Errorf("groups: %+v", all)
	}
	stale := role
	role.Rights = caller.RightsOf(caller.ReadActivity)
	role = done(s.SaveRole(ctx, role, w.event(audit.RoleUpdated)))
	_, err := s.SaveRole(ctx, stale, w.event(audit.RoleUpdated))
	kind(t, "a change of an older role", err, fault.Conflict)
	must(t, s.DeleteRole(ctx, w.org, twin.ID, w.event(audit.RoleDeleted)))
	if got := one(s.Member(ctx, w.org, m.ID)).Grants; got != role.Rights {
		t.Errorf("after one role became less and one went the member has %q", got)
	}
	foreign := id.NewOrganization()
	kind(t, "a foreign organization's role", s.DeleteRole(ctx, foreign, role.ID, w.event(audit.RoleDeleted)), fault.NotFound)
	kind(t, "a foreign organization's group", s.DeleteGroup(ctx, foreign, group.ID, w.event(audit.GroupDeleted)), fault.NotFound)
	must(t, s.RemoveFromGroup(ctx, w.org, group.ID, m.ID, w.event(audit.GroupMemberRemoved)))
	kind(t, "taking out who is not in", s.RemoveFromGroup(ctx, w.org, group.ID, m.ID, w.event(audit.GroupMemberRemoved)), fault.NotFound)
	must(t, s.AddToGroup(ctx, w.org, group.ID, m.ID, org.ByConsole, w.now, w.event(audit.GroupMemberAdded)))
	must(t, s.DeleteGroup(ctx, w.org, group.ID, w.event(audit.GroupDeleted)))
	if got := one(s.Member(ctx, w.org, m.ID)); got.Grants != 0 || got.Groups != "" {
		t.Errorf("after the group went the member has %q from %q", got.Grants, got.Groups)
	}
}

func ownership(t *testing.T, w *World) {
	ctx, s := t.Context(), w.Orgs()
	to := w.add(t, "to@example.com", "To", access.User, 1)
	offer := org.Offer{Organization: w.org, From: w.member, To: to, CreatedAt: w.now, ExpiresAt: w.now.Add(time.Hour)}
	must(t, s.SaveOffer(ctx, offer, w.event(audit.OwnershipOffered)))
	newer := offer
	newer.CreatedAt = w.now.Add(time.Second)
	must(t, s.SaveOffer(ctx, newer, w.event(audit.OwnershipOffered)))
	same(t, "the offer", one(s.Offer(ctx, w.org)), newer)
	kind(t, "accepting the older offer", s.TransferOwnership(ctx, offer, w.event(audit.OwnershipTransferred)), fault.Conflict)
	must(t, s.TransferOwnership(ctx, newer, w.event(audit.OwnershipTransferred)))
	kind(t, "accepting it again", s.TransferOwnership(ctx, newer, w.event(audit.OwnershipTransferred)), fault.Conflict)
	if from, to := one(s.Member(ctx, w.org, w.member.ID)), one(s.Member(ctx, w.org, to.ID)); from.Role != access.Owner || to.Role != access.PrimaryOwner {
		t.Errorf("after the transfer: %s and %s", from.Role, to.Role)
	}

	// What is exported has every table and no secret.
	tables := map[string]int{}
	must(t, s.Export(ctx, w.org, func(table string, columns []string, row []any) error {
		tables[table]++
		for _, secret := range []string{"hash", "credential", "salt", "refresh"} {
			if slices.ContainsFunc(columns, func(c string) bool { return c == secret }) {
				return fmt.Errorf("%s has the column %s", table, secret)
			}
		}
		return nil
	}, w.event(audit.OrganizationExported)))
	if tables["organization"] != 1 || tables["members"] != 2 || tables["activities"] < 4 {
		t.Errorf("exported: %v", tables)
	}

	// One person makes organizations up to a number, also at the same time.
	made := make(chan error, 8)
	for range cap(made) {
		go func() {
			o := org.Organization{ID: id.NewOrganization(), Name: "Own", Plan: org.Console, Version: 1, CreatedAt: w.now}
			m := org.Member{ID: id.NewMember(), Organization: o.ID, Account: to.Account, Role: access.PrimaryOwner, Status: org.Active, CreatedAt: w.now, JoinedAt: w.now}
			made <- s.AddOrganization(ctx, o, m, 4, w.event(audit.OrganizationCreated))
		}()
	}
	refused := 0
	for range cap(made) {
		if err := <-made; fault.Is(err, fault.Conflict) {
			refused++
		} else {
			must(t, err)
		}
	}
	if refused != 5 { // three more than the one they were given
		t.Errorf("%d of 8 organizations were refused, want 5", refused)
	}
}
