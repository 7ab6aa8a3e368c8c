package jwks_test

import (
	"context"
	"crypto"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/jwks"
	"github.com/go-jose/go-jose/v4"
)

// shelf keeps keys in memory and can fail.
type shelf struct {
	keys  []jwks.Key
	fail  error
	reads int
}

func (s *shelf) Keys(context.Context, jwks.Algorithm) ([]jwks.Key, error) {
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
	one, err := jwks.Load(t.Context(), shared, jwks.EdDSA, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	other, err := jwks.Load(t.Context(), shared, jwks.EdDSA, func() time.Time { return now })
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
	set, err := jwks.Load(f.Context(), &shelf{}, jwks.EdDSA, func() time.Time { return time.Unix(1000, 0) })
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

// TestRotationOfIdentityKeys follows an RSA key from before its first signature to
// its end: what a cloud copied a day ago verifies whatever is signed.
func TestRotationOfIdentityKeys(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	set := jwks.New(&shelf{}, jwks.RS256, func() time.Time { return now })
	if err := set.RotateIfOld(t.Context(), caller.OfSystem("")); err != nil {
		t.Fatal(err)
	}
	if got := len(set.Public().Keys); got != 0 {
		t.Fatalf("%d keys before anybody asked for one", got)
	}
	if err := set.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	day := func() string {
		now = now.Add(24 * time.Hour)
		token, err := set.Sign(map[string]string{"a": "b"})
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	for n := range 200 {
		if err := set.RotateIfOld(t.Context(), caller.OfSystem("")); err != nil {
			t.Fatal(err)
		}
		copied := set.Public()
		token := day()
		parsed, err := jose.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256})
		if err != nil {
			t.Fatal(err)
		}
		if keys := copied.Key(parsed.Signatures[0].Protected.KeyID); len(keys) != 1 {
			t.Fatalf("on day %d the key is none of %d that were copied the day before", n, len(copied.Keys))
		} else if _, err := parsed.Verify(keys[0]); err != nil {
			t.Fatalf("on day %d: %v", n, err)
		}
		if len(copied.Keys) > 2 {
			t.Fatalf("on day %d %d keys are published", n, len(copied.Keys))
		}
	}
}

func TestStoredKeysComeBack(t *testing.T) {
	t.Parallel()
	for _, a := range []jwks.Algorithm{jwks.EdDSA, jwks.RS256} {
		kept := &shelf{}
		if _, err := jwks.Load(t.Context(), kept, a, time.Now); err != nil {
			t.Fatal(err)
		}
		private, _, err := kept.keys[0].Encode()
		if err != nil {
			t.Fatal(err)
		}
		read, err := jwks.ParsePrivate(a, private)
		if err != nil || !read.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(kept.keys[0].Private.Public()) {
			t.Errorf("a key of %s does not come back: %v", a, err)
		}
		other := map[jwks.Algorithm]jwks.Algorithm{jwks.EdDSA: jwks.RS256, jwks.RS256: jwks.EdDSA}[a]
		if _, err := jwks.ParsePrivate(other, private); err == nil {
			t.Errorf("a key of %s is taken for one of %s", a, other)
		}
	}
}
