package agent_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/agent"
	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

const life = time.Hour

// signIn is a storage and a server in one: it renews at half of a token's life,
// as refresh.Source does.
type signIn struct {
	mu      sync.Mutex
	pair    credential.Pair
	mark    string
	down    bool
	over    bool
	asked   int // how often the storage was
	renewed int
	wants   string // a passphrase
	slow    time.Duration
	opened  int
	closed  int
	broken  int // so many that were opened first fail
}

// line is what was opened as the n-th.
type line struct {
	*signIn
	n int
}

func (l line) Pair(ctx context.Context) (credential.Pair, error) {
	return l.PairAfter(ctx, secret.Hash{})
}

func (l line) PairAfter(ctx context.Context, refused secret.Hash) (credential.Pair, error) {
	broken := false
	l.set(func() { broken = l.n <= l.broken })
	if broken {
		return credential.Pair{}, fault.New(fault.Unavailable, "the keyring does not know us")
	}
	return l.signIn.PairAfter(ctx, refused)
}

func (s *signIn) Mark(credential.Profile) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mark
}

func (s *signIn) Open(_ credential.Profile, passphrase secret.Text) (agent.SignIn, error) {
	if passphrase.Reveal() != s.wants {
		return agent.SignIn{}, fault.New(fault.Unavailable, "the passphrase is wrong")
	}
	var n int
	s.set(func() { s.opened++; n = s.opened })
	return agent.SignIn{Source: line{s, n}, Server: "https://gate.example.com", Check: func(context.Context) error { return nil },
		Close: func() { s.set(func() { s.closed++ }) }}, nil
}

func (s *signIn) PairAfter(_ context.Context, refused secret.Hash) (credential.Pair, error) {
	pass(s.slow) // of the bubble's clock
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	now := time.Now()
	switch {
	case s.pair.Fresh(now) && s.pair.Access.Hash() != refused:
	case s.over:
		return credential.Pair{}, fault.New(fault.Unauthenticated, "the sign-in has ended")
	case !s.down:
		s.renewed++
		payload := fmt.Sprintf(`{"jti":"%d","iat":%d,"exp":%d}`, s.renewed, now.Unix(), now.Add(life).Unix())
		s.pair = credential.Pair{Access: secret.New("h." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + ".s"), Refresh: secret.New("sk-gate-rt01-x"), Expires: now.Add(life)}
	case !s.pair.Usable(now):
		return credential.Pair{}, fault.New(fault.Unavailable, "the server is down")
	}
	return s.pair, nil
}

func (s *signIn) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

func (s *signIn) renewedTimes() (n int) {
	s.set(func() { n = s.renewed })
	return n
}

func (s *signIn) askedTimes() (n int) {
	s.set(func() { n = s.asked })
	return n
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// pass lets time go by on the bubble's clock.
func pass(d time.Duration) { <-time.After(d) }

func keep(s *signIn) *agent.Keeper { return &agent.Keeper{Opener: s, Now: time.Now, Wait: wait} }

// inBubble runs a test on a clock of its own, and lets go of everything at its end.
func inBubble(t *testing.T, test func(t *testing.T, s *signIn, k *agent.Keeper)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &signIn{}
		k := keep(s)
		defer k.Lock()
		test(t, s, k)
	})
}

func token(t *testing.T, k *agent.Keeper) string {
	t.Helper()
	got, err := k.Token(t.Context(), "", secret.Hash{})
	if err != nil {
		t.Fatal(err)
	}
	return got.Access.Reveal()
}

func TestAFreshTokenComesFromMemory(t *testing.T) {
	inBubble(t, func(t *testing.T, s *signIn, k *agent.Keeper) {
		first := token(t, k)
		for range 100 {
			if token(t, k) != first {
				t.Fatal("another token")
			}
		}
		if s.askedTimes() != 1 || s.renewedTimes() != 1 {
			t.Errorf("asked %d times, renewed %d times", s.askedTimes(), s.renewedTimes())
		}
	})
}

// Nobody ever waits for a renewal, and nobody gets a token that is about to end,
// however long the day is.
func TestRenewsAheadOfTime(t *testing.T) {
	inBubble(t, func(t *testing.T, s *signIn, k *agent.Keeper) {
		token(t, k)
		for range 24 * 60 {
			pass(time.Minute)
			synctest.Wait()
			before := s.renewedTimes()
			got, err := k.Token(t.Context(), "", secret.Hash{})
			if err != nil || got.Expires.Sub(time.Now()) < life/2-2*time.Minute {
				t.Fatalf("%v, %s left", err, time.Until(got.Expires))
			}
			if s.renewedTimes() != before {
				t.Fatal("somebody waited for a renewal")
			}
		}
		if s.renewedTimes() < 24 || s.renewedTimes() > 24*2+8 {
			t.Errorf("renewed %d times in a day", s.renewedTimes())
		}
	})
}

func TestManyAskAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, s *signIn, k *agent.Keeper) {
		s.slow = time.Second
		var all sync.WaitGroup
		var other atomic.Int64
		for range 200 {
			all.Go(func() {
				if _, err := k.Token(t.Context(), "", secret.Hash{}); err != nil {
					other.Add(1)
				}
			})
		}
		all.Wait()
		if s.askedTimes() != 1 || other.Load() != 0 {
			t.Errorf("asked %d times, %d failed", s.askedTimes(), other.Load())
		}
	})
}

