package console

import (
	"context"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/invite"
)

// Invitations invites people; *invite.Service does.
type Invitations interface {
	Choices(ctx context.Context, who caller.Caller, o id.Organization) (invite.Choices, error)
	List(ctx context.Context, who caller.Caller, o id.Organization, f invite.Filter) (found []invite.Invite, more bool, err error)
	Count(ctx context.Context, who caller.Caller, o id.Organization) (map[invite.Status]int, error)
	Get(ctx context.Context, who caller.Caller, o id.Organization, i id.Invite) (invite.Invite, error)
	Resend(ctx context.Context, who caller.Caller, o id.Organization, i id.Invite) (invite.Invite, error)
	Again(ctx context.Context, who caller.Caller, o id.Organization, i id.Invite) (invite.Invite, error)
	Withdraw(ctx context.Context, who caller.Caller, o id.Organization, i id.Invite) (invite.Invite, error)
	InviteLists
	InviteLinks
	Proposals
}

// InviteLists invite many people in one go.
type InviteLists interface {
	Check(ctx context.Context, who caller.Caller, o id.Organization, in invite.List) (invite.Batch, error)
	Batch(ctx context.Context, who caller.Caller, o id.Organization, b id.InviteBatch) (invite.Batch, error)
	Batches(ctx context.Context, who caller.Caller, o id.Organization) ([]invite.Batch, error)
	Lines(ctx context.Context, who caller.Caller, o id.Organization, b id.InviteBatch, f invite.LineFilter) ([]invite.Line, error)
	Mend(ctx context.Context, who caller.Caller, o id.Organization, b id.InviteBatch, typed map[int]string) (invite.Batch, error)
	Send(ctx context.Context, who caller.Caller, o id.Organization, b id.InviteBatch) (invite.Batch, error)
	RetryFailed(ctx context.Context, who caller.Caller, o id.Organization, b id.InviteBatch) (invite.Batch, error)
}

// InviteLinks let people of some domains invite themselves.
type InviteLinks interface {
	MakeLink(ctx context.Context, who caller.Caller, o id.Organization, in invite.NewLink) (invite.Link, error)
	Links(ctx context.Context, who caller.Caller, o id.Organization) ([]invite.Link, error)
	DisableLink(ctx context.Context, who caller.Caller, o id.Organization, l id.InviteLink) error
	RenewLink(ctx context.Context, who caller.Caller, o id.Organization, l id.InviteLink) (invite.Link, error)
}

// Proposals name people that members would like to have in.
type Proposals interface {
	Propose(ctx context.Context, who caller.Caller, o id.Organization, email, name, why string) (invite.Proposal, error)
	Proposals(ctx context.Context, who caller.Caller, o id.Organization) ([]invite.Proposal, error)
	MyProposals(ctx context.Context, who caller.Caller, o id.Organization) ([]invite.Proposal, error)
	Decide(ctx context.Context, who caller.Caller, o id.Organization, p string, approve bool, role access.Role) (invite.Proposal, error)
}
