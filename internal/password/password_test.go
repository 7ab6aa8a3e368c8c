package password_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/password"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

func TestHashAndMatch(t *testing.T) {
	t.Parallel()
	h, ctx := password.New(), context.Background()
	stored, err := h.Hash(ctx, secret.New("correct horse battery"))
	if err != nil || strings.Contains(stored, "correct") {
		t.Fatalf("Hash = %q, %v", stored, err)
	}
	for _, c := range []struct {
		password, stored string
		want             bool
	}{
		{"correct horse battery", stored, true},
		{"correct horse batterY", stored, false},
		{stored, stored, false}, // what is stored never authenticates
		{"", stored, false},
		{"", "", false},
		{"anything", "", false},
	} {
		if got, err := h.Matches(ctx, secret.New(c.password), c.stored); got != c.want || err != nil {
			t.Errorf("Matches(%q, %.12q…) = %v, %v", c.password, c.stored, got, err)
		}
	}
	if _, err := h.Matches(ctx, secret.New("x"), "$argon2id$v=19$m=1,t=1,p=1$AAAA$AAAA"); err == nil {
		t.Error("a hash with weak parameters is accepted")
	}
}

func TestQueueIsBounded(t *testing.T) {
	t.Parallel()
	h := password.New()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	refused := make(chan error, 400)
	for range 400 {
		wg.Go(func() {
			_, err := h.Hash(ctx, secret.New("correct horse battery"))
			if fault.Is(err, fault.RateLimited) {
				cancel() // one is enough: let those who wait go home
				refused <- err
			}
		})
	}
	wg.Wait()
	cancel()
	if len(refused) == 0 {
		t.Error("400 at once are all let in")
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for p, want := range map[string]fault.Kind{"short": fault.Invalid, strings.Repeat("x", 2000): fault.Invalid} {
		if err := password.Check(secret.New(p)); !fault.Is(err, want) {
			t.Errorf("Check(%.10q) = %v", p, err)
		}
	}
	if err := password.Check(secret.New("long enough, this")); err != nil {
		t.Error(err)
	}
}
