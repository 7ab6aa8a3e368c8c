package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/feed"
	"github.com/gatehouse-dev/gatehouse/internal/id"
)

// record runs f and writes the events of what it changed, all in one
// transaction. f may be nil for what is only noted.
func (db *DB) record(ctx context.Context, f func(tx) error, events ...audit.Event) error {
	if db.signer == nil {
		return errors.New("the activity log has no signing key yet")
	}
	err := db.upkeep(ctx, func(t tx) error {
		if f != nil {
			if err := f(t); err != nil {
				return err
			}
		}
		// Last, as this lock is held until the commit and everybody wants it.
		return db.appendAll(t, events)
	})
	if err == nil {
		db.wake()
	}
	return err
}

func (db *DB) appendAll(t tx, events []audit.Event) error {
	var size int64
	err := t.row([]any{&size}, `UPDATE log_head SET size = size + $1 WHERE id = 1 RETURNING size`, len(events))
	if err != nil {
		return err
	}
	for i, e := range events {
		if err := appendOne(t, size-int64(len(events)-i), e); err != nil {
			return fmt.Errorf("recording %s: %w", e.Type, err)
		}
	}
	head, err := audit.SignHead(size, t, db.signer)
	if err != nil {
		return err
	}
	_, err = t.exec(`UPDATE log_head SET note = $1 WHERE id = 1`, head)
	return err
}

func appendOne(t tx, index int64, e audit.Event) error {
	entry, err := e.Seal(index)
	if err != nil {
		return err
	}
	hashes, err := audit.Hashes(index, entry.Leaf, t)
	if err != nil {
		return err
	}
	for i, h := range hashes {
		if _, err := t.exec(`INSERT INTO log_hash (position, hash) VALUES ($1, $2)`, audit.Position(index)+int64(i), h[:]); err != nil {
			return err
		}
	}
	affects, err := json.Marshal(e.Affects)
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO activity (position, id, organization_id, at, type, actor, target, affects, leaf, detail, salt)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		index, e.ID, e.Organization, micros(e.At), string(e.Type), e.Actor, e.Target, string(affects), entry.Leaf, entry.Detail, entry.Salt)
	return err
}

// ReadHashes makes a transaction the audit.HashReader of the log.
func (t tx) ReadHashes(positions []int64) ([]audit.Hash, error) {
	out := make([]audit.Hash, len(positions))
	for i, p := range positions {
		var raw []byte
		if err := t.row([]any{&raw}, `SELECT hash FROM log_hash WHERE position = $1`, p); err != nil {
			return nil, fmt.Errorf("reading hash %d of the log: %w", p, err)
		}
		copy(out[i][:], raw)
	}
	return out, nil
}

// Activities reads the record. It is the feed.Source.
type Activities struct{ db *DB }

var _ feed.Source = Activities{}

// Activities returns the record.
func (db *DB) Activities() Activities { return Activities{db} }

// Head returns how many entries the log has and its signed head.
func (a Activities) Head(ctx context.Context) (size int64, signed string, err error) {
	_, err = a.db.queryRow(ctx, []any{&size, &signed}, `SELECT size, note FROM log_head WHERE id = 1`)
	return size, signed, err
}

// Proof returns up to limit entries from a place in the log on, each with the
// hash stored for it.
func (a Activities) Proof(ctx context.Context, from int64, limit int) ([]audit.Entry, []audit.Hash, error) {
	type pair struct {
		entry audit.Entry
		hash  audit.Hash
	}
	pairs, err := queryAll(ctx, a.db.read, func(s scanner) (p pair, err error) {
		err = s.Scan(&p.entry.Index, &p.entry.Leaf, &p.entry.Detail, &p.entry.Salt)
		return p, err
	}, `SELECT position, leaf, detail, salt FROM activity WHERE position >= $1 ORDER BY position LIMIT $2`, from, limit)
	if err != nil {
		return nil, nil, err
	}
	entries, hashes := make([]audit.Entry, len(pairs)), make([]audit.Hash, len(pairs))
	for i, p := range pairs {
		var raw []byte
		ok, err := a.db.queryRow(ctx, []any{&raw}, `SELECT hash FROM log_hash WHERE position = $1`, audit.Position(p.entry.Index))
		if err != nil {
			return nil, nil, err
		}
		if ok {
			copy(p.hash[:], raw)
		}
		entries[i], hashes[i] = p.entry, p.hash
	}
	return entries, hashes, nil
}

// Changes returns up to limit changes from a place in the log on, in order.
// Entries are appended under one lock, so none appears before its predecessor.
func (a Activities) Changes(ctx context.Context, from int64, limit int) ([]feed.Change, error) {
	return queryAll(ctx, a.db.read, func(s scanner) (feed.Change, error) {
		var c feed.Change
		var affects string
		if err := s.Scan(&c.Position, &c.Organization, &c.Type, &c.Target, &affects); err != nil {
			return c, err
		}
		return c, json.Unmarshal([]byte(affects), &c.Affects)
	}, `SELECT position, organization_id, type, target, affects FROM activity WHERE position >= $1 ORDER BY position LIMIT $2`, from, limit)
}

// List returns an organization's latest events before a place in the log (0:
// from the end), the newest first.
func (a Activities) List(ctx context.Context, org id.Organization, types []audit.Type, before int64, limit int) ([]audit.Event, []int64, error) {
	query := `SELECT position, leaf, detail, salt FROM activity WHERE organization_id = $1`
	args := []any{org}
	if before > 0 {
		args = append(args, before)
		query += fmt.Sprintf(` AND position < $%d`, len(args))
	}
	if len(types) > 0 {
		marks := make([]string, len(types))
		for i, t := range types {
			args = append(args, string(t))
			marks[i] = fmt.Sprintf("$%d", len(args))
		}
		query += ` AND type IN (` + strings.Join(marks, ", ") + `)`
	}
	args = append(args, limit)
	query += fmt.Sprintf(` ORDER BY position DESC LIMIT $%d`, len(args))
	entries, err := queryAll(ctx, a.db.read, func(s scanner) (e audit.Entry, err error) {
		err = s.Scan(&e.Index, &e.Leaf, &e.Detail, &e.Salt)
		return e, err
	}, query, args...)
	if err != nil {
		return nil, nil, err
	}
	events, positions := make([]audit.Event, len(entries)), make([]int64, len(entries))
	for i, entry := range entries {
		if events[i], err = entry.Open(); err != nil {
			return nil, nil, err
		}
		positions[i] = entry.Index
	}
	return events, positions, nil
}

// noRows turns "there is none" into ok = false.
func noRows(err error) (ok bool, _ error) {
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}
