package invite_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/invite"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/outbox"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// draft is a checked list.
func (w *inviting) draft(t testing.TB, list string) invite.Batch {
	t.Helper()
	b, err := w.here.Check(t.Context(), w.who, w.org, invite.List{Text: list, Place: invite.Place{Role: access.Developer}})
	ok(t, err)
	return b
}

// sent sends whatever was started, and returns a batch as it is then.
func (w *inviting) sent(t testing.TB, b invite.Batch) invite.Batch {
	t.Helper()
	ok(t, w.here.SendAll(t.Context()))
	b, err := w.here.Batch(t.Context(), w.who, w.org, b.ID)
	ok(t, err)
	return b
}

func TestOnlyWhatFailedIsTriedAgain(t *testing.T) {
	eachInviting(t, func(t *testing.T, w *inviting) {
		ctx := t.Context()
		w.plan(t, org.Team, 4) // the owner's and three
		b := w.draft(t, "a@acme.example, b@acme.example, c@acme.example, not-one, a@acme.example")
		if want := (invite.Counts{Ready: 3, Wrong: 1, Unchanged: 1}); b.Counts != want {
			t.Fatalf("checked: %+v", b.Counts)
		}
		if again, err := w.here.RetryFailed(ctx, w.who, w.org, b.ID); err != nil || again.State != invite.Draft {
			t.Errorf("trying again what was never sent: %+v, %v", again, err)
		}
		w.invited(t, "first@acme.example")
		w.invited(t, "second@acme.example")
		_, err := w.here.Send(ctx, w.who, w.org, b.ID)
		ok(t, err)
		b = w.sent(t, b)
		if want := (invite.Counts{Sent: 1, Failed: 2, Wrong: 1, Unchanged: 1}); b.State != invite.Done || b.Counts != want {
			t.Fatalf("with one seat left: %s %+v", b.State, b.Counts)
		}
		failed, err := w.here.Lines(ctx, w.who, w.org, b.ID, invite.LineFilter{State: invite.LineFailed})
		ok(t, err)
		if len(failed) != 2 || !strings.Contains(failed[0].Note, "no seat is free: 4 of 4 are taken") {
			t.Errorf("why: %+v", failed)
		}
		// Still none: it fails again, and can be tried once more.
		_, err = w.here.RetryFailed(ctx, w.who, w.org, b.ID)
		ok(t, err)
		if b = w.sent(t, b); b.Counts.Failed != 2 || b.Counts.Sent != 1 {
			t.Errorf("tried in vain: %+v", b.Counts)
		}
		w.plan(t, org.Team, 9)
		// The one line is settled by others meanwhile.
		w.invited(t, failed[0].Email)
		for _, s := range []*invite.Service{w.here, w.there} {
			if _, err := s.RetryFailed(ctx, w.who, w.org, b.ID); err != nil {
				t.Errorf("trying again: %v", err)
			}
		}
		if won, lost := w.atOnce(func(s *invite.Service) error { return s.SendAll(ctx) }); won != 2 {
			t.Errorf("sending on two nodes: %v", lost)
		}
		b = w.sent(t, b)
		if want := (invite.Counts{Sent: 2, Wrong: 1, Unchanged: 2}); b.State != invite.Done || b.Counts != want {
			t.Errorf("tried again: %s %+v", b.State, b.Counts)
		}
		for _, email := range []string{"a", "b", "c"} {
			if n := len(w.letters(t, email+"@acme.example")); n != 1 {
				t.Errorf("%d letters to %s", n, email)
			}
		}
	})
}

// TestWhoWasRemovedInvitesNobody takes away the sender's role between two pieces.
func TestWhoWasRemovedInvitesNobody(t *testing.T) {
	eachInviting(t, func(t *testing.T, w *inviting) {
		ctx := t.Context()
		admin := w.added(t, "admin@acme.example", access.MembershipAdmin)
		who := admin.Caller(caller.Web)
		b, err := w.here.Check(ctx, who, w.org, invite.List{Text: "a@acme.example b@acme.example", Place: invite.Place{Role: access.User}})
		ok(t, err)
		_, err = w.here.Send(ctx, who, w.org, b.ID)
		ok(t, err)
		_, err = w.orgs.Remove(ctx, w.who, w.org, admin.ID)
		ok(t, err)
		if b = w.sent(t, b); b.Counts.Failed != 2 || len(w.letters(t, "")) != 0 {
			t.Errorf("a removed member invited %+v", b.Counts)
		}
		_, err = w.here.RetryFailed(ctx, w.who, w.org, b.ID) // the owner takes it over
		ok(t, err)
		if b = w.sent(t, b); b.Counts.Sent != 2 || b.ByName != "Olive" {
			t.Errorf("taken over: %+v by %s", b.Counts, b.ByName)
		}
	})
}

// TestLinesAreMendedAsTheyWereWritten mends one wrong line beside another, which
// must not become right by being read again.
func TestLinesAreMendedAsTheyWereWritten(t *testing.T) {
	eachInviting(t, func(t *testing.T, w *inviting) {
		ctx := t.Context()
		many := strings.Repeat("none;", 30)
		b, err := w.here.Check(ctx, w.who, w.org, invite.List{Table: "boss,email,name,groups\nboss@acme.example,,,\nx@acme.example,ada@,Ada,\n,bo@acme.example,Bo,\"" + many + "\"\n", Place: invite.Place{Role: access.User}})
		ok(t, err)
		if b.Counts.Wrong != 3 {
			t.Fatalf("checked: %+v", b.Counts)
		}
		b, err = w.here.Mend(ctx, w.who, w.org, b.ID, map[int]string{3: "ada@acme.example,Ada"})
		ok(t, err)
		if want := (invite.Counts{Ready: 1, Wrong: 2}); b.Counts != want {
			lines, _ := w.here.Lines(ctx, w.who, w.org, b.ID, invite.LineFilter{})
			t.Errorf("mended: %+v\n%+v", b.Counts, lines)
		}
	})
}

