package feed

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/id"
)

// Change is what the feed tells of one entry of the log, or, with Reset set and
// nothing else, that the log is not the one that was followed until now.
type Change struct {
	Reset        bool // whatever is remembered may be wrong: ask for all of it again
	Position     int64
	ID           id.Activity
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
// told the same changes again. One with Reset comes alone.
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
	last     id.Activity  // the entry before next, by which the log is known again; empty if not known
	resets   time.Time    // when the next reset may be told
	heard    atomic.Int64 // microseconds
}

const (
	batch        = 500
	timeout      = 3 * time.Second
	resetTimeout = 30 * time.Second // everything is asked for again
	resetEvery   = time.Second
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
	for {
		n, err := f.step(ctx)
		if err != nil || n < batch {
			return err
		}
	}
}

// step tells one batch of changes and returns how many there were. It reads the
// last entry that was told once more: if that is gone, or is another one, the
// log became shorter or was replaced, and what is remembered rests on nothing.
func (f *Feed) step(ctx context.Context) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	from := max(f.next-1, 0)
	changes, err := f.source.Changes(ctx, from, batch+1)
	if err != nil {
		return 0, err
	}
	var before id.Activity
	if len(changes) > 0 && changes[0].Position < f.next {
		before, changes = changes[0].ID, changes[1:]
	}
	if f.last != "" && before != f.last {
		return 0, f.startAgain(context.WithoutCancel(ctx))
	}
	f.last = before
	if n := len(changes); n > 0 {
		if err := f.listen(ctx, changes); err != nil {
			return 0, err
		}
		f.next, f.last = changes[n-1].Position+1, changes[n-1].ID
	}
	f.heard.Store(f.now().UnixMicro())
	return len(changes), nil
}

// startAgain follows the log that is there now from its present end on. That
// end is read first: what comes while everything is asked for again is told.
func (f *Feed) startAgain(ctx context.Context) error {
	if f.now().Before(f.resets) {
		return errAgain
	}
	f.resets = f.now().Add(resetEvery)
	ctx, cancel := context.WithTimeout(ctx, resetTimeout)
	defer cancel()
	size, _, err := f.source.Head(ctx)
	if err != nil {
		return err
	}
	f.log.Error("the record of activity is not the one that was followed: an older state of the database was put back, or another took its place; everything is asked for again",
		"known", f.next, "there", size)
	if err := f.listen(ctx, []Change{{Reset: true}}); err != nil {
		return err
	}
	f.next, f.last = size, ""
	f.heard.Store(f.now().UnixMicro())
	return nil
}

var errAgain = errors.New("the log was replaced once more within a second")
