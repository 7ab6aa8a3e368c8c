package storetest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/account"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/go-webauthn/webauthn/webauthn"
)

func hashes(names ...string) (all []secret.Hash) {
	for _, n := range names {
		all = append(all, secret.New(n).Hash())
	}
	return all
}

func factors(t *testing.T, w *World) {
	ctx, s, a := t.Context(), w.Accounts(), w.member.Account
	same(t, "at first", must1(s.Factors(ctx, a))(t), account.Factors{})
	totp := account.TOTP{Secret: secret.New("ABCDEFGH"), CreatedAt: w.now}
	must(t, s.SaveTOTP(ctx, a, totp))
	totp.Secret = secret.New("OTHER")
	must(t, s.SaveTOTP(ctx, a, totp))
	if got := one(s.TOTP(ctx, a)); got.Secret.Reveal() != "OTHER" || !got.EnabledAt.IsZero() || got.Step != 0 {
		t.Errorf("the secret that waits: %+v", got)
	}
	same(t, "with a secret that waits", must1(s.Factors(ctx, a))(t), account.Factors{})
	must(t, s.EnableTOTP(ctx, a, 100, w.now, hashes("c1", "c2"), w.event(audit.TOTPEnabled)))
	kind(t, "enabling twice", s.EnableTOTP(ctx, a, 101, w.now, nil, w.event(audit.TOTPEnabled)), fault.Conflict)
	kind(t, "another secret over one in use", s.SaveTOTP(ctx, a, totp), fault.Conflict)
	same(t, "enabled", must1(s.Factors(ctx, a))(t), account.Factors{TOTP: true, Codes: 2})

	// Of many who use the same code at once, one gets in.
	race := func(what string, p account.Proof) {
		t.Helper()
		var in atomic.Int64
		var wg sync.WaitGroup
		for i := range 6 {
			wg.Go(func() {
				err := s.EnterByProof(ctx, nil, p, w.browser(fmt.Sprint(what, i)), w.event(audit.SignedIn))
				if err == nil {
					in.Add(1)
				} else if !fault.Is(err, fault.Conflict) {
					t.Errorf("%s: %v", what, err)
				}
			})
		}
		wg.Wait()
		if in.Load() != 1 {
			t.Errorf("%s, six times at once: %d got in", what, in.Load())
		}
	}
	race("a code", account.Proof{Step: 101})
	race("a recovery code", account.Proof{Code: hashes("c1")[0]})
	kind(t, "an older code", s.EnterByProof(ctx, nil, account.Proof{Step: 100}, w.browser("older"), w.event(audit.SignedIn)), fault.Conflict)
	same(t, "after use", must1(s.Factors(ctx, a))(t).Codes, 1)
	must(t, s.ReplaceCodes(ctx, a, hashes("n1", "n2", "n3"), w.event(audit.RecoveryCodesMade)))
	kind(t, "an old recovery code", s.EnterByProof(ctx, nil, account.Proof{Code: hashes("c2")[0]}, w.browser("old"), w.event(audit.SignedIn)), fault.Conflict)
	must(t, s.DisableTOTP(ctx, a, w.event(audit.TOTPDisabled)))
	same(t, "after the last second factor went", must1(s.Factors(ctx, a))(t), account.Factors{})
	kind(t, "disabling what is not there", s.DisableTOTP(ctx, a, w.event(audit.TOTPDisabled)), fault.NotFound)
}

func must1[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T { t.Helper(); must(t, err); return v }
}

