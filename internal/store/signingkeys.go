package store

import (
	"context"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/jwks"
	"github.com/gatehouse-dev/gatehouse/internal/kms"
)

// SigningKeys is the jwks.Store.
type SigningKeys struct{ db *DB }

// SigningKeys returns the keys that sign access tokens.
func (db *DB) SigningKeys() SigningKeys { return SigningKeys{db} }

var _ jwks.Store = SigningKeys{}

func signingKeyPlace(kid string) kms.Place {
	return kms.Place{Table: "signing_key", Row: kid, Column: "private_key"}
}

// Keys implements jwks.Store.
func (s SigningKeys) Keys(ctx context.Context, a jwks.Algorithm) ([]jwks.Key, error) {
	return queryAll(ctx, s.db.read, func(row scanner) (k jwks.Key, err error) {
		var sealed []byte
		var created, active int64
		if err := row.Scan(&k.ID, &k.Algorithm, &sealed, &created, &active); err != nil {
			return k, err
		}
		k.CreatedAt, k.ActiveAt = fromMicros(created), fromMicros(active)
		raw, err := s.db.ring.Open(signingKeyPlace(k.ID), sealed)
		if err == nil {
			k.Private, err = jwks.ParsePrivate(k.Algorithm, raw)
		}
		return k, err
	}, `SELECT kid, algorithm, private_key, created_at, active_at FROM signing_key WHERE algorithm = $1 ORDER BY active_at, kid`, string(a))
}

// Add implements jwks.Store.
func (s SigningKeys) Add(ctx context.Context, k jwks.Key, isFirst bool, e audit.Event) error {
	private, public, err := k.Encode()
	if err != nil {
		return err
	}
	return s.db.record(ctx, func(t tx) error {
		if isFirst {
			if ok, err := noRows(t.row([]any{new(int)}, `SELECT 1 FROM signing_key WHERE algorithm = $1 LIMIT 1`, string(k.Algorithm))); ok || err != nil {
				return err
			}
		}
		_, err := t.exec(`INSERT INTO signing_key (kid, algorithm, public_key, private_key, created_at, active_at) VALUES ($1, $2, $3, $4, $5, $6)`,
			k.ID, string(k.Algorithm), public, s.db.ring.Seal(signingKeyPlace(k.ID), private), micros(k.CreatedAt), micros(k.ActiveAt))
		return err
	}, e.Affecting(k.ID))
}
