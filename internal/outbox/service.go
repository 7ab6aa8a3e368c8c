package outbox

import (
	"context"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// Service shows the outbox. Its fields must be set before use; Server alone may
// be empty.
type Service struct {
	Store Store
	Now   func() time.Time
	// Server says to whom letters are handed, for people: "mail.example.com:587".
	// Empty: nobody, and every letter waits.
	Server string
}

const (
	maxPage   = 100
	maxSought = 254 // as long as an address
)

// List returns an organization's letters, the newest first.
func (s *Service) List(ctx context.Context, who caller.Caller, o id.Organization, f Filter) (page []Message, more bool, err error) {
	if err := access.Check(who, caller.ManageMembers, o); err != nil {
		return nil, false, err
	}
	f.Organization, f.Everywhere = o, false
	return s.list(ctx, f)
}

// All returns letters of every organization and of the server itself, for the
// server's own shell.
func (s *Service) All(ctx context.Context, who caller.Caller, f Filter) (page []Message, more bool, err error) {
	if err := access.CheckInstance(who); err != nil {
		return nil, false, err
	}
	f.Organization, f.Everywhere = "", true
	return s.list(ctx, f)
}

func (s *Service) list(ctx context.Context, f Filter) ([]Message, bool, error) {
	if len(f.Sought) > maxSought {
		return nil, false, fault.New(fault.Invalid, "what is sought has at most %d characters", maxSought).At("q")
	}
	f.Limit = min(max(f.Limit, 1), maxPage)
	page, more, err := s.Store.Messages(ctx, f)
	for i := range page {
		page[i] = s.handedOver(page[i])
	}
	return page, more, err
}

// Get returns one letter of an organization.
func (s *Service) Get(ctx context.Context, who caller.Caller, o id.Organization, m id.Message) (Message, error) {
	if err := access.Check(who, caller.ManageMembers, o); err != nil {
		return Message{}, err
	}
	found, err := s.message(ctx, o, m)
	return s.handedOver(found), err
}

func (s *Service) message(ctx context.Context, o id.Organization, m id.Message) (Message, error) {
	found, ok, err := s.Store.Message(ctx, o, m)
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "there is no such letter in your organization")
	}
	return found, err
}

// handedOver takes away the link of a letter that those who manage members may
// not hand over, and one that leads nowhere any more. Where a mail server
// delivers, a link comes from the mailbox alone: that is what proves an address.
func (s *Service) handedOver(m Message) Message {
	over := m.Status == Expired || m.Status == Dropped || (!m.ExpiresAt.IsZero() && !s.Now().Before(m.ExpiresAt))
	if over || !m.Kind.Handover() || s.Server != "" {
		m.Link = secret.Text{}
	}
	return m
}

// Reveal returns the link of any letter, in the server's own shell. It is
// recorded: most links let their bearer into somebody's account.
func (s *Service) Reveal(ctx context.Context, who caller.Caller, m id.Message) (secret.Text, error) {
	if err := access.CheckInstance(who); err != nil {
		return secret.Text{}, err
	}
	found, ok, err := s.Store.Find(ctx, m)
	if err != nil {
		return secret.Text{}, err
	}
	if !ok {
		return secret.Text{}, fault.New(fault.NotFound, "there is no such letter")
	}
	if found.Link.Empty() {
		return secret.Text{}, fault.New(fault.Conflict, "this letter has no link any more").WithHint("have it made again")
	}
	e := audit.New(who, s.Now(), audit.MailLinkShown, string(m), audit.Detail{"to": found.To, "kind": string(found.Kind), "about": found.About}).In(found.Organization)
	return found.Link, s.Store.Note(ctx, e)
}

// Counts says how many of an organization's letters stand where.
func (s *Service) Counts(ctx context.Context, who caller.Caller, o id.Organization) (Counts, error) {
	if err := access.Check(who, caller.ManageMembers, o); err != nil {
		return nil, err
	}
	return s.Store.Counts(ctx, o)
}

// Retry makes a failed letter wait to be sent again.
func (s *Service) Retry(ctx context.Context, who caller.Caller, o id.Organization, m id.Message) error {
	if err := access.Check(who, caller.ManageMembers, o); err != nil {
		return err
	}
	found, err := s.message(ctx, o, m)
	switch {
	case err != nil:
		return err
	case found.Status != Failed:
		return fault.New(fault.Conflict, "this letter is not a failed one any more").WithHint("look at it again")
	case !found.ExpiresAt.IsZero() && !s.Now().Before(found.ExpiresAt):
		return fault.New(fault.Conflict, "what this letter tells of has expired").WithHint("have it made again")
	}
	return s.Store.Retry(ctx, o, m, s.Now(), audit.New(who, s.Now(), audit.MailRetried, string(m), audit.Detail{
		"to": found.To, "kind": string(found.Kind), "about": found.About}).In(o))
}

// Configured reports whether letters are sent at all, and to which server.
func (s *Service) Configured() (server string, ok bool) { return s.Server, s.Server != "" }

// keepFor is how long it can be seen what became of a letter.
const keepFor = 90 * 24 * time.Hour

// Prune forgets old letters.
func (s *Service) Prune(ctx context.Context, who caller.Caller) error {
	if err := access.CheckInstance(who); err != nil {
		return err
	}
	now := s.Now()
	return s.Store.Prune(ctx, now.Add(-keepFor), now)
}
