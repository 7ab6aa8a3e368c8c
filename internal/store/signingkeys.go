package store

import (
	"context"
	"crypto/ed25519"

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

func (s SigningKeys) Keys(ctx context.Context) ([]jwks.Key, error) {
	return queryAll(ctx, s.db.read, func(row scanner) (k jwks.Key, err error) {
		var sealed []byte
		var created, active int64
		if err := row.Scan(&k.ID, &sealed, &created, &active); err != nil {
			return k, err
		}
		k.CreatedAt, k.ActiveAt = fromMicros(created), fromMicros(active)
		seed, err := s.db.ring.Open(signingKeyPlace(k.ID), sealed)
		if err == nil {
			k.Private = ed25519.NewKeyFromSeed(seed)
		}
		return k, err
	}, `SELECT kid, private_key, created_at, active_at FROM signing_key ORDER BY active_at, kid`)
}

func (s SigningKeys) Add(ctx context.Context, k jwks.Key, isFirst bool, e audit.Event) error {
	return s.db.record(ctx, func(t tx) error {
		if isFirst {
			if ok, err := noRows(t.row([]any{new(int)}, `SELECT 1 FROM signing_key LIMIT 1`)); ok || err != nil {
				return err
			}
		}
		_, err := t.exec(`INSERT INTO signing_key (kid, public_key, private_key, created_at, active_at) VALUES ($1, $2, $3, $4, $5)`,
			k.ID, []byte(k.Private.Public().(ed25519.PublicKey)), s.db.ring.Seal(signingKeyPlace(k.ID), k.Private.Seed()), micros(k.CreatedAt), micros(k.ActiveAt))
		return err
	}, e.Affecting(k.ID))
}
