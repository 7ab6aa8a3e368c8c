package origin

import (
	"context"
	"errors"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/direct"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/lease"
)

// Token is a credential that is a bearer token (RFC 6750), renewed by a lease.
type Token struct {
	Lease *lease.Lease[secret.Text]
	Cloud string // whose it is, for messages
}

// Fields implements Credential.
func (t *Token) Fields(ctx context.Context, _ Sent) ([]direct.Field, error) {
	token, err := t.Lease.Get(ctx)
	if err != nil {
		return nil, Unready(ctx, t.Cloud, err)
	}
	return []direct.Field{{Name: "Authorization", Values: []string{"Bearer " + token.Reveal()}}, {Name: "X-Api-Key"}}, nil
}

// Refused implements Credential.
func (t *Token) Refused(caller.Caller) bool {
	t.Lease.Refused()
	return true
}

// Status implements Credential.
func (t *Token) Status() lease.Status { return t.Lease.Status() }

// Close implements Credential.
func (t *Token) Close() { t.Lease.Close() }

// Unready is the fault for a credential that cannot be had: the upstream has heard
// nothing. The cloud's own words stay in the log, for they name accounts.
func Unready(ctx context.Context, cloud string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fault.Wrap(fault.Unavailable, errors.Join(gateway.ErrNotSent, err), "this server has no credential for "+cloud+" just now").UntilMended().
		WithHint("an owner of the organization must check the upstream's credential and its permissions")
}
