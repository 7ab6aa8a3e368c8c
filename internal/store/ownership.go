package store

import (
	"context"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
)

func (s Orgs) SaveOffer(ctx context.Context, o org.Offer, e audit.Event) error {
	return s.db.record(ctx, func(t tx) error {
		_, err := t.exec(`INSERT INTO ownership_offer (organization_id, from_member_id, to_member_id, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (organization_id) DO UPDATE SET from_member_id = excluded.from_member_id, to_member_id = excluded.to_member_id,
			created_at = excluded.created_at, expires_at = excluded.expires_at`,
			o.Organization, o.From.ID, o.To.ID, micros(o.CreatedAt), micros(o.ExpiresAt))
		return err
	}, e)
}

func (s Orgs) Offer(ctx context.Context, o id.Organization) (org.Offer, bool, error) {
	offer := org.Offer{Organization: o}
	var from, to id.Member
	var created, expires int64
	ok, err := s.db.queryRow(ctx, []any{&from, &to, &created, &expires},
		`SELECT from_member_id, to_member_id, created_at, expires_at FROM ownership_offer WHERE organization_id = $1`, o)
	if err != nil || !ok {
		return org.Offer{}, false, err
	}
	offer.CreatedAt, offer.ExpiresAt = fromMicros(created), fromMicros(expires)
	for m, into := range map[id.Member]*org.Member{from: &offer.From, to: &offer.To} {
		if *into, ok, err = s.Member(ctx, o, m); err != nil || !ok {
			return org.Offer{}, false, err
		}
	}
	return offer, true, nil
}

func (s Orgs) DropOffer(ctx context.Context, o id.Organization, e audit.Event) error {
	return s.db.record(ctx, func(t tx) error {
		return t.must(`DELETE FROM ownership_offer WHERE organization_id = $1`, o)
	}, e)
}

func (s Orgs) TransferOwnership(ctx context.Context, o org.Offer, e audit.Event) error {
	gone := fault.New(fault.Conflict, "the offer does not stand any more").WithHint("ask the primary owner to make it again")
	return s.db.record(ctx, func(t tx) error {
		for _, step := range []struct {
			text string
			args []any
		}{
			{`DELETE FROM ownership_offer WHERE organization_id = $1 AND from_member_id = $2 AND to_member_id = $3 AND created_at = $4`,
				[]any{o.Organization, o.From.ID, o.To.ID, micros(o.CreatedAt)}},
			{`UPDATE member SET role = $1, version = version + 1 WHERE organization_id = $2 AND id = $3 AND role = $4 AND status = 'active'`,
				[]any{string(access.Owner), o.Organization, o.From.ID, string(access.PrimaryOwner)}},
			{`UPDATE member SET role = $1, version = version + 1 WHERE organization_id = $2 AND id = $3 AND role <> $1 AND status = 'active'`,
				[]any{string(access.PrimaryOwner), o.Organization, o.To.ID}},
		} {
			if n, err := t.exec(step.text, step.args...); err != nil || n == 0 {
				return orElse(err, gone)
			}
		}
		return nil
	}, e)
}
