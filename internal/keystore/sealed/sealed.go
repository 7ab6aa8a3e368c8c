package sealed

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/gatehouse-dev/gatehouse/internal/atomicfile"
	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/keystore"
	"github.com/gatehouse-dev/gatehouse/internal/keystore/lockfile"
	"github.com/gatehouse-dev/gatehouse/internal/keystore/vault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"golang.org/x/crypto/chacha20poly1305"
)

// Store keeps pairs in Dir, one file for each profile. Dir, Origin and
// Passphrase are required. Its methods may be called concurrently; it must not be
// copied after first use.
type Store struct {
	Dir    string
	Origin string // the server the pairs belong to
	// Passphrase returns the passphrase, or the error that says what to do.
	Passphrase func(ctx context.Context) (secret.Text, error)
	// Keyring returns the keyring of a kind, where files of this machine have
	// their key; nil: there is none.
	Keyring func(kind string) vault.Items
	// NewKey is the kind of the keyring that keeps the key of new files; empty:
	// new files have a passphrase.
	NewKey string
	// Cost is that of new files; zero is DefaultCost.
	Cost Cost

	mu      sync.Mutex
	derived *derivation // what key was derived by
	key     []byte
}

var (
	_ keystore.Home   = (*Store)(nil)
	_ keystore.Prober = (*Store)(nil)
)

// Name is keystore.Sealed.
func (s *Store) Name() string { return keystore.Sealed }

// Where is the path of the profile's file.
func (s *Store) Where(profile credential.Profile) string {
	return filepath.Join(s.Dir, profile.SDKName()+".sealed")
}

// Load reads and opens the profile's file.
func (s *Store) Load(ctx context.Context, profile credential.Profile) (credential.Pair, error) {
	e, err := s.read(profile)
	if err != nil {
		return credential.Pair{}, err
	}
	key, err := s.keyOf(ctx, e.header, false)
	if err != nil {
		return credential.Pair{}, err
	}
	plain, err := e.open(key, s.Origin, profile)
	if err != nil {
		return credential.Pair{}, s.unusable(profile, err)
	}
	pair, err := credential.Decode(plain)
	if err != nil {
		return credential.Pair{}, s.unusable(profile, err)
	}
	return pair, nil
}

func (s *Store) read(profile credential.Profile) (envelope, error) {
	b, err := atomicfile.ReadPrivate(s.Where(profile), maxFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return envelope{}, fault.Wrap(fault.NotFound, err, "no credential is stored")
	case err != nil:
		if unsafe, ok := errors.AsType[*atomicfile.UnsafeError](err); ok {
			return envelope{}, fault.New(fault.Invalid, "%w", unsafe).WithHint(unsafe.Mend)
		}
		return envelope{}, fmt.Errorf("reading the sealed credential: %w", err)
	}
	e, err := parse(b)
	if err != nil {
		return envelope{}, s.unusable(profile, err)
	}
	return e, nil
}

func (s *Store) unusable(profile credential.Profile, err error) error {
	return fault.New(fault.Invalid, "%s cannot be used, because %w", s.Where(profile), err).WithHint("gatehouse login" + profile.Flag())
}

// Save seals the pair anew, with the key that the profile's file has.
func (s *Store) Save(ctx context.Context, profile credential.Profile, pair credential.Pair) error {
	plain, err := credential.Encode(pair)
	if err != nil {
		return err
	}
	h, there := s.header(profile)
	key, err := s.keyOf(ctx, h, !there)
	if err != nil {
		return err
	}
	b, err := seal(h, key, plain, s.Origin, profile)
	if err != nil {
		return err
	}
	if err := atomicfile.Replace(s.Where(profile), b, atomicfile.SecretDir, atomicfile.SecretFile); err != nil {
		return fmt.Errorf("saving the sealed credential: %w", err)
	}
	return nil
}

// header is that of the profile's file, if there is one, or of a new one.
func (s *Store) header(profile credential.Profile) (h header, there bool) {
	if e, err := s.read(profile); err == nil {
		return e.header, true
	}
	return s.newHeader(), false
}

