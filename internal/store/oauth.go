package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/oauth"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// OAuth is the oauth.Store.
type OAuth struct{ db *DB }

// OAuth returns the codes of the authorization server.
func (db *DB) OAuth() OAuth { return OAuth{db} }

var _ oauth.Store = OAuth{}

func (s OAuth) AddAuthorization(ctx context.Context, a oauth.Authorization) error {
	err := s.db.upkeep(ctx, func(t tx) error {
		_, err := t.exec(`INSERT INTO device_code (hash, user_code, client_id, name, system, client_version, address, status, organization_id, member_id,
			created_at, expires_at, polled_at, poll_interval) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', '', $9, $10, 0, $11)`,
			a.Hash[:], a.UserCode, a.Device.ClientID, a.Device.Name, a.Device.System, a.Device.ClientVersion, a.Device.Address, string(a.Status),
			micros(a.CreatedAt), micros(a.ExpiresAt), a.Interval.Microseconds())
		return err
	})
	if s.db.dialect.isDuplicate(err) {
		err = fault.Wrap(fault.Conflict, err, "the user code is in use")
	}
	return err
}

func (s OAuth) AuthorizationByUserCode(ctx context.Context, userCode string) (oauth.Authorization, bool, error) {
	return s.authorization(ctx, `WHERE user_code = $1`, userCode)
}

func (s OAuth) AuthorizationByHash(ctx context.Context, hash secret.Hash) (oauth.Authorization, bool, error) {
	return s.authorization(ctx, `WHERE hash = $1`, hash[:])
}

func (s OAuth) authorization(ctx context.Context, where string, arg any) (a oauth.Authorization, ok bool, err error) {
	var hash []byte
	var created, expires, polled, interval int64
	ok, err = s.db.queryRow(ctx, []any{&hash, &a.UserCode, &a.Device.ClientID, &a.Device.Name, &a.Device.System, &a.Device.ClientVersion, &a.Device.Address,
		&a.Status, &a.Organization, &a.Member, &created, &expires, &polled, &interval},
		`SELECT hash, user_code, client_id, name, system, client_version, address, status, organization_id, member_id, created_at, expires_at, polled_at, poll_interval
		FROM device_code `+where, arg)
	copy(a.Hash[:], hash)
	a.CreatedAt, a.ExpiresAt, a.Interval = fromMicros(created), fromMicros(expires), time.Duration(interval)*time.Microsecond
	if polled != 0 {
		a.PolledAt = fromMicros(polled)
	}
	return a, ok, err
}

func (s OAuth) Decide(ctx context.Context, hash secret.Hash, to oauth.Status, who caller.Caller, e audit.Event) error {
	return s.db.record(ctx, func(t tx) error {
		n, err := t.exec(`UPDATE device_code SET status = $1, organization_id = $2, member_id = $3 WHERE hash = $4 AND status = 'pending'`,
			string(to), who.Organization, who.Member, hash[:])
		if err == nil && n == 0 {
			err = fault.New(fault.Conflict, "this device was decided on already")
		}
		return err
	}, e)
}

func (s OAuth) Polled(ctx context.Context, hash secret.Hash, at time.Time) error {
	_, err := s.changed(ctx, `UPDATE device_code SET polled_at = $1 WHERE hash = $2`, micros(at), hash[:])
	return err
}

func (s OAuth) Spend(ctx context.Context, hash secret.Hash) (bool, error) {
	return s.changed(ctx, `UPDATE device_code SET status = 'spent' WHERE hash = $1 AND status = 'approved'`, hash[:])
}

func (s OAuth) changed(ctx context.Context, query string, args ...any) (bool, error) {
	var n int64
	err := s.db.upkeep(ctx, func(t tx) (err error) {
		n, err = t.exec(query, args...)
		return err
	})
	return n > 0, err
}

func (s OAuth) AddCode(ctx context.Context, c oauth.Code) error {
	_, err := s.changed(ctx, `INSERT INTO auth_code (hash, client_id, redirect_uri, challenge, name, system, client_version, address, organization_id, member_id,
		created_at, expires_at, device_session_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, '')`, c.Hash[:], c.Device.ClientID, c.RedirectURI,
		c.Challenge, c.Device.Name, c.Device.System, c.Device.ClientVersion, c.Device.Address, c.Organization, c.Member, micros(c.CreatedAt), micros(c.ExpiresAt))
	return err
}

func (s OAuth) Code(ctx context.Context, hash secret.Hash) (c oauth.Code, ok bool, err error) {
	c.Hash = hash
	var created, expires int64
	var used sql.NullInt64
	ok, err = s.db.queryRow(ctx, []any{&c.Device.ClientID, &c.RedirectURI, &c.Challenge, &c.Device.Name, &c.Device.System, &c.Device.ClientVersion, &c.Device.Address,
		&c.Organization, &c.Member, &created, &expires, &used, &c.Session},
		`SELECT client_id, redirect_uri, challenge, name, system, client_version, address, organization_id, member_id, created_at, expires_at, used_at, device_session_id
		FROM auth_code WHERE hash = $1`, hash[:])
	c.CreatedAt, c.ExpiresAt, c.UsedAt = fromMicros(created), fromMicros(expires), fromMaybe(used)
	return c, ok, err
}

func (s OAuth) UseCode(ctx context.Context, hash secret.Hash, d id.DeviceSession, at time.Time) (bool, error) {
	return s.changed(ctx, `UPDATE auth_code SET used_at = $1, device_session_id = $2 WHERE hash = $3 AND used_at IS NULL`, micros(at), d, hash[:])
}

func (s OAuth) Prune(ctx context.Context, before time.Time) error {
	return s.db.upkeep(ctx, func(t tx) error {
		for _, query := range []string{`DELETE FROM device_code WHERE expires_at < $1`, `DELETE FROM auth_code WHERE expires_at < $1`,
			`DELETE FROM sign_in_link WHERE expires_at < $1`, `DELETE FROM browser_session WHERE expires_at < $1`} {
			if _, err := t.exec(query, micros(before)); err != nil {
				return err
			}
		}
		return nil
	})
}
