package store

import (
	"context"

	"github.com/gatehouse-dev/gatehouse/internal/account"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/letter"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

func (s Accounts) SaveSignUp(ctx context.Context, u account.SignUp, letters []letter.Letter) error {
	return s.db.upkeep(ctx, func(t tx) error {
		if _, err := t.exec(`INSERT INTO sign_up (email, hash, created_at, expires_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (email) DO UPDATE SET hash = excluded.hash, created_at = excluded.created_at, expires_at = excluded.expires_at`,
			u.Email, u.Hash[:], micros(u.CreatedAt), micros(u.ExpiresAt)); err != nil {
			return err
		}
		return s.db.queueLetters(t, letters...)
	})
}

func (s Accounts) SignUp(ctx context.Context, hash secret.Hash) (account.SignUp, bool, error) {
	u := account.SignUp{Hash: hash}
	var created, expires int64
	ok, err := s.db.queryRow(ctx, []any{&u.Email, &created, &expires}, `SELECT email, created_at, expires_at FROM sign_up WHERE hash = $1`, hash[:])
	u.CreatedAt, u.ExpiresAt = fromMicros(created), fromMicros(expires)
	return u, ok, err
}

func (s Accounts) FinishSignUp(ctx context.Context, u account.SignUp, f account.Foundation, a account.Arrival) error {
	return s.arrive(ctx, a, func(t tx) error {
		n, err := t.exec(`DELETE FROM sign_up WHERE hash = $1 AND email = $2`, u.Hash[:], u.Email)
		if err != nil || n == 0 {
			return orElse(err, errLinkUsed)
		}
		if err := insertOrganization(t, f.Organization); err != nil {
			return err
		}
		if err := insertAccount(t, f.Member); err != nil {
			return err
		}
		var has id.Account
		if err := t.row([]any{&has}, `SELECT id FROM account WHERE email = $1`, u.Email); err != nil {
			return err
		}
		if has != f.Member.Account {
			return fault.New(fault.Conflict, "%s has an account already", u.Email).WithHint("sign in with it")
		}
		if err := t.must(`UPDATE account SET verified_at = $1 WHERE id = $2`, micros(a.CreatedAt), has); err != nil {
			return err
		}
		if err := insertMember(t, f.Member); err != nil {
			return err
		}
		return savePassword(t, has, f.Password, a.CreatedAt)
	})
}
