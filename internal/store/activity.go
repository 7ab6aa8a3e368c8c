package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
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

// pretend does everything that record does and leaves nothing: it is for what a
// stranger asks for in vain, who must not see a difference. It commits as well,
// with a write that changes nothing.
func (db *DB) pretend(ctx context.Context, f func(tx) error, events ...audit.Event) error {
	if db.signer == nil {
		return errors.New("the activity log has no signing key yet")
	}
	return db.upkeep(ctx, func(t tx) error {
		if _, err := t.exec(`SAVEPOINT in_vain`); err != nil {
			return err
		}
		if f != nil {
			if err := f(t); err != nil {
				return err
			}
		}
		if err := db.appendAll(t, events); err != nil {
			return err
		}
		if _, err := t.exec(`ROLLBACK TO SAVEPOINT in_vain`); err != nil {
			return err
		}
		_, err := t.exec(`UPDATE instance SET id = id WHERE id = 1`)
		return err
	})
}

// appendAll continues the log, if it still is the one whose head was signed:
// nobody's rewriting of it is ever signed over. All is computed from what was
// read and proven once, under the lock.
func (db *DB) appendAll(t tx, events []audit.Event) error {
	var size int64
	var signed string
	err := t.row([]any{&size, &signed}, `UPDATE log_head SET size = size + $1 WHERE id = 1 RETURNING size, note`, len(events))
	if errors.Is(err, sql.ErrNoRows) {
		return broken(errors.New("the log has no head"))
	}
	if err != nil {
		return err
	}
	log, err := audit.Resume(size-int64(len(events)), signed, db.verifier, t)
	if err != nil {
		if t.ctx.Err() != nil {
			return t.ctx.Err()
		}
		return broken(err)
	}
	if err := db.appendEntries(t, log, size-int64(len(events)), events); err != nil {
		return fmt.Errorf("recording %s: %w", events[0].Type, err)
	}
	head, err := log.Sign(db.signer)
	if err != nil {
		return err
	}
	_, err = t.exec(`UPDATE log_head SET note = $1 WHERE id = 1`, head)
	return err
}

// broken is our fault, never the caller's: nothing is changed that cannot be
// recorded.
func broken(cause error) error {
	return fault.Wrap(fault.Internal, cause, "the record of activity is not as it was signed, so nothing can be changed").
		WithHint("see what was done to it with: gatehoused verify")
}

// appendEntries writes events behind the size of the log, with their hashes and
// what they can be found by.
func (db *DB) appendEntries(t tx, log *audit.Appender, size int64, events []audit.Event) error {
	var entries, hashes, terms rows
	for _, e := range events {
		entry, own, err := log.Append(e)
		if err != nil {
			return err
		}
		for i, h := range own {
			hashes.add(audit.Position(entry.Index)+int64(i), h[:])
		}
		c := entry.Columns
		entries.add(entry.Index, c.ID, c.Organization, c.At, c.Type, c.Actor, c.Target, c.Affects, entry.Leaf, entry.Detail, entry.Salt)
		addTerms(&terms, id.Organization(c.Organization), entry.Index, audit.Terms(e))
	}
	if err := t.put(`INSERT INTO log_hash (position, hash) VALUES `, hashes, ``); err != nil {
		return db.occupied(size, len(events), err)
	}
	if err := t.put(`INSERT INTO activity (position, id, organization_id, at, type, actor, target, affects, leaf, detail, salt) VALUES `, entries, ``); err != nil {
		return db.occupied(size, len(events), err)
	}
	return t.putTerms(terms)
}

// occupied says what a taken key means here. The cause is not wrapped, so that
// nobody takes it for a duplicate of their own.
func (db *DB) occupied(index int64, n int, err error) error {
	if !db.dialect.isDuplicate(err) {
		return err
	}
	where := fmt.Sprintf("entry %d belongs", index)
	if n > 1 {
		where = fmt.Sprintf("entries %d to %d belong", index, index+int64(n)-1)
	}
	return broken(fmt.Errorf("something was put where %s: %v", where, err))
}

// ReadHashes makes a transaction the audit.HashReader of the log.
func (t tx) ReadHashes(positions []int64) ([]audit.Hash, error) {
	return readHashes(t.ctx, t, positions)
}

// hashReader makes the database one.
type hashReader struct {
	ctx context.Context
	db  *DB
}

func (r hashReader) ReadHashes(positions []int64) ([]audit.Hash, error) {
	return readHashes(r.ctx, r.db.read, positions)
}

