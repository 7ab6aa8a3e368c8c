package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/account"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/kms"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

func (s Accounts) Factors(ctx context.Context, a id.Account) (f account.Factors, err error) {
	var passwords, codes, totp int
	_, err = s.db.queryRow(ctx, []any{&passwords, &totp, &f.Passkeys, &codes}, `SELECT
		(SELECT COUNT(*) FROM authenticator WHERE account_id = $1 AND kind = 'password'),
		(SELECT COUNT(*) FROM totp WHERE account_id = $1 AND enabled_at IS NOT NULL),
		(SELECT COUNT(*) FROM passkey WHERE account_id = $1),
		(SELECT COUNT(*) FROM recovery_code WHERE account_id = $1 AND used_at IS NULL)`, a)
	f.Password, f.TOTP, f.Codes = passwords > 0, totp > 0, codes
	return f, err
}

func savePassword(t tx, a id.Account, password string, at time.Time) error {
	_, err := t.exec(`INSERT INTO authenticator (account_id, kind, data, updated_at) VALUES ($1, 'password', $2, $3)
		ON CONFLICT (account_id, kind) DO UPDATE SET data = excluded.data, updated_at = excluded.updated_at`, a, password, micros(at))
	return err
}

func (s Accounts) SavePassword(ctx context.Context, a id.Account, password string, keep secret.Hash, at time.Time, e audit.Event) error {
	return s.db.record(ctx, func(t tx) error {
		if err := savePassword(t, a, password, at); err != nil {
			return err
		}
		// A link that was asked for before would undo it.
		if err := dropMailLink(t, a, account.PasswordReset); err != nil {
			return err
		}
		return endBrowsers(t, a, keep, at)
	}, e)
}

func (s Accounts) RemovePassword(ctx context.Context, a id.Account, e audit.Event) error {
	return s.db.record(ctx, func(t tx) error {
		if err := lockAccount(t, a); err != nil {
			return err
		}
		var keys int
		if err := t.row([]any{&keys}, `SELECT COUNT(*) FROM passkey WHERE account_id = $1`, a); err != nil {
			return err
		}
		if keys == 0 {
			return errLastMethod
		}
		return t.must(`DELETE FROM authenticator WHERE account_id = $1 AND kind = 'password'`, a)
	}, e)
}

var errLastMethod = fault.New(fault.Conflict, "this is the last way into your account").WithHint("add another one first")

func totpPlace(a id.Account) kms.Place {
	return kms.Place{Table: "totp", Row: string(a), Column: "secret"}
}

func (s Accounts) TOTP(ctx context.Context, a id.Account) (account.TOTP, bool, error) {
	var t account.TOTP
	var sealed []byte
	var created int64
	var enabled sql.NullInt64
	ok, err := s.db.queryRow(ctx, []any{&sealed, &t.Step, &created, &enabled}, `SELECT secret, step, created_at, enabled_at FROM totp WHERE account_id = $1`, a)
	if err != nil || !ok {
		return t, false, err
	}
	plain, err := s.db.ring.Open(totpPlace(a), sealed)
	t.Secret, t.CreatedAt, t.EnabledAt = secret.New(string(plain)), fromMicros(created), fromMaybe(enabled)
	return t, err == nil, err
}

func (s Accounts) SaveTOTP(ctx context.Context, a id.Account, totp account.TOTP) error {
	sealed := s.db.ring.Seal(totpPlace(a), []byte(totp.Secret.Reveal()))
	return s.db.upkeep(ctx, func(t tx) error {
		n, err := t.exec(`INSERT INTO totp (account_id, secret, step, created_at) VALUES ($1, $2, 0, $3)
			ON CONFLICT (account_id) DO UPDATE SET secret = excluded.secret, step = 0, created_at = excluded.created_at WHERE totp.enabled_at IS NULL`,
			a, sealed, micros(totp.CreatedAt))
		if err == nil && n == 0 {
			err = fault.New(fault.Conflict, "an authenticator app is in use already")
		}
		return err
	})
}

func (s Accounts) EnableTOTP(ctx context.Context, a id.Account, step int64, at time.Time, codes []secret.Hash, e ...audit.Event) error {
	return s.db.record(ctx, func(t tx) error {
		n, err := t.exec(`UPDATE totp SET step = $1, enabled_at = $2 WHERE account_id = $3 AND enabled_at IS NULL AND step < $1`, step, micros(at), a)
		if err != nil || n == 0 {
			return orElse(err, fault.New(fault.Conflict, "this was done already"))
		}
		return saveCodes(t, a, codes)
	}, e...)
}

func (s Accounts) DisableTOTP(ctx context.Context, a id.Account, e audit.Event) error {
	return s.db.record(ctx, func(t tx) error {
		if err := lockAccount(t, a); err != nil {
			return err
		}
		if err := t.must(`DELETE FROM totp WHERE account_id = $1 AND enabled_at IS NOT NULL`, a); err != nil {
			return err
		}
		return dropCodesAlone(t, a)
	}, e)
}

// saveCodes replaces an account's recovery codes; none leaves the old ones.
func saveCodes(t tx, a id.Account, codes []secret.Hash) error {
	if len(codes) == 0 {
		return nil
	}
	if _, err := t.exec(`DELETE FROM recovery_code WHERE account_id = $1`, a); err != nil {
		return err
	}
	for _, c := range codes {
		if _, err := t.exec(`INSERT INTO recovery_code (account_id, hash) VALUES ($1, $2)`, a, c[:]); err != nil {
			return err
		}
	}
	return nil
}

// dropCodesAlone forgets the recovery codes of an account that has no second
// factor left for them to stand in for.
func dropCodesAlone(t tx, a id.Account) error {
	_, err := t.exec(`DELETE FROM recovery_code WHERE account_id = $1 AND NOT EXISTS (SELECT 1 FROM passkey WHERE account_id = $1)
		AND NOT EXISTS (SELECT 1 FROM totp WHERE account_id = $1 AND enabled_at IS NOT NULL)`, a)
	return err
}

func (s Accounts) ReplaceCodes(ctx context.Context, a id.Account, codes []secret.Hash, e audit.Event) error {
	return s.db.record(ctx, func(t tx) error { return saveCodes(t, a, codes) }, e)
}

func (s Accounts) RemoveFactors(ctx context.Context, a id.Account, e audit.Event) error {
	return s.db.record(ctx, func(t tx) error {
		for _, table := range []string{"totp", "passkey", "recovery_code"} {
			if _, err := t.exec(`DELETE FROM `+table+` WHERE account_id = $1`, a); err != nil {
				return err
			}
		}
		return expireHalves(t, a)
	}, e)
}
