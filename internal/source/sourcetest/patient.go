package sourcetest

import (
	"context"
	"time"
)

// Patient is a wait that is never over before its context.
func Patient(ctx context.Context, _ time.Duration) error {
	<-ctx.Done()
	return ctx.Err()
}
