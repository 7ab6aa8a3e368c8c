package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/account"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

func (s Accounts) Passkeys(ctx context.Context, a id.Account) ([]account.Passkey, error) {
	return queryAll(ctx, s.db.read, func(row scanner) (p account.Passkey, err error) {
		var raw string
		var created int64
		var used sql.NullInt64
		if err := row.Scan(&p.ID, &p.Account, &p.Name, &raw, &created, &used); err != nil {
			return p, err
		}
		p.CreatedAt, p.UsedAt = fromMicros(created), fromMaybe(used)
		return p, json.Unmarshal([]byte(raw), &p.Credential)
	}, `SELECT id, account_id, name, credential, created_at, used_at FROM passkey WHERE account_id = $1 ORDER BY created_at, id`, a)
}

func (s Accounts) AddPasskey(ctx context.Context, p account.Passkey, codes []secret.Hash, e ...audit.Event) error {
	raw, err := json.Marshal(p.Credential)
	if err != nil {
		return err
	}
	err = s.db.record(ctx, func(t tx) error {
		if _, err := t.exec(`INSERT INTO passkey (id, account_id, credential_id, name, credential, sign_count, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			p.ID, p.Account, p.Credential.ID, p.Name, string(raw), int64(p.Credential.Authenticator.SignCount), micros(p.CreatedAt)); err != nil {
			return err
		}
		return saveCodes(t, p.Account, codes)
	}, e...)
	if s.db.dialect.isDuplicate(err) {
		err = fault.New(fault.Conflict, "this passkey is in use already")
	}
	return err
}

// usePasskey notes the use of a passkey. Of two answers at once one is refused.
func usePasskey(t tx, a id.Account, p account.Proof) error {
	raw, err := json.Marshal(p.Passkey.Credential)
	if err != nil {
		return err
	}
	n, err := t.exec(`UPDATE passkey SET credential = $1, sign_count = $2, used_at = $3 WHERE id = $4 AND account_id = $5 AND sign_count = $6`,
		string(raw), int64(p.Passkey.Credential.Authenticator.SignCount), micros(p.Passkey.UsedAt), p.Passkey.ID, a, int64(p.Counter))
	if err == nil && n == 0 {
		err = fault.New(fault.Conflict, "this passkey was removed, or used at the same moment").WithHint("try again")
	}
	return err
}

func (s Accounts) RemovePasskey(ctx context.Context, a id.Account, p id.Passkey, e audit.Event) error {
	return s.db.record(ctx, func(t tx) error {
		if err := lockAccount(t, a); err != nil {
			return err
		}
		if err := t.must(`DELETE FROM passkey WHERE id = $1 AND account_id = $2`, p, a); err != nil {
			return err
		}
		var left int
		if err := t.row([]any{&left}, `SELECT (SELECT COUNT(*) FROM passkey WHERE account_id = $1) +
			(SELECT COUNT(*) FROM authenticator WHERE account_id = $1 AND kind = 'password')`, a); err != nil {
			return err
		}
		if left == 0 {
			return errLastMethod
		}
		return dropCodesAlone(t, a)
	}, e)
}

// maxCeremonies bounds what strangers can have stored; each lives for minutes.
const maxCeremonies = 20_000

func (s Accounts) SaveCeremony(ctx context.Context, c account.Ceremony) error {
	raw, err := json.Marshal(c.Data)
	if err != nil {
		return err
	}
	return s.db.upkeep(ctx, func(t tx) error {
		if _, err := t.exec(`DELETE FROM ceremony WHERE expires_at <= $1`, micros(c.CreatedAt)); err != nil {
			return err
		}
		var waiting int
		if err := t.row([]any{&waiting}, `SELECT COUNT(*) FROM ceremony`); err != nil {
			return err
		}
		if waiting >= maxCeremonies {
			return fault.New(fault.RateLimited, "too many people are signing in with passkeys at this moment").After(time.Minute)
		}
		_, err := t.exec(`INSERT INTO ceremony (bound, kind, data, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (bound, kind) DO UPDATE SET data = excluded.data, created_at = excluded.created_at, expires_at = excluded.expires_at`,
			c.Bound[:], string(c.Kind), string(raw), micros(c.CreatedAt), micros(c.ExpiresAt))
		return err
	})
}

func (s Accounts) TakeCeremony(ctx context.Context, bound secret.Hash, kind account.CeremonyKind, at time.Time) (c account.Ceremony, ok bool, err error) {
	c.Bound, c.Kind = bound, kind
	var raw string
	var created, expires int64
	err = s.db.upkeep(ctx, func(t tx) (err error) {
		ok, err = noRows(t.row([]any{&raw, &created, &expires}, `DELETE FROM ceremony WHERE bound = $1 AND kind = $2 RETURNING data, created_at, expires_at`, bound[:], string(kind)))
		return err
	})
	if err != nil || !ok {
		return c, false, err
	}
	c.CreatedAt, c.ExpiresAt = fromMicros(created), fromMicros(expires)
	return c, at.Before(c.ExpiresAt), json.Unmarshal([]byte(raw), &c.Data)
}
