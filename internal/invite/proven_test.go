package invite_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/account"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/invite"
	"github.com/gatehouse-dev/gatehouse/internal/letter"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/outbox"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// mailed is the rooms as they are with a mail server, or without one.
func (w *inviting) mailed(yes bool) (*invite.Service, *account.Service) {
	config := w.config
	config.Mailed = yes
	return invite.NewService(config), w.accounts.Opening(account.Doors{Mailed: yes})
}

// believed reports whether the address of an account counts as its holder's.
func (w *inviting) believed(t testing.TB, m org.Member) bool {
	t.Helper()
	_, verified, err := w.db.Invites().Address(t.Context(), m.Account)
	ok(t, err)
	return verified
}

// mailLink is the token that the newest letter of a kind leads to.
func (w *inviting) mailLink(t testing.TB, kind letter.Kind, path string) secret.Text {
	t.Helper()
	all, _, err := w.db.Outbox().Messages(t.Context(), outbox.Filter{Everywhere: true, Limit: 1000})
	ok(t, err)
	for _, m := range all {
		if token, found := strings.CutPrefix(m.Link.Reveal(), "http://x"+path); m.Kind == kind && found {
			return secret.New(token)
		}
	}
	t.Fatalf("no letter of the kind %s leads to %s", kind, path)
	return secret.Text{}
}

// TestInvitationsProveAddresses accepts with and without a mail server: a link
// that an admin handed over may be anybody's, and one that an admin could see
// before there was a mail server still is.
func TestInvitationsProveAddresses(t *testing.T) {
	eachInviting(t, func(t *testing.T, w *inviting) {
		ctx := t.Context()
		w.linking(t)
		l := w.link(t, w.who, "acme.example")
		for n, mailed := range [][2]bool{{false, false}, {false, true}, {true, false}, {true, true}} {
			at, _ := w.mailed(mailed[0])
			s, _ := w.mailed(mailed[1])
			want := mailed[0] && mailed[1]
			i := w.invitedBy(t, at, fmt.Sprintf("new%d@acme.example", n))
			joined, _, err := s.AcceptNew(ctx, w.token(t, i), "", secret.New(pass), somewhere)
			ok(t, err)
			if w.believed(t, joined.Member) != want {
				t.Errorf("with a mail server when invited and accepted (%v), a new account's address is believed: %t", mailed, !want)
			}

			there, err := w.accounts.Found(ctx, caller.OfOperator(""), account.First{Organization: "Other", Email: fmt.Sprintf("there%d@acme.example", n)})
			ok(t, err)
			if w.believed(t, there) {
				t.Error("the operator's word is taken for a proof")
			}
			_, err = s.JoinByLink(ctx, there.Caller(caller.Web), l.Token, secret.Text{}, from(n))
			refused(t, "joining by a link with an address that nobody has proven", err, fault.Denied)
			i = w.invitedBy(t, at, there.Email)
			_, err = s.Accept(ctx, there.Caller(caller.Web), w.token(t, i), secret.Text{}, somewhere)
			ok(t, err)
			if w.believed(t, there) != want {
				t.Errorf("with a mail server when invited and accepted (%v), the address of an account that was there is believed: %t", mailed, !want)
			}
		}
		// What was proven once is not taken back.
		with, _ := w.mailed(true)
		without, _ := w.mailed(false)
		elsewhere, err := w.accounts.Found(ctx, caller.OfOperator(""), account.First{Organization: "Third", Email: "x@third.example"})
		ok(t, err)
		i := w.invitedBy(t, with, "kept@acme.example")
		kept, _, err := with.AcceptNew(ctx, w.token(t, i), "", secret.New(pass), somewhere)
		ok(t, err)
		w.wait(time.Second)
		again, err := without.Create(ctx, elsewhere.Caller(caller.Web), elsewhere.Organization, invite.New{Email: i.Email, Place: invite.Place{Role: access.User}})
		ok(t, err)
		_, err = without.Accept(ctx, kept.Member.Caller(caller.Web), w.token(t, again), secret.Text{}, somewhere)
		ok(t, err)
		if !w.believed(t, kept.Member) {
			t.Error("an address that was proven is not believed any more")
		}
		if _, err := w.orgs.Remove(ctx, w.who, w.org, kept.Member.ID); err != nil {
			t.Fatal(err)
		}
		_, err = without.JoinByLink(ctx, kept.Member.Caller(caller.Web), l.Token, secret.Text{}, from(9))
		ok(t, err)
	})
}

// TestLettersProveAddresses resets a password and changes an address, with and
// without a mail server.
func TestLettersProveAddresses(t *testing.T) {
	eachInviting(t, func(t *testing.T, w *inviting) {
		ctx := t.Context()
		who := w.owner.Caller(caller.Web)
		reset := func(accounts *account.Service, email string) account.SignedIn {
			t.Helper()
			w.wait(time.Second)
			ok(t, accounts.AskReset(ctx, email, somewhere))
			in, err := accounts.Reset(ctx, w.mailLink(t, account.PasswordResetLetter, "/reset/"), secret.New(pass), somewhere)
			ok(t, err)
			return in
		}
		change := func(accounts *account.Service, in account.SignedIn, email string) {
			t.Helper()
			w.wait(time.Second)
			ok(t, accounts.AskEmail(ctx, who, in.Token, email))
			ok(t, accounts.ChangeEmail(ctx, who, w.mailLink(t, account.EmailChangeLetter, "/account/email/")))
		}
		is := func(when string, want bool) {
			t.Helper()
			if w.believed(t, w.owner) != want {
				t.Errorf("%s the address is believed: %t", when, !want)
			}
		}
		_, without := w.mailed(false)
		is("at first", false)
		reset(without, w.owner.Email)
		is("after a reset without a mail server", false)
		_, with := w.mailed(true)
		in := reset(with, w.owner.Email)
		is("after a reset by mail", true)
		// The new address is not proven by what proved the old one.
		_, without = w.mailed(false)
		change(without, in, "handed@over.example")
		is("after a change without a mail server", false)
		_, with = w.mailed(true)
		change(with, in, "by@mail.example")
		is("after a change by mail", true)
	})
}
