package feed_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/feed"
)

// log is a log in memory that can fail.
type log struct {
	mu   sync.Mutex
	n    int64
	fail error
}

func (l *log) Head(context.Context) (int64, string, error) { return l.n, "", nil }

func (l *log) Changes(_ context.Context, from int64, limit int) ([]feed.Change, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []feed.Change
	for at := from; at < l.n && len(out) < limit; at++ {
		out = append(out, feed.Change{Position: at})
	}
	return out, l.fail
}

func (l *log) set(n int64, fail error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.n, l.fail = n, fail
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
