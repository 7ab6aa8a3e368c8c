package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/account"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/letter"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

func (s Accounts) SaveMailLink(ctx context.Context, real bool, l account.MailLink, letters []letter.Letter, e audit.Event) error {
	do := s.db.record
	if !real {
		do = s.db.pretend
	}
	return do(ctx, func(t tx) error {
		if err := insertMailLink(t, l); err != nil {
			return err
		}
		return s.db.queueLetters(t, letters...)
	}, e)
}

func insertMailLink(t tx, l account.MailLink) error {
	_, err := t.exec(`INSERT INTO mail_link (account_id, kind, hash, email, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (account_id, kind) DO UPDATE SET hash = excluded.hash, email = excluded.email, created_at = excluded.created_at, expires_at = excluded.expires_at`,
		l.Account, string(l.Kind), l.Hash[:], l.Email, micros(l.CreatedAt), micros(l.ExpiresAt))
	return err
}

func (s Accounts) MailLink(ctx context.Context, hash secret.Hash) (account.MailLink, bool, error) {
	l := account.MailLink{Hash: hash}
	var created, expires int64
	ok, err := s.db.queryRow(ctx, []any{&l.Kind, &l.Account, &l.Email, &created, &expires},
		`SELECT kind, account_id, email, created_at, expires_at FROM mail_link WHERE hash = $1
		UNION ALL SELECT 'email_undo', account_id, email, created_at, expires_at FROM email_undo WHERE hash = $1`, hash[:])
	l.CreatedAt, l.ExpiresAt = fromMicros(created), fromMicros(expires)
	return l, ok, err
}

func (s Accounts) PendingEmail(ctx context.Context, a id.Account, at time.Time) (email string, ok bool, err error) {
	ok, err = s.db.queryRow(ctx, []any{&email}, `SELECT email FROM mail_link WHERE account_id = $1 AND kind = $2 AND expires_at > $3`, a, string(account.EmailChange), micros(at))
	return email, ok, err
}

func (s Accounts) DropMailLink(ctx context.Context, a id.Account, kind account.MailLinkKind) error {
	return s.db.upkeep(ctx, func(t tx) error { return dropMailLink(t, a, kind) })
}

func dropMailLink(t tx, a id.Account, kind account.MailLinkKind) error {
	_, err := t.exec(`DELETE FROM mail_link WHERE account_id = $1 AND kind = $2`, a, string(kind))
	return err
}

// useMailLink forgets a link that is used, or fails with Conflict.
func useMailLink(t tx, l account.MailLink) error {
	n, err := t.exec(`DELETE FROM mail_link WHERE hash = $1`, l.Hash[:])
	if err == nil && n == 0 {
		err = errLinkUsed
	}
	return err
}

var errLinkUsed = fault.New(fault.Conflict, "this link was used already").WithHint("ask for a new one")

func (s Accounts) ResetPassword(ctx context.Context, l account.MailLink, password string, at time.Time, e audit.Event) error {
	return s.db.record(ctx, func(t tx) error {
		if err := useMailLink(t, l); err != nil {
			return err
		}
		if err := savePassword(t, l.Account, password, at); err != nil {
			return err
		}
		if l.Proves {
			if _, err := t.exec(`UPDATE account SET verified_at = $1 WHERE id = $2 AND email = $3`, micros(at), l.Account, l.Email); err != nil {
				return err
			}
		}
		return endBrowsers(t, l.Account, secret.Hash{}, at)
	}, e)
}

func (s Accounts) ChangeEmail(ctx context.Context, l, undo account.MailLink, letters []letter.Letter, e audit.Event) error {
	err := s.db.record(ctx, func(t tx) error {
		if err := useMailLink(t, l); err != nil {
			return err
		}
		// One that went to the old address opens nothing any more.
		if err := dropMailLink(t, l.Account, account.PasswordReset); err != nil {
			return err
		}
		if err := t.must(`UPDATE account SET email = $1, verified_at = $2 WHERE id = $3`, l.Email, sql.NullInt64{Int64: micros(undo.CreatedAt), Valid: l.Proves}, l.Account); err != nil {
			return err
		}
		if taken, err := reserved(t, l.Email, l.Account, undo.CreatedAt); err != nil || taken {
			return orElse(err, errEmailTaken(l.Email))
		}
		if err := insertUndo(t, undo); err != nil {
			return err
		}
		return s.db.queueLetters(t, letters...)
	}, e)
	if s.db.dialect.isDuplicate(err) {
		err = errEmailTaken(l.Email)
	}
	return err
}
