package store

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/session"
)

// Sessions is the session.Store.
type Sessions struct{ db *DB }

// Sessions returns the device sessions.
func (db *DB) Sessions() Sessions { return Sessions{db} }

var _ session.Store = Sessions{}

const sessionColumns = `SELECT d.id, d.organization_id, d.member_id, a.email, d.client_id, d.name, d.system, d.client_version, d.address,
	d.created_at, d.used_at, d.generation, d.ended_at, d.ended_why, d.workspace_id, d.refused_at, a.name FROM device_session d
	JOIN member m ON m.id = d.member_id JOIN account a ON a.id = m.account_id `

func scanSession(row scanner) (s session.Session, err error) {
	var created, used int64
	var ended, refused sql.NullInt64
	err = row.Scan(&s.ID, &s.Organization, &s.Member, &s.Email, &s.Device.ClientID, &s.Device.Name, &s.Device.System, &s.Device.ClientVersion,
		&s.Device.Address, &created, &used, &s.Generation, &ended, &s.EndedWhy, &s.Workspace, &refused, &s.Name)
	s.CreatedAt, s.UsedAt, s.EndedAt, s.RefusedAt = fromMicros(created), fromMicros(used), fromMaybe(ended), fromMaybe(refused)
	return s, err
}

func (s Sessions) Start(ctx context.Context, d session.Session, r session.Refresh, e audit.Event) error {
	return s.db.record(ctx, func(t tx) error {
		if _, err := t.exec(`INSERT INTO device_session (id, organization_id, member_id, client_id, name, system, client_version, address, created_at, used_at, generation, ended_why, workspace_id)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, '', $12)`, d.ID, d.Organization, d.Member, d.Device.ClientID, d.Device.Name, d.Device.System,
			d.Device.ClientVersion, d.Device.Address, micros(d.CreatedAt), micros(d.UsedAt), d.Generation, d.Workspace); err != nil {
			return err
		}
		if err := t.noteSignIn(d.Device.ClientID, d.Member, d.CreatedAt); err != nil {
			return err
		}
		return insertRefresh(t, d.Organization, r)
	}, e)
}

