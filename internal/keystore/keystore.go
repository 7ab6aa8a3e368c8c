package keystore

import (
	"context"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
)

// How long a backend is waited for. What has not answered by then fails with
// fault.Unavailable.
const (
	// Patience is for finding out whether a backend can be used at all.
	Patience = 2 * time.Second
	// BusyPatience is for a call to the one that is used. A keyring answers one
	// after the other, and hundreds of programs may ask at the same moment: a busy
	// one is not a dead one.
	BusyPatience = 8 * time.Second
)

// The backends, by the names that people and files use.
const (
	Keychain      = "keychain"       // macOS
	WinCred       = "wincred"        // Windows
	SecretService = "secret-service" // GNOME Keyring, KWallet and others on D-Bus
	Sealed        = "sealed"
	File          = "file"
)

// Store keeps one credential pair per profile. Its methods may be called
// concurrently, by several processes too, and see whole pairs only.
type Store interface {
	// Name says where pairs are kept, in one word: File, Keychain, and so on.
	Name() string
	// Where names the place of one profile for a person, without secrets.
	Where(profile credential.Profile) string
	// Load returns the pair of a profile. It fails with fault.NotFound if there
	// is none, with fault.Invalid if what is there cannot be trusted or read, and
	// with fault.Unavailable if the backend is locked or does not answer.
	Load(ctx context.Context, profile credential.Profile) (credential.Pair, error)
	// Save makes pair the profile's only one. After an error the old one stands,
	// unless the error is fault.Unavailable: then either may.
	Save(ctx context.Context, profile credential.Profile, pair credential.Pair) error
	// Delete removes the pair. It is no error if there is none.
	Delete(ctx context.Context, profile credential.Profile) error
	// Forget removes the pair and what was set aside.
	Forget(ctx context.Context, profile credential.Profile) error
	// SetAside keeps what Load calls Invalid in another place, and names that
	// place. The profile is empty afterwards; an older entry set aside is lost.
	SetAside(ctx context.Context, profile credential.Profile) (where string, err error)
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

// Home is a Store with a lock.
type Home interface {
	Store
	Locker
}
