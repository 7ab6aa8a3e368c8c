package kms_test

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/kms"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

var place = kms.Place{Table: "upstream", Row: "upst_1", Column: "credential"}

func ring(t *testing.T, seeds ...string) *kms.Keyring {
	t.Helper()
	var keys []secret.Text
	for _, s := range seeds {
		keys = append(keys, secret.New(base64.StdEncoding.EncodeToString([]byte(strings.Repeat(s, 32)))))
	}
	r, err := kms.New(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSealedValueOpensInItsPlaceAlone(t *testing.T) {
	r := ring(t, "a")
	sealed := r.Seal(place, []byte("top secret"))
	if bytes.Contains(sealed, []byte("secret")) {
		t.Fatal("the value stands in the open")
	}
	if got, err := r.Open(place, sealed); err != nil || string(got) != "top secret" {
		t.Fatalf("Open = %q, %v", got, err)
	}
	for _, other := range []kms.Place{{"upstream", "upst_2", "credential"}, {"upstream", "upst_1", "name"}, {"x", "upst_1", "credential"}} {
		if _, err := r.Open(other, sealed); err == nil {
			t.Errorf("it opens at %s too", other)
		}
	}
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if _, err := r.Open(place, changed); err == nil {
			t.Errorf("it opens with byte %d changed", i)
		}
		if _, err := r.Open(place, sealed[:i]); err == nil {
			t.Errorf("it opens when cut to %d bytes", i)
		}
	}
}

func TestKeysAreExchangedWithoutLosingTheOld(t *testing.T) {
	old := ring(t, "a")
	sealed := old.Seal(place, []byte("v"))
	both := ring(t, "b", "a")
	if got, err := both.Open(place, sealed); err != nil || string(got) != "v" {
		t.Errorf("the new ring does not open the old value: %v", err)
	}
	if _, err := old.Open(place, both.Seal(place, []byte("v"))); err == nil || !strings.Contains(err.Error(), "master key") {
		t.Errorf("the old ring opens the new value: %v", err)
	}
	if !both.Knows(old.ID()) || old.Knows(both.ID()) {
		t.Error("Knows is wrong")
	}
}

func TestFileIsMadeOnceAndPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "master.key")
	ids := make([]string, 8)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			if r, err := kms.FromFileOrNew(path); err == nil {
				ids[i] = r.ID()
			}
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id == "" || id != ids[0] {
			t.Fatalf("several processes made several keys: %v", ids)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := kms.FromFileOrNew(path); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a key others may read is accepted: %v", err)
	}
}
