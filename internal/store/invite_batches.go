package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/invite"
	"github.com/gatehouse-dev/gatehouse/internal/letter"
	"github.com/gatehouse-dev/gatehouse/internal/org"
)

const batchColumns = `SELECT b.id, b.organization_id, b.state, b.made_by, b.maker_kind, b.maker, b.address, b.role, b.groups, b.workspaces, b.created_at, b.started_at, b.done_at,
	(SELECT COUNT(*) FROM invite_line l WHERE l.batch_id = b.id AND l.state = 'ready'), (SELECT COUNT(*) FROM invite_line l WHERE l.batch_id = b.id AND l.state = 'sent'),
	(SELECT COUNT(*) FROM invite_line l WHERE l.batch_id = b.id AND l.state = 'unchanged'), (SELECT COUNT(*) FROM invite_line l WHERE l.batch_id = b.id AND l.state = 'wrong'),
	(SELECT COUNT(*) FROM invite_line l WHERE l.batch_id = b.id AND l.state = 'failed') FROM invite_batch b `

func scanBatch(row scanner) (b invite.Batch, err error) {
	var groups, workspaces string
	var created int64
	var started, done sql.NullInt64
	c := &b.Counts
	err = row.Scan(&b.ID, &b.Organization, &b.State, &b.By, &b.ByKind, &b.ByName, &b.Address, &b.Place.Role, &groups, &workspaces, &created, &started, &done,
		&c.Ready, &c.Sent, &c.Unchanged, &c.Wrong, &c.Failed)
	b.Place.Groups, b.Place.Workspaces = invite.Split[id.Group](groups), invite.Split[id.Workspace](workspaces)
	b.CreatedAt, b.StartedAt, b.DoneAt = fromMicros(created), fromMaybe(started), fromMaybe(done)
	return b, err
}

func (s Invites) SaveBatch(ctx context.Context, b invite.Batch, lines []invite.Line, most int) error {
	return s.db.upkeep(ctx, func(t tx) error {
		if _, err := t.exec(`DELETE FROM invite_batch WHERE organization_id = $1 AND state = 'draft' AND id NOT IN
			(SELECT id FROM invite_batch WHERE organization_id = $1 AND state = 'draft' ORDER BY created_at DESC, id DESC LIMIT $2)`, b.Organization, most-1); err != nil {
			return err
		}
		if _, err := t.exec(`INSERT INTO invite_batch (id, organization_id, state, made_by, maker_kind, maker, address, role, groups, workspaces, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`, b.ID, b.Organization, string(b.State), b.By, string(b.ByKind), b.ByName, b.Address,
			string(b.Place.Role), idList(b.Place.Groups), idList(b.Place.Workspaces), micros(b.CreatedAt)); err != nil {
			return err
		}
		return putLines(t, b.ID, lines)
	})
}

// putLines inserts lines, or puts them in the place of those with their numbers.
func putLines(t tx, b id.InviteBatch, lines []invite.Line) error {
	var r rows
	for _, l := range lines {
		r.add(b, l.Number, l.Raw, l.Typed, l.Email, l.Name, string(l.Role), idList(l.Groups), idList(l.Workspaces), string(l.State), l.Note, l.Invite)
	}
	return t.put(`INSERT INTO invite_line (batch_id, number, raw, typed, email, name, role, groups, workspaces, state, note, invite_id) VALUES `, r, `
		ON CONFLICT (batch_id, number) DO UPDATE SET raw = excluded.raw, typed = excluded.typed, email = excluded.email, name = excluded.name, role = excluded.role,
		groups = excluded.groups, workspaces = excluded.workspaces, state = excluded.state, note = excluded.note`)
}

func (s Invites) Batch(ctx context.Context, o id.Organization, b id.InviteBatch) (invite.Batch, bool, error) {
	return first(queryAll(ctx, s.db.read, scanBatch, batchColumns+`WHERE b.organization_id = $1 AND b.id = $2`, o, b))
}

func (s Invites) Batches(ctx context.Context, o id.Organization, limit int) ([]invite.Batch, error) {
	return queryAll(ctx, s.db.read, scanBatch, batchColumns+`WHERE b.organization_id = $1 ORDER BY b.created_at DESC, b.id DESC LIMIT $2`, o, limit)
}

