package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gatehouse-dev/gatehouse/internal/atomicfile"
	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/keystore"
	"github.com/gatehouse-dev/gatehouse/internal/keystore/lockfile"
)

// Store keeps pairs in Dir, one file for each profile. Dir is required and is
// made when the first pair is saved.
type Store struct{ Dir string }

var (
	_ keystore.Home   = Store{}
	_ keystore.Prober = Store{}
)

// Name is "file".
func (s Store) Name() string { return keystore.File }

// Where is the path of the profile's file.
func (s Store) Where(profile credential.Profile) string {
	return filepath.Join(s.Dir, profile.SDKName()+".json")
}

// Load reads the profile's file.
func (s Store) Load(_ context.Context, profile credential.Profile) (credential.Pair, error) {
	path := s.Where(profile)
	b, err := atomicfile.ReadPrivate(path, credential.MaxEncoded)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return credential.Pair{}, fault.Wrap(fault.NotFound, err, "no credential is stored")
	case err != nil:
		if unsafe, ok := errors.AsType[*atomicfile.UnsafeError](err); ok {
			return credential.Pair{}, fault.New(fault.Invalid, "%w", unsafe).WithHint(unsafe.Mend)
		}
		return credential.Pair{}, fmt.Errorf("reading the stored credential: %w", err)
	}
	pair, err := credential.Decode(b)
	if err != nil {
		return credential.Pair{}, fault.New(fault.Invalid, "%s cannot be used, because %w", path, err).
			WithHint("gatehouse login" + profile.Flag())
	}
	return pair, nil
}

// Save replaces the profile's file.
func (s Store) Save(_ context.Context, profile credential.Profile, pair credential.Pair) error {
	b, err := credential.Encode(pair)
	if err != nil {
		return err
	}
	if err := atomicfile.Replace(s.Where(profile), b, atomicfile.SecretDir, atomicfile.SecretFile); err != nil {
		return fmt.Errorf("saving the credential: %w", err)
	}
	return nil
}

// Probe writes a file of the largest size beside the profile's and removes it.
func (s Store) Probe(_ context.Context, profile credential.Profile) error {
	probe := s.Where(profile) + ".probe"
	err := atomicfile.Replace(probe, make([]byte, credential.MaxEncoded), atomicfile.SecretDir, atomicfile.SecretFile)
	if removed := os.Remove(probe); err == nil && removed != nil {
		err = removed
	}
	if err != nil {
		return fmt.Errorf("making room for the renewed credential: %w", err)
	}
	return nil
}

// Delete removes the profile's file. The lock file stays.
func (s Store) Delete(_ context.Context, profile credential.Profile) error {
	return atomicfile.Remove(s.Where(profile))
}

// Forget removes the profile's file, also one that was set aside.
func (s Store) Forget(_ context.Context, profile credential.Profile) error {
	return errors.Join(atomicfile.Remove(s.Where(profile)), atomicfile.Remove(s.Where(profile)+atomicfile.Damaged))
}

// SetAside renames the profile's file.
func (s Store) SetAside(_ context.Context, profile credential.Profile) (string, error) {
	return atomicfile.SetAside(s.Where(profile))
}

// Lock takes an exclusive lock on NAME.lock beside the profile's file.
func (s Store) Lock(ctx context.Context, profile credential.Profile) (func(), error) {
	return lockfile.Folder(s.Dir).Lock(ctx, profile)
}
