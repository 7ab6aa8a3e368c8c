package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/account"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

func (s Accounts) StartBrowser(ctx context.Context, a account.Arrival) error {
	return s.arrive(ctx, a, func(tx) error { return nil })
}

// arrive starts a session once what lets somebody in is used up.
func (s Accounts) arrive(ctx context.Context, a account.Arrival, use func(tx) error) error {
	return s.db.record(ctx, func(t tx) error {
		if err := use(t); err != nil {
			return err
		}
		if err := insertBrowser(t, a.Browser); err != nil {
			return err
		}
		return s.db.queueLetters(t, a.Letters...)
	}, a.Events...)
}

func insertBrowser(t tx, b account.Browser) error {
	_, err := t.exec(`INSERT INTO browser_session (hash, id, account_id, organization_id, address, user_agent, method, created_at, confirmed_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		b.Hash[:], b.ID, b.Account, b.Organization, b.Address, b.UserAgent, b.Method, micros(b.CreatedAt), micros(b.ConfirmedAt), micros(b.ExpiresAt))
	return err
}

const browserColumns = `SELECT hash, id, account_id, organization_id, address, user_agent, method, created_at, confirmed_at, expires_at, ended_at FROM browser_session `

func scanBrowser(row scanner) (b account.Browser, err error) {
	var hash []byte
	var created, confirmed, expires int64
	var ended sql.NullInt64
	if err := row.Scan(&hash, &b.ID, &b.Account, &b.Organization, &b.Address, &b.UserAgent, &b.Method, &created, &confirmed, &expires, &ended); err != nil {
		return b, err
	}
	copy(b.Hash[:], hash)
	b.CreatedAt, b.ConfirmedAt, b.ExpiresAt, b.EndedAt = fromMicros(created), fromMicros(confirmed), fromMicros(expires), fromMaybe(ended)
	return b, nil
}

func (s Accounts) Browser(ctx context.Context, hash secret.Hash) (account.Browser, bool, error) {
	return first(queryAll(ctx, s.db.read, scanBrowser, browserColumns+`WHERE hash = $1`, hash[:]))
}

func (s Accounts) Browsers(ctx context.Context, a id.Account, at time.Time) ([]account.Browser, error) {
	return queryAll(ctx, s.db.read, scanBrowser, browserColumns+`WHERE account_id = $1 AND ended_at IS NULL AND expires_at > $2 AND id <> ''
		ORDER BY created_at DESC, id DESC LIMIT 200`, a, micros(at))
}

func (s Accounts) ChooseOrganization(ctx context.Context, hash secret.Hash, o id.Organization) error {
	return s.db.upkeep(ctx, func(t tx) error {
		return t.must(`UPDATE browser_session SET organization_id = $1 WHERE hash = $2 AND ended_at IS NULL`, o, hash[:])
	})
}

func (s Accounts) Confirm(ctx context.Context, was, is secret.Hash, p account.Proof, a id.Account, at time.Time) error {
	return s.db.upkeep(ctx, func(t tx) error {
		if err := useProof(t, a, p, at); err != nil {
			return err
		}
		return t.must(`UPDATE browser_session SET hash = $1, confirmed_at = $2 WHERE hash = $3 AND ended_at IS NULL`, is[:], micros(at), was[:])
	})
}

func (s Accounts) EndBrowser(ctx context.Context, hash secret.Hash, at time.Time, e audit.Event) error {
	return s.db.record(ctx, func(t tx) error {
		_, err := t.exec(`UPDATE browser_session SET ended_at = $1 WHERE hash = $2 AND ended_at IS NULL`, micros(at), hash[:])
		return err
	}, e)
}

func (s Accounts) EndBrowserOf(ctx context.Context, a id.Account, b id.Browser, at time.Time, e audit.Event) error {
	return s.db.record(ctx, func(t tx) error {
		return t.must(`UPDATE browser_session SET ended_at = $1 WHERE account_id = $2 AND id = $3 AND id <> '' AND ended_at IS NULL`, micros(at), a, b)
	}, e)
}

func (s Accounts) EndBrowsers(ctx context.Context, a id.Account, at time.Time, e audit.Event) error {
	return s.db.record(ctx, func(t tx) error { return endBrowsers(t, a, secret.Hash{}, at) }, e)
}

// endBrowsers ends an account's sessions, finished or half, but one.
func endBrowsers(t tx, a id.Account, keep secret.Hash, at time.Time) error {
	if err := expireHalves(t, a); err != nil {
		return err
	}
	_, err := t.exec(`UPDATE browser_session SET ended_at = $1 WHERE account_id = $2 AND hash <> $3 AND ended_at IS NULL`, micros(at), a, keep[:])
	return err
}

// maxTries is how often the second step of one sign-in may be tried.
const maxTries = 10

func (s Accounts) StartHalf(ctx context.Context, h account.Half, link *secret.Hash) error {
	return s.db.upkeep(ctx, func(t tx) error {
		if link != nil {
			if err := useLink(t, *link, h.CreatedAt); err != nil {
				return err
			}
		}
		_, err := t.exec(`INSERT INTO half_sign_in (hash, account_id, organization_id, method, address, user_agent, tries, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8)`,
			h.Hash[:], h.Account, h.Organization, h.Method, h.Address, h.UserAgent, micros(h.CreatedAt), micros(h.ExpiresAt))
		return err
	})
}

const halfColumns = `hash, account_id, organization_id, method, address, user_agent, tries, created_at, expires_at`

// scanHalf reads the columns, and what comes after them.
func scanHalf(row scanner, more ...any) (h account.Half, err error) {
	var hash []byte
	var created, expires int64
	err = row.Scan(append([]any{&hash, &h.Account, &h.Organization, &h.Method, &h.Address, &h.UserAgent, &h.Tries, &created, &expires}, more...)...)
	copy(h.Hash[:], hash)
	h.CreatedAt, h.ExpiresAt = fromMicros(created), fromMicros(expires)
	return h, err
}

func scanHalfAlone(row scanner) (account.Half, error) { return scanHalf(row) }

// expireHalves ends an account's half sign-ins. They are told of like any other
// that was not finished.
func expireHalves(t tx, a id.Account) error {
	_, err := t.exec(`UPDATE half_sign_in SET expires_at = created_at WHERE account_id = $1`, a)
	return err
}

// EndHalves looks before it writes: mostly there is nothing.
func (s Accounts) EndHalves(ctx context.Context, at time.Time, limit int, tell func(account.Half, string) audit.Event) (n int, err error) {
	if some, err := s.db.queryRow(ctx, []any{new(int)}, `SELECT 1 FROM half_sign_in WHERE expires_at <= $1 LIMIT 1`, micros(at)); err != nil || !some {
		return 0, err
	}
	err = s.db.recordMade(ctx, func(t tx) ([]audit.Event, error) {
		events, err := queryAll(ctx, t, func(row scanner) (audit.Event, error) {
			var email string
			h, err := scanHalf(row, &email)
			return tell(h, email), err
		}, `DELETE FROM half_sign_in WHERE hash IN (SELECT hash FROM half_sign_in WHERE expires_at <= $1 ORDER BY expires_at, hash LIMIT $2)
			RETURNING `+halfColumns+`, (SELECT email FROM account a WHERE a.id = half_sign_in.account_id)`, micros(at), limit)
		n = len(events)
		return events, err
	})
	return n, err
}

func (s Accounts) Half(ctx context.Context, hash secret.Hash, at time.Time) (account.Half, bool, error) {
	return first(queryAll(ctx, s.db.read, scanHalfAlone, `SELECT `+halfColumns+` FROM half_sign_in WHERE hash = $1 AND expires_at > $2`, hash[:], micros(at)))
}

func (s Accounts) TryHalf(ctx context.Context, hash secret.Hash, at time.Time) (h account.Half, ok bool, err error) {
	err = s.db.upkeep(ctx, func(t tx) (err error) {
		h, ok, err = first(queryAll(ctx, t, scanHalfAlone, `UPDATE half_sign_in SET tries = tries + 1
			WHERE hash = $1 AND expires_at > $2 AND tries < $3 RETURNING `+halfColumns, hash[:], micros(at), maxTries))
		return err
	})
	return h, ok, err
}

func (s Accounts) EnterByProof(ctx context.Context, half *secret.Hash, p account.Proof, a account.Arrival) error {
	return s.arrive(ctx, a, func(t tx) error {
		if half != nil {
			n, err := t.exec(`DELETE FROM half_sign_in WHERE hash = $1`, half[:])
			if err != nil || n == 0 {
				return orElse(err, fault.New(fault.Conflict, "this sign-in was finished already"))
			}
		}
		return useProof(t, a.Account, p, a.CreatedAt)
	})
}

// useProof uses a proof up, or fails with Conflict.
func useProof(t tx, a id.Account, p account.Proof, at time.Time) error {
	var n int64
	var err error
	switch {
	case p.Passkey != nil:
		return usePasskey(t, a, p)
	case p.Step != 0:
		n, err = t.exec(`UPDATE totp SET step = $1 WHERE account_id = $2 AND step < $1 AND enabled_at IS NOT NULL`, p.Step, a)
	case p.Code != secret.Hash{}:
		n, err = t.exec(`UPDATE recovery_code SET used_at = $1 WHERE account_id = $2 AND hash = $3 AND used_at IS NULL`, micros(at), a, p.Code[:])
	default:
		return nil
	}
	if err == nil && n == 0 {
		err = fault.New(fault.Conflict, "this code was used already")
	}
	return err
}
