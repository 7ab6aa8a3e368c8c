package server_test

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/apikey"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/invite"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/server"
	"github.com/gatehouse-dev/gatehouse/internal/serviceaccount"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/nodes"
	"github.com/gatehouse-dev/gatehouse/internal/upstream"
	"github.com/gatehouse-dev/gatehouse/internal/workspace"
)

// listing is a list of the Admin API, with ways to change what is in it.
type listing struct {
	path  string // may have a query
	field string // that tells rows apart
	both  bool   // it is read with after_id and before_id
	add   func(n int) string
	drop  func(row string) // nil: rows stay
}

// TestPaging reads every list of the Admin API in pages of random sizes, in both
// directions where it has them, and while rows come and go.
func TestPaging(t *testing.T) {
	nodes.Each(t, func(t *testing.T, database string) {
		// By a clock that is this slow, many rows are of the same moment.
		w := nodes.Start(t, nodes.Options{Database: database, Change: func(c *server.Config) {
			now := c.Now
			c.Now = func() time.Time { return now().Truncate(20 * time.Millisecond) }
		}})
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		p := pager{T: t, base: adminDoor(t, w, 1_000_000), key: w.Sample.AdminKey.Reveal(), dice: rand.New(rand.NewPCG(seed, 0))}
		foreign := strangers(t, w)
		for _, l := range listings(t, w) {
			for n := range 6 + p.dice.IntN(4) {
				l.add(n)
			}
			p.still(l)
			p.moving(l)
			p.wrong(l, foreign)
		}
	})
}

