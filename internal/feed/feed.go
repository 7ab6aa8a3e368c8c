package feed

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/id"
)

// Change is what the feed tells of one entry of the log.
type Change struct {
	Position     int64
	Organization id.Organization
	Type         audit.Type
	Target       string
	Affects      []string // ids of what credentials depend on and must be asked for again
}

// Source is the log.
type Source interface {
	// Head returns how many entries there are.
	Head(ctx context.Context) (size int64, signed string, err error)
	// Changes returns up to limit entries from a place on, in order.
	Changes(ctx context.Context, from int64, limit int) ([]Change, error)
}

// Listener is told of changes, in order, one call at a time. If it fails it is
// told the same changes again.
type Listener func(ctx context.Context, changes []Change) error

// Feed reads the log. Use Open, then Run.
type Feed struct {
	source   Source
	interval time.Duration
	now      func() time.Time
	log      *slog.Logger
	listen   Listener
	wake     chan struct{}
	next     int64
	heard    atomic.Int64 // microseconds
}

const (
	batch   = 500
	timeout = 3 * time.Second
)

// Open starts at the present end of the log.
func Open(ctx context.Context, source Source, interval time.Duration, now func() time.Time, log *slog.Logger) (*Feed, error) {
	size, _, err := source.Head(ctx)
	if err != nil {
		return nil, err
	}
	f := &Feed{source: source, interval: interval, now: now, log: log, wake: make(chan struct{}, 1), next: size}
	f.heard.Store(now().UnixMicro())
	return f, nil
}

// Heard is when the log last answered.
func (f *Feed) Heard() time.Time { return time.UnixMicro(f.heard.Load()) }

// Wake makes the feed look at once. It never blocks.
func (f *Feed) Wake() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// Run tells the listener of changes until the context ends.
func (f *Feed) Run(ctx context.Context, listen Listener) {
	f.listen = listen
	tick := time.NewTicker(f.interval)
	defer tick.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-f.wake:
		}
		err := f.catchUp(ctx)
		if err != nil && ctx.Err() == nil && !failing {
			f.log.Error("the database does not tell what changed; credentials in use go on working for a while", "error", err)
		}
		if err == nil && failing {
			f.log.Info("the database answers again")
		}
		failing = err != nil
	}
}

func (f *Feed) catchUp(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for {
		changes, err := f.source.Changes(ctx, f.next, batch)
		if err != nil {
			return err
		}
		if len(changes) > 0 {
			if err := f.listen(ctx, changes); err != nil {
				return err
			}
			f.next = changes[len(changes)-1].Position + 1
		}
		f.heard.Store(f.now().UnixMicro())
		if len(changes) < batch {
			return nil
		}
	}
}
