package usage

import (
	"errors"
	"os"
	"sync"
	"syscall"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

// badDisk is a disk that fails as it is told.
type badDisk struct {
	mu                    sync.Mutex
	allocate, write, sync error
	torn                  bool  // a write that fails has written half
	room                  int64 // for segments; below 0: no limit
	synced                int
	began, end            chan struct{} // of the first sync; nil: it does not wait
	forgets               bool          // a sync that fails has dropped what was written
	unsynced              map[string][]span
}

func (b *badDisk) set(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f()
}

func (b *badDisk) disk() disk {
	real := realDisk()
	return disk{
		allocate: func(path string, header []byte, size int64) (*os.File, error) {
			b.mu.Lock()
			defer b.mu.Unlock()
			if b.allocate != nil {
				return nil, b.allocate
			}
			if b.room >= 0 && b.room < size {
				return nil, syscall.ENOSPC
			}
			b.room -= size
			return real.allocate(path, header, size)
		},
		write: func(f *os.File, p []byte, at int64) error {
			b.mu.Lock()
			defer b.mu.Unlock()
			if b.write != nil {
				if b.torn {
					_ = real.write(f, p[:len(p)/2], at)
				}
				return b.write
			}
			if b.forgets {
				b.unsynced[f.Name()] = append(b.unsynced[f.Name()], span{int(at), int(at) + len(p)})
			}
			return real.write(f, p, at)
		},
		sync: func(f *os.File) error {
			b.mu.Lock()
			defer b.mu.Unlock()
			if b.synced++; b.synced == 1 && b.began != nil {
				close(b.began)
				b.mu.Unlock()
				<-b.end
				b.mu.Lock()
			}
			if b.sync != nil {
				for _, s := range b.unsynced[f.Name()] {
					_, _ = f.WriteAt(make([]byte, s.to-s.from), int64(s.from))
				}
				return b.sync
			}
			delete(b.unsynced, f.Name())
			return real.sync(f)
		},
	}
}

// fillUp reserves until that fails, and returns what it has reserved.
func fillUp(t *testing.T, l *Ledger) (open []*Hold) {
	t.Helper()
	for n := range 100_000 {
		h, err := l.Reserve(request(n))
		if err != nil {
			if !fault.Is(err, fault.Unavailable) {
				t.Fatalf("a full disk gave %v", err)
			}
			return open
		}
		if err := h.Durable(t.Context()); err != nil {
			t.Fatal(err)
		}
		open = append(open, h)
	}
	t.Fatal("the disk does not become full")
	return nil
}

// A full disk refuses what is new and settles what was begun; when there is room
// again it goes on.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	store, dir := newMemory(), t.TempDir()
	bad := &badDisk{room: 5 * 8192}
	l, err := open(small(dir, store), bad.disk())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close(t.Context()) })
	held := fillUp(t, l)
	for _, h := range held {
		settle(t, h, outcome(1))
	}
	flush(t, l)
	if got := len(store.settled()); got != len(held) || got < 10 {
		t.Errorf("%d of %d are settled", got, len(held))
	}
	bad.set(func() { bad.room = -1 })
	settle(t, reserve(t, l, request(100_001)), outcome(1))
	flush(t, l)
	if got := len(store.settled()); got != len(held)+1 {
		t.Errorf("after that %d of %d are settled", got, len(held)+1)
	}
}

