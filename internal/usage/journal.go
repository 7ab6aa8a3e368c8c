package usage

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

// journal is the current run's part of a ledger folder. Records are encoded into
// the tail and written at once; the next sync makes them durable. The tail keeps
// what is not yet known to be durable, so that it can be written again elsewhere
// if the disk fails.
type journal struct {
	disk   disk
	folder string
	run    uint64
	config *Config
	log    *slog.Logger
	slots  *slots

	wake chan struct{} // the syncer has work
	kick chan struct{} // the drain has enough work

	mu       sync.Mutex
	sealed   []*segment // full, the oldest first; removed when drained
	current  *segment
	next     *segment // made ahead
	numbers  uint64   // the last one given to a segment
	tail     []byte
	written  int // of the tail, in the current segment
	spare    []byte
	batch    *batch
	promised int64 // what open reservations may still write
	bytes    int64 // of all segments
	open     int
	fresh    int       // records since the drain last looked
	since    time.Time // when the oldest record that is not drained came; zero: none
	failure  error     // why the disk cannot be written to just now
	closed   bool
}

// batch is what one sync makes durable together.
type batch struct {
	done chan struct{}
	err  error
}

func newBatch() *batch { return &batch{done: make(chan struct{})} }

func (b *batch) finish(err error) {
	b.err = err
	close(b.done)
}

func openJournal(folder string, run uint64, config *Config, d disk) (*journal, error) {
	j := &journal{disk: d, folder: folder, run: run, config: config, log: config.Log,
		wake: make(chan struct{}, 1), kick: make(chan struct{}, 1), batch: newBatch()}
	var err error
	if j.slots, err = makeSlots(filepath.Join(folder, slotsName(run)), config.Slots); err != nil {
		return nil, fmt.Errorf("making room for the progress of requests: %w", err)
	}
	if j.current, err = j.make(config.SegmentBytes, 0); err != nil {
		return nil, errors.Join(fmt.Errorf("making the first segment: %w", err), os.Remove(j.slots.path))
	}
	return j, nil
}

func (j *journal) make(size int64, flags uint32) (*segment, error) {
	j.numbers++
	s, err := j.allocate(j.numbers, size, flags)
	if err == nil {
		j.bytes += size
	}
	return s, err
}

func (j *journal) allocate(number uint64, size int64, flags uint32) (*segment, error) {
	path := filepath.Join(j.folder, segmentName(j.run, number))
	file, err := j.disk.allocate(path, headerOf(flags), size)
	if err != nil {
		return nil, err
	}
	return &segment{number: number, path: path, file: file, size: size, used: segmentHeader}, nil
}

var errFull = errors.New("the journal has reached its limit: the database has not taken anything for too long")

// reserve books h. What its settlement will need is set aside.
func (j *journal) reserve(h *Hold) error {
	settle := int64(frameHeader + 1 + len(h.request) + maxOutcome)
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return fault.New(fault.Unavailable, "the server is shutting down").After(time.Second)
	}
	err := j.failure
	if err == nil {
		err = j.room(int64(frameHeader+1+len(h.request)) + settle)
	}
	if err != nil {
		j.signal() // it may have recovered
		return fault.Wrap(fault.Unavailable, err, "the ledger cannot take a request just now").After(5 * time.Second)
	}
	h.slot = j.slots.take(h.id)
	patchSlot(h.request, h.slot)
	before := len(j.tail)
	j.tail = appendFrame(j.tail, kindReserve, h.request, nil)
	// Written now and not only when it is synced: the upstream is about to count
	// this request, and the process may die in the next instant.
	if err := j.flush(); err != nil {
		j.tail = j.tail[:before]
		j.slots.give(h.slot)
		j.signal()
		return fault.Wrap(fault.Unavailable, err, "the ledger cannot take a request just now").After(5 * time.Second)
	}
	j.promised += settle
	j.open++
	h.batch = j.batch
	j.noted()
	return nil
}

// settle closes h. It is written when settle returns nil; otherwise it is kept
// and written as soon as the disk can be written to again.
func (j *journal) settle(h *Hold, outcome []byte) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.promised -= int64(frameHeader + 1 + len(h.request) + maxOutcome)
	j.open--
	j.tail = appendFrame(j.tail, kindSettle, h.request, outcome)
	err := j.failure
	if err == nil {
		err = j.flush()
	}
	j.slots.give(h.slot)
	j.noted()
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the ledger could not be written")
	}
	return nil
}

// carry copies a reservation that is still open out of an old segment.
func (j *journal) carry(request []byte) (*batch, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.failure != nil {
		return nil, j.failure
	}
	if err := j.room(int64(frameHeader + 1 + len(request))); err != nil {
		return nil, err
	}
	j.tail = appendFrame(j.tail, kindCarry, request, nil)
	j.noted()
	return j.batch, nil
}

// noted tells the syncer, and once in a while the drain, of a new record.
func (j *journal) noted() {
	if j.since.IsZero() {
		j.since = j.config.Now()
	}
	if j.fresh++; j.fresh == j.config.BatchRows {
		nudge(j.kick)
	}
	j.signal()
}

func (j *journal) signal() { nudge(j.wake) }

func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// room sees to it that n bytes fit beside all that is promised.
func (j *journal) room(n int64) error {
	need := int64(len(j.tail)-j.written) + j.promised + n
	if j.current.used+need <= j.current.size {
		return nil
	}
	if err := j.flush(); err != nil {
		return err
	}
	return j.rotate(j.promised+n, 0)
}

