package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/invite"
	"github.com/gatehouse-dev/gatehouse/internal/letter"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/outbox"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// outgoing is an invitation with its letter, as it is to be stored.
func (w *World) outgoing(email string) invite.Outgoing {
	i := invite.Invite{ID: id.NewInvite(), Organization: w.org, Email: email, Name: "Ada", Role: access.Developer, Status: invite.Pending,
		By: string(w.member.ID), ByName: w.member.Name, CreatedAt: w.now, ExpiresAt: w.now.Add(invite.Life), SentAt: w.now}
	l := letter.Write(letter.Invitation, email, "Ada", "Join", "Acme", secret.New("https://gate.example/invite/"+string(i.ID)), letter.Parts{Lines: []string{"Hello"}}, w.now)
	return invite.Outgoing{Invite: i, Hash: hashes(string(i.ID))[0], Letter: l.In(w.org, string(i.ID)).Until(i.ExpiresAt), Event: w.event(audit.InviteSent), Mailed: true}
}

// waiting is how many letters wait.
func (w *World) waiting(t testing.TB) (n int) {
	t.Helper()
	all, _, err := w.Outbox().Messages(t.Context(), outbox.Filter{Everywhere: true, Limit: 1000})
	must(t, err)
	for _, m := range all {
		if m.Status == outbox.Waiting {
			n++
		}
	}
	return n
}

func invitations(t *testing.T, w *World) {
	ctx, s := t.Context(), w.Invites()
	out := w.outgoing("ada@example.com")
	must(t, s.AddInvite(ctx, out, 0))
	same(t, "the invitation", one(s.Invite(ctx, w.org, out.Invite.ID)), out.Invite)
	if _, ok, err := s.Invite(ctx, id.NewOrganization(), out.Invite.ID); ok || err != nil {
		t.Errorf("it is another organization's as well: %v", err)
	}
	kind(t, "the address again", s.AddInvite(ctx, w.outgoing("ada@example.com"), 0), fault.Conflict)
	kind(t, "a member's address", s.AddInvite(ctx, w.outgoing(w.member.Email), 0), fault.Conflict)
	for _, email := range []string{"ada@example.com", w.member.Email, "new@example.com"} {
		_, before, err := w.Activities().Head(ctx)
		must(t, err)
		must(t, s.PretendInvite(ctx, w.outgoing(email)))
		if _, after, _ := w.Activities().Head(ctx); after != before {
			t.Errorf("pretending to invite %s is recorded", email)
		}
	}
	if n := w.waiting(t); n != 1 {
		t.Errorf("%d letters wait", n)
	}
	again := out
	again.Invite.SentAt, again.Letter = w.now.Add(time.Hour), w.outgoing(out.Invite.Email).Letter.In(w.org, string(out.Invite.ID))
	again.Event = w.event(audit.InviteResent)
	must(t, s.Resend(ctx, again, w.now))
	kind(t, "again, as of before that", s.Resend(ctx, again, w.now), fault.Conflict)
	if n := w.waiting(t); n != 1 {
		t.Errorf("%d letters wait after one was sent again", n)
	}
	accept := func(o invite.Outgoing, at time.Time) error {
		m := org.Member{ID: id.NewMember(), Organization: w.org, Account: id.NewAccount(), Email: o.Invite.Email, Name: "Ada", Role: o.Invite.Role, Status: org.Active, Version: 1, CreatedAt: at, JoinedAt: at}
		_, err := s.Accept(ctx, invite.Acceptance{Invite: o.Invite.ID, Member: m, New: true, Password: "hash", At: at, Events: func(org.Member) []audit.Event { return []audit.Event{w.event(audit.InviteAccepted)} }})
		return err
	}
	kind(t, "accepting at the end of its life", accept(out, out.Invite.ExpiresAt), fault.Conflict)
	must(t, s.Withdraw(ctx, out.Invite, w.now, w.event(audit.InviteWithdrawn)))
	kind(t, "withdrawing twice", s.Withdraw(ctx, out.Invite, w.now, w.event(audit.InviteWithdrawn)), fault.Conflict)
	kind(t, "accepting what was withdrawn", accept(out, w.now), fault.Conflict)
	kind(t, "sending what was withdrawn", s.Resend(ctx, again, w.now.Add(2*time.Hour)), fault.Conflict)
	if n := w.waiting(t); n != 0 {
		t.Errorf("%d letters wait about what was withdrawn", n)
	}
	second, late := w.outgoing("ada@example.com"), w.outgoing("late@example.com")
	must(t, s.AddInvite(ctx, second, 0))
	must(t, accept(second, w.now))
	kind(t, "accepting twice", accept(second, w.now), fault.Conflict)
	must(t, s.AddInvite(ctx, late, 0))
	must(t, s.Expire(ctx, late.Invite.ExpiresAt, w.now))
	same(t, "the counts", must1(s.CountInvites(ctx, w.org, w.now))(t), map[invite.Status]int{invite.Deleted: 1, invite.Accepted: 1, invite.Expired: 1})
	must(t, s.AddInvite(ctx, w.outgoing("late@example.com"), 0))
}

