package lockfile

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/atomicfile"
	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/keystore"
	"github.com/gofrs/flock"
)

// Folder is where the lock files are. It is made when it is first needed.
type Folder string

var _ keystore.Locker = Folder("")

const retry = 10 * time.Millisecond

// Lock takes the exclusive lock NAME.lock, where NAME is the profile's name
// among the SDKs.
func (f Folder) Lock(ctx context.Context, profile credential.Profile) (func(), error) {
	if err := os.MkdirAll(string(f), atomicfile.SecretDir); err != nil {
		return nil, fmt.Errorf("making the folder of the lock: %w", err)
	}
	lock := flock.New(filepath.Join(string(f), profile.SDKName()+".lock"), flock.SetPermissions(atomicfile.SecretFile))
	held, err := lock.TryLockContext(ctx, retry)
	if ctx.Err() != nil {
		if held {
			_ = lock.Unlock()
		}
		return nil, fault.Wrap(fault.Unavailable, ctx.Err(), "another gatehouse is renewing the credential and has not finished").
			WithHint("gatehouse status" + profile.Flag())
	}
	if err != nil || !held {
		return nil, fmt.Errorf("locking the credential: %w", err)
	}
	return func() { _ = lock.Unlock() }, nil
}
