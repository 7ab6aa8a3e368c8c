package invite_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/account"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/invite"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// linking switches invite links on.
func (w *inviting) linking(t testing.TB) {
	t.Helper()
	yes := true
	w.plan(t, org.Team, 0)
	w.settings(t, org.Change{InviteLinks: &yes, Proposals: &yes})
}

func (w *inviting) link(t testing.TB, who caller.Caller, domains ...string) invite.Link {
	t.Helper()
	l, err := w.here.MakeLink(t.Context(), who, w.org, invite.NewLink{Role: access.ClaudeCodeUser, Domains: domains, Days: 7})
	ok(t, err)
	return l
}

// from is somebody in a network of their own.
func from(n int) account.Origin { return account.Origin{Address: fmt.Sprintf("198.51.%d.7", n)} }

func TestWhatLinksAreMade(t *testing.T) {
	eachInviting(t, func(t *testing.T, w *inviting) {
		ctx := t.Context()
		good := invite.NewLink{Role: access.Developer, Domains: []string{"@ACME.example", " acme.example"}, Days: 7}
		link := func(change func(*invite.NewLink)) error {
			in := good
			if change != nil {
				change(&in)
			}
			_, err := w.here.MakeLink(ctx, w.who, w.org, in)
			return err
		}
		refused(t, "on a plan without", link(nil), fault.Denied)
		w.plan(t, org.Team, 0)
		refused(t, "switched off", link(nil), fault.Denied)
		w.linking(t)
		for name, change := range map[string]func(*invite.NewLink){
			"no domain": func(in *invite.NewLink) { in.Domains = []string{" ", "@"} }, "a top domain": func(in *invite.NewLink) { in.Domains = []string{"example"} },
			"an address": func(in *invite.NewLink) { in.Domains = []string{"a@b@acme.example"} }, "any": func(in *invite.NewLink) { in.Domains = []string{"*.example.org"} },
			"a list in one": func(in *invite.NewLink) { in.Domains = []string{"a.example,b.example"} },
			"no day":        func(in *invite.NewLink) { in.Days = 0 }, "too long": func(in *invite.NewLink) { in.Days = invite.MaxLinkDays + 1 },
			"an admin": func(in *invite.NewLink) { in.Role = access.Admin }, "an owner": func(in *invite.NewLink) { in.Role = access.PrimaryOwner }, "nobody": func(in *invite.NewLink) { in.Role = "emperor" },
		} {
			refused(t, name, link(change), fault.Invalid)
		}
		for range 20 {
			ok(t, link(nil))
		}
		refused(t, "the 21st", link(nil), fault.Conflict)
		all, err := w.here.Links(ctx, w.who, w.org)
		ok(t, err)
		if len(all) != 20 || len(all[0].Domains) != 1 || all[0].Domains[0] != "acme.example" {
			t.Errorf("%d links, the first of %q", len(all), all[0].Domains)
		}
		ok(t, w.here.DisableLink(ctx, w.who, w.org, all[3].ID))
		refused(t, "switched off twice", w.here.DisableLink(ctx, w.who, w.org, all[3].ID), fault.Conflict)
		ok(t, link(nil))
		domains := []string{"acme.example"}
		w.settings(t, org.Change{Domains: &domains})
		refused(t, "a domain that the organization does not invite", link(func(in *invite.NewLink) { in.Domains = []string{"beta.example"} }), fault.Invalid)
	})
}

// TestLinksLetInWhoFits types addresses on a link's page. The answer is the same
// for each, and a letter goes to those alone who may join.
func TestLinksLetInWhoFits(t *testing.T) {
	eachInviting(t, func(t *testing.T, w *inviting) {
		ctx := t.Context()
		w.linking(t)
		w.added(t, "member@acme.example", access.User)
		gone := w.added(t, "gone@acme.example", access.User)
		ok(t, w.orgs.Suspend(ctx, w.who, w.org, gone.ID))
		waits := w.invited(t, "waits@acme.example")
		l := w.link(t, w.who, "acme.example", "beta.example")
		for n, email := range []string{"new@acme.example", "NEW@acme.example", "new@beta.example", "member@acme.example", "gone@acme.example", waits.Email,
			"x@evil.example", "x@sub.acme.example", "x@acme.example.evil.example", "x@evilacme.example", "acme.example@evil.example"} {
			if err := w.here.Ask(ctx, l.Token, email, from(n)); err != nil {
				t.Errorf("%s is told %v", email, err)
			}
		}
		for email, want := range map[string]int{"new@acme.example": 1, "new@beta.example": 1, waits.Email: 1, "": 3} {
			if n := len(w.letters(t, email)); n != want {
				t.Errorf("%d letters to %q, not %d", n, email, want)
			}
		}
		// An hour later somebody asks again for what they did not get.
		w.wait(time.Hour)
		ok(t, w.here.Ask(ctx, l.Token, "new@acme.example", from(50)))
		if n := len(w.letters(t, "new@acme.example")); n != 2 {
			t.Errorf("%d letters after an hour", n)
		}
		all, err := w.here.Links(ctx, w.who, w.org)
		ok(t, err)
		if all[0].Used != 2 {
			t.Errorf("the link was used %d times", all[0].Used)
		}
		refused(t, "no address", w.here.Ask(ctx, l.Token, "nobody", from(51)), fault.Invalid)
		w.plan(t, org.Team, 6) // as many as are taken
		ok(t, w.here.Ask(ctx, l.Token, "late@acme.example", from(52)))
		if n := len(w.letters(t, "late@acme.example")); n != 0 {
			t.Errorf("%d letters without a seat", n)
		}
		for range 10 {
			ok(t, w.here.Ask(ctx, l.Token, "x@evil.example", from(60)))
		}
		refused(t, "the eleventh address from a network", w.here.Ask(ctx, l.Token, "x@evil.example", from(60)), fault.RateLimited)
	})
}

