package store

import (
	"context"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/kms"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/upstream"
)

// Upstreams is the upstream.Store.
type Upstreams struct{ db *DB }

// Upstreams returns where requests go.
func (db *DB) Upstreams() Upstreams { return Upstreams{db} }

var _ upstream.Store = Upstreams{}

func upstreamPlace(u id.Upstream) kms.Place {
	return kms.Place{Table: "upstream", Row: string(u), Column: "credential"}
}

func (s Upstreams) Upstreams(ctx context.Context, o id.Organization) ([]upstream.Upstream, error) {
	return queryAll(ctx, s.db.read, func(row scanner) (u upstream.Upstream, err error) {
		var sealed []byte
		var created int64
		if err := row.Scan(&u.ID, &u.Organization, &u.Name, &u.Provider, &u.BaseURL, &sealed, &u.Place, &created); err != nil {
			return u, err
		}
		u.CreatedAt = fromMicros(created)
		plain, err := s.db.ring.Open(upstreamPlace(u.ID), sealed)
		u.Credential = secret.New(string(plain))
		return u, err
	}, `SELECT id, organization_id, name, provider, base_url, credential, place, created_at FROM upstream WHERE organization_id = $1 ORDER BY place, id`, o)
}

func (s Upstreams) Add(ctx context.Context, u upstream.Upstream, e audit.Event) error {
	sealed := s.db.ring.Seal(upstreamPlace(u.ID), []byte(u.Credential.Reveal()))
	return s.db.record(ctx, func(t tx) error {
		_, err := t.exec(`INSERT INTO upstream (id, organization_id, name, provider, base_url, credential, place, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, (SELECT COALESCE(MAX(place), 0) + 1 FROM upstream WHERE organization_id = $2), $7)`,
			u.ID, u.Organization, u.Name, string(u.Provider), u.BaseURL, sealed, micros(u.CreatedAt))
		return err
	}, e)
}

func (s Upstreams) Remove(ctx context.Context, o id.Organization, u id.Upstream, e audit.Event) error {
	return s.db.record(ctx, func(t tx) error {
		return t.must(`DELETE FROM upstream WHERE organization_id = $1 AND id = $2`, o, u)
	}, e)
}