func insertRefresh(t tx, o id.Organization, r session.Refresh) error {
	_, err := t.exec(`INSERT INTO refresh_token (hash, organization_id, device_session_id, generation, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		r.Hash[:], o, r.Session, r.Generation, micros(r.CreatedAt), micros(r.ExpiresAt))
	return err
}

func (s Sessions) Session(ctx context.Context, d id.DeviceSession) (session.Session, bool, error) {
	return first(queryAll(ctx, s.db.read, scanSession, sessionColumns+`WHERE d.id = $1`, d))
}

func (s Sessions) List(ctx context.Context, o id.Organization, f session.Filter) ([]session.Session, bool, error) {
	q := selects(sessionColumns+`WHERE d.organization_id = $1`, o)
	switch f.State {
	case session.Living:
		q.add(` AND d.ended_at IS NULL`)
	case session.Ended:
		q.add(` AND d.ended_at IS NOT NULL`)
	}
	if f.Member != "" {
		q.and(`d.member_id = %s`, f.Member)
	}
	if f.Search != "" {
		p := containing(f.Search)
		q.and(`(LOWER(d.name) LIKE %s ESCAPE '\' OR d.address LIKE %s ESCAPE '\' OR d.member_id IN (SELECT m.id FROM member m WHERE m.organization_id = %s`, p, p, o)
		q.ofPeople(`m.account_id`, f.Search)
		q.add(`))`)
	}
	c := cursor{table: "device_session", alias: "d.", after: string(f.After), before: string(f.Before), limit: f.Limit}
	q.page(c)
	found, err := queryAll(ctx, s.db.read, scanSession, q.text.String(), q.args...)
	page, more := turn(c, found)
	return page, more, err
}

func (s Sessions) Count(ctx context.Context, o id.Organization, m id.Member) (n int, err error) {
	q := selects(`SELECT COUNT(*) FROM device_session WHERE organization_id = $1 AND ended_at IS NULL`, o)
	if m != "" {
		q.and(`member_id = %s`, m)
	}
	_, err = s.db.queryRow(ctx, []any{&n}, q.text.String(), q.args...)
	return n, err
}

func (s Sessions) Proof(ctx context.Context, o id.Organization, m id.Member, until time.Time) (p session.Proof, err error) {
	var accepted, refused sql.NullInt64
	from := int64(0)
	if !until.IsZero() {
		from = micros(until)
	}
	_, err = s.db.queryRow(ctx, []any{&p.Sessions, &accepted, &refused}, `SELECT COUNT(*), MAX(used_at), MIN(CASE WHEN refused_at >= used_at AND refused_at >= $3 THEN refused_at END)
		FROM device_session WHERE organization_id = $1 AND member_id = $2 AND (ended_at IS NULL OR (ended_at >= $3 AND $3 > 0))`, o, m, from)
	p.LastAccepted, p.FirstRefused = fromMaybe(accepted), fromMaybe(refused)
	return p, err
}

func (s Sessions) GroupNames(ctx context.Context, m id.Member) ([]string, error) {
	return queryAll(ctx, s.db.read, func(row scanner) (name string, err error) { err = row.Scan(&name); return name, err },
		`SELECT g.name FROM group_member x JOIN member_group g ON g.id = x.group_id WHERE x.member_id = $1 ORDER BY g.name LIMIT 200`, m)
}

func (s Sessions) EndedFor(ctx context.Context, o id.Organization, m id.Member, why string, since time.Time) ([]session.Session, error) {
	return queryAll(ctx, s.db.read, scanSession, sessionColumns+`WHERE d.organization_id = $1 AND d.member_id = $2 AND d.ended_why = $3 AND d.ended_at >= $4
		ORDER BY d.ended_at DESC, d.id LIMIT 20`, o, m, why, micros(since))
}

func (s Sessions) Refresh(ctx context.Context, hash secret.Hash) (session.Refresh, bool, error) {
	r := session.Refresh{Hash: hash}
	var created, expires int64
	var used sql.NullInt64
	ok, err := s.db.queryRow(ctx, []any{&r.Session, &r.Generation, &created, &expires, &used},
		`SELECT device_session_id, generation, created_at, expires_at, used_at FROM refresh_token WHERE hash = $1`, hash[:])
	r.CreatedAt, r.ExpiresAt, r.UsedAt = fromMicros(created), fromMicros(expires), fromMaybe(used)
	return r, ok, err
}

func (s Sessions) Rotate(ctx context.Context, used, next session.Refresh, e audit.Event) (won bool, err error) {
	err = s.db.record(ctx, func(t tx) error {
		n, err := t.exec(`UPDATE refresh_token SET used_at = $1 WHERE hash = $2 AND used_at IS NULL`, micros(used.UsedAt), used.Hash[:])
		if err != nil {
			return err
		}
		if n == 0 {
			return errLost
		}
		if err := insertRefresh(t, e.Organization, next); err != nil {
			return err
		}
		return t.must(`UPDATE device_session SET generation = $1, used_at = $2 WHERE id = $3`, next.Generation, micros(used.UsedAt), used.Session)
	}, e)
	if err == errLost {
		return false, nil
	}
	return err == nil, err
}

func (s Sessions) End(ctx context.Context, d id.DeviceSession, why string, at time.Time, e audit.Event) error {
	err := s.db.record(ctx, func(t tx) error {
		n, err := t.exec(`UPDATE device_session SET ended_at = $1, ended_why = $2 WHERE id = $3 AND ended_at IS NULL`, micros(at), why, d)
		if err == nil && n == 0 {
			err = errLost // it ended before: nothing changes, nothing is recorded
		}
		return err
	}, e)
	if err == errLost {
		return nil
	}
	return err
}

func (s Sessions) EndAll(ctx context.Context, o id.Organization, m id.Member, why string, at time.Time, e audit.Event) (int, error) {
	ended := 0
	err := s.db.recordMade(ctx, func(t tx) ([]audit.Event, error) {
		n, err := t.exec(`UPDATE device_session SET ended_at = $1, ended_why = $2 WHERE organization_id = $3 AND member_id = $4 AND ended_at IS NULL`, micros(at), why, o, m)
		if err != nil || n == 0 {
			return nil, err
		}
		ended = int(n)
		e.Detail["sessions"] = strconv.Itoa(ended)
		return []audit.Event{e}, nil
	})
	return ended, err
}

func (s Sessions) Refuse(ctx context.Context, refused map[id.DeviceSession]time.Time) error {
	if len(refused) == 0 {
		return nil
	}
	return s.db.upkeep(ctx, func(t tx) error {
		for _, d := range slices.Sorted(maps.Keys(refused)) {
			if _, err := t.exec(`UPDATE device_session SET refused_at = $1 WHERE id = $2 AND (refused_at IS NULL OR refused_at < used_at)`, micros(refused[d]), d); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s Sessions) NoteClient(ctx context.Context, d id.DeviceSession, version string) error {
	var was string
	var m id.Member
	ok, err := s.db.queryRow(ctx, []any{&was, &m}, `SELECT client_version, member_id FROM device_session WHERE id = $1`, d)
	if err != nil || !ok || was == version {
		return err // most often: nothing to write
	}
	return s.db.upkeep(ctx, func(t tx) error {
		if _, err := t.exec(`UPDATE member_setup SET claude_version = $1 WHERE member_id = $2`, version, m); err != nil {
			return err
		}
		_, err := t.exec(`UPDATE device_session SET client_version = $1 WHERE id = $2`, version, d)
		return err
	})
}

func (s Sessions) Touch(ctx context.Context, used map[id.DeviceSession]time.Time) error {
	if len(used) == 0 {
		return nil
	}
	return s.db.upkeep(ctx, func(t tx) error {
		for _, d := range slices.Sorted(maps.Keys(used)) { // in one order everywhere, so that nodes cannot deadlock
			if _, err := t.exec(`UPDATE device_session SET used_at = $1 WHERE id = $2 AND used_at < $1`, micros(used[d]), d); err != nil {
				return err
			}
		}
		return nil
	})
}
