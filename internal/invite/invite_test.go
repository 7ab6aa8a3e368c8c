package invite_test

import (
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
	"github.com/gatehouse-dev/gatehouse/internal/invite"
	"github.com/gatehouse-dev/gatehouse/internal/kms"
	"github.com/gatehouse-dev/gatehouse/internal/letter"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/outbox"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/store"
)

// inviting is two nodes' rooms over one database, and an owner.
type inviting struct {
	here, there *invite.Service
	config      invite.Config
	db          *store.DB
	orgs        *org.Service
	accounts    *account.Service
	owner       org.Member
	who         caller.Caller // the owner
	org         id.Organization

	mu  sync.Mutex
	now time.Time
}

func (w *inviting) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *inviting) wait(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func eachInviting(t *testing.T, f func(t *testing.T, w *inviting)) {
	t.Parallel()
	for name, fresh := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f(t, newInviting(t, fresh(t)))
		})
	}
}

var databases = map[string]func(testing.TB) string{
	"sqlite":   migrated.SQLite,
	"postgres": migrated.Postgres,
}

func newInviting(t testing.TB, url string) *inviting {
	t.Helper()
	w := &inviting{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	ring, err := kms.New(secret.New(base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32)))))
	ok(t, err)
	w.db, err = store.Open(t.Context(), url)
	ok(t, err)
	t.Cleanup(func() { _ = w.db.Close() })
	instance, err := w.db.Unlock(t.Context(), ring, w.now)
	ok(t, err)
	w.orgs = &org.Service{Store: w.db.Orgs(), Now: w.clock}
	w.accounts = account.New(w.db.Accounts(), w.db.Orgs(), w.clock).At("http://x")
	w.owner, err = w.accounts.Found(t.Context(), caller.OfOperator(""), account.First{Organization: "Acme", Email: "o@acme.example", Name: "Olive"})
	ok(t, err)
	w.who, w.org = w.owner.Caller(caller.Web), w.owner.Organization
	w.config = invite.Config{Store: w.db.Invites(), Accounts: w.accounts, Key: instance.RefreshKey, PublicURL: "http://x", Now: w.clock}
	w.here, w.there = invite.NewService(w.config), invite.NewService(w.config)
	return w
}

// letters are those to an address, or to everybody, the newest first.
func (w *inviting) letters(t testing.TB, to string) (all []outbox.Message) {
	t.Helper()
	page, more, err := w.db.Outbox().Messages(t.Context(), outbox.Filter{Everywhere: true, Limit: 1000})
	ok(t, err)
	if more {
		t.Fatal("more letters than are looked at")
	}
	for _, m := range page {
		if m.Kind == letter.Invitation && (to == "" || m.To == to) {
			all = append(all, m)
		}
	}
	return all
}

// token is what the newest letter to an invited person leads to.
func (w *inviting) token(t testing.TB, i invite.Invite) secret.Text {
	t.Helper()
	all := w.letters(t, i.Email)
	if len(all) == 0 || all[0].About != string(i.ID) {
		t.Fatalf("%d letters went to %s, and the newest is not about the invitation", len(all), i.Email)
	}
	return secret.New(strings.TrimPrefix(all[0].Link.Reveal(), "http://x/invite/"))
}

// plan gives the organization a plan with so many seats; 0: any number.
func (w *inviting) plan(t testing.TB, plan org.Plan, seats int) {
	t.Helper()
	o, err := w.orgs.Get(t.Context(), w.who, w.org)
	ok(t, err)
	_, err = w.orgs.SetPlan(t.Context(), caller.OfOperator(w.org), w.org, o.Version, plan, seats)
	ok(t, err)
}

func (w *inviting) settings(t testing.TB, c org.Change) {
	t.Helper()
	o, err := w.orgs.Get(t.Context(), w.who, w.org)
	ok(t, err)
	_, err = w.orgs.Update(t.Context(), w.who, w.org, o.Version, c)
	ok(t, err)
}

// invited is a fresh invitation, as a developer.
func (w *inviting) invited(t testing.TB, email string) invite.Invite {
	t.Helper()
	return w.invitedBy(t, w.here, email)
}

func (w *inviting) invitedBy(t testing.TB, s *invite.Service, email string) invite.Invite {
	t.Helper()
	w.wait(time.Second)
	i, err := s.Create(t.Context(), w.who, w.org, invite.New{Email: email, Place: invite.Place{Role: access.Developer}})
	ok(t, err)
	return i
}

// added is a member who is there without an invitation.
func (w *inviting) added(t testing.TB, email string, role access.Role) org.Member {
	t.Helper()
	m, err := w.orgs.Add(t.Context(), caller.OfOperator(w.org), w.org, org.NewMember{Email: email, Name: "Name of " + email, Role: role})
	if err == nil { // as it is read, with what its organization's plan gives
		m, _, err = w.db.Orgs().Member(t.Context(), w.org, m.ID)
	}
	ok(t, err)
	return m
}

// atOnce calls both nodes at the same time.
func (w *inviting) atOnce(f func(*invite.Service) error) (won int, lost error) {
	var both sync.WaitGroup
	var got [2]error
	for n, s := range []*invite.Service{w.here, w.there} {
		both.Go(func() { got[n] = f(s) })
	}
	both.Wait()
	for _, err := range got {
		if err == nil {
			won++
		} else {
			lost = err
		}
	}
	return won, lost
}

