package store

import (
	"context"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/account"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

func insertUndo(t tx, l account.MailLink) error {
	_, err := t.exec(`INSERT INTO email_undo (hash, account_id, email, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)`,
		l.Hash[:], l.Account, l.Email, micros(l.CreatedAt), micros(l.ExpiresAt))
	return err
}

// reserved reports whether an address can still come back to another account.
// Without it, whoever took an account over would give the address away to keep
// it from coming back. It is asked after the address was written, when whoever
// was first has committed.
func reserved(t tx, email string, a id.Account, at time.Time) (bool, error) {
	return noRows(t.row([]any{new(int)}, `SELECT 1 FROM email_undo WHERE email = $1 AND account_id <> $2 AND expires_at > $3 LIMIT 1`, email, a, micros(at)))
}

func errEmailTaken(email string) error {
	return fault.New(fault.Conflict, "%s has an account on this server already", email).At("email").WithHint("sign in with that one, or use another address")
}

func (s Accounts) RestoreEmail(ctx context.Context, r account.Restoration) error {
	err := s.db.recordMade(ctx, func(t tx) ([]audit.Event, error) {
		if err := lockAccount(t, r.Link.Account); err != nil {
			return nil, err
		}
		if n, err := t.exec(`DELETE FROM email_undo WHERE hash = $1`, r.Link.Hash[:]); err != nil || n == 0 {
			return nil, orElse(err, errLinkUsed)
		}
		var before string
		if err := t.row([]any{&before}, `SELECT email FROM account WHERE id = $1`, r.Link.Account); err != nil {
			return nil, err
		}
		if err := t.must(`UPDATE account SET email = $1 WHERE id = $2`, r.Link.Email, r.Link.Account); err != nil {
			return nil, err
		}
		if err := endWaysIn(t, r); err != nil {
			return nil, err
		}
		ended, err := endDevices(t, r)
		if err != nil {
			return nil, err
		}
		return r.Events(before, ended), insertMailLink(t, r.Reset)
	})
	if s.db.dialect.isDuplicate(err) {
		err = fault.New(fault.Conflict, "somebody else has an account with %s now", r.Link.Email).
			WithHint("tell the operator of the server: they see in the record whose it was")
	}
	return err
}

// endWaysIn ends whatever may be known to somebody who was in the account, but
// for second factors that are older: who set those up is who they belong to.
func endWaysIn(t tx, r account.Restoration) error {
	a := r.Link.Account
	for _, end := range []struct {
		statement string
		args      []any
	}{
		{`DELETE FROM email_undo WHERE account_id = $1 AND created_at >= $2`, []any{a, micros(r.Link.CreatedAt)}},
		{`DELETE FROM mail_link WHERE account_id = $1`, []any{a}},
		{`DELETE FROM authenticator WHERE account_id = $1 AND kind = 'password'`, []any{a}},
		{`DELETE FROM passkey WHERE account_id = $1 AND created_at >= $2`, []any{a, micros(r.Since)}},
		{`DELETE FROM totp WHERE account_id = $1 AND created_at >= $2`, []any{a, micros(r.Since)}},
		{`UPDATE sign_in_link SET used_at = $2 WHERE account_id = $1 AND used_at IS NULL`, []any{a, micros(r.At)}},
	} {
		if _, err := t.exec(end.statement, end.args...); err != nil {
			return err
		}
	}
	if err := dropCodesAlone(t, a); err != nil {
		return err
	}
	return endBrowsers(t, a, secret.Hash{}, r.At)
}

// endDevices ends the device sessions of all of an account's members, and those
// that are about to begin. It returns how many of whom.
func endDevices(t tx, r account.Restoration) (map[id.Member]int, error) {
	const theirs = ` member_id IN (SELECT id FROM member WHERE account_id = $1)`
	for _, waiting := range []string{`UPDATE device_code SET status = 'denied' WHERE status = 'approved' AND` + theirs, `DELETE FROM auth_code WHERE used_at IS NULL AND` + theirs} {
		if _, err := t.exec(waiting, r.Link.Account); err != nil {
			return nil, err
		}
	}
	ended := map[id.Member]int{}
	_, err := queryAll(t.ctx, t, func(row scanner) (m id.Member, err error) {
		err = row.Scan(&m)
		ended[m]++
		return m, err
	}, `UPDATE device_session SET ended_at = $2, ended_why = 'the address was put back' WHERE ended_at IS NULL AND`+theirs+` RETURNING member_id`, r.Link.Account, micros(r.At))
	return ended, err
}
