package jwks_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/jwks"
)

// shelf keeps keys in memory and can fail.
type shelf struct {
	keys  []jwks.Key
	fail  error
	reads int
}

func (s *shelf) Keys(context.Context) ([]jwks.Key, error) {
	s.reads++
	return append([]jwks.Key(nil), s.keys...), s.fail
}

func (s *shelf) Add(_ context.Context, k jwks.Key, _ bool, _ audit.Event) error {
	s.keys = append(s.keys, k)
	return nil
}

func TestUnknownKeyIsNoRefusalWhileWeCannotTell(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	shared := &shelf{}
	one, err := jwks.Load(t.Context(), shared, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	other, err := jwks.Load(t.Context(), shared, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Rotate(t.Context(), caller.OfSystem("")); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Hour)
	token, err := other.Sign(map[string]string{"a": "b"})
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]string
	shared.fail = errors.New("the database is gone")
	for i := range 3 {
		if err := one.Verify(t.Context(), token, &claims); err == nil || errors.Is(err, jwks.ErrToken) {
			t.Errorf("try %d without the database: %v", i, err)
		}
	}
	shared.fail = nil
	now = now.Add(time.Second)
	if err := one.Verify(t.Context(), token, &claims); err != nil || claims["a"] != "b" {
		t.Errorf("with the database back: %v, %v", claims, err)
	}
	before := shared.reads
	forged := strings.Replace(token, token[:strings.IndexByte(token, '.')], "eyJhbGciOiJFZERTQSIsImtpZCI6Im5vYm9keSJ9", 1)
	for range 100 {
		if err := one.Verify(t.Context(), forged, &claims); !errors.Is(err, jwks.ErrToken) {
			t.Fatalf("a stranger's token: %v", err)
		}
	}
	if shared.reads > before+1 {
		t.Errorf("a stranger's tokens made us read %d times", shared.reads-before)
	}
}

// FuzzVerify shows strangers' tokens to a set: none may be taken but the one it
// signed itself.
func FuzzVerify(f *testing.F) {
	set, err := jwks.Load(f.Context(), &shelf{}, func() time.Time { return time.Unix(1000, 0) })
	if err != nil {
		f.Fatal(err)
	}
	good, err := set.Sign(map[string]string{"a": "b"})
	if err != nil {
		f.Fatal(err)
	}
	parts := strings.Split(good, ".")
	for _, s := range []string{good, "", "..", "a.b.c", "eyJhbGciOiJub25lIn0." + parts[1] + ".", parts[0] + "." + parts[1] + ".", good + ".", `{"payload":"x"}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, token string) {
		var claims map[string]string
		err := set.Verify(t.Context(), token, &claims)
		// White space around the compact form is all that may differ.
		if (err == nil) != (strings.Join(strings.Fields(token), "") == good) && err == nil {
			t.Fatalf("%q is taken", token)
		}
	})
}
