package account

import (
	"context"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/letter"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// HistoryDays is how far the sign-in history goes back.
const (
	HistoryDays = 90
	maxHistory  = 500
)

// Profile is an account as its holder sees it.
type Profile struct {
	Person
	Factors
	Pending string // the address that it is being changed to
}

// Profile returns what the caller can change about themselves.
func (s *Service) Profile(ctx context.Context, who caller.Caller) (Profile, error) {
	if err := access.CheckAccount(who); err != nil {
		return Profile{}, err
	}
	p, ok, err := s.store.Person(ctx, who.Account)
	if err != nil || !ok {
		return Profile{}, orElse(err, fault.New(fault.NotFound, "there is no such account"))
	}
	f, err := s.store.Factors(ctx, who.Account)
	if err != nil {
		return Profile{}, err
	}
	pending, _, err := s.store.PendingEmail(ctx, who.Account, s.now())
	return Profile{Person: p, Factors: f, Pending: pending}, err
}

// Rename changes the caller's name, in every organization.
func (s *Service) Rename(ctx context.Context, who caller.Caller, name string) error {
	if err := access.CheckAccount(who); err != nil {
		return err
	}
	p, ok, err := s.store.Person(ctx, who.Account)
	if err != nil || !ok {
		return orElse(err, fault.New(fault.NotFound, "there is no such account"))
	}
	name, err = org.CleanName(name, p.Email)
	if err != nil || name == p.Name {
		return err
	}
	e, err := s.aboutAll(ctx, audit.New(who, s.now(), audit.AccountUpdated, string(who.Account), audit.Detail{"name_before": p.Name, "name_after": name}), who.Account)
	if err != nil {
		return err
	}
	return s.store.Rename(ctx, who.Account, name, e)
}

// aboutAll makes an event affect every membership of an account: credentials
// carry name and address.
func (s *Service) aboutAll(ctx context.Context, e audit.Event, a id.Account) (audit.Event, error) {
	all, err := s.members.MembershipsOf(ctx, a)
	var ids []string
	for _, m := range all {
		ids = append(ids, string(m.ID))
	}
	return e.Affecting(ids...), err
}

// AskEmail sends a link to a new address, and a notice to the one that the
// caller has. The address is changed when the link is opened by the same person.
func (s *Service) AskEmail(ctx context.Context, who caller.Caller, token secret.Text, email string) error {
	if err := access.CheckAccount(who); err != nil {
		return err
	}
	if _, err := s.confirmed(ctx, who, token); err != nil {
		return err
	}
	clean, err := org.CleanEmail(email)
	if err != nil {
		return err
	}
	if ok, wait := s.resets.Allow(string(who.Account)); !ok {
		return fault.New(fault.RateLimited, "too many letters were asked for").At("email").After(wait).WithHint("wait an hour")
	}
	p, ok, err := s.store.Person(ctx, who.Account)
	if err != nil || !ok {
		return orElse(err, fault.New(fault.NotFound, "there is no such account"))
	}
	if p.Email == clean {
		return fault.New(fault.Invalid, "this is your address already").At("email")
	}
	link := secret.Mint(secret.MailToken)
	l := MailLink{Hash: link.Hash(), Kind: EmailChange, Account: who.Account, Email: clean, CreatedAt: s.now(), ExpiresAt: s.now().Add(changeLife)}
	return s.store.SaveMailLink(ctx, true, l, []letter.Letter{s.changeLetter(p, link, l), s.changingLetter(p, l)},
		audit.New(who, s.now(), audit.EmailChangeAsked, string(who.Account), audit.Detail{"email_before": p.Email, "email_after": clean}))
}

// WithdrawEmail makes the link that AskEmail sent worthless.
func (s *Service) WithdrawEmail(ctx context.Context, who caller.Caller) error {
	if err := access.CheckAccount(who); err != nil {
		return err
	}
	return s.store.DropMailLink(ctx, who.Account, EmailChange)
}

// ChangeEmail gives the caller the address that their link was sent to.
func (s *Service) ChangeEmail(ctx context.Context, who caller.Caller, link secret.Text) error {
	if err := access.CheckAccount(who); err != nil {
		return err
	}
	l, err := s.LookMail(ctx, link, EmailChange)
	if err != nil {
		return err
	}
	if l.Account != who.Account {
		return fault.New(fault.NotFound, "this link was made for another account").WithHint("sign in as the person who asked for it")
	}
	p, ok, err := s.store.Person(ctx, who.Account)
	if err != nil || !ok {
		return orElse(err, fault.New(fault.NotFound, "there is no such account"))
	}
	e, err := s.aboutAll(ctx, audit.New(who, s.now(), audit.EmailChanged, string(who.Account), audit.Detail{"email_before": p.Email, "email_after": l.Email}), who.Account)
	if err != nil {
		return err
	}
	return s.store.ChangeEmail(ctx, l, s.now(), []letter.Letter{s.changedLetter(p, l)}, e)
}

// signInEvents are what the sign-in history is made of.
var signInEvents = []audit.Type{audit.SignedIn, audit.SignInFailed, audit.SignedOutEverywhere, audit.PasswordChanged, audit.PasswordResetAsked, audit.PasskeyAdded, audit.PasskeyRemoved,
	audit.TOTPEnabled, audit.TOTPDisabled, audit.RecoveryCodesMade, audit.RecoveryCodeUsed, audit.EmailChangeAsked, audit.EmailChanged}

// History returns what happened at the caller's door, the newest first.
func (s *Service) History(ctx context.Context, who caller.Caller) ([]audit.Event, error) {
	if err := access.CheckAccount(who); err != nil {
		return nil, err
	}
	return s.store.History(ctx, who.Account, signInEvents, s.now().AddDate(0, 0, -HistoryDays), maxHistory)
}
