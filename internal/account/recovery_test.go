package account_test

import (
	"strings"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/account"
)

func TestRecoveryCodes(t *testing.T) {
	t.Parallel()
	codes, hashes := account.NewRecovery("acct_a")
	seen := map[string]bool{}
	for i, c := range codes {
		seen[c.Reveal()] = true
		for _, typed := range []string{c.Reveal(), strings.ToUpper(c.Reveal()), strings.ReplaceAll(c.Reveal(), "-", " "), strings.ReplaceAll(c.Reveal(), "-", "")} {
			clean, ok := account.CleanRecovery(typed)
			if !ok || account.RecoveryHash("acct_a", clean) != hashes[i] {
				t.Errorf("a code typed as %q is not known again", typed)
			}
			if account.RecoveryHash("acct_b", clean) == hashes[i] {
				t.Error("a code is good for another account")
			}
		}
	}
	if len(seen) != 10 {
		t.Errorf("%d different codes", len(seen))
	}
}

func FuzzCleanRecovery(f *testing.F) {
	f.Add("abcd-efgh-jkmn-pqrs")
	f.Add("ABCD EFGH JKMN PQRS")
	f.Add("\u212a\u00a0")
	f.Fuzz(func(t *testing.T, typed string) {
		code, ok := account.CleanRecovery(typed)
		if again, still := account.CleanRecovery(code); ok && (!still || again != code || len(code) != 16) {
			t.Errorf("%q becomes %q and then %q", typed, code, again)
		}
	})
}