// TestLinksThatEnd has a link end in every way there is. What a stranger is told
// is the same each time, and the same as for what never was a link.
func TestLinksThatEnd(t *testing.T) {
	eachInviting(t, func(t *testing.T, w *inviting) {
		ctx := t.Context()
		w.linking(t)
		admin := w.added(t, "admin@acme.example", access.MembershipAdmin)
		second := w.added(t, "second@acme.example", access.MembershipAdmin)
		expired, off, renewed := w.link(t, w.who, "acme.example"), w.link(t, w.who, "acme.example"), w.link(t, w.who, "acme.example")
		demoted, removed := w.link(t, admin.Caller(caller.Web), "acme.example"), w.link(t, second.Caller(caller.Web), "acme.example")
		network := 0
		open := func(token secret.Text) error {
			network++
			_, err := w.here.OpenLink(ctx, token, from(network))
			return err
		}
		for _, l := range []invite.Link{expired, off, renewed, demoted, removed} {
			ok(t, open(l.Token))
		}
		i := w.invited(t, "ada@acme.example")
		ok(t, w.here.DisableLink(ctx, w.who, w.org, off.ID))
		fresh, err := w.here.RenewLink(ctx, w.who, w.org, renewed.ID)
		ok(t, err)
		ok(t, open(fresh.Token))
		if won, lost := w.atOnce(func(s *invite.Service) error { _, err := s.RenewLink(ctx, w.who, w.org, renewed.ID); return err }); won == 0 || won == 1 && !fault.Is(lost, fault.Conflict) {
			t.Errorf("renewed on two nodes at once: %v", lost)
		}
		_, err = w.orgs.SetRole(ctx, w.who, w.org, admin.ID, admin.Version, access.User)
		ok(t, err)
		_, err = w.orgs.Remove(ctx, w.who, w.org, second.ID)
		ok(t, err)
		dead := map[string]secret.Text{"unknown": secret.Mint(secret.InviteToken), "off": off.Token, "renewed": renewed.Token, "renewed again": fresh.Token,
			"of a demoted maker": demoted.Token, "of a removed maker": removed.Token, "an invitation's": w.token(t, i), "nonsense": secret.New("nonsense"), "another kind": secret.Mint(secret.MailToken)}
		said := open(dead["unknown"]).Error()
		look := func(when string) {
			t.Helper()
			for name, token := range dead {
				if err := open(token); !fault.Is(err, fault.NotFound) || err.Error() != said {
					t.Errorf("%s, %s: %v", when, name, err)
				}
				network++
				refused(t, name, w.here.Ask(ctx, token, "new@acme.example", from(network)), fault.NotFound)
			}
		}
		look("at once")
		ok(t, open(expired.Token))
		w.wait(7 * 24 * time.Hour)
		dead["expired"] = expired.Token
		look("after a week")
		_, err = w.here.RenewLink(ctx, w.who, w.org, expired.ID)
		refused(t, "renewing an expired link", err, fault.Conflict)
		_, err = w.here.RenewLink(ctx, w.who, w.org, id.NewInviteLink())
		refused(t, "renewing none", err, fault.NotFound)

		last := w.link(t, w.who, "acme.example")
		ok(t, open(last.Token))
		no := false
		w.settings(t, org.Change{InviteLinks: &no})
		dead = map[string]secret.Text{"with links switched off": last.Token}
		look("last")
		yes := true
		w.settings(t, org.Change{InviteLinks: &yes})
		ok(t, open(last.Token))
		w.plan(t, org.Console, 0)
		dead = map[string]secret.Text{"on a plan without links": last.Token}
		look("last")
		if n := len(w.letters(t, "new@acme.example")); n != 0 {
			t.Errorf("%d letters came of links that had ended", n)
		}
	})
}

