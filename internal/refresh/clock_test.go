package refresh_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/keystore"
	"github.com/gatehouse-dev/gatehouse/internal/refresh"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// world is a server with a clock that is right, and a machine with one that is
// not, and whose disk sometimes fails.
type world struct {
	t         *testing.T
	truth     time.Time
	off       time.Duration // of the machine's clock
	issued    int
	last      credential.Pair // the newest link, as the server knows it
	retired   secret.Text     // the link before it
	retiredAt time.Time
	down      bool
	keystore.Store
	stored    credential.Pair
	failSaves int
	exchanges int
}

const life, grace = time.Hour, time.Minute

func (w *world) now() time.Time { return w.truth.Add(w.off) }

func (w *world) issue() credential.Pair {
	w.issued++
	claims := fmt.Sprintf(`{"jti":"%d","iat":%d,"exp":%d}`, w.issued, w.truth.Unix(), w.truth.Add(life).Unix())
	return credential.Pair{Access: secret.New("e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".c2ln"),
		Refresh: secret.New(fmt.Sprint("refresh-", w.issued)), Expires: w.now().Add(life)}
}

// Exchange is the server's rotation with its grace window.
func (w *world) Exchange(_ context.Context, old credential.Pair) (credential.Pair, error) {
	w.exchanges++
	switch {
	case w.down:
		return credential.Pair{}, silent
	case old.SameChain(w.last):
		w.retired, w.retiredAt = w.last.Refresh, w.truth
		w.last = w.issue()
		return w.last, nil
	case old.Refresh.Equal(w.retired) && w.truth.Sub(w.retiredAt) <= grace:
		next := w.issue()
		next.Refresh = w.last.Refresh
		w.last = next
		return next, nil
	}
	w.t.Errorf("a retired refresh token was presented %s after its use", w.truth.Sub(w.retiredAt))
	return credential.Pair{}, refused
}

func (w *world) Save(_ context.Context, _ credential.Profile, pair credential.Pair) error {
	if w.failSaves > 0 {
		w.failSaves--
		return errors.New("no space left on device")
	}
	w.stored = pair
	return nil
}

func (w *world) Load(context.Context, credential.Profile) (credential.Pair, error) {
	return w.stored, nil
}

func (w *world) Lock(context.Context, credential.Profile) (func(), error) { return func() {}, nil }

func newWorld(t *testing.T) (*world, *refresh.Source) {
	w := &world{t: t, truth: now}
	w.last = w.issue()
	w.stored = w.last
	return w, &refresh.Source{Store: w, Locker: w, Exchanger: w, Now: w.now}
}

// However the clock jumps, however long the machine sleeps, and whatever fails
// in between, nobody is logged out, no call asks the server twice, and a token
// that was renewed has half of its life.
func TestClocksJumpAndMachinesSleep(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		w, s := newWorld(t)
		dice := rand.New(rand.NewPCG(seed, 4711))
		for range 100 {
			switch dice.IntN(6) {
			case 0: // asleep
				w.truth = w.truth.Add(time.Duration(dice.IntN(72)) * time.Hour)
			case 1: // set forth or back
				w.off = time.Duration(dice.IntN(120*60)-60*60) * time.Minute
			case 2: // set right
				w.off = 0
			case 3:
				w.down = !w.down
			default:
				w.truth = w.truth.Add(time.Duration(dice.IntN(40)) * time.Minute)
			}
			before, asked := w.issued, w.exchanges
			got, err := s.Pair(t.Context())
			if fault.Is(err, fault.Unauthenticated) || err != nil && !w.down {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if w.exchanges > asked+1 {
				t.Fatalf("seed %d: %d exchanges for one call", seed, w.exchanges-asked)
			}
			if w.issued > before && !got.SameChain(w.last) {
				t.Fatalf("seed %d: the renewed token was not handed out", seed)
			}
			if err == nil && w.off == 0 && !w.down && !got.Fresh(w.truth) {
				t.Fatalf("seed %d: a stale token with the right time and a server", seed)
			}
		}
	}
}

// What the server gave and the disk did not take is asked for again.
func TestAnswerThatWasNotWrittenComesAgain(t *testing.T) {
	t.Parallel()
	w, s := newWorld(t)
	w.truth = w.truth.Add(3 * time.Hour)
	w.failSaves = 2
	for range 2 {
		if _, err := s.Pair(t.Context()); err == nil || fault.Is(err, fault.Unauthenticated) {
			t.Fatalf("%v", err)
		}
		w.truth = w.truth.Add(20 * time.Second)
	}
	if got, err := s.Pair(t.Context()); err != nil || !got.SameChain(w.last) || !got.Fresh(w.now()) {
		t.Errorf("after the disk had room again: %v", err)
	}
}
