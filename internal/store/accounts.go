package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/account"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// Accounts is the account.Store.
type Accounts struct{ db *DB }

// Accounts returns the accounts.
func (db *DB) Accounts() Accounts { return Accounts{db} }

var _ account.Store = Accounts{}

func (s Accounts) HasAccounts(ctx context.Context) (bool, error) {
	var one int
	return s.db.queryRow(ctx, []any{&one}, `SELECT 1 FROM account LIMIT 1`)
}

func (s Accounts) SaveLink(ctx context.Context, l account.Link, e audit.Event) error {
	return s.db.record(ctx, func(t tx) error {
		_, err := t.exec(`INSERT INTO sign_in_link (hash, kind, organization_id, account_id, reusable, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			l.Hash[:], string(l.Kind), l.Organization, l.Account, l.Reusable, micros(l.CreatedAt), micros(l.ExpiresAt))
		return err
	}, e)
}

func (s Accounts) Link(ctx context.Context, hash secret.Hash) (account.Link, bool, error) {
	l := account.Link{Hash: hash}
	var created, expires int64
	var used sql.NullInt64
	ok, err := s.db.queryRow(ctx, []any{&l.Kind, &l.Organization, &l.Account, &l.Reusable, &created, &expires, &used},
		`SELECT kind, organization_id, account_id, reusable, created_at, expires_at, used_at FROM sign_in_link WHERE hash = $1`, hash[:])
	l.CreatedAt, l.ExpiresAt, l.UsedAt = fromMicros(created), fromMicros(expires), fromMaybe(used)
	return l, ok, err
}

func useLink(t tx, hash secret.Hash, at time.Time) error {
	n, err := t.exec(`UPDATE sign_in_link SET used_at = $1 WHERE hash = $2 AND (used_at IS NULL OR reusable)`, micros(at), hash[:])
	if err == nil && n == 0 {
		err = fault.New(fault.Conflict, "this link was used already").WithHint("ask for a new one")
	}
	return err
}

func (s Accounts) Found(ctx context.Context, link *secret.Hash, o org.Organization, m org.Member, password string, events ...audit.Event) error {
	return s.db.record(ctx, func(t tx) error {
		if link != nil {
			if err := useLink(t, *link, o.CreatedAt); err != nil {
				return err
			}
			// One at a time: two links may be out, and there is one first owner.
			if err := t.must(`UPDATE instance SET id = id WHERE id = 1`); err != nil {
				return err
			}
			if ok, err := noRows(t.row([]any{new(int)}, `SELECT 1 FROM account LIMIT 1`)); err != nil || ok {
				return orElse(err, fault.New(fault.Conflict, "the first owner exists already").WithHint("sign in"))
			}
		}
		if err := insertOrganization(t, o); err != nil {
			return err
		}
		if err := insertAccount(t, m); err != nil {
			return err
		}
		if err := t.row([]any{&m.Account}, `SELECT id FROM account WHERE email = $1`, m.Email); err != nil {
			return err
		}
		if err := insertMember(t, m); err != nil || password == "" {
			return err
		}
		return savePassword(t, m.Account, password, o.CreatedAt)
	}, events...)
}

func orElse(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

func savePassword(t tx, a id.Account, password string, at time.Time) error {
	_, err := t.exec(`INSERT INTO authenticator (account_id, kind, data, updated_at) VALUES ($1, 'password', $2, $3)
		ON CONFLICT (account_id, kind) DO UPDATE SET data = excluded.data, updated_at = excluded.updated_at`, a, password, micros(at))
	return err
}

func (s Accounts) EnterByLink(ctx context.Context, link secret.Hash, b account.Browser, e audit.Event) error {
	return s.db.record(ctx, func(t tx) error {
		if err := useLink(t, link, b.CreatedAt); err != nil {
			return err
		}
		return insertBrowser(t, b)
	}, e)
}

func (s Accounts) Credential(ctx context.Context, email string) (c account.Credential, ok bool, err error) {
	ok, err = s.db.queryRow(ctx, []any{&c.Account, &c.Password}, `SELECT a.id, COALESCE(p.data, '') FROM account a
		LEFT JOIN authenticator p ON p.account_id = a.id AND p.kind = 'password' WHERE a.email = $1`, email)
	return c, ok, err
}

func (s Accounts) StartBrowser(ctx context.Context, b account.Browser, e audit.Event) error {
	return s.db.record(ctx, func(t tx) error { return insertBrowser(t, b) }, e)
}

func insertBrowser(t tx, b account.Browser) error {
	_, err := t.exec(`INSERT INTO browser_session (hash, account_id, organization_id, address, user_agent, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		b.Hash[:], b.Account, b.Organization, b.Address, b.UserAgent, micros(b.CreatedAt), micros(b.ExpiresAt))
	return err
}

func (s Accounts) Browser(ctx context.Context, hash secret.Hash) (account.Browser, bool, error) {
	b := account.Browser{Hash: hash}
	var created, expires int64
	var ended sql.NullInt64
	ok, err := s.db.queryRow(ctx, []any{&b.Account, &b.Organization, &b.Address, &b.UserAgent, &created, &expires, &ended},
		`SELECT account_id, organization_id, address, user_agent, created_at, expires_at, ended_at FROM browser_session WHERE hash = $1`, hash[:])
	b.CreatedAt, b.ExpiresAt, b.EndedAt = fromMicros(created), fromMicros(expires), fromMaybe(ended)
	return b, ok, err
}

func (s Accounts) ChooseOrganization(ctx context.Context, hash secret.Hash, o id.Organization) error {
	return s.db.upkeep(ctx, func(t tx) error {
		return t.must(`UPDATE browser_session SET organization_id = $1 WHERE hash = $2 AND ended_at IS NULL`, o, hash[:])
	})
}

func (s Accounts) EndBrowser(ctx context.Context, hash secret.Hash, at time.Time, e audit.Event) error {
	return s.db.record(ctx, func(t tx) error {
		_, err := t.exec(`UPDATE browser_session SET ended_at = $1 WHERE hash = $2 AND ended_at IS NULL`, micros(at), hash[:])
		return err
	}, e)
}

func (s Accounts) SavePassword(ctx context.Context, a id.Account, password string, keep secret.Hash, at time.Time, e audit.Event) error {
	return s.db.record(ctx, func(t tx) error {
		if err := savePassword(t, a, password, at); err != nil {
			return err
		}
		_, err := t.exec(`UPDATE browser_session SET ended_at = $1 WHERE account_id = $2 AND hash <> $3 AND ended_at IS NULL`, micros(at), a, keep[:])
		return err
	}, e)
}

func (s Accounts) Note(ctx context.Context, e audit.Event) error { return s.db.record(ctx, nil, e) }
