package usage

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/price"
)

// Appender is the database's side of the ledger.
type Appender interface {
	// Append adds entries in one transaction, in order. An entry whose
	// organization, request and kind are there already is passed over. It must
	// not keep the slice or anything in it.
	Append(ctx context.Context, entries []Entry) error
}

// Config says how a ledger is kept. Zero values take what is said beside them.
type Config struct {
	Dir   string   // where the journals are; one ledger of a process per folder
	Store Appender // needed
	Book  *price.Book
	Log   *slog.Logger
	Now   func() time.Time

	SegmentBytes int64         // 4 MiB: what a segment sets aside
	LimitBytes   int64         // 1 GiB: what the journal may take while the database is gone
	Slots        int           // 8192: open requests whose progress is kept; more have none
	SyncEvery    time.Duration // 2 ms: at most this often is the disk asked to be durable
	DrainEvery   time.Duration // 250 ms
	BatchRows    int           // 2000: entries in a transaction
	ReserveAfter time.Duration // 5 s: a reservation that is open longer gets an entry of its own
}

func (c *Config) fill() error {
	if c.Dir == "" || c.Store == nil {
		return errors.New("a ledger needs a folder and a database")
	}
	if c.Book == nil {
		c.Book = price.Default()
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.SegmentBytes = orElse(c.SegmentBytes, 4<<20)
	c.LimitBytes = orElse(c.LimitBytes, 1<<30)
	c.Slots = orElse(c.Slots, 8192)
	c.SyncEvery = orElse(c.SyncEvery, 2*time.Millisecond)
	c.DrainEvery = orElse(c.DrainEvery, 250*time.Millisecond)
	c.BatchRows = orElse(c.BatchRows, 2000)
	c.ReserveAfter = orElse(c.ReserveAfter, 5*time.Second)
	return nil
}

func orElse[T int | int64 | time.Duration](v, otherwise T) T {
	if v <= 0 {
		return otherwise
	}
	return v
}

// Ledger records what requests cost. Its methods may be called concurrently.
type Ledger struct {
	config  Config
	log     *slog.Logger
	journal *journal
	claims  []*claim
	left    []*run // of dead processes, to be replayed
	drain   *drain
	damaged atomic.Int64

	versions [price.AllTerms][2]string // of the price book, by terms: it knows the model, or not
	stop     context.CancelFunc
	halt     chan struct{} // stops the syncer
	running  sync.WaitGroup
}

// Open takes a folder and begins to keep the ledger in it. What processes left
// there that have died is brought into the database in the background, before
// anything new.
func Open(config Config) (*Ledger, error) { return open(config, realDisk()) }

func open(config Config, d disk) (_ *Ledger, err error) {
	if err := config.fill(); err != nil {
		return nil, err
	}
	l := &Ledger{config: config, log: config.Log, halt: make(chan struct{})}
	for under := range l.versions {
		version := config.Book.Version() + price.Terms(under).String()
		l.versions[under] = [2]string{version, version + "+dearest"}
	}
	if l.claims, err = claimAll(config.Dir); err != nil {
		return nil, err
	}
	last := uint64(0)
	for i, c := range l.claims {
		left, err := runs(c.path)
		if err != nil {
			return nil, errors.Join(err, releaseAll(l.claims))
		}
		if i == 0 && len(left) > 0 {
			last = left[len(left)-1].number
		}
		l.left = append(l.left, left...)
	}
	if l.journal, err = openJournal(l.claims[0].path, last+1, &l.config, d); err != nil {
		return nil, errors.Join(err, releaseAll(l.claims))
	}
	l.drain = newDrain(l)
	ctx, stop := context.WithCancel(context.Background())
	l.stop = stop
	l.running.Go(func() { l.drain.work(ctx) })
	l.running.Go(func() { l.journal.syncer(l.halt) })
	return l, nil
}

// Hold is a reservation. It is settled exactly once.
type Hold struct {
	ledger  *Ledger
	id      id.Request
	model   string
	at      time.Time
	under   price.Terms
	slot    int32
	settled atomic.Bool
	batch   *batch
	request []byte // encoded
	room    [320]byte
}

// Reserve books the worst plausible cost of a request and returns at once:
// written, so that it survives the process, and not yet durable. It fails with
// fault.Unavailable if the ledger cannot take it.
func (l *Ledger) Reserve(r Request) (*Hold, error) {
	if r.ID == "" || r.Organization == "" {
		return nil, fmt.Errorf("reserving: the request has no id or no organization")
	}
	h := &Hold{ledger: l, id: r.ID, model: r.Model, at: r.At, under: r.Terms, slot: noSlot}
	worst := l.config.Book.Worst(r.Model, r.At, r.BodyBytes, r.MaxTokens, r.Terms)
	h.request = appendRequest(h.room[:0], &r, worst, noSlot, l.version(r.Model, r.Terms))
	if err := l.journal.reserve(h); err != nil {
		return nil, err
	}
	return h, nil
}

// version names what a model's price is made of.
func (l *Ledger) version(model string, under price.Terms) string {
	if _, known := l.config.Book.ID(model); known {
		return l.versions[under][0]
	}
	return l.versions[under][1]
}

func patchSlot(request []byte, slot int32) { binary.LittleEndian.PutUint32(request, uint32(slot)) }

// Durable waits until the reservation is on disk. No byte of an answer reaches
// the client before. It fails with fault.Unavailable if it cannot be brought
// there; the reservation still wants to be settled.
func (h *Hold) Durable(ctx context.Context) error {
	select {
	case <-h.batch.done:
	default:
		select {
		case <-h.batch.done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err := h.batch.err; err != nil {
		return fault.Wrap(fault.Unavailable, err, "the ledger could not be written").After(5 * time.Second)
	}
	return nil
}

// Progress keeps what is known so far: the input once the upstream has said it,
// and an estimate of the output. If the process dies, the request is settled by
// it. It costs a few stores to memory and may be called for every event, by one
// goroutine at a time and not while the hold is being settled.
func (h *Hold) Progress(t price.Tokens) {
	if h.slot != noSlot && !h.settled.Load() {
		h.ledger.journal.slots.store(h.slot, t)
	}
}

// ErrSettled says that a hold has been settled before. Nothing was changed.
var ErrSettled = errors.New("the request is settled already")

// Settle replaces the reservation with what happened. When it returns nil that
// survives the death of the process, and of the machine a few milliseconds
// later. If it fails with fault.Unavailable the settlement is kept in memory and
// written as soon as the disk can be written to again.
func (h *Hold) Settle(o Outcome) error {
	if h.settled.Swap(true) {
		return ErrSettled
	}
	cost, _ := h.ledger.config.Book.Cost(h.model, h.at, o.Tokens, o.Terms)
	version := ""
	if o.Terms != h.under {
		version = h.ledger.version(h.model, o.Terms)
	}
	var room [maxOutcome]byte
	return h.ledger.journal.settle(h, appendOutcome(room[:0], &o, cost, version))
}

// Lag says how far the database is behind.
type Lag struct {
	Age     time.Duration // of the oldest record that it has not got
	Bytes   int64         // of records that it has not got
	OnDisk  int64         // what the journal takes
	Open    int           // reservations not settled
	Damaged int64         // stretches of journals that could not be read, since the start
}

// Lag reports it for metrics and readiness.
func (l *Ledger) Lag() Lag {
	number, offset := l.drain.position()
	j := l.journal
	j.mu.Lock()
	defer j.mu.Unlock()
	lag := Lag{Open: j.open, OnDisk: j.bytes, Damaged: l.damaged.Load(), Bytes: int64(len(j.tail) - j.written)}
	for _, s := range append(j.sealed[:len(j.sealed):len(j.sealed)], j.current) {
		switch {
		case s.number == number:
			lag.Bytes += s.used - offset
		case s.number > number:
			lag.Bytes += s.used - segmentHeader
		}
	}
	if !j.since.IsZero() {
		lag.Age = j.config.Now().Sub(j.since)
	}
	return lag
}

// Flush returns when all that was recorded before the call is in the database.
func (l *Ledger) Flush(ctx context.Context) error { return l.drain.flush(ctx) }

// Close ends the ledger. It tries to bring everything into the database until
// the context ends; what it cannot stays on disk for the next start. Holds that
// are still open end as Lost.
func (l *Ledger) Close(ctx context.Context) error {
	l.journal.mu.Lock()
	closed := l.journal.closed
	l.journal.closed = true
	l.journal.mu.Unlock()
	if closed {
		return nil
	}
	flushed := l.drain.flush(ctx)
	l.stop()
	close(l.halt)
	l.running.Wait()
	number, offset := l.drain.position()
	err := l.journal.close(flushed == nil && len(l.left) == 0, number, offset)
	return errors.Join(err, releaseAll(l.claims))
}

// close closes the files, and removes them if nothing in them is needed.
func (j *journal) close(drained bool, number uint64, offset int64) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	drained = drained && j.open == 0 && len(j.tail) == 0 && j.current.number == number && j.current.used == offset
	var err error
	for _, s := range append(j.sealed, j.current, j.next) {
		if s == nil {
			continue
		}
		err = errors.Join(err, s.file.Close())
		if drained {
			err = errors.Join(err, os.Remove(s.path))
		}
	}
	if drained {
		err = errors.Join(err, os.Remove(j.slots.path))
	}
	return err
}