func passkeys(t *testing.T, w *World) {
	ctx, s, a := t.Context(), w.Accounts(), w.member.Account
	key := func(n string) account.Passkey {
		return account.Passkey{ID: id.NewPasskey(), Account: a, Name: n, CreatedAt: w.now, Credential: webauthn.Credential{ID: []byte(n), PublicKey: []byte("k")}}
	}
	first, second := key("first"), key("second")
	must(t, s.AddPasskey(ctx, first, hashes("c1"), w.event(audit.PasskeyAdded)))
	clash := key("first")
	kind(t, "the same credential again", s.AddPasskey(ctx, clash, nil, w.event(audit.PasskeyAdded)), fault.Conflict)
	kind(t, "removing the last way in", s.RemovePasskey(ctx, a, first.ID, w.event(audit.PasskeyRemoved)), fault.Conflict)
	must(t, s.AddPasskey(ctx, second, nil, w.event(audit.PasskeyAdded)))
	kind(t, "removing another account's", s.RemovePasskey(ctx, "acct_other", first.ID, w.event(audit.PasskeyRemoved)), fault.NotFound)

	used := first
	used.Credential.Authenticator.SignCount, used.UsedAt = 7, w.now
	must(t, s.EnterByProof(ctx, nil, account.Proof{Passkey: &used, Counter: 0}, w.browser("p"), w.event(audit.SignedIn)))
	kind(t, "a counter that was used", s.EnterByProof(ctx, nil, account.Proof{Passkey: &used, Counter: 0}, w.browser("q"), w.event(audit.SignedIn)), fault.Conflict)
	keys := must1(s.Passkeys(ctx, a))(t)
	if len(keys) != 2 || keys[0].Credential.Authenticator.SignCount+keys[1].Credential.Authenticator.SignCount != 7 {
		t.Errorf("the passkeys: %+v", keys)
	}

	// The last two ways in are removed at once: one stays.
	must(t, s.RemovePasskey(ctx, a, second.ID, w.event(audit.PasskeyRemoved)))
	must(t, s.SavePassword(ctx, a, "hash", secret.Hash{}, w.now, w.event(audit.PasswordChanged)))
	var gone atomic.Int64
	var wg sync.WaitGroup
	for _, remove := range []func() error{
		func() error { return s.RemovePasskey(ctx, a, first.ID, w.event(audit.PasskeyRemoved)) },
		func() error { return s.RemovePassword(ctx, a, w.event(audit.PasswordChanged)) },
	} {
		wg.Go(func() {
			if err := remove(); err == nil {
				gone.Add(1)
			} else if !fault.Is(err, fault.Conflict) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if gone.Load() != 1 {
		t.Errorf("of the last two ways in %d were removed", gone.Load())
	}

	c := account.Ceremony{Bound: hashes("browser")[0], Kind: "add", Data: webauthn.SessionData{Challenge: "x"}, CreatedAt: w.now, ExpiresAt: w.now.Add(time.Minute)}
	must(t, s.SaveCeremony(ctx, c))
	c.Data.Challenge = "y"
	must(t, s.SaveCeremony(ctx, c))
	if _, ok, _ := s.TakeCeremony(ctx, c.Bound, "sign_in", w.now); ok {
		t.Error("a ceremony is taken for another")
	}
	same(t, "the challenge", one(s.TakeCeremony(ctx, c.Bound, "add", w.now)).Data.Challenge, "y")
	if _, ok, _ := s.TakeCeremony(ctx, c.Bound, "add", w.now); ok {
		t.Error("a ceremony is taken twice")
	}
	must(t, s.SaveCeremony(ctx, c))
	if _, ok, _ := s.TakeCeremony(ctx, c.Bound, "add", c.ExpiresAt); ok {
		t.Error("an expired ceremony is taken")
	}
}

func halves(t *testing.T, w *World) {
	ctx, s := t.Context(), w.Accounts()
	h := account.Half{Hash: hashes("half")[0], Account: w.member.Account, Organization: w.org, Method: "password", CreatedAt: w.now, ExpiresAt: w.now.Add(time.Minute)}
	must(t, s.StartHalf(ctx, h, nil))
	same(t, "the half", one(s.Half(ctx, h.Hash, w.now)), h)
	for i := range 11 {
		got, ok, err := s.TryHalf(ctx, h.Hash, w.now)
		must(t, err)
		if ok != (i < 10) {
			t.Errorf("try %d: %v", i+1, ok)
		} else if ok {
			same(t, "what is tried", got, h)
		}
	}
	if _, ok, _ := s.Half(ctx, h.Hash, h.ExpiresAt); ok {
		t.Error("a half sign-in lives for ever")
	}
	b := w.browser("whole")
	must(t, s.EnterByProof(ctx, &h.Hash, account.Proof{}, b, w.event(audit.SignedIn)))
	kind(t, "finishing twice", s.EnterByProof(ctx, &h.Hash, account.Proof{}, w.browser("again"), w.event(audit.SignedIn)), fault.Conflict)

	// A confirmation gives the session another token.
	fresh := secret.New("fresh").Hash()
	must(t, s.Confirm(ctx, b.Hash, fresh, account.Proof{}, b.Account, w.now.Add(time.Second)))
	if _, ok, _ := s.Browser(ctx, b.Hash); ok {
		t.Error("the old token is good after a confirmation")
	}
	if got := one(s.Browser(ctx, fresh)); got.ID != b.ID || got.ConfirmedAt != w.now.Add(time.Second) {
		t.Errorf("after a confirmation: %+v", got)
	}
	kind(t, "confirming with the old token", s.Confirm(ctx, b.Hash, hashes("x")[0], account.Proof{}, b.Account, w.now), fault.NotFound)
	same(t, "the browsers", len(must1(s.Browsers(ctx, b.Account, w.now))(t)), 1)
	kind(t, "ending another account's", s.EndBrowserOf(ctx, "acct_other", b.ID, w.now, w.event(audit.SignedOut)), fault.NotFound)
	must(t, s.StartHalf(ctx, h, nil))
	must(t, s.EndBrowsers(ctx, b.Account, w.now, w.event(audit.SignedOutEverywhere)))
	same(t, "the browsers after all", len(must1(s.Browsers(ctx, b.Account, w.now))(t)), 0)
	if _, ok, _ := s.Half(ctx, h.Hash, w.now); ok {
		t.Error("a half sign-in outlives the end of all sessions")
	}
}

func mailLinks(t *testing.T, w *World) {
	ctx, s, a := t.Context(), w.Accounts(), w.member.Account
	link := func(name string, kind account.MailLinkKind, email string) account.MailLink {
		l := account.MailLink{Hash: hashes(name)[0], Kind: kind, Account: a, Email: email, CreatedAt: w.now, ExpiresAt: w.now.Add(time.Hour)}
		must(t, s.SaveMailLink(ctx, true, l, nil, w.event(audit.PasswordResetAsked)))
		return l
	}
	older, newer := link("older", account.PasswordReset, "a@example.com"), link("newer", account.PasswordReset, "a@example.com")
	if _, ok, _ := s.MailLink(ctx, older.Hash); ok {
		t.Error("the older link works beside the newer")
	}
	same(t, "the newer", one(s.MailLink(ctx, newer.Hash)), newer)
	must(t, s.StartBrowser(ctx, w.browser("before"), w.event(audit.SignedIn)))
	var won atomic.Int64
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			if err := s.ResetPassword(ctx, newer, fmt.Sprint("hash", i), w.now, w.event(audit.PasswordChanged)); err == nil {
				won.Add(1)
			} else if !fault.Is(err, fault.Conflict) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("a link, used four times at once, reset %d passwords", won.Load())
	}
	same(t, "the browsers after a reset", len(must1(s.Browsers(ctx, a, w.now))(t)), 0)

	reset, change := link("reset", account.PasswordReset, "a@example.com"), link("change", account.EmailChange, "new@example.com")
	if got, ok, _ := s.PendingEmail(ctx, a, w.now); !ok || got != "new@example.com" {
		t.Errorf("the pending address: %q", got)
	}
	must(t, s.ChangeEmail(ctx, change, w.now, nil, w.event(audit.EmailChanged)))
	if _, ok, _ := s.MailLink(ctx, reset.Hash); ok {
		t.Error("a link to the old address works after the change")
	}
	same(t, "the person", one(s.PersonByEmail(ctx, "new@example.com")).Account, a)
	kind(t, "changing twice", s.ChangeEmail(ctx, change, w.now, nil, w.event(audit.EmailChanged)), fault.Conflict)
	other := w.member
	other.ID, other.Account, other.Email = id.NewMember(), id.NewAccount(), "taken@example.com"
	_, err := w.Orgs().AddMember(ctx, other, w.event(audit.MemberAdded))
	must(t, err)
	kind(t, "an address that is taken", s.ChangeEmail(ctx, link("taken", account.EmailChange, "taken@example.com"), w.now, nil, w.event(audit.EmailChanged)), fault.Conflict)
}

// inVain proves that what is done for a stranger leaves nothing behind.
func inVain(t *testing.T, w *World) {
	ctx, s := t.Context(), w.Accounts()
	before, head, err := w.Activities().Head(ctx)
	must(t, err)
	must(t, s.Pretend(ctx, w.event(audit.SignInFailed)))
	l := account.MailLink{Hash: hashes("vain")[0], Kind: account.PasswordReset, Account: "acct_nobody", Email: "nobody@example.com", CreatedAt: w.now, ExpiresAt: w.now.Add(time.Hour)}
	must(t, s.SaveMailLink(ctx, false, l, nil, w.event(audit.PasswordResetAsked)))
	if after, now, err := w.Activities().Head(ctx); err != nil || after != before || now != head {
		t.Errorf("the record went from %d to %d: %v", before, after, err)
	}
	if _, ok, _ := s.MailLink(ctx, l.Hash); ok {
		t.Error("a link was left behind")
	}
	must(t, s.Note(ctx, w.event(audit.SignInFailed)))
}
