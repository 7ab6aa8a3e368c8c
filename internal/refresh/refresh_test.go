package refresh_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/keystore"
	"github.com/gatehouse-dev/gatehouse/internal/keystore/file"
	"github.com/gatehouse-dev/gatehouse/internal/refresh"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

var now = time.Unix(1795352810, 0)

func link(n int, left time.Duration) credential.Pair {
	return credential.Pair{Access: secret.New(fmt.Sprintf("access-%d", n)), Refresh: secret.New(fmt.Sprintf("refresh-%d", n)), Expires: now.Add(left)}
}

type exchange func(ctx context.Context, old credential.Pair) (credential.Pair, error)

func (f exchange) Exchange(ctx context.Context, old credential.Pair) (credential.Pair, error) {
	return f(ctx, old)
}

var (
	refused = fault.New(fault.Unauthenticated, "ended")
	silent  = fault.New(fault.Unavailable, "no answer")
)

func source(t *testing.T, stored *credential.Pair, do exchange) *refresh.Source {
	t.Helper()
	s := file.Store{Dir: t.TempDir()}
	if stored != nil {
		if err := s.Save(t.Context(), "", *stored); err != nil {
			t.Fatal(err)
		}
	}
	return &refresh.Source{Store: s, Locker: s, Exchanger: do, Now: func() time.Time { return now }}
}

func never(context.Context, credential.Pair) (credential.Pair, error) {
	panic("nobody should have been asked")
}

func check(t *testing.T, s *refresh.Source, want credential.Pair) {
	t.Helper()
	got, err := s.Pair(t.Context())
	if err != nil || !got.Access.Equal(want.Access) {
		t.Errorf("Pair() = %q, %v, want %q", got.Access.Reveal(), err, want.Access.Reveal())
	}
}

func checkStored(t *testing.T, s *refresh.Source, want credential.Pair) {
	t.Helper()
	if got, err := s.Store.Load(t.Context(), ""); err != nil || !got.SameChain(want) {
		t.Errorf("stored is %q, %v, want %q", got.Refresh.Reveal(), err, want.Refresh.Reveal())
	}
}

func TestFreshIsServedWithoutAsking(t *testing.T) {
	t.Parallel()
	stored := link(1, time.Hour)
	check(t, source(t, &stored, never), stored)
}

func TestNobodySignedIn(t *testing.T) {
	t.Parallel()
	if _, err := source(t, nil, never).Pair(t.Context()); !fault.Is(err, fault.NotFound) {
		t.Errorf("%v, want NotFound", err)
	}
}

func TestExpiredIsRenewedAndKept(t *testing.T) {
	t.Parallel()
	stored, next := link(1, -time.Hour), link(2, time.Hour)
	s := source(t, &stored, func(_ context.Context, old credential.Pair) (credential.Pair, error) {
		if !old.SameChain(stored) {
			t.Error("another refresh token was presented")
		}
		return next, nil
	})
	check(t, s, next)
	checkStored(t, s, next)
}

// Whatever the server says, the stored pair stays.
func TestFailuresDeleteNothing(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		says error
		want fault.Kind
	}{{refused, fault.Unauthenticated}, {silent, fault.Unavailable}, {fmt.Errorf("odd"), fault.Internal}} {
		stored := link(1, -time.Hour)
		s := source(t, &stored, func(context.Context, credential.Pair) (credential.Pair, error) { return credential.Pair{}, tt.says })
		if _, err := s.Pair(t.Context()); fault.KindOf(err) != tt.want {
			t.Errorf("%v became %v", tt.says, err)
		}
		checkStored(t, s, stored)
	}
}

// withLife is a link whose token says that it lives for an hour.
func withLife(n int, left time.Duration) credential.Pair {
	p := link(n, left)
	p.Access = secret.New("e30.eyJpYXQiOjEsImV4cCI6MzYwMX0.c2ln")
	return p
}

func TestOldTokenServesWhileTheServerIsSilent(t *testing.T) {
	t.Parallel()
	stored := withLife(1, 20*time.Minute)
	s := source(t, &stored, func(context.Context, credential.Pair) (credential.Pair, error) { return credential.Pair{}, silent })
	check(t, s, stored)
	ended := withLife(1, 20*time.Minute)
	s = source(t, &ended, func(context.Context, credential.Pair) (credential.Pair, error) { return credential.Pair{}, refused })
	if _, err := s.Pair(t.Context()); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("an ended sign-in is still served: %v", err)
	}
}

// Another program that does not know the lock has renewed meanwhile: a refusal
// of the old token means nothing.
func TestRefusalIsBelievedOnlyAfterReadingAgain(t *testing.T) {
	t.Parallel()
	for name, theirs := range map[string]credential.Pair{"theirs is fresh": link(2, time.Hour), "theirs has expired too": link(2, -time.Hour)} {
		stored, calls := link(1, -time.Hour), 0
		var s *refresh.Source
		s = source(t, &stored, func(ctx context.Context, old credential.Pair) (credential.Pair, error) {
			calls++
			if old.SameChain(stored) {
				if err := s.Store.Save(ctx, "", theirs); err != nil {
					t.Error(err)
				}
				return credential.Pair{}, refused
			}
			return link(3, time.Hour), nil
		})
		want, wantCalls := theirs, 1
		if !theirs.Fresh(now) {
			want, wantCalls = link(3, time.Hour), 2
		}
		check(t, s, want)
		checkStored(t, s, want)
		if calls != wantCalls {
			t.Errorf("%s: %d exchanges", name, calls)
		}
	}
}

