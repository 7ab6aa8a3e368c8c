package sealed

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/crypto/chacha20poly1305"
)

// FuzzFile proves that any file is refused, or read within the bounds; that only
// what was sealed opens; and that no error quotes a file.
func FuzzFile(f *testing.F) {
	key := make([]byte, chacha20poly1305.KeySize)
	const plain, origin = "canary", "https://gate.example.com"
	for _, h := range []header{{Version: version, Key: byPassphrase, Argon2id: newDerivation(DefaultCost)}, {Version: version, Key: "keychain"}} {
		good, err := seal(h, key, []byte(plain), origin, "work")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(good)
	}
	for _, seed := range []string{"", "{}", "null", `{"version":1}`, `{"version":99}`, `{"version":1,"key":"keychain","nonce":"AAAA"}`, strings.Repeat("[", 5000)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := parse(b)
		if err != nil {
			if !errors.Is(err, errFormat) && !errors.Is(err, errNewer) {
				t.Errorf("%v", err)
			}
			return
		}
		if e.Argon2id != nil && !e.Argon2id.valid() {
			t.Errorf("%+v is believed", e.Argon2id)
		}
		if got, err := e.open(key, origin, "work"); err == nil && string(got) != plain {
			t.Error("a forged file opened")
		}
		if _, err := e.open(key, origin, "other"); !errors.Is(err, errClosed) {
			t.Errorf("it opens for another profile: %v", err)
		}
	})
}
