package invite_test

import (
	"context"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/invite"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// counted is the store, and how often it was asked.
type counted struct {
	invite.Store
	invites, links, facts, accepted, standings, writes int
}

func (c *counted) Standings(ctx context.Context, o id.Organization, emails []string, now time.Time) (map[string]invite.Standing, error) {
	c.standings++
	return c.Store.Standings(ctx, o, emails, now)
}

func (c *counted) AddInvite(ctx context.Context, s invite.Outgoing, most int) error {
	c.writes++
	return c.Store.AddInvite(ctx, s, most)
}

func (c *counted) PretendInvite(ctx context.Context, s invite.Outgoing) error {
	c.writes++
	return c.Store.PretendInvite(ctx, s)
}

func (c *counted) ByHash(ctx context.Context, hash secret.Hash) (invite.Offer, bool, error) {
	c.invites++
	return c.Store.ByHash(ctx, hash)
}

func (c *counted) LinkByHash(ctx context.Context, hash secret.Hash) (invite.Opened, bool, error) {
	c.links++
	return c.Store.LinkByHash(ctx, hash)
}

func (c *counted) Organization(ctx context.Context, o id.Organization) (org.Organization, bool, error) {
	c.facts++
	return c.Store.Organization(ctx, o)
}

func (c *counted) Accept(ctx context.Context, a invite.Acceptance) (org.Member, error) {
	c.accepted++
	return c.Store.Accept(ctx, a)
}
