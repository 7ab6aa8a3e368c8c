package invite

import (
	"context"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/account"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/letter"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// Store is what the package needs stored. ok is false for what does not exist.
type Store interface {
	Facts
	InviteStore
	BatchStore
	LinkStore
	ProposalStore
}

// Facts are what others keep and invitations depend on.
type Facts interface {
	Organization(ctx context.Context, o id.Organization) (org.Organization, bool, error)
	Member(ctx context.Context, o id.Organization, m id.Member) (org.Member, bool, error)
	Groups(ctx context.Context, o id.Organization) ([]Named, error)
	Workspaces(ctx context.Context, o id.Organization) ([]Named, error)
	Seats(ctx context.Context, o id.Organization, now time.Time) (Seats, error)
	// Standings says how addresses stand; those that are strangers are left out.
	Standings(ctx context.Context, o id.Organization, emails []string, now time.Time) (map[string]Standing, error)
	Address(ctx context.Context, a id.Account) (email string, verified bool, err error)
}

// Standing is how an address stands to an organization already.
type Standing struct {
	Member  org.Status // empty or Removed: it is no member's
	Role    string     // the member's
	Pending *Invite
}

// Outgoing is an invitation with all that goes with it.
type Outgoing struct {
	Invite Invite
	Hash   secret.Hash
	Letter letter.Letter
	Event  audit.Event
	Mailed bool // a mail server brings the letter: nobody else has seen its link
}

// Acceptance is all that happens when somebody joins.
type Acceptance struct {
	Invite   id.Invite
	Member   org.Member // as it is to be; an account that has the address already is used
	New      bool       // whether there is to be a new account: Conflict if there is one
	Password string     // of the new account, hashed
	Browser  *account.Browser
	Session  *secret.Hash // a browser session that is to act in the organization from now on
	Proven   bool         // whether links come by mail alone; if the invitation's did, the address is theirs
	At       time.Time
	Events   func(org.Member) []audit.Event
}

// InviteStore stores invitations.
type InviteStore interface {
	// AddInvite fails with Conflict if the address is a member's or has a pending
	// invitation, and with Invalid if no seat is free.
	AddInvite(ctx context.Context, s Outgoing, mostOfLink int) error
	// PretendInvite does the work of AddInvite for whoever may not be told that it
	// is in vain, and leaves nothing.
	PretendInvite(ctx context.Context, s Outgoing) error
	Invite(ctx context.Context, o id.Organization, i id.Invite) (Invite, bool, error)
	Invites(ctx context.Context, o id.Organization, f Filter, now time.Time) (found []Invite, more bool, err error)
	CountInvites(ctx context.Context, o id.Organization, now time.Time) (map[Status]int, error)
	// Resend queues the letter again; Conflict if the invitation is not pending or
	// was sent after notSince.
	Resend(ctx context.Context, s Outgoing, notSince time.Time) error
	// Withdraw fails with Conflict if the invitation is not pending.
	Withdraw(ctx context.Context, i Invite, at time.Time, e audit.Event) error
	ByHash(ctx context.Context, hash secret.Hash) (Offer, bool, error)
	// Accept fails with Conflict if the invitation is not pending any more, or the
	// account is an active or suspended member.
	Accept(ctx context.Context, a Acceptance) (org.Member, error)
	// Expire marks what has run out, and forgets old batches.
	Expire(ctx context.Context, now, oldBatches time.Time) error
}

// Result is what became of a line when its turn came.
type Result struct {
	Number   int
	State    LineState // LineSent: Outgoing is stored
	Note     string
	Outgoing *Outgoing
}

// BatchStore stores batches.
type BatchStore interface {
	// SaveBatch keeps a draft with its lines, and the newest most drafts of the
	// organization.
	SaveBatch(ctx context.Context, b Batch, lines []Line, most int) error
	Batch(ctx context.Context, o id.Organization, b id.InviteBatch) (Batch, bool, error)
	Batches(ctx context.Context, o id.Organization, limit int) ([]Batch, error)
	Lines(ctx context.Context, b id.InviteBatch, f LineFilter) ([]Line, error)
	// MendLines replaces lines of a draft and removes others: Conflict if it is
	// none any more.
	MendLines(ctx context.Context, b Batch, lines []Line, gone []int) error
	// StartBatch makes a batch Sending, failed lines ready again if it was Done;
	// started is false if it is Outgoing already, or has nothing to send.
	StartBatch(ctx context.Context, b Batch, at time.Time) (started bool, err error)
	UnderWay(ctx context.Context) ([]Batch, error)
	// FinishLines stores what became of lines that are still ready, in one
	// transaction, and ends the batch when none is left. A line whose seat is
	// taken, whose address has joined or is invited by now is not sent.
	FinishLines(ctx context.Context, b Batch, results []Result, at time.Time) error
}

// LinkStore stores invite links.
type LinkStore interface {
	// AddLink fails with Conflict if there are most links that work.
	AddLink(ctx context.Context, l Link, hash secret.Hash, most int, e audit.Event) error
	Links(ctx context.Context, o id.Organization, limit int) ([]Link, error)
	Link(ctx context.Context, o id.Organization, l id.InviteLink) (Link, bool, error)
	LinkByHash(ctx context.Context, hash secret.Hash) (Opened, bool, error)
	DisableLink(ctx context.Context, l Link, at time.Time, e audit.Event) error
	// RenewLink gives the link another token: Conflict if somebody else just did.
	RenewLink(ctx context.Context, l Link, hash secret.Hash, e audit.Event) error
}

// ProposalStore stores proposals.
type ProposalStore interface {
	// AddProposal fails with Conflict if the address is proposed already, or the
	// member has most proposals waiting.
	AddProposal(ctx context.Context, p Proposal, most int, e audit.Event) error
	// Proposals lists those that wait, of one member if one is named.
	Proposals(ctx context.Context, o id.Organization, by id.Member, limit int) ([]Proposal, error)
	Proposal(ctx context.Context, o id.Organization, p string) (Proposal, bool, error)
	// Decide settles a proposal that waits: Conflict if it does not. With a
	// Outgoing the invitation is made in the same transaction.
	Decide(ctx context.Context, p Proposal, s *Outgoing, e audit.Event) error
}
