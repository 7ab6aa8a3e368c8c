package file_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/keystore"
	"github.com/gatehouse-dev/gatehouse/internal/keystore/file"
	"github.com/gatehouse-dev/gatehouse/internal/keystore/keystoretest"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	keystoretest.Run(t, func(t *testing.T) keystoretest.Backend {
		s := file.Store{Dir: filepath.Join(t.TempDir(), "not", "yet")}
		return keystoretest.Backend{Store: s, Locker: s, Reopen: func() (keystore.Store, keystore.Locker) {
			return file.Store{Dir: s.Dir}, file.Store{Dir: s.Dir}
		}, Damage: keystoretest.DamageFile(s.Where), Damages: keystoretest.FileDamages}
	})
}

func TestFilesArePrivateAndNothingIsLeft(t *testing.T) {
	t.Parallel()
	s := file.Store{Dir: filepath.Join(t.TempDir(), "credentials")}
	pair := credential.Pair{Access: secret.New("a"), Refresh: secret.New("r"), Expires: time.Unix(1795352810, 0)}
	for range 3 {
		if err := s.Save(context.Background(), "", pair); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(s.Dir)
	if err != nil || len(entries) != 1 || entries[0].Name() != "gatehouse.json" {
		t.Errorf("the folder holds %v, %v", entries, err)
	}
	for path, want := range map[string]os.FileMode{s.Dir: 0o700, s.Where(""): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	b, err := os.ReadFile(s.Where(""))
	const want = "{\n  \"version\": \"1.0\",\n  \"type\": \"oauth_token\",\n  \"access_token\": \"a\",\n  \"refresh_token\": \"r\",\n  \"expires_at\": 1795352810\n}\n"
	if err != nil || string(b) != want {
		t.Errorf("the file holds %s, %v", b, err)
	}
}

// Whoever could write or read the file, or plant it, is not believed.
func TestUnsafeFilesAreRefused(t *testing.T) {
	t.Parallel()
	good := `{"type":"oauth_token","access_token":"a","refresh_token":"r","expires_at":1795352810}`
	for name, plant := range map[string]func(path string) error{
		"group can read": func(p string) error { return os.WriteFile(p, []byte(good), 0o640) },
		"a link": func(p string) error {
			if err := os.WriteFile(p+".real", []byte(good), 0o600); err != nil {
				return err
			}
			return os.Symlink(p+".real", p)
		},
		"a folder":   func(p string) error { return os.Mkdir(p, 0o700) },
		"not JSON":   func(p string) error { return os.WriteFile(p, []byte("{"), 0o600) },
		"too large":  func(p string) error { return os.WriteFile(p, make([]byte, credential.MaxEncoded+1), 0o600) },
		"other type": func(p string) error { return os.WriteFile(p, []byte(`{"type":"x","access_token":"a"}`), 0o600) },
	} {
		s := file.Store{Dir: t.TempDir()}
		if err := plant(s.Where("")); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Load(context.Background(), ""); err == nil || fault.Is(err, fault.NotFound) {
			t.Errorf("%s: Load gives %v", name, err)
		}
	}
	s := file.Store{Dir: t.TempDir()}
	if err := os.Symlink(filepath.Join(s.Dir, "elsewhere"), s.Where("")); err != nil {
		t.Fatal(err)
	}
	if err := s.Save(context.Background(), "", credential.Pair{Access: secret.New("a")}); err == nil {
		t.Error("Save followed or replaced a link")
	}
	if _, err := os.Lstat(filepath.Join(s.Dir, "elsewhere")); err == nil {
		t.Error("Save wrote through a link")
	}
}