func inviteBatches(t *testing.T, w *World) {
	ctx, s := t.Context(), w.Invites()
	batch := func() (invite.Batch, []invite.Line) {
		b := invite.Batch{ID: id.NewInviteBatch(), Organization: w.org, State: invite.Draft, By: string(w.member.ID), ByKind: "member", CreatedAt: w.now}
		var lines []invite.Line
		for n := 1; n <= 3; n++ {
			lines = append(lines, invite.Line{Number: n, Raw: "raw", Typed: "typed", State: invite.LineReady, New: invite.New{Email: fmt.Sprintf("p%d@example.com", n), Place: invite.Place{Role: access.User}}})
		}
		return b, lines
	}
	b, lines := batch()
	must(t, s.SaveBatch(ctx, b, lines, 2))
	if started := must1(s.StartBatch(ctx, invite.Batch{ID: b.ID, Organization: id.NewOrganization(), State: invite.Draft}, w.now))(t); started {
		t.Error("another organization starts it")
	}
	if started := must1(s.StartBatch(ctx, b, w.now))(t); !started {
		t.Error("it does not start")
	}
	if started := must1(s.StartBatch(ctx, b, w.now))(t); started {
		t.Error("it starts twice")
	}
	kind(t, "mending what is being sent", s.MendLines(ctx, b, lines, []int{1}), fault.Conflict)
	results := func() (all []invite.Result) {
		for _, l := range lines {
			out := w.outgoing(l.Email)
			out.Invite.Batch = b.ID
			all = append(all, invite.Result{Number: l.Number, State: invite.LineSent, Outgoing: &out})
		}
		return all
	}
	// Two nodes looked at the same lines: what the second says changes nothing.
	first, second := results(), results()
	must(t, s.FinishLines(ctx, b, first[:2], w.now))
	must(t, s.FinishLines(ctx, b, second[:2], w.now))
	if got := one(s.Batch(ctx, w.org, b.ID)); got.State != invite.Sending || got.Counts != (invite.Counts{Ready: 1, Sent: 2}) {
		t.Errorf("two of three are sent: %s %+v", got.State, got.Counts)
	}
	must(t, s.FinishLines(ctx, b, second, w.now))
	must(t, s.FinishLines(ctx, b, first, w.now))
	if got := one(s.Batch(ctx, w.org, b.ID)); got.State != invite.Done || got.Counts != (invite.Counts{Sent: 3}) || w.waiting(t) != 3 {
		t.Errorf("all are sent: %s %+v, and %d letters", got.State, got.Counts, w.waiting(t))
	}
	if under := done(s.UnderWay(ctx)); len(under) != 0 {
		t.Errorf("%d are under way", len(under))
	}
	// Drafts are few: the oldest go, and what was sent stays.
	var last invite.Batch
	for n := range 4 {
		last, lines = batch()
		last.CreatedAt = w.now.Add(time.Duration(n+1) * time.Minute)
		must(t, s.SaveBatch(ctx, last, lines, 2))
	}
	all := done(s.Batches(ctx, w.org, 10))
	if len(all) != 3 || all[0].ID != last.ID || all[2].ID != b.ID {
		t.Errorf("%d batches are kept", len(all))
	}
	must(t, s.Expire(ctx, w.now, w.now.Add(time.Hour)))
	if all := done(s.Batches(ctx, w.org, 10)); len(all) != 0 {
		t.Errorf("%d old batches are kept", len(all))
	}
}

