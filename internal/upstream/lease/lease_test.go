package lease_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/upstream/lease"
)

// issuer hands out numbered credentials that live for a while.
type issuer struct {
	life  time.Duration
	takes time.Duration
	count atomic.Int32
	fails atomic.Bool
}

var errAway = errors.New("the token service is away")

func (i *issuer) fetch(ctx context.Context) (lease.Credential[int32], error) {
	n := i.count.Add(1)
	select {
	case <-time.After(i.takes):
	case <-ctx.Done():
		return lease.Credential[int32]{}, ctx.Err()
	}
	if i.fails.Load() {
		return lease.Credential[int32]{}, errAway
	}
	return lease.Credential[int32]{Value: n, Expires: time.Now().Add(i.life)}, nil
}

// pass lets the time of a bubble go by.
func pass(d time.Duration) { <-time.After(d) }

func get(t *testing.T, l *lease.Lease[int32]) int32 {
	t.Helper()
	n, err := l.Get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A credential is renewed before it ends, without anybody waiting for it.
func TestRenewsInTheBackground(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{life: time.Hour, takes: time.Second}
		l := lease.New(i.fetch, time.Now)
		defer l.Close()
		if get(t, l) != 1 || get(t, l) != 1 {
			t.Error("a good credential was not used twice")
		}
		pass(54 * time.Minute)
		if get(t, l) != 1 {
			t.Error("a credential with six minutes left was not used")
		}
		pass(2 * time.Minute) // five minutes before the end
		began := time.Now()
		if got := get(t, l); got != 2 || time.Since(began) != 0 {
			t.Errorf("credential %d after %v", got, time.Since(began))
		}
		if s := l.Status(); s.Err != nil || s.Expires.Sub(began) < 58*time.Minute {
			t.Errorf("%+v", s)
		}
	})
}

// What nobody asks for is not renewed for ever.
func TestFallsAsleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{life: 30 * time.Minute}
		l := lease.New(i.fetch, time.Now)
		defer l.Close()
		get(t, l)
		pass(24 * time.Hour)
		if n := i.count.Load(); n < 2 || n > 4 {
			t.Errorf("asked for %d credentials in a day without a request", n)
		}
		before := i.count.Load()
		if got := get(t, l); got != before+1 {
			t.Errorf("credential %d after %d", got, before)
		}
	})
}

// A service that is away costs what is still good nothing, and is not hammered.
func TestGoesOnWithWhatIsGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{life: time.Hour}
		l := lease.New(i.fetch, time.Now)
		defer l.Close()
		get(t, l)
		i.fails.Store(true)
		pass(59 * time.Minute)
		if get(t, l) != 1 {
			t.Error("a credential with a minute left was not used")
		}
		if s := l.Status(); !errors.Is(s.Err, errAway) {
			t.Errorf("%+v", s)
		}
		pass(50 * time.Second) // ten seconds are too few
		if _, err := l.Get(t.Context()); !errors.Is(err, errAway) {
			t.Errorf("%v", err)
		}
		before := i.count.Load()
		for range 1000 {
			_, _ = l.Get(t.Context())
		}
		if n := i.count.Load() - before; n > 1 {
			t.Errorf("%d tries at once", n)
		}
		i.fails.Store(false)
		pass(16 * time.Second)
		if got := get(t, l); got != i.count.Load() {
			t.Errorf("credential %d", got)
		}
	})
}

// A thousand that come at once wait for one.
func TestOneFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{life: time.Hour, takes: 3 * time.Second}
		l := lease.New(i.fetch, time.Now)
		defer l.Close()
		got := make(chan int32, 1000)
		for range cap(got) {
			go func() { n, _ := l.Get(t.Context()); got <- n }()
		}
		for range cap(got) {
			if n := <-got; n != 1 {
				t.Fatalf("credential %d", n)
			}
		}
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		l.Refused()
		if _, err := l.Get(impatient); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		if n := get(t, l); n != 2 {
			t.Errorf("after a refusal it is credential %d", n)
		}
	})
}

// A service that hangs is given up, and one whose clock is wrong is not believed.
func TestHangsAndWrongClocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{life: time.Hour, takes: time.Hour}
		l := lease.New(i.fetch, time.Now)
		began := time.Now()
		if _, err := l.Get(t.Context()); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 20*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		l.Close()
		i = &issuer{life: -time.Hour}
		l = lease.New(i.fetch, time.Now)
		if _, err := l.Get(t.Context()); err == nil {
			t.Error("a credential that ended an hour ago was used")
		}
		l.Close()
		synctest.Wait()
		before := i.count.Load()
		pass(24 * time.Hour)
		if i.count.Load() != before {
			t.Error("after it was closed it goes on asking")
		}
	})
}