func TestSendingAgain(t *testing.T) {
	eachInviting(t, func(t *testing.T, w *inviting) {
		ctx := t.Context()
		i := w.invited(t, "ada@acme.example")
		token := w.token(t, i)
		again := func(s *invite.Service) error { _, err := s.Resend(ctx, w.who, w.org, i.ID); return err }
		refused(t, "within the minute", again(w.here), fault.Conflict)
		w.wait(time.Minute)
		if won, lost := w.atOnce(again); won != 1 || !fault.Is(lost, fault.Conflict) {
			t.Errorf("sent again on two nodes at once: %d, %v", won, lost)
		}
		letters := w.letters(t, i.Email)
		if len(letters) != 2 || letters[0].Status != outbox.Waiting || letters[1].Status != outbox.Dropped {
			t.Errorf("of two letters about the same one waits: %+v", letters)
		}
		found, err := w.here.Get(ctx, w.who, w.org, i.ID)
		ok(t, err)
		if !found.ExpiresAt.Equal(i.ExpiresAt) || !found.SentAt.Equal(w.clock()) || !w.token(t, i).Equal(token) {
			t.Errorf("sent again, it has another end or link: %+v", found)
		}
		admin := w.added(t, "admin@acme.example", access.MembershipAdmin).Caller(caller.Web)
		boss, err := w.here.Create(ctx, w.who, w.org, invite.New{Email: "boss@acme.example", Place: invite.Place{Role: access.Admin}})
		ok(t, err)
		w.wait(time.Hour)
		_, err = w.here.Resend(ctx, admin, w.org, boss.ID)
		refused(t, "an invitation that one could not have sent", err, fault.Denied)
		_, err = w.here.Resend(ctx, w.who, w.org, id.NewInvite())
		refused(t, "no invitation", err, fault.NotFound)
		w.wait(invite.Life)
		refused(t, "one that ran out", again(w.here), fault.Conflict)
		if _, _, err := w.here.AcceptNew(ctx, token, "", secret.New(pass), somewhere); !fault.Is(err, fault.Conflict) {
			t.Errorf("accepted after its end: %v", err)
		}
	})
}

func TestWithdrawnAndInvitedAgain(t *testing.T) {
	eachInviting(t, func(t *testing.T, w *inviting) {
		ctx := t.Context()
		w.plan(t, org.Team, 2)
		i := w.invited(t, "ada@acme.example")
		old := w.token(t, i)
		again := func(s *invite.Service) error { _, err := s.Again(ctx, w.who, w.org, i.ID); return err }
		refused(t, "again while it waits", again(w.here), fault.Conflict)
		_, err := w.here.Create(ctx, w.who, w.org, invite.New{Email: "bo@acme.example", Place: invite.Place{Role: access.User}})
		refused(t, "without a seat", err, fault.Invalid)
		withdraw := func(s *invite.Service) error { _, err := s.Withdraw(ctx, w.who, w.org, i.ID); return err }
		if won, lost := w.atOnce(withdraw); won != 1 || !fault.Is(lost, fault.Conflict) {
			t.Errorf("withdrawn on two nodes at once: %d, %v", won, lost)
		}
		if letters := w.letters(t, i.Email); len(letters) != 1 || letters[0].Status != outbox.Dropped || !letters[0].Link.Empty() {
			t.Errorf("the letter of a withdrawn invitation: %+v", letters)
		}
		w.wait(time.Second)
		if won, lost := w.atOnce(again); won != 1 || !fault.Is(lost, fault.Conflict) {
			t.Errorf("invited again on two nodes at once: %d, %v", won, lost)
		}
		pending, _, err := w.here.List(ctx, w.who, w.org, invite.Filter{Statuses: []invite.Status{invite.Pending}})
		ok(t, err)
		if len(pending) != 1 || pending[0].ID == i.ID || pending[0].Email != i.Email || pending[0].Role != i.Role {
			t.Fatalf("invited again: %+v", pending)
		}
		fresh := w.token(t, pending[0])
		if fresh.Equal(old) {
			t.Error("the withdrawn link is used again")
		}
		_, _, err = w.here.AcceptNew(ctx, old, "", secret.New(pass), somewhere)
		refused(t, "the withdrawn link", err, fault.Conflict)
		_, _, err = w.here.AcceptNew(ctx, fresh, "Ada", secret.New(pass), somewhere)
		ok(t, err)
		refused(t, "again once they joined", again(w.here), fault.Conflict)
		if _, err := w.here.Withdraw(ctx, w.who, w.org, pending[0].ID); !fault.Is(err, fault.Conflict) {
			t.Errorf("withdrawn after it was accepted: %v", err)
		}
	})
}

// TestFreedSeatsAreTakenOnce has many invite into the last seat.
func TestFreedSeatsAreTakenOnce(t *testing.T) {
	eachInviting(t, func(t *testing.T, w *inviting) {
		ctx := t.Context()
		w.plan(t, org.Team, 2)
		n := 0
		for round := range 5 {
			won, lost := w.atOnce(func(s *invite.Service) error {
				email := fmt.Sprintf("p%d-%t@acme.example", round, s == w.here)
				_, err := s.Create(ctx, w.who, w.org, invite.New{Email: email, Place: invite.Place{Role: access.User}})
				return err
			})
			if n += won; n > 1 || lost == nil || !fault.Is(lost, fault.Invalid) {
				t.Fatalf("%d invitations in one seat: %v", n, lost)
			}
		}
	})
}
