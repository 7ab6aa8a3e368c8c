package sealed_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/keystore"
	"github.com/gatehouse-dev/gatehouse/internal/keystore/keystoretest"
	"github.com/gatehouse-dev/gatehouse/internal/keystore/sealed"
	"github.com/gatehouse-dev/gatehouse/internal/keystore/vault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

const origin = "https://gate.example.com"

var (
	cheap = sealed.Cost{Time: 1, MemoryKiB: 8, Threads: 1}
	pair  = credential.Pair{Access: secret.New("canary-access"), Refresh: secret.New("canary-refresh"), Expires: time.Unix(1795352810, 0)}
)

func says(passphrase string) func(context.Context) (secret.Text, error) {
	return func(context.Context) (secret.Text, error) { return secret.New(passphrase), nil }
}

func store(dir, passphrase string) *sealed.Store {
	return &sealed.Store{Dir: dir, Origin: origin, Passphrase: says(passphrase), Cost: cheap}
}

func suite(t *testing.T, open func(dir string) *sealed.Store) {
	keystoretest.Run(t, func(t *testing.T) keystoretest.Backend {
		dir := filepath.Join(t.TempDir(), "not", "yet")
		s := open(dir)
		return keystoretest.Backend{Store: s, Locker: s, Reopen: func() (keystore.Store, keystore.Locker) { h := open(dir); return h, h },
			Damage: keystoretest.DamageFile(s.Where), Damages: keystoretest.FileDamages}
	})
}

func TestSuiteByPassphrase(t *testing.T) {
	t.Parallel()
	suite(t, func(dir string) *sealed.Store { return store(dir, "open sesame") })
}

// ring is a keyring in memory.
type ring struct {
	vault.Items
	mu   sync.Mutex
	held map[string]secret.Text
}

func (r *ring) Kind() string             { return keystore.SecretService }
func (r *ring) Where(name string) string { return name }
func (r *ring) Get(_ context.Context, name string) (secret.Text, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	v, ok := r.held[name]
	if !ok {
		return secret.Text{}, fault.New(fault.NotFound, "none")
	}
	return v, nil
}
func (r *ring) Set(_ context.Context, name string, v secret.Text) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held[name] = v
	return nil
}

func (r *ring) open(dir string) *sealed.Store {
	return &sealed.Store{Dir: dir, Origin: origin, NewKey: keystore.SecretService, Keyring: func(kind string) vault.Items {
		if kind != keystore.SecretService {
			return nil
		}
		return r
	}}
}

func TestSuiteByKeyring(t *testing.T) {
	t.Parallel()
	r := &ring{held: map[string]secret.Text{}}
	suite(t, r.open)
	if len(r.held) > 1 {
		t.Errorf("there are %d keys", len(r.held))
	}
}

func TestNothingIsInTheClear(t *testing.T) {
	t.Parallel()
	s := store(t.TempDir(), "open sesame")
	seen := map[string]bool{}
	for range 3 {
		if err := s.Save(t.Context(), "work", pair); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(s.Where("work"))
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"canary", "sesame", "expires", "example.com"} {
			if strings.Contains(string(b), word) {
				t.Errorf("the file contains %q", word)
			}
		}
		if seen[string(b)] {
			t.Error("the same pair is sealed the same twice")
		}
		seen[string(b)] = true
	}
	if info, err := os.Stat(s.Where("work")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}

