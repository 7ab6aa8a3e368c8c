package patience

import (
	"context"
	"time"
)

// Wait returns nil after d, or the context's error before that.
type Wait func(ctx context.Context, d time.Duration) error

// Limit returns a context that ends after d, with context.DeadlineExceeded as
// its cause (context.Cause), or with its parent. stop frees it.
func (w Wait) Limit(parent context.Context, d time.Duration) (limited context.Context, stop func()) {
	ctx, end := context.WithCancelCause(parent)
	go func() {
		if w(ctx, d) == nil {
			end(context.DeadlineExceeded)
		}
	}()
	return ctx, func() { end(nil) }
}

// Remind calls tell every so often, with the time so far, until ctx ends.
func (w Wait) Remind(ctx context.Context, every time.Duration, tell func(sofar time.Duration)) {
	for sofar := every; w(ctx, every) == nil; sofar += every {
		tell(sofar)
	}
}