// readHashes reads all positions in one statement. The audit package asks for a
// few hashes a level, so there are never many.
func readHashes(ctx context.Context, q querier, positions []int64) ([]audit.Hash, error) {
	if len(positions) == 0 {
		return nil, nil
	}
	marks, args := make([]string, len(positions)), make([]any, len(positions))
	for i, p := range positions {
		marks[i], args[i] = fmt.Sprintf("$%d", i+1), p
	}
	found, err := hashesAt(ctx, q, `position IN (`+strings.Join(marks, ", ")+`)`, args...)
	if err != nil {
		return nil, err
	}
	out := make([]audit.Hash, len(positions))
	for i, p := range positions {
		h, ok := found[p]
		if !ok {
			return nil, fmt.Errorf("hash %d of the log is missing", p)
		}
		out[i] = h
	}
	return out, nil
}

// hashesAt returns hashes by position. What is no hash is left out.
func hashesAt(ctx context.Context, q querier, where string, args ...any) (map[int64]audit.Hash, error) {
	type kept struct {
		position int64
		raw      []byte
	}
	all, err := queryAll(ctx, q, func(s scanner) (k kept, err error) {
		err = s.Scan(&k.position, &k.raw)
		return k, err
	}, `SELECT position, hash FROM log_hash WHERE `+where, args...)
	if err != nil {
		return nil, err
	}
	found := make(map[int64]audit.Hash, len(all))
	for _, k := range all {
		if len(k.raw) == len(audit.Hash{}) {
			found[k.position] = audit.Hash(k.raw)
		}
	}
	return found, nil
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

// Hashes reads the hashes of the log, for proofs about it.
func (a Activities) Hashes(ctx context.Context) audit.HashReader { return hashReader{ctx, a.db} }

// Extent is the log's size and head, and what lies outside of it.
type Extent struct {
	Size   int64
	Signed string
	Before *int64 // an entry at a negative position
	After  *int64 // the first entry at a position that the log does not reach
	Hash   *int64 // the position of a hash that belongs to no entry
}

// Extent reads all of it at one moment, so that it is right while others record.
func (a Activities) Extent(ctx context.Context) (Extent, error) {
	var e Extent
	var before, after, low, high sql.NullInt64
	ok, err := a.db.queryRow(ctx, []any{&e.Size, &e.Signed, &before, &after, &low, &high}, `SELECT h.size, h.note,
		(SELECT MIN(position) FROM activity WHERE position < 0), (SELECT MIN(position) FROM activity WHERE position >= h.size),
		(SELECT MIN(position) FROM log_hash WHERE position < 0), (SELECT MAX(position) FROM log_hash) FROM log_head h WHERE h.id = 1`)
	if err != nil {
		return e, err
	}
	if !ok {
		return e, &audit.BrokenError{Index: 0, Err: errors.New("the log has no head")}
	}
	if before.Valid {
		e.Before = &before.Int64
	}
	if after.Valid {
		e.After = &after.Int64
	}
	switch {
	case low.Valid:
		e.Hash = &low.Int64
	case high.Valid && high.Int64 >= audit.Position(max(e.Size, 0)):
		e.Hash = &high.Int64
	}
	return e, nil
}

// Proof returns the entries of a range of the log with all that is kept of them.
func (a Activities) Proof(ctx context.Context, from, to int64) ([]audit.Stored, error) {
	all, err := queryAll(ctx, a.db.read, func(s scanner) (e audit.Stored, err error) {
		c := &e.Columns
		err = s.Scan(&e.Index, &c.ID, &c.Organization, &c.At, &c.Type, &c.Actor, &c.Target, &c.Affects, &e.Leaf, &e.Detail, &e.Salt)
		return e, err
	}, `SELECT position, id, organization_id, at, type, actor, target, affects, leaf, detail, salt FROM activity
		WHERE position >= $1 AND position < $2 ORDER BY position`, from, to)
	if err != nil {
		return nil, err
	}
	hashes, err := hashesAt(ctx, a.db.read, `position >= $1 AND position < $2`, audit.Position(from), audit.Position(to))
	if err != nil {
		return nil, err
	}
	for i := range all {
		e := &all[i]
		e.Hashes = make([]audit.Hash, audit.HashCount(e.Index))
		for level := range e.Hashes {
			e.Hashes[level] = hashes[audit.Position(e.Index)+int64(level)]
		}
	}
	return all, nil
}

// Changes returns up to limit changes from a place in the log on, in order.
// Entries are appended under one lock, so none appears before its predecessor.
func (a Activities) Changes(ctx context.Context, from int64, limit int) ([]feed.Change, error) {
	return queryAll(ctx, a.db.read, func(s scanner) (feed.Change, error) {
		var c feed.Change
		var affects string
		if err := s.Scan(&c.Position, &c.ID, &c.Organization, &c.Type, &c.Target, &affects); err != nil {
			return c, err
		}
		return c, json.Unmarshal([]byte(affects), &c.Affects)
	}, `SELECT position, id, organization_id, type, target, affects FROM activity WHERE position >= $1 ORDER BY position LIMIT $2`, from, limit)
}

// noRows turns "there is none" into ok = false.
func noRows(err error) (ok bool, _ error) {
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}
