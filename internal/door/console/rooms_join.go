package console

import (
	"context"

	"github.com/gatehouse-dev/gatehouse/internal/account"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/invite"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// Joining lets invited people in; *invite.Service does.
type Joining interface {
	Look(ctx context.Context, token secret.Text, from account.Origin) (invite.Offer, error)
	AcceptNew(ctx context.Context, token secret.Text, name string, pass secret.Text, from account.Origin) (invite.Joined, account.SignedIn, error)
	Accept(ctx context.Context, who caller.Caller, token, session secret.Text, from account.Origin) (invite.Joined, error)
	Whose(ctx context.Context, who caller.Caller) (email string, verified bool, err error)
	OpenLink(ctx context.Context, token secret.Text, from account.Origin) (invite.Opened, error)
	Ask(ctx context.Context, token secret.Text, email string, from account.Origin) error
	JoinByLink(ctx context.Context, who caller.Caller, token, session secret.Text, from account.Origin) (invite.Joined, error)
}
