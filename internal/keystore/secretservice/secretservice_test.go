//go:build linux

package secretservice_test

import (
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/keystore"
	"github.com/gatehouse-dev/gatehouse/internal/keystore/keystoretest"
	"github.com/gatehouse-dev/gatehouse/internal/keystore/lockfile"
	"github.com/gatehouse-dev/gatehouse/internal/keystore/secretservice"
	"github.com/gatehouse-dev/gatehouse/internal/keystore/vault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/keyring"
)

func store(t *testing.T, address string) *vault.Store {
	return &vault.Store{Items: &secretservice.Service{Address: address}, Origin: "https://gate.example.com",
		Folder: t.Name(), Locks: lockfile.Folder(t.TempDir())}
}

var pair = credential.Pair{Access: secret.New("access"), Refresh: secret.New("refresh"), Expires: time.Unix(1795352810, 0)}

// The whole suite, on one real GNOME Keyring.
func TestSuite(t *testing.T) {
	t.Parallel()
	bus := keyring.New(t)
	keystoretest.Run(t, func(t *testing.T) keystoretest.Backend {
		return keystoretest.Vault(func() vault.Items { return &secretservice.Service{Address: bus.Address} }, t.Name(), t.TempDir())
	})
}

// A locked keyring is said to be locked: nothing is asked, and nothing counts as
// signed out.
func TestLockedCollection(t *testing.T) {
	t.Parallel()
	bus := keyring.New(t)
	s := store(t, bus.Address)
	if err := s.Save(t.Context(), "work", pair); err != nil {
		t.Fatal(err)
	}
	bus.Lock()
	for what, do := range map[string]func() error{
		"Load":           func() error { _, err := s.Load(t.Context(), "work"); return err },
		"Load of nobody": func() error { _, err := s.Load(t.Context(), "other"); return err },
		"Save":           func() error { return s.Save(t.Context(), "work", pair) },
		"Delete":         func() error { return s.Delete(t.Context(), "work") },
		"Probe":          func() error { return s.Probe(t.Context(), "work") },
	} {
		err := do()
		if f, ok := err.(*fault.Error); !ok || f.Kind != fault.Unavailable || f.Message != "the keyring is locked" {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// Whatever does not answer costs two seconds at most.
func TestNothingHangs(t *testing.T) {
	t.Parallel()
	silent := filepath.Join(t.TempDir(), "bus")
	l, err := net.Listen("unix", silent) // takes connections and never says a word
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for name, tt := range map[string]struct {
		address string
		want    fault.Kind
	}{
		"no bus":           {"", fault.Unsupported},
		"nobody there":     {keyring.Empty(t).Address, fault.Unsupported},
		"a silent bus":     {"unix:path=" + silent, fault.Unavailable},
		"a gone bus":       {"unix:path=" + silent + "-gone", fault.Unavailable},
		"a silent service": {keyring.Hanging(t).Address, fault.Unavailable},
		"not an address":   {"nonsense", fault.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			begin := time.Now()
			_, err := store(t, tt.address).Load(t.Context(), "work")
			if !fault.Is(err, tt.want) {
				t.Errorf("%v", err)
			}
			if took := time.Since(begin); took > keystore.BusyPatience+time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}

// A keyring that was restarted is found again by the same handle.
func TestBusComesBack(t *testing.T) {
	t.Parallel()
	first, second := keyring.New(t), keyring.New(t)
	items := &secretservice.Service{Address: first.Address}
	if err := items.Set(t.Context(), "n", secret.New("v")); err != nil {
		t.Fatal(err)
	}
	items.Address = second.Address
	first.Stop()
	if _, err := items.Get(t.Context(), "n"); err == nil {
		t.Error("it read from a bus that is gone")
	}
	if err := items.Set(t.Context(), "n", secret.New("v")); err != nil {
		t.Errorf("on the new bus: %v", err)
	}
}

func TestFindBus(t *testing.T) {
	t.Parallel()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	get := func(env map[string]string) func(string) string { return func(name string) string { return env[name] } }
	if got := secretservice.FindBus(get(map[string]string{"XDG_RUNTIME_DIR": dir})); got != "" {
		t.Errorf("a bus where there is none: %s", got)
	}
	l, err := net.Listen("unix", filepath.Join(dir, "bus"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if got := secretservice.FindBus(get(map[string]string{"XDG_RUNTIME_DIR": dir})); got != "unix:path="+filepath.Join(dir, "bus") {
		t.Errorf("%q", got)
	}
	if got := secretservice.FindBus(get(map[string]string{"XDG_RUNTIME_DIR": dir, "DBUS_SESSION_BUS_ADDRESS": "unix:path=/x"})); got != "unix:path=/x" {
		t.Errorf("%q", got)
	}
	if got := secretservice.FindBus(get(nil)); got != "" {
		t.Errorf("%q", got)
	}
}
