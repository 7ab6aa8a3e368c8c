package keystoretest

import (
	"os"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/keystore"
	"github.com/gatehouse-dev/gatehouse/internal/keystore/lockfile"
	"github.com/gatehouse-dev/gatehouse/internal/keystore/vault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// FileDamages is how many ways DamageFile knows.
const FileDamages = 6

// DamageFile is the Damage of a backend that keeps a profile in a file.
func DamageFile(where func(credential.Profile) string) func(*testing.T, credential.Profile, int) {
	return func(t *testing.T, profile credential.Profile, n int) {
		t.Helper()
		path := where(profile)
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		write := func(b []byte) error { return os.WriteFile(path, b, 0o600) }
		switch n {
		case 0: // half written
			err = write(whole[:len(whole)/2])
		case 1:
			err = write(nil)
		case 2:
			err = write([]byte("<!doctype html>"))
		case 3:
			err = write(make([]byte, 1<<20))
		case 4:
			if err = os.Rename(path, path+".real"); err == nil {
				err = os.Symlink(path+".real", path)
			}
		case 5:
			if err = os.Remove(path); err == nil {
				err = os.Mkdir(path, 0o700)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// Vault is the Backend of a keyring; items makes a handle on it, folder is one
// that no other test has, locks a folder for lock files.
func Vault(items func() vault.Items, folder, locks string) Backend {
	handle := func() *vault.Store {
		return &vault.Store{Items: items(), Origin: "https://gate.example.com", Folder: folder, Locks: lockfile.Folder(locks)}
	}
	s := handle()
	return Backend{Store: s, Locker: s, Reopen: func() (keystore.Store, keystore.Locker) { h := handle(); return h, h },
		Damages: 6, Damage: func(t *testing.T, profile credential.Profile, n int) {
			t.Helper()
			damageItem(t, s, profile, n)
		}}
}

func damageItem(t *testing.T, s *vault.Store, profile credential.Profile, n int) {
	t.Helper()
	name := s.Item(profile)
	whole, err := s.Items.Get(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	v := whole.Reveal()
	turned := byte('x')
	if v[len(v)-1] == turned {
		turned = 'y'
	}
	damaged := []string{v[:len(v)/2], "rubbish", v[:len(v)-1] + string(turned), "g1..", "g2.0123456789abcdef.01234567.2", "g2.0123456789abcdef.01234567.999999"}[n]
	if err := s.Items.Set(t.Context(), name, secret.New(damaged)); err != nil {
		t.Fatal(err)
	}
}