func (s Invites) UnderWay(ctx context.Context) ([]invite.Batch, error) {
	return queryAll(ctx, s.db.read, scanBatch, batchColumns+`WHERE b.state = 'sending' ORDER BY b.started_at, b.id LIMIT 100`)
}

func (s Invites) Lines(ctx context.Context, b id.InviteBatch, f invite.LineFilter) ([]invite.Line, error) {
	q := selects(`SELECT number, raw, typed, email, name, role, groups, workspaces, state, note, invite_id FROM invite_line WHERE batch_id = $1`, b)
	order := `number`
	if f.State != "" {
		q.and(`state = %s`, string(f.State))
	} else {
		order = `CASE state WHEN 'wrong' THEN 0 WHEN 'failed' THEN 1 WHEN 'unchanged' THEN 3 ELSE 2 END, number`
	}
	q.add(fmt.Sprintf(` ORDER BY %s LIMIT %s OFFSET %s`, order, q.mark(f.Limit), q.mark(f.Offset)))
	return queryAll(ctx, s.db.read, func(row scanner) (l invite.Line, err error) {
		var groups, workspaces string
		err = row.Scan(&l.Number, &l.Raw, &l.Typed, &l.Email, &l.Name, &l.Role, &groups, &workspaces, &l.State, &l.Note, &l.Invite)
		l.Groups, l.Workspaces = invite.Split[id.Group](groups), invite.Split[id.Workspace](workspaces)
		return l, err
	}, q.text.String(), q.args...)
}

func (s Invites) MendLines(ctx context.Context, b invite.Batch, lines []invite.Line, gone []int) error {
	return s.db.upkeep(ctx, func(t tx) error {
		n, err := t.exec(`UPDATE invite_batch SET state = state WHERE organization_id = $1 AND id = $2 AND state = 'draft'`, b.Organization, b.ID)
		if err == nil && n == 0 {
			err = fault.New(fault.Conflict, "the list was sent already")
		}
		if err != nil {
			return err
		}
		for _, number := range gone {
			if _, err := t.exec(`DELETE FROM invite_line WHERE batch_id = $1 AND number = $2`, b.ID, number); err != nil {
				return err
			}
		}
		return putLines(t, b.ID, lines)
	})
}

func (s Invites) StartBatch(ctx context.Context, b invite.Batch, at time.Time) (started bool, err error) {
	err = s.db.upkeep(ctx, func(t tx) error {
		n, err := t.exec(`UPDATE invite_batch SET state = 'sending', started_at = $1, done_at = NULL, made_by = $2, maker_kind = $3, maker = $4, address = $5
			WHERE organization_id = $6 AND id = $7 AND state = $8`, micros(at), b.By, string(b.ByKind), b.ByName, b.Address, b.Organization, b.ID, string(b.State))
		if err != nil || n == 0 {
			return err
		}
		if _, err := t.exec(`UPDATE invite_line SET state = 'ready', note = '' WHERE batch_id = $1 AND state = 'failed'`, b.ID); err != nil {
			return err
		}
		started = true
		return finishBatch(t, b.ID, at)
	})
	return started, err
}

// finishBatch ends a batch that has nothing left to send.
func finishBatch(t tx, b id.InviteBatch, at time.Time) error {
	_, err := t.exec(`UPDATE invite_batch SET state = 'done', done_at = $1 WHERE id = $2 AND state = 'sending'
		AND NOT EXISTS (SELECT 1 FROM invite_line WHERE batch_id = $2 AND state = 'ready')`, micros(at), b)
	return err
}

func (s Invites) FinishLines(ctx context.Context, b invite.Batch, results []invite.Result, at time.Time) error {
	return s.db.recordMade(ctx, func(t tx) ([]audit.Event, error) {
		free, err := s.beginLines(t, b, at)
		if err != nil || free == nil {
			return nil, err
		}
		results, err := s.stillReady(t, b, results)
		if err != nil {
			return nil, err
		}
		if results, err = seat(t, b, results, free, at); err != nil {
			return nil, err
		}
		var outgoing []invite.Outgoing
		var letters []letter.Letter
		var events []audit.Event
		for _, r := range results {
			if r.Outgoing != nil {
				outgoing, letters, events = append(outgoing, *r.Outgoing), append(letters, r.Outgoing.Letter), append(events, r.Outgoing.Event)
			}
		}
		if err := insertInvites(t, outgoing); err != nil {
			return nil, err
		}
		if err := s.db.queueLetters(t, letters...); err != nil {
			return nil, err
		}
		if err := markLines(t, b.ID, results); err != nil {
			return nil, err
		}
		return events, finishBatch(t, b.ID, at)
	})
}