// rotate goes on in a new segment that holds need bytes.
func (j *journal) rotate(need int64, flags uint32) error {
	if j.next != nil && segmentHeader+need > j.next.size {
		j.discard(j.next)
		j.next = nil
	}
	if j.next == nil {
		size := max(j.config.SegmentBytes, segmentHeader+2*need)
		if j.bytes+size > j.config.LimitBytes {
			return errFull
		}
		next, err := j.make(size, flags)
		if err != nil {
			return err
		}
		j.next = next
	} else if flags != 0 {
		if err := j.disk.write(j.next.file, headerOf(flags), 0); err != nil {
			return err
		}
	}
	j.sealed = append(j.sealed, j.current)
	j.current, j.next = j.next, nil
	return nil
}

func (j *journal) discard(s *segment) {
	j.bytes -= s.size
	if err := errors.Join(s.file.Close(), os.Remove(s.path)); err != nil {
		j.log.Warn("removing an unused segment of the ledger", "error", err)
	}
}

// flush writes what the tail holds beyond what is written.
func (j *journal) flush() error {
	if j.written == len(j.tail) {
		return nil
	}
	s := j.current
	s.dirty = true
	if err := j.disk.write(s.file, j.tail[j.written:], s.used); err != nil {
		j.failed(err)
		return err
	}
	s.used += int64(len(j.tail) - j.written)
	j.written = len(j.tail)
	return nil
}

func (j *journal) failed(err error) {
	if j.failure == nil {
		j.log.Error("the ledger's disk cannot be written to; requests are refused until it can", "folder", j.folder, "error", err)
	}
	j.failure = err
}

// retryEvery is how often a failed disk is tried again.
const retryEvery = 250 * time.Millisecond

// syncer makes what is written durable, for all that wait at once, and not more
// often than the disk needs to.
func (j *journal) syncer(stop <-chan struct{}) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	pause := func(d time.Duration) {
		timer.Reset(d)
		select {
		case <-timer.C:
		case <-stop:
		}
	}
	for {
		select {
		case <-j.wake:
		case <-stop:
			j.sync()
			return
		}
		if j.sync() != nil {
			pause(retryEvery)
			j.signal()
			continue
		}
		j.prepare()
		pause(j.config.SyncEvery)
	}
}

// sync writes and makes durable all that is in the tail now.
func (j *journal) sync() error {
	j.mu.Lock()
	if j.failure != nil {
		j.recover()
	} else {
		_ = j.flush() // recorded as the failure
	}
	b, err := j.batch, j.failure
	j.batch = newBatch()
	var dirty []*segment
	var syncing []byte
	if err == nil {
		for _, s := range append(j.sealed[:len(j.sealed):len(j.sealed)], j.current) {
			if s.dirty {
				s.dirty, s.busy = false, true
				dirty = append(dirty, s)
			}
		}
		syncing, j.tail, j.written, j.spare = j.tail, j.spare[:0], 0, nil
	}
	j.mu.Unlock()
	for _, s := range dirty {
		if err = j.disk.sync(s.file); err != nil {
			break
		}
	}
	if len(dirty) > 0 {
		j.mu.Lock()
		for _, s := range dirty {
			s.busy = false
		}
		if err != nil {
			// What was not made durable may be lost even if a later sync says
			// otherwise: it is written again, to another file.
			j.tail = append(syncing, j.tail...)
			j.written = 0
			j.failed(err)
		} else {
			j.spare = syncing[:0]
		}
		j.mu.Unlock()
	}
	b.finish(err)
	return err
}

// recover goes on in a new segment after a failure, beginning with all that is
// not known to be durable.
func (j *journal) recover() {
	j.written = 0
	if err := j.rotate(int64(len(j.tail))+j.promised, flagAfterFailure); err != nil {
		j.failure = err
		return
	}
	j.failure = nil
	if j.flush() == nil {
		j.log.Info("the ledger's disk can be written to again", "folder", j.folder)
	}
}

// prepare makes the next segment before it is needed. If that fails it will be
// tried again when it is.
func (j *journal) prepare() {
	j.mu.Lock()
	size := j.config.SegmentBytes
	if j.next != nil || j.current.used <= j.current.size/2 || j.bytes+size > j.config.LimitBytes || j.closed {
		j.mu.Unlock()
		return
	}
	j.numbers++
	number := j.numbers
	j.mu.Unlock()
	s, err := j.allocate(number, size, 0)
	if err != nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.bytes += size
	if j.next != nil || j.current.number > number {
		j.discard(s) // somebody could not wait
		return
	}
	j.next = s
}

// view is what the drain may read of a segment.
type view struct {
	*segment
	end int64
}

// views lists the segments from a number on, and forgets that there was news.
func (j *journal) views(from uint64) (all []view, pending bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.fresh = 0
	for _, s := range j.sealed {
		if s.number >= from {
			all = append(all, view{s, s.used})
		}
	}
	return append(all, view{j.current, j.current.used}), j.written < len(j.tail)
}

// remove deletes sealed segments before a number.
func (j *journal) remove(before uint64) {
	j.mu.Lock()
	var gone []*segment
	for len(j.sealed) > 0 && j.sealed[0].number < before && !j.sealed[0].busy {
		gone = append(gone, j.sealed[0])
		j.bytes -= j.sealed[0].size
		j.sealed = j.sealed[1:]
	}
	j.mu.Unlock()
	for _, s := range gone {
		if err := errors.Join(s.file.Close(), os.Remove(s.path)); err != nil {
			j.log.Warn("removing a drained segment of the ledger", "error", err)
		}
	}
}
