package invite_test

import (
	"fmt"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/account"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/invite"
	"github.com/gatehouse-dev/gatehouse/internal/org"
)

func TestProposals(t *testing.T) {
	eachInviting(t, func(t *testing.T, w *inviting) {
		ctx := t.Context()
		w.plan(t, org.Team, 0)
		member, other := w.added(t, "m@acme.example", access.Developer), w.added(t, "n@acme.example", access.Developer)
		who := member.Caller(caller.Web)
		propose := func(who caller.Caller, email string) (invite.Proposal, error) {
			return w.here.Propose(ctx, who, w.org, email, "Ada\u202e L", "she \x00knows")
		}
		_, err := propose(who, "ada@acme.example")
		refused(t, "switched off", err, fault.Denied)
		w.linking(t)
		p, err := propose(who, "ADA@acme.example")
		ok(t, err)
		if p.Email != "ada@acme.example" || p.Name != "Ada L" || p.Why != "she knows" {
			t.Errorf("%+q", p)
		}
		for name, c := range map[string]struct {
			who   caller.Caller
			email string
			want  fault.Kind
		}{
			"proposed already": {other.Caller(caller.Web), p.Email, fault.Conflict}, "a member": {who, "n@acme.example", fault.Conflict},
			"invited": {who, w.invited(t, "waits@acme.example").Email, fault.Conflict}, "no address": {who, "ada", fault.Invalid},
			"the server": {caller.OfOperator(w.org), "x@acme.example", fault.Unsupported},
		} {
			_, err := propose(c.who, c.email)
			refused(t, name, err, c.want)
		}
		for n := range 19 {
			_, err := propose(who, fmt.Sprintf("p%d@acme.example", n))
			ok(t, err)
		}
		_, err = propose(who, "p20@acme.example")
		refused(t, "the 21st", err, fault.Conflict)
		mine, err := w.here.MyProposals(ctx, other.Caller(caller.Web), w.org)
		ok(t, err)
		if len(mine) != 0 {
			t.Errorf("somebody sees %d of another's", len(mine))
		}
	})
}

func TestProposalsAreDecidedOnce(t *testing.T) {
	eachInviting(t, func(t *testing.T, w *inviting) {
		ctx := t.Context()
		w.linking(t)
		member := w.added(t, "m@acme.example", access.Developer)
		admin := w.added(t, "admin@acme.example", access.MembershipAdmin).Caller(caller.Web)
		propose := func(email string) string {
			p, err := w.here.Propose(ctx, member.Caller(caller.Web), w.org, email, "", "")
			ok(t, err)
			return p.ID
		}
		p := propose("ada@acme.example")
		_, err := w.here.Decide(ctx, member.Caller(caller.Web), w.org, p, true, access.User)
		refused(t, "one's own", err, fault.Denied)
		_, err = w.here.Decide(ctx, admin, w.org, p, true, access.Owner)
		refused(t, "a role that is not theirs to give", err, fault.Denied)
		stranger, err := w.accounts.Found(ctx, caller.OfOperator(""), account.First{Organization: "Other", Email: "eve@evil.example"})
		ok(t, err)
		_, err = w.here.Decide(ctx, stranger.Caller(caller.Web), stranger.Organization, p, true, access.User)
		refused(t, "another organization's", err, fault.NotFound)
		if n := len(w.letters(t, "")); n != 0 {
			t.Fatalf("%d letters of what was refused", n)
		}
		won, lost := w.atOnce(func(s *invite.Service) error { _, err := s.Decide(ctx, admin, w.org, p, true, access.User); return err })
		if won != 1 || !fault.Is(lost, fault.Conflict) || len(w.letters(t, "ada@acme.example")) != 1 {
			t.Errorf("approved on two nodes at once: %d, %v, %d letters", won, lost, len(w.letters(t, "ada@acme.example")))
		}
		// Approving and declining at once: one of the two holds, and the invitation
		// is there exactly if it was approved.
		for n := range 4 {
			email := fmt.Sprintf("p%d@acme.example", n)
			p := propose(email)
			won, lost := w.atOnce(func(s *invite.Service) error {
				_, err := s.Decide(ctx, admin, w.org, p, s == w.here, access.User)
				return err
			})
			found, exists, err := w.db.Invites().Proposal(ctx, w.org, p)
			ok(t, err)
			if approved := found.State == "approved"; won != 1 || !fault.Is(lost, fault.Conflict) || !exists || approved != (len(w.letters(t, email)) == 1) {
				t.Errorf("decided both ways at once: %d, %v, %+v", won, lost, found)
			}
		}
		// Somebody invited them in another way: nothing is decided by that.
		p = propose("late@acme.example")
		w.invited(t, "late@acme.example")
		_, err = w.here.Decide(ctx, admin, w.org, p, true, access.User)
		refused(t, "who is invited already", err, fault.Conflict)
		_, err = w.here.Decide(ctx, admin, w.org, p, false, "")
		ok(t, err)
		waiting, err := w.here.Proposals(ctx, admin, w.org)
		ok(t, err)
		if len(waiting) != 0 {
			t.Errorf("%+v wait", waiting)
		}
	})
}
