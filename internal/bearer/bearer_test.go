package bearer_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/bearer"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// book is a source whose credentials are the ids of their keys.
type book struct {
	mu       sync.Mutex
	gone     map[id.APIKey]bool
	fault    error
	resolved atomic.Int64
	between  func() // called after a look-up, before its result is returned
	late     []string
}

func (b *book) Accepts(presented string) bool { return strings.HasPrefix(presented, "key-") }

func (b *book) Resolve(_ context.Context, presented secret.Text) (caller.Caller, time.Time, error) {
	b.resolved.Add(1)
	who, err := b.look(id.APIKey(presented.Reveal()))
	if b.between != nil {
		b.between()
	}
	return who, time.Time{}, err
}

func (b *book) Recheck(_ context.Context, who caller.Caller) (caller.Caller, error) {
	return b.look(who.Key)
}

func (b *book) look(key id.APIKey) (caller.Caller, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fault != nil {
		return caller.Caller{}, b.fault
	}
	if b.gone[key] {
		return caller.Caller{}, bearer.Refused()
	}
	return caller.Caller{Kind: caller.Member, Organization: "org", Member: id.Member("user-" + key), Key: key, Rights: caller.All}, nil
}

func (b *book) revoke(key id.APIKey) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.gone[key] = true
}

func (b *book) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fault = err
}

func setUp(size int) (*bearer.Keeper, *book, *atomic.Int64) {
	b := &book{gone: map[id.APIKey]bool{}}
	now, heard := &atomic.Int64{}, &atomic.Int64{}
	now.Store(1000)
	heard.Store(1000)
	k := bearer.New(bearer.Config{Sources: []bearer.Source{b}, Size: size, Grace: time.Minute,
		Now:   func() time.Time { return time.Unix(now.Load(), 0) },
		Heard: func() time.Time { return time.Unix(heard.Load(), 0) },
		Late: func(who caller.Caller, used, at time.Time) {
			let := "never"
			if !used.IsZero() {
				let = fmt.Sprint(used.Unix())
			}
			b.late = append(b.late, string(who.Key)+" "+let)
		}})
	return k, b, now
}

func TestAsksOnceAndEndsWhatIsRevoked(t *testing.T) {
	t.Parallel()
	k, b, _ := setUp(0)
	var grants []*bearer.Grant
	for range 3 {
		g, err := k.Authenticate(t.Context(), secret.New("key-a"))
		if err != nil {
			t.Fatal(err)
		}
		grants = append(grants, g)
	}
	if n := b.resolved.Load(); n != 1 || grants[0] != grants[2] {
		t.Errorf("the source was asked %d times", n)
	}
	ended, withdrawn := 0, 0
	grants[0].OnEnd(func() { ended++ })
	grants[0].OnEnd(func() { withdrawn++ })()
	if err := k.Changed(t.Context(), "key-a"); err != nil || ended != 0 {
		t.Errorf("a change that leaves the key good: %v, ended %d", err, ended)
	}
	b.revoke("key-a")
	if err := k.Changed(t.Context(), "user-key-a"); err != nil { // by anything it depends on
		t.Fatal(err)
	}
	if ended != 1 || withdrawn != 0 {
		t.Errorf("ended %d, withdrawn %d", ended, withdrawn)
	}
	if _, err := k.Authenticate(t.Context(), secret.New("key-a")); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("the revoked key: %v", err)
	}
	late := 0
	grants[0].OnEnd(func() { late++ })
	if late != 1 {
		t.Error("a stream that begins on an ended grant is not told")
	}
}

// TestChangeDuringTheLookUp revokes a key after it was read and before it is
// remembered: nobody will be told of that change again.
func TestChangeDuringTheLookUp(t *testing.T) {
	t.Parallel()
	k, b, _ := setUp(0)
	b.between = func() {
		b.revoke("key-a")
		if err := k.Changed(t.Context(), "key-a"); err != nil {
			t.Error(err)
		}
	}
	if _, err := k.Authenticate(t.Context(), secret.New("key-a")); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("the key that was revoked meanwhile: %v", err)
	}
	if told := b.late; len(told) != 1 || told[0] != "key-a never" {
		t.Errorf("told of what no source refused: %q", told)
	}
}

// TestLateForARevocation presents a key while its grant is being taken back: what is
// remembered refuses it, and that is told, with when it was last let in.
func TestLateForARevocation(t *testing.T) {
	t.Parallel()
	k, b, now := setUp(0)
	grant, err := k.Authenticate(t.Context(), secret.New("key-a"))
	if err != nil {
		t.Fatal(err)
	}
	b.revoke("key-a")
	now.Add(1)
	b.between = func() { // the source has said yes, and the feed says no before that is heard
		b.between = nil
		if err := k.Changed(t.Context(), "key-b"); err != nil {
			t.Error(err)
		}
		b.revoke("key-b")
	}
	if _, err := k.Authenticate(t.Context(), secret.New("key-b")); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("the key that was revoked meanwhile: %v", err)
	}
	grant.OnEnd(func() { // it has ended, and is still remembered for whoever looked before
		if _, err := k.Still(grant); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("the key that is revoked: %v", err)
		}
	})
	if err := k.Changed(t.Context(), "key-a"); err != nil {
		t.Fatal(err)
	}
	if told := b.late; len(told) != 2 || told[0] != "key-b never" || told[1] != "key-a 1000" {
		t.Errorf("told: %q", told)
	}
}

