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

func (s Accounts) EnterByLink(ctx context.Context, link secret.Hash, a account.Arrival) error {
	return s.arrive(ctx, a, func(t tx) error { return useLink(t, link, a.CreatedAt) })
}

func (s Accounts) Credential(ctx context.Context, email string) (c account.Credential, ok bool, err error) {
	ok, err = s.db.queryRow(ctx, []any{&c.Account, &c.Password}, `SELECT a.id, COALESCE(p.data, '') FROM account a
		LEFT JOIN authenticator p ON p.account_id = a.id AND p.kind = 'password' WHERE a.email = $1`, email)
	return c, ok, err
}

func (s Accounts) Person(ctx context.Context, a id.Account) (account.Person, bool, error) {
	return s.person(ctx, `id = $1`, a)
}

func (s Accounts) PersonByEmail(ctx context.Context, email string) (account.Person, bool, error) {
	return s.person(ctx, `email = $1`, email)
}

func (s Accounts) person(ctx context.Context, where string, arg any) (p account.Person, ok bool, err error) {
	ok, err = s.db.queryRow(ctx, []any{&p.Account, &p.Email, &p.Name}, `SELECT id, email, name FROM account WHERE `+where, arg)
	return p, ok, err
}

func (s Accounts) RequiresFactor(ctx context.Context, o id.Organization) (bool, error) {
	found, _, err := s.db.Orgs().Organization(ctx, o)
	return found.Settings.RequireSecondFactor, err
}

func (s Accounts) Rename(ctx context.Context, a id.Account, name string, e audit.Event) error {
	return s.db.record(ctx, func(t tx) error { return t.must(`UPDATE account SET name = $1 WHERE id = $2`, name, a) }, e)
}

func (s Accounts) History(ctx context.Context, a id.Account, types []audit.Type, since time.Time, limit int) ([]audit.Event, error) {
	q := selects(`SELECT position, leaf, detail, salt FROM activity WHERE target = $1 AND at >= $2`, a, micros(since))
	among(q, `type`, types)
	q.add(` ORDER BY position DESC LIMIT ` + q.mark(limit))
	return queryAll(ctx, s.db.read, func(row scanner) (audit.Event, error) {
		var n audit.Entry
		if err := row.Scan(&n.Index, &n.Leaf, &n.Detail, &n.Salt); err != nil {
			return audit.Event{}, err
		}
		return n.Open()
	}, q.text.String(), q.args...)
}

func (s Accounts) Note(ctx context.Context, e audit.Event) error { return s.db.record(ctx, nil, e) }

func (s Accounts) Pretend(ctx context.Context, e audit.Event) error {
	return s.db.pretend(ctx, nil, e)
}

func (s Accounts) Prune(ctx context.Context, before time.Time) error {
	return s.db.upkeep(ctx, func(t tx) error {
		for _, table := range []string{"ceremony", "mail_link", "email_undo", "sign_up"} {
			if _, err := t.exec(`DELETE FROM `+table+` WHERE expires_at <= $1`, micros(before)); err != nil {
				return err
			}
		}
		return nil
	})
}

// lockAccount makes changes of one account wait for each other.
func lockAccount(t tx, a id.Account) error {
	return t.must(`UPDATE account SET id = id WHERE id = $1`, a)
}
