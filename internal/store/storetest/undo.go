package storetest

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/account"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/session"
	"github.com/go-webauthn/webauthn/webauthn"
)

// undo is a fresh way back to an address.
func (w *World) undo(email string) account.MailLink {
	return account.MailLink{Hash: secret.Mint(secret.MailToken).Hash(), Kind: account.EmailUndo, Account: w.member.Account, Email: email, CreatedAt: w.now, ExpiresAt: w.now.Add(7 * 24 * time.Hour)}
}

// change gives the first member another address and returns the way back.
func (w *World) change(t *testing.T, from, to string) account.MailLink {
	t.Helper()
	l := account.MailLink{Hash: secret.Mint(secret.MailToken).Hash(), Kind: account.EmailChange, Account: w.member.Account, Email: to, CreatedAt: w.now, ExpiresAt: w.now.Add(time.Hour)}
	undo := w.undo(from)
	must(t, w.Accounts().SaveMailLink(t.Context(), true, l, nil, w.event(audit.EmailChangeAsked)))
	must(t, w.Accounts().ChangeEmail(t.Context(), l, undo, nil, w.event(audit.EmailChanged)))
	return undo
}

func (w *World) restoration(l account.MailLink) account.Restoration {
	reset := account.MailLink{Hash: secret.Mint(secret.MailToken).Hash(), Kind: account.PasswordReset, Account: l.Account, Email: l.Email, CreatedAt: w.now, ExpiresAt: w.now.Add(time.Hour)}
	return account.Restoration{Link: l, Since: l.CreatedAt.Add(-time.Hour), Reset: reset, At: w.now,
		Events: func(string, map[id.Member]int) []audit.Event { return []audit.Event{w.event(audit.EmailRestored)} }}
}