func inviteLinks(t *testing.T, w *World) {
	ctx, s := t.Context(), w.Invites()
	l := invite.Link{ID: id.NewInviteLink(), Organization: w.org, Role: access.User, Domains: []string{"a.example", "b.example"}, Round: 1, By: string(w.member.ID), ByName: "A",
		CreatedAt: w.now, ExpiresAt: w.now.Add(time.Hour)}
	must(t, s.AddLink(ctx, l, hashes("1")[0], 1, w.event(audit.InviteLinkMade)))
	same(t, "the link", one(s.Link(ctx, w.org, l.ID)), l)
	other := l
	other.ID = id.NewInviteLink()
	kind(t, "one too many", s.AddLink(ctx, other, hashes("2")[0], 1, w.event(audit.InviteLinkMade)), fault.Conflict)
	other.CreatedAt = l.ExpiresAt // the first does not work any more
	must(t, s.AddLink(ctx, other, hashes("2")[0], 1, w.event(audit.InviteLinkMade)))
	for n, most := range []int{1, 1, 2} {
		out := w.outgoing(fmt.Sprintf("p%d@a.example", n))
		out.Invite.Link = l.ID
		if err := s.AddInvite(ctx, out, most); (err == nil) != (n != 1) {
			t.Errorf("invitation %d of a link that makes %d: %v", n, most, err)
		}
	}
	renewed := l
	renewed.Round = 2
	must(t, s.RenewLink(ctx, renewed, hashes("3")[0], w.event(audit.InviteLinkMade)))
	kind(t, "renewing what somebody else renewed", s.RenewLink(ctx, renewed, hashes("4")[0], w.event(audit.InviteLinkMade)), fault.Conflict)
	for name, want := range map[string]bool{"1": false, "3": true, "4": false} {
		if got, ok, err := s.LinkByHash(ctx, hashes(name)[0]); err != nil || ok != want || ok && (got.ID != l.ID || got.Used != 2) {
			t.Errorf("the token %s: %t, %+v, %v", name, ok, got, err)
		}
	}
	must(t, s.DisableLink(ctx, l, w.now, w.event(audit.InviteLinkDisabled)))
	kind(t, "disabling twice", s.DisableLink(ctx, l, w.now, w.event(audit.InviteLinkDisabled)), fault.Conflict)
	renewed.Round = 3
	kind(t, "renewing what is disabled", s.RenewLink(ctx, renewed, hashes("5")[0], w.event(audit.InviteLinkMade)), fault.Conflict)
}

func proposals(t *testing.T, w *World) {
	ctx, s := t.Context(), w.Invites()
	propose := func(email string) (invite.Proposal, error) {
		p := invite.Proposal{ID: string(id.NewActivity()), Organization: w.org, Email: email, Why: "Why", By: w.member.ID, ByName: w.member.Name, State: "waiting", CreatedAt: w.now}
		return p, s.AddProposal(ctx, p, 2, w.event(audit.MemberProposed))
	}
	p, err := propose("ada@example.com")
	must(t, err)
	same(t, "the proposal", one(s.Proposal(ctx, w.org, p.ID)), p)
	_, err = propose("ada@example.com")
	kind(t, "the address again", err, fault.Conflict)
	second, err := propose("bo@example.com")
	must(t, err)
	_, err = propose("cy@example.com")
	kind(t, "one too many", err, fault.Conflict)
	if _, ok, err := s.Proposal(ctx, id.NewOrganization(), p.ID); ok || err != nil {
		t.Errorf("it is another organization's as well: %v", err)
	}
	// An invitation that cannot be made decides nothing.
	must(t, s.AddInvite(ctx, w.outgoing(p.Email), 0))
	approved, out := p, w.outgoing(p.Email)
	approved.State, approved.DecidedBy, approved.DecidedAt = "approved", "user_x", w.now
	kind(t, "approving who is invited", s.Decide(ctx, approved, &out, w.event(audit.ProposalDecided)), fault.Conflict)
	same(t, "the proposal that nobody decided on", one(s.Proposal(ctx, w.org, p.ID)).State, "waiting")
	declined := second
	declined.State, declined.DecidedBy, declined.DecidedAt = "declined", "user_x", w.now
	must(t, s.Decide(ctx, declined, nil, w.event(audit.ProposalDecided)))
	approved, out = second, w.outgoing(second.Email)
	approved.State = "approved"
	kind(t, "approving what was declined", s.Decide(ctx, approved, &out, w.event(audit.ProposalDecided)), fault.Conflict)
	if n := w.waiting(t); n != 1 {
		t.Errorf("%d letters wait, and one was written", n)
	}
	_, err = propose(second.Email) // what was declined can be proposed again
	must(t, err)
}