func TestOurFaultIsNeverARefusal(t *testing.T) {
	t.Parallel()
	k, b, now := setUp(0)
	if _, err := k.Authenticate(t.Context(), secret.New("key-a")); err != nil {
		t.Fatal(err)
	}
	b.fail(errors.New("the database is gone"))
	if _, err := k.Authenticate(t.Context(), secret.New("key-b")); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a key not seen before: %v", err)
	}
	if err := k.Changed(t.Context(), "key-a"); err == nil {
		t.Error("a change that could not be looked at is taken as done")
	}
	if _, err := k.Authenticate(t.Context(), secret.New("key-a")); err != nil {
		t.Errorf("a known key: %v", err)
	}
	now.Add(61)
	if _, err := k.Authenticate(t.Context(), secret.New("key-a")); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a known key after the grace: %v", err)
	}
}

// TestSecondLookFails has the database go between the two looks at a key.
func TestSecondLookFails(t *testing.T) {
	t.Parallel()
	k, b, _ := setUp(0)
	b.between = func() { b.fail(errors.New("the database is gone")) }
	if _, err := k.Authenticate(t.Context(), secret.New("key-a")); !fault.Is(err, fault.Unavailable) {
		t.Errorf("the first time: %v", err)
	}
	b.between = nil
	b.fail(nil)
	b.revoke("key-a")
	if _, err := k.Authenticate(t.Context(), secret.New("key-a")); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("the key was remembered though nobody looked twice: %v", err)
	}
}

func TestWhatIsNoCredential(t *testing.T) {
	t.Parallel()
	k, b, _ := setUp(0)
	for _, v := range []string{"", "sk-ant-api03-x", "sk-ant-oat01-x", "nonsense", "'; DROP TABLE"} {
		_, err := k.Authenticate(t.Context(), secret.New(v))
		if !fault.Is(err, fault.Unauthenticated) || (v != "" && strings.Contains(err.Error(), v)) {
			t.Errorf("%q: %v", v, err)
		}
	}
	if b.resolved.Load() != 0 {
		t.Error("the source was asked for what it does not accept")
	}
}

// TestForgottenGrantsStillEnd fills the keeper beyond its size: a stream whose
// grant was forgotten must end all the same.
func TestForgottenGrantsStillEnd(t *testing.T) {
	t.Parallel()
	k, b, _ := setUp(4)
	var ended atomic.Int64
	for i := range 50 {
		g, err := k.Authenticate(t.Context(), secret.New(fmt.Sprint("key-", i)))
		if err != nil {
			t.Fatal(err)
		}
		g.OnEnd(func() { ended.Add(1) })
	}
	for i := range 50 {
		key := id.APIKey(fmt.Sprint("key-", i))
		b.revoke(key)
		if err := k.Changed(t.Context(), string(key)); err != nil {
			t.Fatal(err)
		}
	}
	if n := ended.Load(); n != 50 {
		t.Errorf("%d of 50 streams ended", n)
	}
}

func TestManyAtOnceAskOnce(t *testing.T) {
	t.Parallel()
	k, b, _ := setUp(0)
	gate := make(chan struct{})
	b.between = func() { <-gate }
	var wg sync.WaitGroup
	started := make(chan struct{}, 50)
	for range 50 {
		wg.Go(func() {
			started <- struct{}{}
			if _, err := k.Authenticate(t.Context(), secret.New("key-a")); err != nil {
				t.Error(err)
			}
		})
	}
	for range 50 {
		<-started
	}
	close(gate)
	wg.Wait()
	if n := b.resolved.Load(); n != 1 { // latecomers that miss the flight too
		t.Errorf("the source was asked %d times", n)
	}
}

// TestEverythingIsAskedAgain revokes keys that nobody was told of.
func TestEverythingIsAskedAgain(t *testing.T) {
	t.Parallel()
	k, b, _ := setUp(40) // fewer than there are: those that made room count too
	ended := &atomic.Int64{}
	for i := range 60 {
		g, err := k.Authenticate(t.Context(), secret.New(fmt.Sprint("key-", i)))
		if err != nil {
			t.Fatal(err)
		}
		g.OnEnd(func() { ended.Add(1) })
		if i%2 == 0 {
			b.revoke(id.APIKey(fmt.Sprint("key-", i)))
		}
	}
	b.fail(errors.New("the database is gone"))
	if err := k.ChangedAll(t.Context()); err == nil || ended.Load() != 0 {
		t.Errorf("without the database: %v, ended %d", err, ended.Load())
	}
	b.fail(nil)
	if err := k.ChangedAll(t.Context()); err != nil || ended.Load() != 30 {
		t.Errorf("%v, ended %d", err, ended.Load())
	}
}
