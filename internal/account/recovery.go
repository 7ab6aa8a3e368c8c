package account

import (
	"context"
	"crypto/rand"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

const (
	recoveryCodes  = 10
	recoveryLength = 16 // of 32 signs: 80 bits
	recoverySigns  = "abcdefghijkmnpqrstuvwxyz23456789"
)

// newRecovery makes an account's recovery codes, to be shown once, and what is
// kept of them.
func newRecovery(a id.Account) (codes []secret.Text, hashes []secret.Hash) {
	for range recoveryCodes {
		raw := make([]byte, recoveryLength)
		rand.Read(raw)
		for i, b := range raw {
			raw[i] = recoverySigns[b%32]
		}
		code := string(raw)
		hashes = append(hashes, recoveryHash(a, code))
		codes = append(codes, secret.New(code[:4]+"-"+code[4:8]+"-"+code[8:12]+"-"+code[12:]))
	}
	return codes, hashes
}

// cleanRecovery is a recovery code as it is hashed, and whether it has the form
// of one.
func cleanRecovery(typed string) (string, bool) {
	if len(typed) > 4*recoveryLength {
		return "", false
	}
	code := strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' || r == '\u00a0' {
			return -1
		}
		return r
	}, strings.ToLower(typed))
	return code, len(code) == recoveryLength && strings.Trim(code, recoverySigns) == ""
}

// recoveryHash is a plain hash, as 80 random bits are not guessed. The account
// is in it, so that a code is nobody else's.
func recoveryHash(a id.Account, code string) secret.Hash {
	return secret.New("recovery code\x00" + string(a) + "\x00" + code).Hash()
}

// NewRecoveryCodes gives the caller new recovery codes. The old ones work no more.
func (s *Service) NewRecoveryCodes(ctx context.Context, who caller.Caller, token secret.Text) ([]secret.Text, error) {
	if err := access.CheckAccount(who); err != nil {
		return nil, err
	}
	if _, err := s.confirmed(ctx, who, token); err != nil {
		return nil, err
	}
	f, err := s.store.Factors(ctx, who.Account)
	if err != nil {
		return nil, err
	}
	if !f.Second() {
		return nil, fault.New(fault.Conflict, "recovery codes stand in for a second factor, and you have none").WithHint("add a passkey or an authenticator app first")
	}
	codes, hashes := newRecovery(who.Account)
	return codes, s.store.ReplaceCodes(ctx, who.Account, hashes, audit.New(who, s.now(), audit.RecoveryCodesMade, string(who.Account), nil))
}

// RemoveFactors takes a member's second factors away, for somebody who has lost
// them all. It can be done from the server's own shell alone.
func (s *Service) RemoveFactors(ctx context.Context, who caller.Caller, a id.Account) error {
	if err := access.CheckInstance(who); err != nil {
		return err
	}
	f, err := s.store.Factors(ctx, a)
	if err != nil {
		return err
	}
	if !f.Second() {
		return fault.New(fault.Conflict, "there is no second factor to remove")
	}
	return s.store.RemoveFactors(ctx, a, audit.New(who, s.now(), audit.TOTPDisabled, string(a), audit.Detail{"all": "yes"}))
}