// A disk that fails to write or to sync loses nothing that was acknowledged, nor
// what could only be kept in memory meanwhile.
func TestBrokenDisk(t *testing.T) {
	t.Parallel()
	broken := errors.New("input/output error")
	tests := map[string]func(b *badDisk, err error){
		"write": func(b *badDisk, err error) { b.write, b.allocate = err, err },
		"torn":  func(b *badDisk, err error) { b.write, b.allocate, b.torn = err, err, true },
		"sync":  func(b *badDisk, err error) { b.sync, b.allocate = err, err },
		"brief": func(b *badDisk, err error) { b.sync = err }, // the next segment is fine at once
	}
	for name, set := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store, dir := newMemory(), t.TempDir()
			bad := &badDisk{room: -1}
			l, err := open(small(dir, store), bad.disk())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = l.Close(t.Context()) })
			fine, during := reserve(t, l, request(1)), reserve(t, l, request(2))
			settle(t, fine, outcome(1))
			bad.set(func() { set(bad, broken) })
			h, err := l.Reserve(request(3))
			if err == nil {
				err = h.Durable(t.Context())
			}
			if !fault.Is(err, fault.Unavailable) {
				t.Errorf("a reservation on a broken disk gave %v", err)
			}
			if err := during.Settle(outcome(2)); err != nil && !fault.Is(err, fault.Unavailable) {
				t.Errorf("a settlement on a broken disk gave %v", err)
			}
			bad.set(func() { set(bad, nil) })
			flush(t, l)
			abandon(t, l)
			l = start(t, small(dir, store))
			flush(t, l)
			got := store.settled()
			if got["req_1"].Tokens != outcome(1).Tokens || got["req_2"].Tokens != outcome(2).Tokens {
				t.Errorf("got %+v", got)
			}
			if e, there := got["req_3"]; there && e.Ending != Lost || len(got) > 3 {
				t.Errorf("got %+v", got)
			}
			if d := l.Lag().Damaged; d != 0 {
				t.Errorf("%d stretches are said to be damaged", d)
			}
		})
	}
}

// After a sync has failed the kernel may have dropped what it could not write,
// and say nothing about it the next time.
func TestFailedSyncThatForgets(t *testing.T) {
	t.Parallel()
	store, dir := newMemory(), t.TempDir()
	store.fail(errors.New("gone")) // or it would be saved by the drain
	bad := &badDisk{room: -1, forgets: true, unsynced: map[string][]span{}}
	c := small(dir, store)
	c.SegmentBytes = 1 << 20
	l, err := open(c, bad.disk())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close(t.Context()) })
	var held []*Hold
	for n := range 10 {
		held = append(held, reserve(t, l, request(n)))
	}
	bad.set(func() { bad.sync = errors.New("input/output error") })
	for n, h := range held {
		_ = h.Settle(outcome(int64(n + 1))) // kept, if it fails
	}
	if h, err := l.Reserve(request(100)); err == nil {
		if h.Durable(t.Context()) == nil {
			t.Error("it is said to be durable on a disk that cannot sync")
		}
	}
	bad.set(func() { bad.sync = nil })
	for n := 101; ; n++ { // until it can be written to again
		if h, err := l.Reserve(request(n)); err == nil && h.Durable(t.Context()) == nil {
			break
		}
	}
	abandon(t, l)
	store.fail(nil)
	l = start(t, small(dir, store))
	flush(t, l)
	for n := range 10 {
		if e := store.settled()[request(n).ID]; e.Tokens != outcome(int64(n+1)).Tokens {
			t.Errorf("request %d: %+v", n, e)
		}
	}
}

// Everybody who waits is served by few syncs.
func TestOneSyncForMany(t *testing.T) {
	t.Parallel()
	bad := &badDisk{room: -1}
	c := small(t.TempDir(), newMemory())
	c.SegmentBytes = 1 << 20
	l, err := open(c, bad.disk())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close(t.Context()) })
	bad.set(func() { bad.began, bad.end = make(chan struct{}), make(chan struct{}) })
	var holds []*Hold
	for n := range 500 {
		h, err := l.Reserve(request(n))
		if err != nil {
			t.Fatal(err)
		}
		if holds = append(holds, h); n == 0 {
			<-bad.began // the others come while the first is made durable
		}
	}
	close(bad.end)
	for _, h := range holds {
		if err := h.Durable(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	bad.set(func() {
		if bad.synced != 2 {
			t.Errorf("500 reservations took %d syncs", bad.synced)
		}
	})
}