// TestLinksAreGuessedInVain attacks both kinds of tokens at once.
func TestLinksAreGuessedInVain(t *testing.T) {
	eachInviting(t, func(t *testing.T, w *inviting) {
		ctx := t.Context()
		w.linking(t)
		l, i := w.link(t, w.who, "acme.example"), w.invited(t, "ada@acme.example")
		token, attacker := w.token(t, i), account.Origin{Address: "203.0.113.9"}
		work := &counted{Store: w.config.Store}
		config := w.config
		config.Store = work
		s := invite.NewService(config)
		looks, links := 0, 0
		for range 40 { // what there is costs no try
			_, err := s.Look(ctx, token, attacker)
			ok(t, err)
			_, err = s.OpenLink(ctx, l.Token, attacker)
			ok(t, err)
		}
		*work = counted{Store: work.Store}
		for n := range 60 {
			guess := secret.Mint(secret.InviteToken)
			var err error
			switch n % 3 {
			case 0:
				_, err = s.Look(ctx, guess, attacker)
			case 1:
				_, err = s.OpenLink(ctx, guess, attacker)
			case 2:
				_, _, err = s.AcceptNew(ctx, guess, "Eve", secret.New(pass), attacker)
			}
			switch {
			case n < 20 && fault.Is(err, fault.NotFound):
			case n >= 20 && fault.Is(err, fault.RateLimited):
			default:
				t.Fatalf("guess %d: %v", n, err)
			}
			if n < 20 {
				looks, links = work.invites, work.links
			}
		}
		// Who is refused costs nothing more: not a query, and no password is hashed.
		if work.invites != looks || work.links != links || work.accepted != 0 || looks+links != 20 {
			t.Errorf("60 guesses asked the database %d and %d times, and tried to join %d times", work.invites, work.links, work.accepted)
		}
		_, err := s.Look(ctx, token, attacker)
		refused(t, "the right token, after the guesses", err, fault.RateLimited)
		_, err = s.Look(ctx, token, somewhere)
		ok(t, err)
		w.wait(time.Hour)
		_, err = s.Look(ctx, token, attacker)
		ok(t, err)
	})
}

// TestEveryDeadLinkTakesOneLook counts what a link costs that does not work:
// whoever measures the time learns nothing of what it was.
func TestEveryDeadLinkTakesOneLook(t *testing.T) {
	eachInviting(t, func(t *testing.T, w *inviting) {
		ctx := t.Context()
		w.linking(t)
		off, expired := w.link(t, w.who, "acme.example"), w.link(t, w.who, "acme.example")
		withdrawn, late := w.invited(t, "ada@acme.example"), w.invited(t, "bo@acme.example")
		tokens := []secret.Text{secret.Mint(secret.InviteToken), w.token(t, withdrawn), w.token(t, late)}
		ok(t, w.here.DisableLink(ctx, w.who, w.org, off.ID))
		_, err := w.here.Withdraw(ctx, w.who, w.org, withdrawn.ID)
		ok(t, err)
		w.wait(invite.Life)
		work := &counted{}
		config := w.config
		for n, token := range tokens {
			*work = counted{Store: w.config.Store}
			config.Store = work
			if _, _, err := invite.NewService(config).AcceptNew(ctx, token, "Eve", secret.New(pass), from(n)); err == nil || work.invites != 1 || work.accepted != 0 {
				t.Errorf("invitation %d: %v after %+v", n, err, work)
			}
		}
		for n, token := range []secret.Text{secret.Mint(secret.InviteToken), off.Token, expired.Token} {
			*work = counted{Store: w.config.Store}
			config.Store = work
			if err := invite.NewService(config).Ask(ctx, token, "eve@acme.example", from(n)); !fault.Is(err, fault.NotFound) || work.links != 1 || work.facts != 0 {
				t.Errorf("link %d: %v after %+v", n, err, work)
			}
		}
	})
}

// TestAskingTellsNothingByItsWork counts what it costs to type the address of a
// stranger, a member, and somebody who waits: the same, to the last row.
func TestAskingTellsNothingByItsWork(t *testing.T) {
	eachInviting(t, func(t *testing.T, w *inviting) {
		ctx := t.Context()
		w.linking(t)
		l := w.link(t, w.who, "acme.example")
		w.added(t, "member@acme.example", access.User)
		gone := w.added(t, "gone@acme.example", access.User)
		ok(t, w.orgs.Suspend(ctx, w.who, w.org, gone.ID))
		w.invited(t, "waits@acme.example")
		_, before, err := w.db.Activities().Head(ctx)
		ok(t, err)
		for n, email := range []string{"member@acme.example", "gone@acme.example", "waits@acme.example", "new@acme.example"} {
			work := &counted{Store: w.config.Store}
			config := w.config
			config.Store = work
			ok(t, invite.NewService(config).Ask(ctx, l.Token, email, from(n)))
			if want := (counted{Store: w.config.Store, links: 1, facts: 1, standings: 1, writes: 1}); *work != want {
				t.Errorf("%s costs %+v", email, *work)
			}
			_, after, err := w.db.Activities().Head(ctx)
			ok(t, err)
			if (after != before) != (email == "new@acme.example") {
				t.Errorf("%s leaves a trace: %t", email, after != before)
			}
		}
		if n := len(w.letters(t, "")); n != 2 {
			t.Errorf("%d letters", n)
		}
		counts, err := w.here.Count(ctx, w.who, w.org)
		ok(t, err)
		if counts[invite.Pending] != 2 {
			t.Errorf("%v", counts)
		}
	})
}