// listings are all lists that have more than one row.
func listings(t testing.TB, w *nodes.World) []listing {
	ctx, rooms, o := t.Context(), w.Server.Rooms(), w.Sample.Organization
	who := caller.OfOperator(o)
	member := func(n int) string {
		m, err := rooms.Orgs.Add(ctx, who, o, org.NewMember{Email: fmt.Sprintf("m%d-%s@example.com", n, id.NewMember()), Role: access.User})
		must(t, err)
		return string(m.ID)
	}
	space := func(n int) string {
		s, err := rooms.Workspaces.Create(ctx, who, o, workspace.New{Name: fmt.Sprintf("%d %s", n, id.NewWorkspace()[:20])})
		must(t, err)
		return string(s.ID)
	}
	service := func(n int) string {
		a, err := rooms.ServiceAccounts.Create(ctx, who, o, serviceaccount.New{Name: fmt.Sprintf("s%d-%x", n, rand.Uint64())})
		must(t, err)
		return string(a.ID)
	}
	group := func(n int) string {
		g, err := rooms.Orgs.CreateGroup(ctx, who, o, org.Group{Name: fmt.Sprintf("g%d %x", n, rand.Uint64())})
		must(t, err)
		return string(g.ID)
	}
	join := func(space, principal string) string {
		_, err := rooms.Workspaces.Add(ctx, who, o, id.Workspace(space), principal, access.WorkspaceDeveloper)
		must(t, err)
		return principal
	}
	leave := func(space, principal string) {
		must(t, rooms.Workspaces.Remove(ctx, who, o, id.Workspace(space), principal))
	}
	people, _, err := rooms.Orgs.Members(ctx, who, o, org.MemberFilter{Email: w.Sample.Member.Email})
	must(t, err)
	before, _, err := rooms.Orgs.Members(ctx, who, o, org.MemberFilter{}) // the owner among them
	must(t, err)
	mighty, err := rooms.Orgs.CreateRole(ctx, who, o, org.Role{Name: "Mighty", Rights: access.Assignable()})
	must(t, err)
	one, another, account, crowd := space(0), space(1), service(0), group(0)
	kept := func(row string) bool {
		for _, m := range before {
			if string(m.ID) == row {
				return true
			}
		}
		return slices.Contains([]string{string(mighty.ID), one, another, account, crowd}, row)
	}
	return []listing{
		{"/users", "id", true, member, func(m string) {
			if kept(m) {
				return
			}
			_, err := rooms.Orgs.Remove(ctx, who, o, id.Member(m))
			must(t, err)
		}},
		{"/invites", "id", true, func(n int) string {
			i, err := rooms.Invites.Create(ctx, who, o, invite.New{Email: fmt.Sprintf("i%d-%x@example.com", n, rand.Uint64()), Place: invite.Place{Role: access.User}})
			must(t, err)
			return string(i.ID)
		}, func(i string) {
			_, err := rooms.Invites.Withdraw(ctx, who, o, id.Invite(i))
			must(t, err)
		}},
		{"/api_keys?status=active", "id", true, func(n int) string {
			k, _, err := rooms.Keys.Create(ctx, people[0].Caller(caller.Web), o, apikey.New{Name: fmt.Sprint("key ", n)})
			must(t, err)
			return string(k.ID)
		}, func(k string) {
			archived := apikey.Archived
			_, err := rooms.Keys.Update(ctx, who, o, id.APIKey(k), apikey.Change{Status: &archived})
			must(t, err)
		}},
		{"/workspaces", "id", true, space, func(s string) {
			if kept(s) {
				return
			}
			_, err := rooms.Workspaces.Archive(ctx, who, o, id.Workspace(s))
			must(t, err)
		}},
		{"/workspaces/" + one + "/members", "user_id", true, func(n int) string { return join(one, member(n)) }, func(m string) { leave(one, m) }},
		{"/workspaces/" + another + "/service_accounts", "service_account_id", false, func(n int) string { return join(another, service(n)) }, func(a string) { leave(another, a) }},
		{"/service_accounts", "id", false, service, func(a string) {
			if kept(a) {
				return
			}
			_, err := rooms.ServiceAccounts.Archive(ctx, who, o, id.ServiceAccount(a))
			must(t, err)
		}},
		{"/service_accounts/" + account + "/workspaces", "workspace_id", false, func(n int) string {
			s := space(n)
			join(s, account)
			return s
		}, func(s string) { leave(s, account) }},
		{"/rbac_groups", "id", false, group, func(g string) {
			if !kept(g) {
				must(t, rooms.Orgs.DeleteGroup(ctx, who, o, id.Group(g)))
			}
		}},
		{"/rbac_groups/" + crowd + "/members", "user_id", false, func(n int) string {
			m := member(n)
			must(t, rooms.Orgs.AddToGroup(ctx, who, o, id.Group(crowd), id.Member(m)))
			return m
		}, func(m string) { must(t, rooms.Orgs.RemoveFromGroup(ctx, who, o, id.Group(crowd), id.Member(m))) }},
		{"/rbac_roles", "id", false, func(n int) string {
			r, err := rooms.Orgs.CreateRole(ctx, who, o, org.Role{Name: fmt.Sprintf("%x r%d", rand.Uint64(), n), Rights: caller.RightsOf(caller.ReadMembers)})
			must(t, err)
			return string(r.ID)
		}, func(r string) {
			if !kept(r) {
				must(t, rooms.Orgs.DeleteRole(ctx, who, o, id.Role(r)))
			}
		}},
		{"/upstreams", "id", false, func(n int) string {
			u, err := rooms.Upstreams.Connect(ctx, who, o, upstream.New{Name: fmt.Sprintf("%x u%d", rand.Uint64(), n), Provider: upstream.Simulated})
			must(t, err)
			return string(u.ID)
		}, func(u string) { must(t, rooms.Upstreams.Remove(ctx, who, o, id.Upstream(u))) }},
		{"/rbac_roles/" + string(mighty.ID) + "/permissions", "action", false, func(int) string { return "" }, nil},
	}
}

type pager struct {
	*testing.T
	base, key string
	dice      *rand.Rand
}

// page is one page as it is read.
type page struct {
	status int
	rows   []string
	more   bool
	next   string // the cursor of the next page
}

func (p pager) page(l listing, limit int, name, cursor string) page {
	p.T.Helper()
	path, query, _ := strings.Cut(l.path, "?")
	values, err := url.ParseQuery(query)
	must(p.T, err)
	values.Set("limit", fmt.Sprint(limit))
	if cursor != "" {
		values.Set(name, cursor)
	}
	got := send(p.T, "GET", p.base+path+"?"+values.Encode(), "", "", withKey(p.key))
	out := page{status: got.status}
	if got.status != 200 {
		return out
	}
	for _, row := range got.body["data"].([]any) {
		out.rows = append(out.rows, row.(map[string]any)[l.field].(string))
	}
	if len(out.rows) > limit {
		p.T.Errorf("%s: %d rows on a page of %d", l.path, len(out.rows), limit)
	}
	if !l.both {
		out.next, out.more = nextPage(got.body)
		return out
	}
	out.more = got.body["has_more"].(bool)
	first, _ := got.body["first_id"].(string)
	last, _ := got.body["last_id"].(string)
	if n := len(out.rows); (n == 0 && first+last != "") || (n > 0 && (first != out.rows[0] || last != out.rows[n-1])) {
		p.T.Errorf("%s: first_id %q and last_id %q of %v", l.path, first, last, out.rows)
	}
	if out.next = last; name == "before_id" {
		out.next = first
	}
	return out
}