// While the server is down a token is handed out for as long as it is good, and
// the server is not asked at every request.
func TestServerIsDown(t *testing.T) {
	inBubble(t, func(t *testing.T, s *signIn, k *agent.Keeper) {
		first := token(t, k)
		s.set(func() { s.down = true })
		pass(50 * time.Minute)
		asked := s.askedTimes()
		for range 100 {
			if token(t, k) != first {
				t.Fatal("another token")
			}
		}
		if s.askedTimes() > asked+1 {
			t.Errorf("asked %d times for 100 requests", s.askedTimes()-asked)
		}
		pass(9*time.Minute + 30*time.Second)
		if _, err := k.Token(t.Context(), "", secret.Hash{}); !fault.Is(err, fault.Unavailable) {
			t.Errorf("half a minute before its end: %v", err)
		}
		s.set(func() { s.down = false })
		if token(t, k) == first {
			t.Error("the old token")
		}
	})
}

func TestLockForgetsAndRefuses(t *testing.T) {
	inBubble(t, func(t *testing.T, s *signIn, k *agent.Keeper) {
		s.wants = "correct horse"
		if err := k.Unlock(t.Context(), "", secret.New(s.wants)); err != nil {
			t.Fatal(err)
		}
		token(t, k)
		k.Lock()
		if _, err := k.Token(t.Context(), "", secret.Hash{}); !fault.Is(err, fault.Unavailable) || len(k.Held()) != 0 {
			t.Errorf("%v, %v", err, k.Held())
		}
		renewed := s.renewedTimes()
		pass(10 * life)
		if s.renewedTimes() != renewed {
			t.Error("it renews while it is locked")
		}
		if err := k.Unlock(t.Context(), "", secret.New("wrong")); err == nil || !k.Locked() {
			t.Errorf("a wrong passphrase: %v", err)
		}
		if err := k.Unlock(t.Context(), "", secret.Text{}); err == nil || !k.Locked() {
			t.Errorf("no passphrase: %v", err)
		}
		if err := k.Unlock(t.Context(), "", secret.New(s.wants)); err != nil {
			t.Fatal(err)
		}
		token(t, k)
	})
}

// Who asked before the lock gets nothing after it.
func TestLockDuringARequest(t *testing.T) {
	inBubble(t, func(t *testing.T, s *signIn, k *agent.Keeper) {
		s.slow = time.Second
		result := make(chan error)
		go func() {
			_, err := k.Token(t.Context(), "", secret.Hash{})
			result <- err
		}()
		synctest.Wait()
		k.Lock()
		if err := <-result; !fault.Is(err, fault.Unavailable) || len(k.Held()) != 0 {
			t.Errorf("%v, %v", err, k.Held())
		}
	})
}

// A sign-in that ended, or became another, is not served from memory.
func TestTheSignInChanges(t *testing.T) {
	inBubble(t, func(t *testing.T, s *signIn, k *agent.Keeper) {
		token(t, k)
		s.set(func() { s.mark, s.over, s.pair = "gone", true, credential.Pair{} })
		for range 2 {
			if _, err := k.Token(t.Context(), "", secret.Hash{}); !fault.Is(err, fault.Unauthenticated) || len(k.Held()) != 0 {
				t.Errorf("%v, %v", err, k.Held())
			}
		}
	})
}

// A refusal renews once; who says it again and again gets nowhere.
func TestARefusedTokenIsReplacedOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, s *signIn, k *agent.Keeper) {
		last := token(t, k)
		for range 100 {
			got, err := k.Token(t.Context(), "", secret.New(last).Hash())
			if err != nil {
				t.Fatal(err)
			}
			last = got.Access.Reveal()
		}
		if s.renewedTimes() != 2 {
			t.Errorf("renewed %d times", s.renewedTimes())
		}
		pass(time.Minute)
		if got, err := k.Token(t.Context(), "", secret.New(last).Hash()); err != nil || got.Access.Reveal() == last {
			t.Errorf("after a minute: %v", err)
		}
		if _, err := k.Token(t.Context(), "", secret.New("another").Hash()); err != nil || s.renewedTimes() != 3 {
			t.Errorf("what was never handed out: %v, renewed %d times", err, s.renewedTimes())
		}
	})
}

// A storage that was started anew is opened anew, and who asks notices nothing.
func TestTheStorageIsStartedAnew(t *testing.T) {
	inBubble(t, func(t *testing.T, s *signIn, k *agent.Keeper) {
		token(t, k)
		s.set(func() { s.broken = 1 })
		first := token(t, k) // still from memory
		if got, err := k.Token(t.Context(), "", secret.New(first).Hash()); err != nil || got.Access.Reveal() == first {
			t.Errorf("%v", err)
		}
		s.set(func() {
			if s.opened != 2 || s.closed != 1 {
				t.Errorf("opened %d, closed %d", s.opened, s.closed)
			}
			s.broken = 100
		})
		pass(life)
		if _, err := k.Token(t.Context(), "", secret.Hash{}); !fault.Is(err, fault.Unavailable) {
			t.Errorf("%v", err)
		}
		k.Lock()
		s.set(func() {
			if s.opened > s.closed {
				t.Errorf("opened %d, closed %d", s.opened, s.closed)
			}
		})
	})
}
