package feed_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/feed"
	"github.com/gatehouse-dev/gatehouse/internal/id"
)

// log is a log in memory that can fail.
type log struct {
	mu    sync.Mutex
	n     int64
	fork  int64 // entries from here on are others than before
	forks int
	fail  error
	heads int // how often the head was asked for
}

func (l *log) Head(context.Context) (int64, string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heads++
	return l.n, "", l.fail
}

func (l *log) Changes(_ context.Context, from int64, limit int) ([]feed.Change, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []feed.Change
	for at := from; at < l.n && len(out) < limit; at++ {
		name := fmt.Sprint("activity_", at)
		if at >= l.fork {
			name = fmt.Sprint(name, "_of_", l.forks)
		}
		out = append(out, feed.Change{Position: at, ID: id.Activity(name)})
	}
	return out, l.fail
}

func (l *log) set(n int64, fail error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.n, l.fail = n, fail
}

func (l *log) asked() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.heads
}

// replace puts a log of n entries there that is the same up to an entry.
func (l *log) replace(same, n int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fork, l.forks, l.n = same, l.forks+1, n
}

// TestStartsAgainOnAnotherLog puts shorter and other logs under a running feed.
func TestStartsAgainOnAnotherLog(t *testing.T) {
	for name, c := range map[string]struct {
		same, n int64
	}{
		"shorter": {50, 50}, "shorter, and already longer again": {50, 120}, "of the same length": {50, 100}, "empty": {0, 0}, "only the end is other": {99, 100},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source := &log{n: 90}
				f, err := feed.Open(t.Context(), source, 200*time.Millisecond, time.Now, slog.New(slog.DiscardHandler))
				if err != nil {
					t.Fatal(err)
				}
				var told []feed.Change // written while this waits
				var refuse atomic.Bool
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan struct{})
				go func() {
					defer close(done)
					f.Run(ctx, func(_ context.Context, changes []feed.Change) error {
						if refuse.Load() {
							return errors.New("not now")
						}
						told = append(told, changes...)
						return nil
					})
				}()
				wait := func(d time.Duration) { <-time.After(d); synctest.Wait() }
				source.set(100, nil)
				wait(300 * time.Millisecond)
				if len(told) != 10 {
					t.Fatalf("told %d changes", len(told))
				}
				wait(10 * time.Minute)
				if source.asked() != 1 || len(told) != 10 {
					t.Errorf("in ten quiet minutes the head was asked for %d times and %d changes were told", source.asked(), len(told))
				}
				refuse.Store(true)
				source.replace(c.same, c.n)
				wait(time.Minute)
				if n := source.asked(); n > 62 {
					t.Errorf("it started again %d times in a minute", n)
				}
				refuse.Store(false)
				wait(2 * time.Second)
				if len(told) != 11 || !told[10].Reset {
					t.Fatalf("told %+v", told[10:])
				}
				source.set(c.n+3, nil)
				wait(300 * time.Millisecond)
				if len(told) != 14 || told[11].Position != c.n || told[11].Reset {
					t.Errorf("after that, told %+v", told[10:])
				}
				cancel()
				<-done
			})
		})
	}
}

func TestTellsEveryChangeInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &log{n: 7}
		f, err := feed.Open(t.Context(), source, 200*time.Millisecond, time.Now, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		var told []int64
		refuse := errors.New("not now")
		refusing := true
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			f.Run(ctx, func(_ context.Context, changes []feed.Change) error {
				if refusing {
					return refuse
				}
				for _, c := range changes {
					told = append(told, c.Position)
				}
				return nil
			})
		}()
		began := f.Heard()
		source.set(9, nil)
		<-time.After(300 * time.Millisecond) // the clock of the bubble
		if synctest.Wait(); len(told) != 0 {
			t.Errorf("what was refused counts as told: %v", told)
		}
		refusing = false
		source.set(1500, nil)
		f.Wake()
		if synctest.Wait(); len(told) != 1493 || told[0] != 7 || !slices.IsSorted(told) {
			t.Errorf("told %d changes, from %v", len(told), told[:min(3, len(told))])
		}
		heard := f.Heard()
		if !heard.After(began) {
			t.Error("an answer was not noted")
		}
		source.set(1501, errors.New("the database is gone"))
		<-time.After(time.Second)
		if synctest.Wait(); !f.Heard().Equal(heard) || len(told) != 1493 {
			t.Errorf("while it fails: heard %v, told %d", f.Heard(), len(told))
		}
		source.set(1501, nil)
		<-time.After(300 * time.Millisecond)
		if synctest.Wait(); told[len(told)-1] != 1500 {
			t.Errorf("the last told is %d", told[len(told)-1])
		}
		cancel()
		<-done
	})
}
