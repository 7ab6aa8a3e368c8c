package lockfile

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gatehouse-dev/gatehouse/internal/atomicfile"
	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/keystore"
	"github.com/gofrs/flock"
)

// Folder is where the lock files are. It is made when it is first needed.
type Folder string

var _ keystore.Locker = Folder("")

// Lock takes the exclusive lock NAME.lock, where NAME is the profile's name
// among the SDKs.
func (f Folder) Lock(ctx context.Context, profile credential.Profile) (func(), error) {
	if err := os.MkdirAll(string(f), atomicfile.SecretDir); err != nil {
		return nil, fmt.Errorf("making the folder of the lock: %w", err)
	}
	lock := flock.New(filepath.Join(string(f), profile.SDKName()+".lock"), flock.SetPermissions(atomicfile.SecretFile))
	held, err := lock.TryLock()
	if err == nil && !held {
		err = wait(ctx, lock)
	}
	if ctx.Err() != nil {
		if err == nil {
			_ = lock.Unlock()
		}
		return nil, fault.Wrap(fault.Unavailable, ctx.Err(), "another gatehouse is renewing the credential and has not finished").
			WithHint("gatehouse status" + profile.Flag())
	}
	if err != nil {
		return nil, fmt.Errorf("locking the credential: %w", err)
	}
	return func() { _ = lock.Unlock() }, nil
}

// wait lets the system wake us: hundreds who look again every few milliseconds
// would keep the holder from working. A wait that is given up goes on in the
// background, and lets go of the lock as soon as it has it.
func wait(ctx context.Context, lock *flock.Flock) error {
	done := make(chan error, 1)
	go func() { done <- lock.Lock() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		go func() {
			if <-done == nil {
				_ = lock.Unlock()
			}
		}()
		return ctx.Err()
	}
}
