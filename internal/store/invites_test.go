package store_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"path/filepath"
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
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/store"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/postgres"
)

// inviting is two nodes' rooms over one database, and an owner.
type inviting struct {
	here, there *invite.Service
	links       map[id.Invite]string
	owner       org.Member
	now         time.Time
}

// token is what the letter in the outbox leads to.
func (w *inviting) token(t testing.TB, i invite.Invite) secret.Text {
	t.Helper()
	return secret.New(w.links[i.ID])
}

func eachInviting(t *testing.T, f func(t *testing.T, w *inviting)) {
	for name, fresh := range map[string]func(testing.TB) string{
		"sqlite":   func(t testing.TB) string { return filepath.Join(t.TempDir(), "test.db") },
		"postgres": func(t testing.TB) string { return postgres.New(t) },
	} {
		t.Run(name, func(t *testing.T) {
			w := &inviting{links: map[id.Invite]string{}, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
			ring, err := kms.New(secret.New(base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32)))))
			ok(t, err)
			db, err := store.Open(t.Context(), fresh(t))
			ok(t, err)
			t.Cleanup(func() { _ = db.Close() })
			instance, err := db.Unlock(t.Context(), ring, w.now)
			ok(t, err)
			now := func() time.Time { return w.now }
			accounts := account.New(db.Accounts(), db.Orgs(), now)
			w.owner, err = accounts.Found(t.Context(), caller.OfOperator(""), account.First{Organization: "Acme", Email: "o@acme.example"})
			ok(t, err)
			config := invite.Config{Store: overheard{db.Invites(), w}, Accounts: accounts, Key: instance.RefreshKey, PublicURL: "http://x", Now: now}
			w.here, w.there = invite.NewService(config), invite.NewService(config)
			f(t, w)
		})
	}
}

// overheard is the store, with the links of the letters that are queued in it.
type overheard struct {
	invite.Store
	w *inviting
}

func (o overheard) AddInvite(ctx context.Context, out invite.Outgoing, most int) error {
	o.w.links[out.Invite.ID] = strings.TrimPrefix(out.Letter.Link.Reveal(), "http://x/invite/")
	return o.Store.AddInvite(ctx, out, most)
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestFiveThousandInvitations(t *testing.T) {
	eachInviting(t, func(t *testing.T, w *inviting) {
		ctx, who, o := t.Context(), w.owner.Caller(caller.Web), w.owner.Organization
		var list strings.Builder
		list.WriteString("email,name,role\r\n")
		for i := range 5000 {
			fmt.Fprintf(&list, "p%d@acme.example,\"Person, %d\",developer\r\n", i, i)
		}
		began := time.Now()
		b, err := w.here.Check(ctx, who, o, invite.List{Table: list.String()})
		ok(t, err)
		checked := time.Since(began)
		if b.Counts.Ready != 5000 {
			t.Fatalf("%+v", b.Counts)
		}
		_, err = w.here.Send(ctx, who, o, b.ID)
		ok(t, err)
		_, err = w.there.Send(ctx, who, o, b.ID)
		ok(t, err)
		began = time.Now()
		var both sync.WaitGroup
		for _, s := range []*invite.Service{w.here, w.there} {
			both.Go(func() {
				if err := s.SendAll(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
		t.Logf("5,000 checked in %v, stored in %v", checked, time.Since(began))
		b, err = w.here.Batch(ctx, who, o, b.ID)
		ok(t, err)
		if b.State != invite.Done || b.Counts.Sent != 5000 {
			t.Errorf("after sending on two nodes: %+v", b)
		}
		counts, err := w.here.Count(ctx, who, o)
		ok(t, err)
		if counts[invite.Pending] != 5000 {
			t.Errorf("%v", counts)
		}
		again, err := w.here.Check(ctx, who, o, invite.List{Table: list.String()})
		ok(t, err)
		if again.Counts.Unchanged != 5000 {
			t.Errorf("the same list again: %+v", again.Counts)
		}
	})
}

func TestInvitationsAreAcceptedOnce(t *testing.T) {
	eachInviting(t, func(t *testing.T, w *inviting) {
		ctx, who, o := t.Context(), w.owner.Caller(caller.Web), w.owner.Organization
		i, err := w.here.Create(ctx, who, o, invite.New{Email: "new@acme.example", Place: invite.Place{Role: access.Developer}})
		ok(t, err)
		if _, err := w.here.Create(ctx, who, o, invite.New{Email: "NEW@acme.example", Place: invite.Place{Role: access.Developer}}); !fault.Is(err, fault.Conflict) {
			t.Errorf("invited twice: %v", err)
		}
		token := w.token(t, i)
		var both sync.WaitGroup
		var joined [2]error
		for n, s := range []*invite.Service{w.here, w.there} {
			both.Go(func() {
				_, _, joined[n] = s.AcceptNew(ctx, token, "New", secret.New("a long password"), account.Origin{Address: "192.0.2.1"})
			})
		}
		both.Wait()
		if (joined[0] == nil) == (joined[1] == nil) {
			t.Errorf("accepted on two nodes at once: %v", joined)
		}
		for _, err := range joined {
			if err != nil && !fault.Is(err, fault.Conflict) {
				t.Errorf("the loser of the race: %v", err)
			}
		}
		withdrawn, err := w.here.Create(ctx, who, o, invite.New{Email: "other@acme.example", Place: invite.Place{Role: access.User}})
		ok(t, err)
		_, err = w.here.Withdraw(ctx, who, o, withdrawn.ID)
		ok(t, err)
		if _, _, err := w.here.AcceptNew(ctx, w.token(t, withdrawn), "", secret.New("a long password"), account.Origin{}); !fault.Is(err, fault.Conflict) {
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