func emailUndo(t *testing.T, w *World) {
	ctx, s, a := t.Context(), w.Accounts(), w.member.Account
	first := w.change(t, "a@example.com", "b@example.com")
	w.now = w.now.Add(time.Minute)
	second := w.change(t, "b@example.com", "c@example.com")
	same(t, "the first way back, after a second change", one(s.MailLink(ctx, first.Hash)), first)

	// Nobody gets the address in the meantime, so that it can come back.
	other := w.member
	other.ID, other.Account, other.Email, other.CreatedAt = id.NewMember(), id.NewAccount(), "a@example.com", w.now
	_, err := w.Orgs().AddMember(ctx, other, w.event(audit.MemberAdded))
	kind(t, "an account with an address that may come back", err, fault.Conflict)
	other.Email = "d@example.com"
	_, err = w.Orgs().AddMember(ctx, other, w.event(audit.MemberAdded))
	must(t, err)
	theirs := account.MailLink{Hash: hashes("theirs")[0], Kind: account.EmailChange, Account: other.Account, Email: "a@example.com", CreatedAt: w.now, ExpiresAt: w.now.Add(time.Hour)}
	must(t, s.SaveMailLink(ctx, true, theirs, nil, w.event(audit.EmailChangeAsked)))
	back := w.undo("d@example.com")
	back.Account = other.Account
	kind(t, "changing to an address that may come back", s.ChangeEmail(ctx, theirs, back, nil, w.event(audit.EmailChanged)), fault.Conflict)

	// What somebody set up who was in the account, and what was there before.
	old := account.Passkey{ID: id.NewPasskey(), Account: a, Name: "old", CreatedAt: w.now.Add(-30 * 24 * time.Hour), Credential: webauthn.Credential{ID: []byte("old"), PublicKey: []byte("k")}}
	fresh := account.Passkey{ID: id.NewPasskey(), Account: a, Name: "fresh", CreatedAt: w.now, Credential: webauthn.Credential{ID: []byte("fresh"), PublicKey: []byte("k")}}
	must(t, s.AddPasskey(ctx, old, nil, w.event(audit.PasskeyAdded)))
	must(t, s.AddPasskey(ctx, fresh, nil, w.event(audit.PasskeyAdded)))
	must(t, s.SaveTOTP(ctx, a, account.TOTP{Secret: secret.New("X"), CreatedAt: w.now}))
	must(t, s.EnableTOTP(ctx, a, 1, w.now, nil, w.event(audit.TOTPEnabled)))
	must(t, s.SavePassword(ctx, a, "theirs", secret.Hash{}, w.now, w.event(audit.PasswordChanged)))
	must(t, s.StartBrowser(ctx, w.arrival(w.browser("theirs"))))
	link := account.Link{Hash: hashes("sign-in")[0], Kind: account.SignInLink, Organization: w.org, Account: a, CreatedAt: w.now, ExpiresAt: w.now.Add(time.Hour)}
	must(t, s.SaveLink(ctx, link, w.event(audit.SignInLinkMade)))
	d := session.Session{ID: id.NewDeviceSession(), Organization: w.org, Member: w.member.ID, CreatedAt: w.now, UsedAt: w.now}
	must(t, w.Sessions().Start(ctx, d, session.Refresh{Hash: hashes("refresh")[0], Session: d.ID, CreatedAt: w.now, ExpiresAt: w.now.Add(time.Hour)}, w.event(audit.SessionStarted)))

	var won atomic.Int64
	var wg sync.WaitGroup
	r := w.restoration(first)
	r.Events = func(before string, ended map[id.Member]int) []audit.Event {
		if before != "c@example.com" || len(ended) != 1 || ended[w.member.ID] != 1 {
			t.Errorf("told of %q and %v", before, ended)
		}
		return []audit.Event{w.event(audit.EmailRestored)}
	}
	for range 4 {
		wg.Go(func() {
			if err := s.RestoreEmail(ctx, r); err == nil {
				won.Add(1)
			} else if !fault.Is(err, fault.Conflict) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("a link, used four times at once, put the address back %d times", won.Load())
	}
	same(t, "whose the address is", one(s.PersonByEmail(ctx, "a@example.com")).Account, a)
	same(t, "the ways in", must1(s.Factors(ctx, a))(t), account.Factors{Passkeys: 1})
	same(t, "the browsers", len(must1(s.Browsers(ctx, a, w.now))(t)), 0)
	if got := one(w.Sessions().Session(ctx, d.ID)); got.EndedAt.IsZero() {
		t.Error("a device session lives on")
	}
	if got := one(s.Link(ctx, link.Hash)); got.UsedAt.IsZero() {
		t.Error("a sign-in link works still")
	}
	if _, ok, _ := s.MailLink(ctx, second.Hash); ok {
		t.Error("the way back to the stranger's address works still")
	}
	same(t, "the link for a new password", one(s.MailLink(ctx, r.Reset.Hash)), r.Reset)
	// An address that somebody has for all that is not taken from them.
	kind(t, "putting back an address that is somebody's", s.RestoreEmail(ctx, w.restoration(w.changeBehind(t, "d@example.com"))), fault.Conflict)
	if got := one(s.PersonByEmail(ctx, "d@example.com")).Account; got != other.Account {
		t.Errorf("the address went to %s", got)
	}
	kind(t, "a link that is none", s.RestoreEmail(ctx, w.restoration(w.undo("e@example.com"))), fault.Conflict)
	must(t, s.Prune(ctx, w.now.Add(8*24*time.Hour)))
	other = org.Member{ID: id.NewMember(), Organization: w.org, Account: id.NewAccount(), Email: "c@example.com", Role: w.member.Role, Status: org.Active, CreatedAt: w.now, JoinedAt: w.now}
	other.Role = "user"
	_, err = w.Orgs().AddMember(ctx, other, w.event(audit.MemberAdded))
	must(t, err)
}

// changeBehind makes a way back to an address that somebody else has.
func (w *World) changeBehind(t *testing.T, email string) account.MailLink {
	t.Helper()
	return w.change(t, email, "f@example.com")
}
