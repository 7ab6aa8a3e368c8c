package lease

import (
	"context"
	"sync"
	"time"
)

const (
	early    = 5 * time.Minute  // before the end, a credential is renewed
	within   = 20 * time.Second // to get one
	patience = 15 * time.Second // after a failure, before the next try
	spare    = 20 * time.Second // that a credential must still be good for to be used
	quiet    = time.Hour        // without a question, nothing is renewed
)

// Credential is something that is good until Expires; zero: for ever.
type Credential[T any] struct {
	Value   T
	Expires time.Time
}

// Status is how a lease stands.
type Status struct {
	Expires time.Time // of the present credential; zero: there is none, or it does not expire
	Err     error     // of the last try; nil if it went well
	At      time.Time // of the last try
}

// Lease hands out a credential. Make it with New and Close it.
type Lease[T any] struct {
	fetch func(context.Context) (Credential[T], error)
	now   func() time.Time

	mu     sync.Mutex
	closed bool
	have   bool
	held   Credential[T]
	renew  time.Time // when to get the next one
	status Status
	asked  time.Time
	flight chan struct{} // closed when the try under way has ended; nil: none is
	timer  *time.Timer
}

// New returns a Lease on what fetch gets.
func New[T any](fetch func(context.Context) (Credential[T], error), now func() time.Time) *Lease[T] {
	return &Lease[T]{fetch: fetch, now: now}
}

// Close ends renewing by itself. Whoever still has the lease gets what they ask for:
// requests outlive the settings that they began with.
func (l *Lease[T]) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if l.timer != nil {
		l.timer.Stop()
	}
}

// Status says how it stands.
func (l *Lease[T]) Status() Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.status
}

// Get returns a credential that is good. It fails with the error of the last try,
// or with ctx's.
func (l *Lease[T]) Get(ctx context.Context) (T, error) {
	l.mu.Lock()
	l.asked = l.now()
	if l.good() {
		defer l.mu.Unlock()
		if l.stale() {
			l.begin()
		}
		return l.held.Value, nil
	}
	flight := l.begin()
	l.mu.Unlock()
	if flight != nil {
		select {
		case <-flight:
		case <-ctx.Done():
			var none T
			return none, ctx.Err()
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.good() {
		var none T
		if l.status.Err != nil {
			return none, l.status.Err
		}
		return none, errShort
	}
	return l.held.Value, nil
}

type shortError struct{}

func (shortError) Error() string {
	return "the credential that was handed out has expired already; is this machine's clock right?"
}

var errShort = shortError{}

// Refused says that the credential was refused: the next Get waits for another.
func (l *Lease[T]) Refused() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.have, l.status = false, Status{}
}

func (l *Lease[T]) good() bool {
	return l.have && (l.held.Expires.IsZero() || l.held.Expires.Sub(l.now()) > spare)
}

// stale reports whether it is time to renew what is still good.
func (l *Lease[T]) stale() bool {
	return !l.held.Expires.IsZero() && !l.now().Before(l.renew) && l.mayTry()
}

func (l *Lease[T]) mayTry() bool {
	return l.status.Err == nil || l.now().Sub(l.status.At) >= patience
}

// begin starts a try, if none is under way and the last failure is not too fresh,
// and returns what its end is told by; nil: there is none.
func (l *Lease[T]) begin() <-chan struct{} {
	if l.flight != nil {
		return l.flight
	}
	if !l.mayTry() {
		return nil
	}
	flight := make(chan struct{})
	l.flight = flight
	go l.try(flight)
	return flight
}

func (l *Lease[T]) try(flight chan struct{}) {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	got, err := l.fetch(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	defer close(flight)
	l.flight = nil
	l.status.Err, l.status.At = err, l.now()
	if err == nil {
		l.have, l.held, l.status.Expires = true, got, got.Expires
		left := got.Expires.Sub(l.status.At)
		l.renew = l.status.At.Add(max(left-early, left/2)) // of one that lives shortly, at half its life
	}
	l.plan()
}

// plan sets when to renew without being asked.
func (l *Lease[T]) plan() {
	if l.timer != nil {
		l.timer.Stop()
	}
	if l.closed || l.held.Expires.IsZero() || l.now().Sub(l.asked) > quiet {
		return
	}
	wait := patience
	if l.status.Err == nil {
		wait = max(l.renew.Sub(l.now()), time.Second)
	}
	l.timer = time.AfterFunc(wait, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if !l.closed && l.now().Sub(l.asked) <= quiet {
			l.begin()
		}
	})
}
