package storetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/invite"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// seats takes seats away while people take them, in many rounds: there are never
// more taken than bought.
func seats(t *testing.T, w *World) {
	ctx := t.Context()
	o := one(w.Orgs().Organization(ctx, w.org))
	for round := range 12 {
		before := must1(w.Orgs().Taken(ctx, w.org))(t)
		n := before.Members + before.Invited
		o.Plan, o.Seats = org.Team, n+4
		o = done(w.Orgs().SavePlan(ctx, o, w.event(audit.SeatsChanged)))
		fewer := o
		fewer.Seats = n + 1
		var wg sync.WaitGroup
		try := func(what string, do func() error) {
			wg.Go(func() {
				if err := do(); err != nil && !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.Conflict) {
					t.Errorf("%s: %v", what, err)
				}
			})
		}
		for i := range 2 {
			name := fmt.Sprintf("p%d.%d@example.com", round, i)
			try("joining", func() error {
				m := org.Member{ID: id.NewMember(), Organization: w.org, Account: id.NewAccount(), Email: "m" + name, Role: access.User, Status: org.Active, CreatedAt: w.now, JoinedAt: w.now}
				_, err := w.Orgs().AddMember(ctx, m, w.event(audit.MemberAdded))
				return err
			})
			try("inviting", func() error {
				i := invite.Invite{ID: id.NewInvite(), Organization: w.org, Email: "i" + name, Role: access.User, Status: invite.Pending, CreatedAt: w.now, ExpiresAt: w.now.Add(time.Hour)}
				return w.Invites().AddInvite(ctx, invite.Outgoing{Invite: i, Hash: secret.New(name).Hash(), Event: w.event(audit.InviteSent)}, 1000)
			})
			try("taking seats away", func() error {
				_, err := w.Orgs().SavePlan(ctx, fewer, w.event(audit.SeatsChanged))
				return err
			})
		}
		wg.Wait()
		o = one(w.Orgs().Organization(ctx, w.org))
		after := must1(w.Orgs().Taken(ctx, w.org))(t)
		if taken := after.Members + after.Invited; taken > o.Seats || taken == n {
			t.Fatalf("round %d: of %d seats %d are taken, %d before", round, o.Seats, taken, n)
		}
	}
	o.Seats = 1
	_, err := w.Orgs().SavePlan(ctx, o, w.event(audit.SeatsChanged))
	kind(t, "fewer seats than are taken", err, fault.Invalid)
	o.Version--
	o.Seats = 0
	_, err = w.Orgs().SavePlan(ctx, o, w.event(audit.SeatsChanged))
	kind(t, "a change of what somebody else has changed", err, fault.Conflict)
	o.ID = id.NewOrganization()
	_, err = w.Orgs().SavePlan(ctx, o, w.event(audit.SeatsChanged))
	kind(t, "an organization that is not there", err, fault.NotFound)
}
