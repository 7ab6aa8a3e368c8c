package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
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
		var settings string
		if err := row.Scan(&u.ID, &u.Organization, &u.Name, &u.Provider, &u.BaseURL, &sealed, &u.Place, &created, &settings, &u.Version); err != nil {
			return u, err
		}
		if err := json.Unmarshal([]byte(settings), &u.Settings); err != nil {
			return u, fmt.Errorf("reading the settings of upstream %s: %w", u.ID, err)
		}
		u.CreatedAt = fromMicros(created)
		plain, err := s.db.ring.Open(upstreamPlace(u.ID), sealed)
		u.Credential = secret.New(string(plain))
		return u, err
	}, `SELECT id, organization_id, name, provider, base_url, credential, place, created_at, settings, version FROM upstream WHERE organization_id = $1 ORDER BY place, id`, o)
}

func (s Upstreams) Add(ctx context.Context, u upstream.Upstream, e audit.Event) error {
	settings, err := json.Marshal(u.Settings)
	if err != nil {
		return err
	}
	sealed := s.db.ring.Seal(upstreamPlace(u.ID), []byte(u.Credential.Reveal()))
	err = s.db.record(ctx, func(t tx) error {
		_, err := t.exec(`INSERT INTO upstream (id, organization_id, name, provider, base_url, credential, place, created_at, settings)
			VALUES ($1, $2, $3, $4, $5, $6, (SELECT COALESCE(MAX(place), 0) + 1 FROM upstream WHERE organization_id = $2), $7, $8)`,
			u.ID, u.Organization, u.Name, string(u.Provider), u.BaseURL, sealed, micros(u.CreatedAt), string(settings))
		return err
	}, e)
	if s.db.dialect.isDuplicate(err) {
		return upstream.NameTaken()
	}
	return err
}

// Change implements upstream.Store.
func (s Upstreams) Change(ctx context.Context, u upstream.Upstream, e audit.Event) error {
	settings, err := json.Marshal(u.Settings)
	if err != nil {
		return err
	}
	sealed := s.db.ring.Seal(upstreamPlace(u.ID), []byte(u.Credential.Reveal()))
	return s.db.record(ctx, func(t tx) error {
		n, err := t.exec(`UPDATE upstream SET base_url = $1, credential = $2, settings = $3, version = version + 1 WHERE organization_id = $4 AND id = $5 AND version = $6`,
			u.BaseURL, sealed, string(settings), u.Organization, u.ID, u.Version)
		if err == nil && n == 0 {
			err = upstream.Changed()
		}
		return err
	}, e)
}

func (s Upstreams) Remove(ctx context.Context, o id.Organization, u id.Upstream, e audit.Event) error {
	return s.db.record(ctx, func(t tx) error {
		return t.must(`DELETE FROM upstream WHERE organization_id = $1 AND id = $2`, o, u)
	}, e)
}

// Place implements upstream.Store.
func (s Upstreams) Place(ctx context.Context, o id.Organization, order []id.Upstream, e audit.Event) error {
	return s.db.record(ctx, func(t tx) error {
		var there int
		if err := t.row([]any{&there}, `SELECT COUNT(*) FROM upstream WHERE organization_id = $1`, o); err != nil {
			return err
		}
		if there != len(order) {
			return fault.New(fault.Conflict, "the upstreams have changed meanwhile")
		}
		for i, u := range order {
			n, err := t.exec(`UPDATE upstream SET place = $3 WHERE organization_id = $1 AND id = $2`, o, u, i+1)
			if err != nil {
				return err
			}
			if n == 0 || slices.Contains(order[:i], u) {
				return fault.New(fault.Conflict, "the upstreams have changed meanwhile")
			}
		}
		return nil
	}, e)
}