// Another program went further along the chain while we asked: its link stays.
func TestALaterLinkIsNotOverwritten(t *testing.T) {
	t.Parallel()
	stored, theirs := link(1, -time.Hour), link(3, time.Hour)
	var s *refresh.Source
	s = source(t, &stored, func(ctx context.Context, _ credential.Pair) (credential.Pair, error) {
		return link(2, time.Hour), s.Store.Save(ctx, "", theirs)
	})
	check(t, s, theirs)
	checkStored(t, s, theirs)
}

// A sign-out during the exchange is final: nothing is written back.
func TestSignedOutMeanwhile(t *testing.T) {
	t.Parallel()
	stored := link(1, -time.Hour)
	var s *refresh.Source
	s = source(t, &stored, func(ctx context.Context, _ credential.Pair) (credential.Pair, error) {
		return link(2, time.Hour), s.Store.Delete(ctx, "")
	})
	if _, err := s.Pair(t.Context()); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("%v", err)
	}
	if _, err := s.Store.Load(t.Context(), ""); !fault.Is(err, fault.NotFound) {
		t.Errorf("the credential came back: %v", err)
	}
}

func TestOneFlightAcrossGoroutines(t *testing.T) {
	t.Parallel()
	stored := link(1, -time.Hour)
	var calls atomic.Int32
	s := source(t, &stored, func(context.Context, credential.Pair) (credential.Pair, error) {
		calls.Add(1)
		return link(2, time.Hour), nil
	})
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() { check(t, s, link(2, time.Hour)) })
	}
	all.Wait()
	if got := calls.Load(); got != 1 {
		t.Errorf("%d exchanges", got)
	}
}

// The first who asks goes away: the others still get their token.
func TestAnImpatientCallerEndsOnlyItsOwnWait(t *testing.T) {
	t.Parallel()
	stored := link(1, -time.Hour)
	started, goOn := make(chan struct{}), make(chan struct{})
	s := source(t, &stored, func(ctx context.Context, _ credential.Pair) (credential.Pair, error) {
		close(started)
		select {
		case <-goOn:
			return link(2, time.Hour), nil
		case <-ctx.Done():
			return credential.Pair{}, ctx.Err()
		}
	})
	impatient, leave := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() { _, err := s.Pair(impatient); gone <- err }()
	<-started
	leave()
	if err := <-gone; !fault.Is(err, fault.Unavailable) {
		t.Errorf("the impatient got %v", err)
	}
	close(goOn)
	check(t, s, link(2, time.Hour))
}

// memory is a store without a file system, so that time can be made up.
type memory struct {
	keystore.Store
	pair credential.Pair
}

func (m memory) Load(context.Context, credential.Profile) (credential.Pair, error) {
	return m.pair, nil
}

func (m memory) Lock(ctx context.Context, _ credential.Profile) (func(), error) {
	<-ctx.Done() // somebody else never lets go
	return nil, fault.Wrap(fault.Unavailable, ctx.Err(), "locked")
}

func TestDeadlines(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		stored credential.Pair
		waits  time.Duration
		served bool
	}{{link(1, -time.Hour), 30 * time.Second, false}, {withLife(1, 20*time.Minute), 5 * time.Second, true}} {
		synctest.Test(t, func(t *testing.T) {
			m := memory{pair: tt.stored}
			s := &refresh.Source{Store: m, Locker: m, Exchanger: exchange(never), Now: func() time.Time { return now }}
			begin := time.Now()
			_, err := s.Pair(t.Context())
			if (err == nil) != tt.served || time.Since(begin) != tt.waits {
				t.Errorf("after %v: %v", time.Since(begin), err)
			}
		})
	}
}

// full is a store without room.
type full struct{ keystore.Store }

func (full) Probe(context.Context, credential.Profile) error { return fmt.Errorf("no space left") }

// Without room for the next link the refresh token is not used up.
func TestFullDiskEndsNoSignIn(t *testing.T) {
	t.Parallel()
	stored := link(1, -time.Hour)
	s := source(t, &stored, never)
	s.Store = full{s.Store}
	if _, err := s.Pair(t.Context()); err == nil || fault.Is(err, fault.Unauthenticated) {
		t.Errorf("%v", err)
	}
	checkStored(t, s, stored)
	usable := withLife(1, 20*time.Minute)
	s = source(t, &usable, never)
	s.Store = full{s.Store}
	check(t, s, usable)
}

// A token that the server refused is renewed before its time, and not handed out
// again while the server cannot be reached. Another token's refusal changes nothing.
func TestARefusedTokenIsNotHandedOutAgain(t *testing.T) {
	t.Parallel()
	stored, next := link(1, time.Hour), link(2, time.Hour)
	answer := silent
	s := source(t, &stored, func(context.Context, credential.Pair) (credential.Pair, error) {
		if answer != nil {
			return credential.Pair{}, answer
		}
		return next, nil
	})
	if got, err := s.PairAfter(t.Context(), secret.New("other").Hash()); err != nil || !got.SameChain(stored) {
		t.Errorf("another's refusal: %v", err)
	}
	if _, err := s.PairAfter(t.Context(), stored.Access.Hash()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("without a server: %v", err)
	}
	answer = nil
	for range 2 { // the second time somebody else has renewed
		if got, err := s.PairAfter(t.Context(), stored.Access.Hash()); err != nil || !got.SameChain(next) {
			t.Errorf("%v", err)
		}
	}
	checkStored(t, s, next)
}
