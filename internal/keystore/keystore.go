package keystore

import (
	"context"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
)

// Store keeps one credential pair per profile. Its methods may be called
// concurrently, by several processes too, and see whole pairs only.
type Store interface {
	// Name says where pairs are kept, in one word: "file".
	Name() string
	// Where names the place of one profile for a person, without secrets.
	Where(profile credential.Profile) string
	// Load returns the pair of a profile. It fails with fault.NotFound if there
	// is none, and with fault.Invalid if what is there cannot be trusted or read.
	Load(ctx context.Context, profile credential.Profile) (credential.Pair, error)
	// Save makes pair the profile's only one. After an error the old one stands.
	Save(ctx context.Context, profile credential.Profile, pair credential.Pair) error
	// Delete removes the pair. It is no error if there is none.
	Delete(ctx context.Context, profile credential.Profile) error
}

// Prober is a Store that can tell beforehand whether Save would work. Asking
// before a refresh token is used up keeps a full disk from ending the sign-in.
type Prober interface {
	// Probe fails as Save would, and changes nothing.
	Probe(ctx context.Context, profile credential.Profile) error
}

// Locker keeps processes apart while they renew.
type Locker interface {
	// Lock waits until this call alone holds the profile, or ctx ends: then it
	// fails with fault.Unavailable. The caller calls release exactly once. The
	// lock of a process that dies is free at once. Lock may not be called again
	// by the holder before release.
	Lock(ctx context.Context, profile credential.Profile) (release func(), err error)
}