func refused(t testing.TB, what string, err error, want fault.Kind) {
	t.Helper()
	if !fault.Is(err, want) {
		t.Errorf("%s: %v, which is not %s", what, err, want)
	}
}

const pass = "a long password"

var somewhere = account.Origin{Address: "192.0.2.1"}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// table is a file of so many people.
func table(n int) invite.List {
	var list strings.Builder
	list.WriteString("email,name,role\r\n")
	for i := range n {
		fmt.Fprintf(&list, "p%d@acme.example,\"Person, %d\",developer\r\n", i, i)
	}
	return invite.List{Table: list.String()}
}

// TestManyInvitations has two nodes send the same list at the same time.
func TestManyInvitations(t *testing.T) {
	const many = 700 // more than a node takes in one go
	eachInviting(t, func(t *testing.T, w *inviting) {
		ctx, who, o := t.Context(), w.who, w.org
		b, err := w.here.Check(ctx, who, o, table(many))
		ok(t, err)
		if b.Counts.Ready != many {
			t.Fatalf("%+v", b.Counts)
		}
		for _, node := range []*invite.Service{w.here, w.there} {
			_, err = node.Send(ctx, who, o, b.ID)
			ok(t, err)
		}
		if _, err := w.atOnce(func(s *invite.Service) error { return s.SendAll(ctx) }); err != nil {
			t.Error(err)
		}
		b, err = w.here.Batch(ctx, who, o, b.ID)
		ok(t, err)
		if b.State != invite.Done || b.Counts.Sent != many {
			t.Errorf("after sending on two nodes: %+v", b)
		}
		counts, err := w.here.Count(ctx, who, o)
		ok(t, err)
		if counts[invite.Pending] != many {
			t.Errorf("%v", counts)
		}
		again, err := w.here.Check(ctx, who, o, table(many))
		ok(t, err)
		if again.Counts.Unchanged != many {
			t.Errorf("the same list again: %+v", again.Counts)
		}
	})
}

// BenchmarkFiveThousandInvitations checks and stores as many as can be made in
// one go, each with its letter and its entry in the record.
func BenchmarkFiveThousandInvitations(b *testing.B) {
	for name, fresh := range databases {
		b.Run(name, func(b *testing.B) {
			var checked, stored time.Duration
			for b.Loop() {
				w := newInviting(b, fresh(b))
				began := time.Now()
				batch, err := w.here.Check(b.Context(), w.who, w.org, table(5000))
				ok(b, err)
				checked += time.Since(began)
				_, err = w.here.Send(b.Context(), w.who, w.org, batch.ID)
				ok(b, err)
				began = time.Now()
				ok(b, w.here.SendAll(b.Context()))
				stored += time.Since(began)
				if batch, err = w.here.Batch(b.Context(), w.who, w.org, batch.ID); err != nil || batch.Counts.Sent != 5000 {
					b.Fatalf("%+v, %v", batch, err)
				}
			}
			b.ReportMetric(checked.Seconds()/float64(b.N), "checked-s")
			b.ReportMetric(stored.Seconds()/float64(b.N), "stored-s")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func TestInvitationsAreAcceptedOnce(t *testing.T) {
	eachInviting(t, func(t *testing.T, w *inviting) {
		ctx, who, o := t.Context(), w.who, w.org
		i, err := w.here.Create(ctx, who, o, invite.New{Email: "new@acme.example", Place: invite.Place{Role: access.Developer}})
		ok(t, err)
		if _, err := w.here.Create(ctx, who, o, invite.New{Email: "NEW@acme.example", Place: invite.Place{Role: access.Developer}}); !fault.Is(err, fault.Conflict) {
			t.Errorf("invited twice: %v", err)
		}
		token := w.token(t, i)
		won, lost := w.atOnce(func(s *invite.Service) error {
			_, _, err := s.AcceptNew(ctx, token, "New", secret.New(pass), somewhere)
			return err
		})
		if won != 1 || !fault.Is(lost, fault.Conflict) {
			t.Errorf("accepted on two nodes at once: %d, %v", won, lost)
		}
		withdrawn, err := w.here.Create(ctx, who, o, invite.New{Email: "other@acme.example", Place: invite.Place{Role: access.User}})
		ok(t, err)
		token = w.token(t, withdrawn)
		_, err = w.here.Withdraw(ctx, who, o, withdrawn.ID)
		ok(t, err)
		if _, _, err := w.here.AcceptNew(ctx, token, "", secret.New(pass), somewhere); !fault.Is(err, fault.Conflict) {
			t.Errorf("accepted after it was withdrawn: %v", err)
		}
		admin := caller.Caller{Kind: caller.Member, Way: caller.Web, Organization: o, Member: "user_x", Role: "membership_admin", Rights: access.MembershipAdmin.Rights()}
		if _, err := w.here.Create(ctx, admin, o, invite.New{Email: "boss@acme.example", Place: invite.Place{Role: access.Owner}}); !fault.Is(err, fault.Denied) {
			t.Errorf("a membership admin invited an owner: %v", err)
		}
		for what, place := range map[string]invite.Place{"a group": {Role: access.User, Groups: []id.Group{"rbac_group_foreign"}},
			"a workspace": {Role: access.User, Workspaces: []id.Workspace{"wrkspc_foreign"}}} {
			if _, err := w.here.Create(ctx, who, o, invite.New{Email: "z@acme.example", Place: place}); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s that is not there: %v", what, err)
			}
		}
	})
}
