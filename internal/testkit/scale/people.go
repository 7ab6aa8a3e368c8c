package scale

import (
	"crypto/sha256"
	"database/sql"
	"fmt"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/id"
)

var (
	firstNames = strings.Fields(`Ada Alan Amara Anna Arjun Beatriz Bo Carla Chen Clara Dara David Elena Emil Fatima Felix Grace Hana Hugo Ines Ivan Jana
		Jonas Kai Karim Lena Liam Lin Luca Maya Mei Miguel Mina Nils Noor Olga Omar Paula Petra Priya Rafael Rosa Sam Sara Tariq Tom Uma Vera Wei Yuki Zoe`)
	lastNames = strings.Fields(`Abe Almeida Andersen Bauer Berg Brown Castro Cohen Costa Diaz Dubois Evans Fischer Garcia Gupta Haddad Hansen Huber Ito Ivanov
		Jansen Johnson Khan Kim Klein Kowalski Larsen Lee Lopez Martin Meier Mori Müller Nguyen Novak Okafor Olsen Park Patel Quist Rossi Ruiz Sato Schmidt
		Silva Singh Smith Suzuki Tanaka Torres Usman Vogel Wagner Wang Weber Wolf Yamada Young Zhang`)
)

func (f *filling) name() string { return one(f, firstNames) + " " + one(f, lastNames) }

func address(name string, i int) string {
	return strings.ToLower(strings.ReplaceAll(strings.ReplaceAll(name, " ", "."), "ü", "ue")) + fmt.Sprintf("%d@acme.example", i)
}

func (f *filling) fillPeople(tx *sql.Tx) error {
	for i := range f.size.Members {
		name := f.name()
		f.people = append(f.people, person{id.NewAccount(), id.NewMember(), name, address(name, i)})
	}
	if err := f.insert(tx, "account", "id, email, name, created_at", len(f.people), func(i int) []any {
		return []any{f.people[i].account, f.people[i].email, f.people[i].name, f.ago(700)}
	}); err != nil {
		return err
	}
	if err := f.insert(tx, "member", "id, organization_id, account_id, role, status, created_at, joined_at, ended_at", len(f.people), func(i int) []any {
		role := one(f, []string{"developer", "developer", "developer", "claude_code_user", "claude_code_user", "user", "billing", "admin"})
		made, status, ended := f.ago(700), "active", any(nil)
		if f.random.IntN(20) == 0 {
			status, ended = one(f, []string{"suspended", "removed"}), f.ago(100)
		}
		return []any{f.people[i].member, f.org, f.people[i].account, role, status, made, made, ended}
	}); err != nil {
		return err
	}
	return f.insert(tx, "member_setup", "member_id, organization_id, step, since, report, claude_version", len(f.people), func(i int) []any {
		return []any{f.people[i].member, f.org, one(f, []int{1, 2, 3, 4, 5, 5, 5, 5, 5, 5}), f.ago(200), "", ""}
	})
}

func (f *filling) fillWorkspaces(tx *sql.Tx) error {
	for range 60 {
		f.places = append(f.places, id.NewWorkspace())
	}
	if err := f.insert(tx, "workspace", "id, organization_id, name, kind, color, models, tags, version, created_at", len(f.places), func(i int) []any {
		return []any{f.places[i], f.org, fmt.Sprintf("Team %s %d", one(f, lastNames), i), "", "#1d4ed8", "[]", "{}", 1, f.ago(700)}
	}); err != nil {
		return err
	}
	return f.insert(tx, "workspace_member", "organization_id, workspace_id, principal_id, role, created_at", len(f.people), func(i int) []any {
		return []any{f.org, f.places[i%len(f.places)], f.people[i].member, one(f, []string{"workspace_developer", "workspace_user"}), f.ago(700)}
	})
}

func (f *filling) fillGroups(tx *sql.Tx) error {
	for range 200 {
		f.groups = append(f.groups, id.NewGroup())
	}
	if err := f.insert(tx, "member_group", "id, organization_id, name, description, version, created_at, updated_at", len(f.groups), func(i int) []any {
		made := f.ago(700)
		return []any{f.groups[i], f.org, fmt.Sprintf("Group %s %d", one(f, lastNames), i), "People who work on one thing", 1, made, made}
	}); err != nil {
		return err
	}
	return f.insert(tx, "group_member", "organization_id, group_id, member_id, source, created_at", 2*len(f.people), func(i int) []any {
		// The second round is shifted, so that nobody is in a group twice.
		m := i % len(f.people)
		return []any{f.org, f.groups[(m+i/len(f.people)*7)%len(f.groups)], f.people[m].member, "console", f.ago(700)}
	})
}

func (f *filling) fillInvites(tx *sql.Tx) error {
	return f.insert(tx, "invite", `id, organization_id, email, name, role, groups, workspaces, status, hash, batch_id, link_id, invited_by, inviter,
		created_at, expires_at, sent_at, member_id`, f.size.Invites, func(i int) []any {
		name, made := f.name(), f.ago(20)
		by := one(f, f.people)
		hash := sha256.Sum256(fmt.Appendf(nil, "invite %d", i))
		return []any{id.NewInvite(), f.org, "new." + address(name, i), name, "developer", "", "", one(f, []string{"pending", "pending", "expired", "deleted", "accepted"}),
			hash[:], "", "", by.member, by.email, made, made + 21*24*3600*1e6, made, ""}
	})
}