// beginLines holds the organization's seats and the batch. It returns nothing if
// the batch is not under way any more.
func (s Invites) beginLines(t tx, b invite.Batch, at time.Time) (*seats, error) {
	held := `UPDATE organization SET version = version WHERE id = $1`
	if _, err := t.exec(held, b.Organization); err != nil {
		return nil, err
	}
	n, err := t.exec(`UPDATE invite_batch SET state = state WHERE id = $1 AND state = 'sending'`, b.ID)
	if err != nil || n == 0 {
		return nil, err
	}
	if err := expire(t, b.Organization, at); err != nil {
		return nil, err
	}
	free, err := lockSeats(t, b.Organization)
	if fault.Is(err, fault.NotFound) { // the organization was deleted: every line has failed
		return &seats{limit: 1, members: 1}, nil
	}
	return &free, err
}

// stillReady leaves out lines that somebody else has dealt with.
func (s Invites) stillReady(t tx, b invite.Batch, results []invite.Result) ([]invite.Result, error) {
	numbers, err := queryAll(t.ctx, t, func(row scanner) (n int, err error) { err = row.Scan(&n); return n, err },
		`SELECT number FROM invite_line WHERE batch_id = $1 AND state = 'ready'`, b.ID)
	if err != nil {
		return nil, err
	}
	ready := map[int]bool{}
	for _, n := range numbers {
		ready[n] = true
	}
	var kept []invite.Result
	for _, r := range results {
		if ready[r.Number] {
			kept = append(kept, r)
		}
	}
	return kept, nil
}

// seat takes back what cannot be sent: whose address has joined or is invited
// by now, and who finds no seat.
func seat(t tx, b invite.Batch, results []invite.Result, free *seats, at time.Time) ([]invite.Result, error) {
	var emails []string
	for _, r := range results {
		if r.Outgoing != nil {
			emails = append(emails, r.Outgoing.Invite.Email)
		}
	}
	found, err := standings(t.ctx, t, b.Organization, emails, at)
	if err != nil {
		return nil, err
	}
	for i := range results {
		r := &results[i]
		if r.Outgoing == nil {
			continue
		}
		st := found[r.Outgoing.Invite.Email]
		switch {
		case st.Member == org.Active || st.Member == org.Suspended:
			r.State, r.Note, r.Outgoing = invite.LineUnchanged, "they are a member already", nil
		case st.Pending != nil:
			r.State, r.Note, r.Outgoing = invite.LineUnchanged, "they are invited already", nil
		case free.free() == 0:
			r.State, r.Note, r.Outgoing = invite.LineFailed, invite.NoSeat(invite.Seats{Limit: free.limit, Members: free.members, Pending: free.pending}), nil
		default:
			free.pending++
			pending := r.Outgoing.Invite
			st.Pending = &pending
			found[pending.Email] = st
		}
	}
	return results, nil
}

func markLines(t tx, b id.InviteBatch, results []invite.Result) error {
	if len(results) == 0 {
		return nil
	}
	// A line is only taken from where it stands.
	mark, err := t.PrepareContext(t.ctx, `UPDATE invite_line SET state = $1, note = $2, invite_id = $3 WHERE batch_id = $4 AND number = $5 AND state = 'ready'`)
	if err != nil {
		return fmt.Errorf("preparing to mark lines: %w", err)
	}
	defer mark.Close()
	for _, r := range results {
		var made id.Invite
		if r.Outgoing != nil {
			made = r.Outgoing.Invite.ID
		}
		if _, err := mark.ExecContext(t.ctx, string(r.State), r.Note, made, b, r.Number); err != nil {
			return fmt.Errorf("marking line %d: %w", r.Number, err)
		}
	}
	return nil
}
