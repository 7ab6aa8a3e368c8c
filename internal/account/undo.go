package account

import (
	"context"
	"strconv"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

const (
	undoLife = 7 * 24 * time.Hour
	// suspect is how long before a change of address ways in are taken for those
	// of whoever changed it: a stranger adds their own first.
	suspect = 24 * time.Hour
)

// Restoration puts an address back that somebody changed who had got into the
// account.
type Restoration struct {
	Link  MailLink  // whose address comes back; used up, with all that are newer
	Since time.Time // second factors that were set up since are removed
	Reset MailLink  // with which a new password is chosen
	At    time.Time
	// Events tells of it: the address that the account had, and how many device
	// sessions were ended of which of its members.
	Events func(before string, ended map[id.Member]int) []audit.Event
}

// newUndo makes the link with which an account gets an address back that it
// has now.
func (s *Service) newUndo(p Person) (secret.Text, MailLink) {
	token := secret.Mint(secret.MailToken)
	return token, MailLink{Hash: token.Hash(), Kind: EmailUndo, Account: p.Account, Email: p.Email, CreatedAt: s.now(), ExpiresAt: s.now().Add(undoLife)}
}

// RestoreEmail gives an account the address back that it had, for whoever reads
// the mail that goes there. As somebody else has been in the account, all that
// could be theirs ends: browser and device sessions, the password, links, and
// second factors since a day before the change. It returns the link with which
// a new password is chosen. It fails with NotFound if the link is spent, and with
// Conflict if somebody else has the address.
func (s *Service) RestoreEmail(ctx context.Context, token secret.Text, from Origin) (reset secret.Text, err error) {
	l, err := s.LookMail(ctx, token, EmailUndo)
	if err != nil {
		return secret.Text{}, err
	}
	all, err := s.members.MembershipsOf(ctx, l.Account)
	if err != nil {
		return secret.Text{}, err
	}
	reset = secret.Mint(secret.MailToken)
	now := s.now()
	who := caller.Caller{Kind: caller.Person, Way: caller.Anonymous, Account: l.Account, Address: from.Address}
	return reset, s.store.RestoreEmail(ctx, Restoration{Link: l, Since: l.CreatedAt.Add(-suspect), At: now,
		Reset: MailLink{Hash: reset.Hash(), Kind: PasswordReset, Account: l.Account, Email: l.Email, CreatedAt: now, ExpiresAt: now.Add(resetLife)},
		Events: func(before string, ended map[id.Member]int) []audit.Event {
			return restored(who, now, l, from, all, before, ended)
		}})
}

// restored is what is recorded of it: once for the account, and in each
// organization in which device sessions of theirs ended.
func restored(who caller.Caller, now time.Time, l MailLink, from Origin, all []org.Member, before string, ended map[id.Member]int) []audit.Event {
	var members []string
	var events []audit.Event
	for _, m := range all {
		members = append(members, string(m.ID))
		if n := ended[m.ID]; n > 0 {
			events = append(events, audit.New(who, now, audit.SessionsRevoked, string(m.ID), audit.Detail{"of": l.Email, "sessions": strconv.Itoa(n)}).
				In(m.Organization).Affecting(string(m.ID)))
		}
	}
	return append(events, audit.New(who, now, audit.EmailRestored, string(l.Account), audit.Detail{"email_before": before, "email_after": l.Email, "user_agent": from.agent()}).
		Affecting(members...))
}
