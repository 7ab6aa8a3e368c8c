package store

import (
	"context"
	"errors"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
)

// recordMade is record for what only turns out on the way: f returns the events
// of what it changed. Without any there is nothing to tell.
func (db *DB) recordMade(ctx context.Context, f func(tx) ([]audit.Event, error)) error {
	if db.signer == nil {
		return errors.New("the activity log has no signing key yet")
	}
	told := false
	err := db.upkeep(ctx, func(t tx) error {
		events, err := f(t)
		if told = len(events) > 0; err != nil || !told {
			return err
		}
		return db.appendAll(t, events)
	})
	if err == nil && told {
		db.wake()
	}
	return err
}
