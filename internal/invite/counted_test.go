package invite_test

import (
	"context"

	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/invite"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// counted is the store, and how often it was asked.
type counted struct {
	invite.Store
	invites, links, facts, accepted int
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
