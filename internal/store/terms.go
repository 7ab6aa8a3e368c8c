package store

import (
	"context"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
)

// addTerms adds what an entry can be found by.
func addTerms(r *rows, o id.Organization, position int64, terms []string) {
	if o == "" {
		return // what concerns the whole server is on nobody's page
	}
	for _, term := range terms {
		r.add(o, []byte(term), position)
	}
}

// putTerms stores terms. One that is there already was put there by nobody who
// knows the log's key: it is let be, as a search believes no term about whose
// entry it is.
func (t tx) putTerms(terms rows) error {
	return t.put(`INSERT INTO activity_term (organization_id, term, position) VALUES `, terms, ` ON CONFLICT (organization_id, term, position) DO NOTHING`)
}

// IndexOlder makes up to limit entries findable that were recorded before there
// were terms, the newest of them first, and returns how many are left.
func (a Activities) IndexOlder(ctx context.Context, limit int) (left int64, err error) {
	if _, err := a.db.queryRow(ctx, []any{&left}, `SELECT below FROM activity_unsearched WHERE id = 1`); err != nil || left == 0 {
		return left, err
	}
	err = a.db.upkeep(ctx, func(t tx) error {
		// Nodes take turns: the row is locked first, and read as it is then.
		if err := t.row([]any{&left}, `UPDATE activity_unsearched SET below = below WHERE id = 1 RETURNING below`); err != nil || left == 0 {
			return err
		}
		from := max(0, left-int64(limit))
		entries, err := queryAll(ctx, t, scanEntry, `SELECT position, leaf, detail, salt FROM activity WHERE position >= $1 AND position < $2`, from, left)
		if err != nil {
			return err
		}
		var terms rows
		for _, entry := range entries {
			e, err := entry.Open()
			if err != nil || entry.Detail == nil {
				continue // verify says what is wrong with it; an erased one stays unfindable
			}
			addTerms(&terms, e.Organization, entry.Index, audit.Terms(e))
		}
		if err := t.putTerms(terms); err != nil {
			return err
		}
		left = from
		_, err = t.exec(`UPDATE activity_unsearched SET below = $1 WHERE id = 1`, left)
		return err
	})
	return left, err
}

// Erase takes the details of entries of an organization out, and every term that
// leads to them. The log stays provable: its hashes are over the hash of a
// detail, which could not be guessed without the salt. The event says who did
// it, and why.
func (a Activities) Erase(ctx context.Context, o id.Organization, positions []int64, e audit.Event) error {
	if len(positions) == 0 {
		return nil
	}
	// All terms of the organization are looked through, as they are ordered by
	// what is sought and older programs may have made others. That takes a moment,
	// so it is done before anything is locked.
	q := selects(`SELECT term, position FROM activity_term WHERE organization_id = $1`, o)
	q.add(` AND position IN (` + q.marks(positions) + `)`)
	found, err := queryAll(ctx, a.db.read, func(s scanner) (x termAt, err error) {
		err = s.Scan(&x.term, &x.position)
		return x, err
	}, q.text.String(), q.args...)
	if err != nil {
		return err
	}
	return a.db.record(ctx, func(t tx) error {
		// IndexOlder waits meanwhile, and sees afterwards that there is no detail.
		if err := t.must(`UPDATE activity_unsearched SET below = below WHERE id = 1`); err != nil {
			return err
		}
		for _, p := range positions {
			own, err := t.eraseDetail(o, p)
			if err != nil {
				return err
			}
			found = append(found, own...)
		}
		for _, x := range found {
			if _, err := t.exec(`DELETE FROM activity_term WHERE organization_id = $1 AND term = $2 AND position = $3`, o, x.term, x.position); err != nil {
				return err
			}
		}
		return nil
	}, e)
}

// termAt is a term of the entry at a position.
type termAt struct {
	term     []byte
	position int64
}

// eraseDetail takes one detail out and returns the terms that were made of it.
func (t tx) eraseDetail(o id.Organization, position int64) (made []termAt, err error) {
	entry := audit.Entry{Index: position}
	if err := t.row([]any{&entry.Leaf, &entry.Detail, &entry.Salt}, `SELECT leaf, detail, salt FROM activity WHERE organization_id = $1 AND position = $2`, o, position); err != nil {
		if ok, err := noRows(err); !ok && err == nil {
			return nil, fault.New(fault.NotFound, "there is no entry %d in this organization's record", position)
		}
		return nil, err
	}
	if e, err := entry.Open(); err == nil { // what verify complains of is erased as well
		for _, term := range audit.Terms(e) {
			made = append(made, termAt{[]byte(term), position})
		}
	}
	_, err = t.exec(`UPDATE activity SET detail = NULL, salt = NULL WHERE organization_id = $1 AND position = $2`, o, position)
	return made, err
}

// marks makes numbers the next arguments and returns what stands for them.
func (q *query) marks(numbers []int64) string {
	marks := make([]string, len(numbers))
	for i, n := range numbers {
		marks[i] = q.mark(n)
	}
	return strings.Join(marks, ", ")
}