func nextPage(body map[string]any) (string, bool) {
	next, ok := body["next_page"].(string)
	return next, ok
}

// all is the whole list in its order.
func (p pager) all(l listing) []string { return p.page(l, 1000, "", "").rows }

func (p pager) forward(l listing) string {
	if l.both {
		return "after_id"
	}
	return "page"
}

// still reads a list that does not change.
func (p pager) still(l listing) {
	p.T.Helper()
	whole := p.all(l)
	walk := func(name, from string, want []string, join func(so, rows []string) []string) {
		var got []string
		limit := 1 + p.dice.IntN(5)
		for cursor := from; ; {
			one := p.page(l, limit, name, cursor)
			if got = join(got, one.rows); one.more != (len(got) < len(want)) {
				p.T.Errorf("%s by %s: more is %v after %d of %d rows", l.path, name, one.more, len(got), len(want))
			}
			if cursor = one.next; !one.more || len(got) > len(want) {
				break
			}
		}
		if !slices.Equal(got, want) {
			p.T.Errorf("%s by %s, %d on a page:\n%v, want\n%v", l.path, name, limit, got, want)
		}
	}
	after := func(so, rows []string) []string { return append(so, rows...) }
	walk(p.forward(l), "", whole, after)
	if l.both {
		at := p.dice.IntN(len(whole))
		walk("after_id", whole[at], whole[at+1:], after)
		walk("before_id", whole[at], whole[:at], func(so, rows []string) []string { return slices.Concat(rows, so) })
	}
}

// moving reads a list while rows come and go: those that are there all the time
// are read once each and in order, and nothing is read twice. From a row that is
// gone the list goes on, or says that it cannot.
func (p pager) moving(l listing) {
	p.T.Helper()
	steady := p.all(l)
	order := slices.Clone(steady)
	var got []string
	for cursor := ""; ; {
		one := p.page(l, 1+p.dice.IntN(3), p.forward(l), cursor)
		if one.status == 400 {
			break // from a row that is gone: read again from the beginning
		}
		got = append(got, one.rows...)
		if cursor = one.next; !one.more {
			if rest := slices.DeleteFunc(steady, func(row string) bool { return slices.Contains(got, row) }); len(rest) > 0 {
				p.T.Errorf("%s: %v are left out of %v", l.path, rest, got)
			}
			break
		}
		l.add(100 + len(got))
		victim := steady[p.dice.IntN(len(steady))]
		if l.drop != nil && len(steady) > 3 && victim != order[len(order)-1] {
			l.drop(victim)
			steady = slices.DeleteFunc(steady, func(row string) bool { return row == victim })
		}
	}
	known := slices.DeleteFunc(slices.Clone(got), func(row string) bool { return !slices.Contains(order, row) })
	sorted := slices.SortedFunc(slices.Values(known), func(a, b string) int { return slices.Index(order, a) - slices.Index(order, b) })
	if !slices.Equal(known, sorted) || len(slices.Compact(slices.Sorted(slices.Values(got)))) != len(got) {
		p.T.Errorf("%s, changing: %v of %v", l.path, got, order)
	}
}

// wrong asks for pages that there are not.
func (p pager) wrong(l listing, foreign others) {
	p.T.Helper()
	names := []string{"page"}
	cursors := []string{"!", base64.RawURLEncoding.EncodeToString([]byte(foreign.member)), base64.RawURLEncoding.EncodeToString([]byte("00000 rbac_group_x")), strings.Repeat("A", 2000)}
	if l.both {
		names = []string{"after_id", "before_id"}
		cursors = []string{"\x00", foreign.member, foreign.workspace, "user_0000000000000000000000"}
	}
	for _, name := range names {
		for _, cursor := range cursors {
			if got := p.page(l, 5, name, cursor); got.status != 400 && got.status != 404 {
				p.T.Errorf("%s with %s %.40q: %d %v", l.path, name, cursor, got.status, got.rows)
			}
		}
	}
	if !l.both {
		other := listing{path: "/rbac_groups", field: "id"}
		if l.path == other.path {
			other.path = "/rbac_roles"
		}
		if next := p.page(other, 1, "page", "").next; next != "" {
			if got := p.page(l, 5, "page", next); got.status != 400 {
				p.T.Errorf("%s with a page of another list: %d", l.path, got.status)
			}
		}
	}
}