// newHeader is that of a new file. A key that is already derived serves again.
func (s *Store) newHeader() header {
	if s.NewKey != "" {
		return header{Version: version, Key: s.NewKey}
	}
	cost := s.Cost
	if cost == (Cost{}) {
		cost = DefaultCost
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.derived == nil || s.derived.Cost != cost {
		return header{Version: version, Key: byPassphrase, Argon2id: newDerivation(cost)}
	}
	return header{Version: version, Key: byPassphrase, Argon2id: s.derived}
}

// keyOf finds the key of a file, and makes one in the keyring if it may. A
// derivation is done once.
func (s *Store) keyOf(ctx context.Context, h header, may bool) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h.Key != byPassphrase {
		return s.keptKey(ctx, h.Key, may)
	}
	if h.Argon2id.equal(s.derived) {
		return s.key, nil
	}
	passphrase, err := s.Passphrase(ctx)
	if err != nil {
		return nil, err
	}
	s.derived, s.key = h.Argon2id, h.Argon2id.key(passphrase.Reveal())
	return s.key, nil
}

const (
	// keyItem is the one item for all profiles of this user.
	keyItem = "sealing key"
	// keyLock is no profile's name, and keeps two from making a key at once.
	keyLock credential.Profile = ".key"
)

// keptKey reads the key from a keyring, or makes it there.
func (s *Store) keptKey(ctx context.Context, kind string, may bool) ([]byte, error) {
	if s.derived == nil && s.key != nil {
		return s.key, nil
	}
	var items vault.Items
	if s.Keyring != nil {
		items = s.Keyring(kind)
	}
	if items == nil {
		return nil, fault.New(fault.Unsupported, "the key of the sealed storage is in %s, which this machine does not have", kind).WithHint("gatehouse login")
	}
	text, err := vault.Get(ctx, items, keyItem)
	if fault.Is(err, fault.NotFound) {
		if !may {
			return nil, fault.New(fault.Invalid, "the key of the sealed storage is not in %s any more", kind).WithHint("gatehouse login")
		}
		text, err = s.makeKey(ctx, items)
	}
	if err != nil {
		return nil, err
	}
	key, err := base64.RawURLEncoding.DecodeString(text.Reveal())
	if err != nil || len(key) != chacha20poly1305.KeySize {
		return nil, fault.New(fault.Invalid, "the key of the sealed storage is damaged: %s", items.Where(keyItem)).WithHint("gatehouse storage list")
	}
	s.derived, s.key = nil, key
	return key, nil
}

func (s *Store) makeKey(ctx context.Context, items vault.Items) (secret.Text, error) {
	release, err := lockfile.Folder(s.Dir).Lock(ctx, keyLock)
	if err != nil {
		return secret.Text{}, err
	}
	defer release()
	if text, err := vault.Get(ctx, items, keyItem); !fault.Is(err, fault.NotFound) {
		return text, err // somebody else was faster
	}
	raw := make([]byte, chacha20poly1305.KeySize)
	rand.Read(raw)
	if err := vault.Set(ctx, items, keyItem, secret.New(base64.RawURLEncoding.EncodeToString(raw))); err != nil {
		return secret.Text{}, err
	}
	return vault.Get(ctx, items, keyItem)
}

// ByPassphrase reports whether the profile's file, or a new one for it, opens
// by the passphrase.
func (s *Store) ByPassphrase(profile credential.Profile) bool {
	h, _ := s.header(profile)
	return h.Key == byPassphrase
}

// Probe writes a file of the largest size beside the profile's and removes it.
// The key has to be at hand.
func (s *Store) Probe(ctx context.Context, profile credential.Profile) error {
	h, there := s.header(profile)
	if _, err := s.keyOf(ctx, h, !there); err != nil {
		return err
	}
	probe := s.Where(profile) + ".probe"
	err := atomicfile.Replace(probe, make([]byte, maxFile), atomicfile.SecretDir, atomicfile.SecretFile)
	if removed := os.Remove(probe); err == nil && removed != nil {
		err = removed
	}
	if err != nil {
		return fmt.Errorf("making room for the renewed credential: %w", err)
	}
	return nil
}

// Delete removes the profile's file. The key of other files stays.
func (s *Store) Delete(_ context.Context, profile credential.Profile) error {
	return atomicfile.Remove(s.Where(profile))
}

// Forget removes the profile's file, also one that was set aside.
func (s *Store) Forget(_ context.Context, profile credential.Profile) error {
	return errors.Join(atomicfile.Remove(s.Where(profile)), atomicfile.Remove(s.Where(profile)+atomicfile.Damaged))
}

// SetAside renames the profile's file.
func (s *Store) SetAside(_ context.Context, profile credential.Profile) (string, error) {
	return atomicfile.SetAside(s.Where(profile))
}

// Lock takes an exclusive lock on NAME.lock beside the profile's file.
func (s *Store) Lock(ctx context.Context, profile credential.Profile) (func(), error) {
	return lockfile.Folder(s.Dir).Lock(ctx, profile)
}
