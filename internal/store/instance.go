package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/kms"
	"golang.org/x/mod/sumdb/note"
)

// Instance is what all nodes that share a database have in common.
type Instance struct {
	ID          string // "inst_" and 26 letters and digits: this database and no other
	RefreshKey  []byte // successors of refresh tokens are derived with it
	LogVerifier note.Verifier
	LogKey      string // the public key of the activity log, as package note writes it
}

// Unlock opens what the database keeps sealed and makes it on first use. It
// fails if the database was made with a master key that the ring does not hold.
func (db *DB) Unlock(ctx context.Context, ring *kms.Keyring, now time.Time) (Instance, error) {
	if err := db.makeInstance(ctx, ring, now); err != nil {
		return Instance{}, fmt.Errorf("preparing the database: %w", err)
	}
	var in Instance
	var master string
	var refresh, private []byte
	ok, err := db.queryRow(ctx, []any{&master, &refresh, &in.LogKey, &private},
		`SELECT master_key_id, refresh_key, log_public_key, log_private_key FROM instance WHERE id = 1`)
	if err != nil || !ok {
		return Instance{}, orElse(err, errors.New("the database has no instance"))
	}
	if !ring.Knows(master) {
		return Instance{}, fmt.Errorf("the database is sealed with master key %s and this server has %s: give it the master key that the database was made with", master, ring.ID())
	}
	if in.RefreshKey, err = ring.Open(instancePlace("refresh_key"), refresh); err != nil {
		return Instance{}, err
	}
	in.ID = instanceID(in.LogKey)
	signingKey, err := ring.Open(instancePlace("log_private_key"), private)
	if err != nil {
		return Instance{}, err
	}
	if in.LogVerifier, err = note.NewVerifier(in.LogKey); err != nil {
		return Instance{}, fmt.Errorf("reading the log's public key: %w", err)
	}
	db.verifier = in.LogVerifier
	if db.signer, err = note.NewSigner(string(signingKey)); err != nil {
		return Instance{}, fmt.Errorf("reading the log's private key: %w", err)
	}
	db.ring = ring
	return in, nil
}

// instanceID is made of the log's public key, which a database gets when it is made
// and keeps: whatever else of a server changes, this stays. It is no secret.
func instanceID(logKey string) string {
	sum := sha256.Sum256([]byte("gatehouse instance\n" + logKey))
	return "inst_" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:16]))
}

func instancePlace(column string) kms.Place {
	return kms.Place{Table: "instance", Row: "1", Column: column}
}

func (db *DB) makeInstance(ctx context.Context, ring *kms.Keyring, now time.Time) error {
	if ok, err := db.queryRow(ctx, []any{new(int64)}, `SELECT id FROM instance WHERE id = 1`); ok || err != nil {
		return err
	}
	private, public, err := note.GenerateKey(rand.Reader, audit.LogName)
	if err != nil {
		return err
	}
	signer, err := note.NewSigner(private)
	if err != nil {
		return err
	}
	empty, err := audit.SignHead(0, nil, signer)
	if err != nil {
		return err
	}
	var refresh [32]byte
	rand.Read(refresh[:])
	return db.upkeep(ctx, func(t tx) error { // two nodes may start at once: the first wins
		made, err := t.exec(`INSERT INTO instance (id, created_at, master_key_id, refresh_key, log_public_key, log_private_key)
			VALUES (1, $1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING`, micros(now), ring.ID(),
			ring.Seal(instancePlace("refresh_key"), refresh[:]), public, ring.Seal(instancePlace("log_private_key"), []byte(private)))
		if err != nil || made == 0 {
			return err
		}
		// The empty log is signed here and never again: a log that is found
		// without a head later has been emptied by somebody.
		_, err = t.exec(`UPDATE log_head SET note = $1 WHERE id = 1 AND size = 0 AND note = ''`, empty)
		return err
	})
}
