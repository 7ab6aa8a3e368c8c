package usage

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/id"
)

// drain moves what is in the journal to the database.
type drain struct {
	ledger *Ledger
	*collector
	number uint64 // the segment that is being read
	offset int64  // in it
	read   time.Time
	idle   bool     // at its last look there was nothing left
	blocks [][]byte // to read into; rows point into them
	filled int      // how many of them do

	mu       sync.Mutex
	stored   [2]int64 // number and offset up to which all is in the database
	moved    chan struct{}
	failure  error
	replayed bool
}

func newDrain(l *Ledger) *drain {
	return &drain{ledger: l, number: 1, offset: segmentHeader, moved: make(chan struct{}), stored: [2]int64{1, segmentHeader},
		collector: &collector{log: l.log, open: map[id.Request]*reservation{}, live: true, lost: &l.damaged}}
}

// readBytes is how much of a segment is read at once.
const readBytes = 1 << 18

// maxPause is the longest wait after the database has failed.
const maxPause = 5 * time.Second

func (d *drain) work(ctx context.Context) {
	pause := d.ledger.config.DrainEvery
	timer := time.NewTimer(pause)
	defer timer.Stop()
	for {
		if err := d.round(ctx); err != nil {
			if ctx.Err() != nil {
				return
			}
			pause = min(2*pause, max(maxPause, d.ledger.config.DrainEvery))
		} else {
			pause = d.ledger.config.DrainEvery
		}
		timer.Reset(pause)
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-d.ledger.journal.kick:
		}
	}
}

// round drains until there is nothing left or something fails.
func (d *drain) round(ctx context.Context) (err error) {
	defer func() { d.tell(err) }()
	for len(d.ledger.left) > 0 {
		if err := d.ledger.replay(ctx, d.ledger.left[0]); err != nil {
			return err
		}
		d.ledger.left = d.ledger.left[1:]
	}
	for {
		if err := d.fill(); err != nil {
			return err
		}
		if err := d.ledger.storeAll(ctx, d.collector); err != nil {
			return err
		}
		d.tell(nil)
		if err := d.release(ctx); err != nil {
			return err
		}
		if d.idle {
			return nil
		}
	}
}

// tell records how far it has come and wakes who waits for that.
func (d *drain) tell(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil && d.failure == nil {
		d.log.Warn("the ledger cannot reach the database; requests go on and are kept on disk", "error", err)
	} else if err == nil && d.failure != nil {
		d.log.Info("the ledger reaches the database again")
	}
	d.failure = err
	d.replayed = len(d.ledger.left) == 0
	if len(d.rows) == 0 {
		d.stored = [2]int64{int64(d.number), d.offset}
	}
	close(d.moved)
	d.moved = make(chan struct{})
	if err == nil && d.idle {
		d.ledger.journal.drainedAt(d.number, d.offset, d.read)
	}
}

func (d *drain) position() (number uint64, offset int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return uint64(d.stored[0]), d.stored[1]
}

// fill reads records until there are enough rows for a transaction. It does
// nothing while rows wait that could not be stored.
func (d *drain) fill() error {
	if len(d.rows) > 0 {
		return nil
	}
	config := &d.ledger.config
	d.read = config.Now()
	views, _ := d.ledger.journal.views(d.number)
	d.idle, d.filled = false, 0
	for i, v := range views {
		if v.number != d.number {
			d.number, d.offset = v.number, segmentHeader
		}
		for d.offset < v.end {
			if len(d.rows) >= config.BatchRows {
				return nil
			}
			if err := d.readSome(v); err != nil {
				return err
			}
		}
		d.idle = i == len(views)-1
	}
	d.old(d.read.Add(-config.ReserveAfter), config.BatchRows)
	return nil
}

// readSome reads a block of a segment.
func (d *drain) readSome(v view) error {
	size := min(v.end-d.offset, readBytes)
	for {
		block := d.block(int(size))
		if _, err := v.file.ReadAt(block, d.offset); err != nil && err != io.EOF {
			return fmt.Errorf("reading the ledger's journal: %w", err)
		}
		data := stringOf(block)
		final := d.offset+size == v.end
		consumed, damaged, torn := frames(data, final, func(payload string) { d.take(payload, v.number) })
		if consumed == 0 && !final {
			size = v.end - d.offset // damage: look for what follows it
			continue
		}
		if torn.to > torn.from {
			damaged = append(damaged, torn) // all up to here was written whole
		}
		for _, s := range damaged {
			d.damage(v.path, data, s)
		}
		d.offset += int64(consumed)
		d.keep()
		return nil
	}
}

// block returns memory that no row points into.
func (d *drain) block(size int) []byte {
	if d.filled == len(d.blocks) {
		d.blocks = append(d.blocks, make([]byte, readBytes))
	}
	d.filled++
	if size > readBytes {
		return make([]byte, size)
	}
	return d.blocks[d.filled-1][:size]
}

// release removes the segments that are drained, after what is open in them has
// been copied out.
func (d *drain) release(ctx context.Context) error {
	j := d.ledger.journal
	if views, _ := j.views(0); views[0].number >= d.number {
		return nil
	}
	var last *batch
	for _, o := range d.open {
		if o.segment >= d.number {
			continue
		}
		b, err := j.carry(bytesOf(o.payload[1:]))
		if err != nil {
			return fmt.Errorf("moving open reservations: %w", err)
		}
		o.segment, last = d.number, b
	}
	if last != nil {
		select {
		case <-last.done:
		case <-ctx.Done():
			return ctx.Err()
		}
		if last.err != nil {
			return fmt.Errorf("moving open reservations: %w", last.err)
		}
	}
	j.remove(d.number)
	return nil
}

// flush waits until all that was written before is stored.
func (d *drain) flush(ctx context.Context) error {
	j := d.ledger.journal
	for target := (*[2]int64)(nil); ; {
		d.mu.Lock()
		moved, failure, stored, replayed := d.moved, d.failure, d.stored, d.replayed
		d.mu.Unlock()
		if target == nil {
			target = j.end()
		}
		if target != nil && replayed && (stored[0] > target[0] || stored[0] == target[0] && stored[1] >= target[1]) {
			return nil
		}
		nudge(j.kick)
		select {
		case <-moved:
		case <-ctx.Done():
			if failure == nil {
				failure = ctx.Err()
			}
			return fmt.Errorf("waiting for the ledger to be drained: %w", failure)
		}
	}
}

// end is where the journal ends now; nil if that is not written.
func (j *journal) end() *[2]int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.failure != nil || j.flush() != nil {
		return nil
	}
	return &[2]int64{int64(j.current.number), j.current.used}
}

// drainedAt notes that all up to a place, read at a time, is in the database.
func (j *journal) drainedAt(number uint64, offset int64, at time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.current.number == number && j.current.used == offset && j.written == len(j.tail) {
		j.since = time.Time{}
	} else {
		j.since = at
	}
}

// storeAll appends the collected rows in transactions of a bounded size.
func (l *Ledger) storeAll(ctx context.Context, c *collector) error {
	for len(c.rows) > 0 {
		n := min(len(c.rows), l.config.BatchRows)
		if err := l.config.Store.Append(ctx, c.rows[:n]); err != nil {
			return err
		}
		left := copy(c.rows, c.rows[n:])
		clear(c.rows[left:])
		c.rows = c.rows[:left]
	}
	return nil
}