// A file opens for its passphrase, server and profile, and for nothing else.
func TestBound(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := store(dir, "open sesame").Save(t.Context(), "work", pair); err != nil {
		t.Fatal(err)
	}
	if got, err := store(dir, "open sesame").Load(t.Context(), "work"); err != nil || !got.SameChain(pair) {
		t.Errorf("%v", err)
	}
	b, err := os.ReadFile(store(dir, "").Where("work"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(store(dir, "").Where("other"), b, 0o600); err != nil {
		t.Fatal(err)
	}
	elsewhere := store(dir, "open sesame")
	elsewhere.Origin = "https://evil.example.com"
	for name, try := range map[string]func() error{
		"another passphrase": func() error { _, err := store(dir, "open sesam").Load(t.Context(), "work"); return err },
		"another profile":    func() error { _, err := store(dir, "open sesame").Load(t.Context(), "other"); return err },
		"another server":     func() error { _, err := elsewhere.Load(t.Context(), "work"); return err },
	} {
		if err := try(); !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), "sesam") {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Every changed field closes it.
	var whole map[string]any
	if err := json.Unmarshal(b, &whole); err != nil {
		t.Fatal(err)
	}
	for field, value := range map[string]any{"version": 2, "key": "secret-service", "nonce": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "sealed": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"argon2id": map[string]any{"salt": "AAAAAAAAAAAAAAAAAAAAAA==", "time": 1, "memory_kib": 8, "threads": 1}} {
		changed := map[string]any{}
		for k, v := range whole {
			changed[k] = v
		}
		changed[field] = value
		text, err := json.Marshal(changed)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(store(dir, "").Where("work"), text, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := store(dir, "open sesame").Load(t.Context(), "work"); !fault.Is(err, fault.Invalid) {
			t.Errorf("with another %s: %v", field, err)
		}
	}
}

// Nobody can plant a file that makes us work for long, or ask for the passphrase.
func TestParametersAreBounded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := &sealed.Store{Dir: dir, Origin: origin, Passphrase: func(context.Context) (secret.Text, error) {
		t.Error("the passphrase was asked for")
		return secret.Text{}, nil
	}}
	for _, argon := range []string{`"time":5,"memory_kib":8,"threads":1`, `"time":1,"memory_kib":262145,"threads":1`, `"time":1,"memory_kib":8,"threads":9`,
		`"time":0,"memory_kib":8,"threads":1`, `"time":1,"memory_kib":8,"threads":0`, `"time":1,"memory_kib":7,"threads":1`, `"time":-1,"memory_kib":8,"threads":1`,
		`"time":4294967296,"memory_kib":8,"threads":1`} {
		text := `{"version":1,"key":"passphrase","argon2id":{"salt":"AAAAAAAAAAAAAAAAAAAAAA==",` + argon + `},"nonce":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","sealed":"AAAAAAAAAAAAAAAAAAAAAAAAAAAA"}`
		if err := os.WriteFile(s.Where("work"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Load(t.Context(), "work"); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", argon, err)
		}
	}
}

// Without its key in the keyring a file is not readable, and no new key is made.
func TestKeyIsGone(t *testing.T) {
	t.Parallel()
	r, dir := &ring{held: map[string]secret.Text{}}, t.TempDir()
	if err := r.open(dir).Save(t.Context(), "work", pair); err != nil {
		t.Fatal(err)
	}
	if r.open(dir).ByPassphrase("work") {
		t.Error("it says that it has a passphrase")
	}
	clear(r.held)
	if _, err := r.open(dir).Load(t.Context(), "work"); !fault.Is(err, fault.Invalid) {
		t.Errorf("%v", err)
	}
	if len(r.held) != 0 {
		t.Error("reading made a key")
	}
	without := store(dir, "open sesame")
	if _, err := without.Load(t.Context(), "work"); !fault.Is(err, fault.Unsupported) {
		t.Errorf("without a keyring: %v", err)
	}
}

// One derivation serves a process; who cannot say the passphrase is told what
// its owner says.
func TestPassphraseIsAskedOnce(t *testing.T) {
	t.Parallel()
	asked, dir := 0, t.TempDir()
	s := store(dir, "")
	s.Passphrase = func(context.Context) (secret.Text, error) { asked++; return secret.New("open sesame"), nil }
	for range 3 {
		if err := s.Save(t.Context(), "work", pair); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Load(t.Context(), "work"); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Save(t.Context(), "other", pair); err != nil {
		t.Fatal(err)
	}
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
	silent := store(dir, "")
	silent.Passphrase = func(context.Context) (secret.Text, error) {
		return secret.Text{}, fault.New(fault.Conflict, "nobody is here")
	}
	if _, err := silent.Load(t.Context(), "work"); !fault.Is(err, fault.Conflict) {
		t.Errorf("%v", err)
	}
}
