package keystoretest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/keystore"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// Backend is what is tested. Reopen returns a second handle on the same place,
// as another process would have.
type Backend struct {
	Store  keystore.Store
	Locker keystore.Locker
	Reopen func() (keystore.Store, keystore.Locker)
	// Damage makes what is stored of a profile unreadable, in the n-th of
	// Damages ways.
	Damage  func(t *testing.T, profile credential.Profile, n int)
	Damages int
	// Dear says that every call starts a program: then there are fewer of them.
	Dear bool
}

// Run runs the suite; open makes an empty backend for each part of it.
func Run(t *testing.T, open func(t *testing.T) Backend) {
	for name, part := range map[string]func(*testing.T, Backend){
		"an empty store holds nothing": empty,
		"what is saved comes back":     roundTrip,
		"profiles are apart":           profiles,
		"deleting":                     deleting,
		"readers see whole pairs":      whole,
		"probing changes nothing":      probing,
		"one holder at a time":         exclusive,
		"a lock is waited for in time": patience,
		"damage costs one profile":     damage,
		"large pairs":                  large,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			part(t, open(t))
		})
	}
}

func pair(n int) credential.Pair {
	return credential.Pair{Access: secret.New(fmt.Sprintf("access-%d-%s", n, strings.Repeat("a", n%3000))),
		Refresh: secret.New(fmt.Sprintf("refresh-%d", n)), Expires: time.Unix(1795352810+int64(n), 0)}
}

func same(a, b credential.Pair) bool {
	return a.Access.Equal(b.Access) && a.Refresh.Equal(b.Refresh) && a.Expires.Equal(b.Expires)
}

const work credential.Profile = "work"

func empty(t *testing.T, b Backend) {
	if _, err := b.Store.Load(t.Context(), work); !fault.Is(err, fault.NotFound) {
		t.Errorf("Load: %v, want NotFound", err)
	}
	if b.Store.Name() == "" || b.Store.Where(work) == "" {
		t.Error("it does not say what and where it is")
	}
}

func roundTrip(t *testing.T, b Backend) {
	for _, want := range []credential.Pair{pair(1), pair(2999), {Access: secret.New("only access")}, pair(2)} {
		if err := b.Store.Save(t.Context(), work, want); err != nil {
			t.Fatal(err)
		}
		other, _ := b.Reopen()
		for _, store := range []keystore.Store{b.Store, other} {
			if got, err := store.Load(t.Context(), work); err != nil || !same(got, want) {
				t.Errorf("Load gives another pair, or %v", err)
			}
		}
	}
}

func profiles(t *testing.T, b Backend) {
	names := []credential.Profile{credential.DefaultProfile, work, "Work", "a.b-c_d"}
	if err := b.Store.Save(t.Context(), "", pair(100)); err != nil {
		t.Fatal(err)
	}
	if got, err := b.Store.Load(t.Context(), credential.DefaultProfile); err != nil || !same(got, pair(100)) {
		t.Errorf("the zero profile is not the default one: %v", err)
	}
	for i, p := range names {
		if err := b.Store.Save(t.Context(), p, pair(i)); err != nil {
			t.Fatal(err)
		}
	}
	for i, p := range names {
		if got, err := b.Store.Load(t.Context(), p); err != nil || !same(got, pair(i)) {
			t.Errorf("%s holds another's pair, or %v", p, err)
		}
	}
}

func deleting(t *testing.T, b Backend) {
	if err := b.Store.Delete(t.Context(), work); err != nil {
		t.Errorf("deleting nothing: %v", err)
	}
	for _, p := range []credential.Profile{work, "other"} {
		if err := b.Store.Save(t.Context(), p, pair(1)); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Store.Delete(t.Context(), work); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Store.Load(t.Context(), work); !fault.Is(err, fault.NotFound) {
		t.Errorf("Load after Delete: %v", err)
	}
	if _, err := b.Store.Load(t.Context(), "other"); err != nil {
		t.Errorf("another profile went with it: %v", err)
	}
}

func whole(t *testing.T, b Backend) {
	if err := b.Store.Save(t.Context(), work, pair(0)); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	several, saves := 4, 50
	if b.Dear {
		several, saves = 1, 8
	}
	for range several {
		other, _ := b.Reopen()
		readers.Go(func() {
			for ctx.Err() == nil {
				got, err := other.Load(t.Context(), work)
				n := int(got.Expires.Unix() - 1795352810)
				if err != nil || n < 0 || !same(got, pair(n)) {
					t.Errorf("a reader saw half a pair, or %v", err)
					return
				}
			}
		})
	}
	for n := range saves {
		if err := b.Store.Save(t.Context(), work, pair(n*60)); err != nil {
			t.Error(err)
		}
	}
	stop()
	readers.Wait()
}

func exclusive(t *testing.T, b Backend) {
	var inside atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		_, locker := b.Reopen()
		all.Go(func() {
			release, err := locker.Lock(t.Context(), work)
			if err != nil {
				t.Error(err)
				return
			}
			if inside.Add(1) != 1 {
				t.Error("two hold the lock")
			}
			inside.Add(-1)
			release()
		})
	}
	all.Wait()
}

func patience(t *testing.T, b Backend) {
	release, err := b.Locker.Lock(t.Context(), work)
	if err != nil {
		t.Fatal(err)
	}
	_, locker := b.Reopen()
	late, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := locker.Lock(late, work); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Lock in vain: %v, want Unavailable", err)
	}
	if other, err := locker.Lock(t.Context(), "other"); err != nil {
		t.Errorf("another profile's lock: %v", err)
	} else {
		other()
	}
	release()
	again, err := locker.Lock(t.Context(), work)
	if err != nil {
		t.Fatalf("Lock after release: %v", err)
	}
	again()
}

func probing(t *testing.T, b Backend) {
	prober, ok := b.Store.(keystore.Prober)
	if !ok {
		return // an optional interface
	}
	if err := prober.Probe(t.Context(), work); err != nil {
		t.Errorf("Probe: %v", err)
	}
	if _, err := b.Store.Load(t.Context(), work); !fault.Is(err, fault.NotFound) {
		t.Errorf("Probe left something: %v", err)
	}
}

// What is damaged is said to be, is not believed, hurts nobody else, and can be
// set aside and replaced.
func damage(t *testing.T, b Backend) {
	if b.Damages == 0 {
		t.Fatal("the backend's test does not say how it is damaged")
	}
	for n := range b.Damages {
		for _, p := range []credential.Profile{work, "other"} {
			if err := b.Store.Save(t.Context(), p, pair(2999)); err != nil {
				t.Fatal(err)
			}
		}
		b.Damage(t, work, n)
		_, err := b.Store.Load(t.Context(), work)
		if f, ok := errors.AsType[*fault.Error](err); !ok || f.Kind != fault.Invalid || f.Hint == "" {
			t.Fatalf("damage %d: %v, want Invalid with a hint", n, err)
		}
		if strings.Contains(err.Error(), "aaaa") {
			t.Errorf("damage %d: the error quotes what is stored: %v", n, err)
		}
		if got, err := b.Store.Load(t.Context(), "other"); err != nil || !same(got, pair(2999)) {
			t.Errorf("damage %d: another profile suffers: %v", n, err)
		}
		if where, err := b.Store.SetAside(t.Context(), work); err != nil || where == "" || where == b.Store.Where(work) {
			t.Errorf("damage %d: set aside in %q: %v", n, where, err)
		}
		if _, err := b.Store.Load(t.Context(), work); !fault.Is(err, fault.NotFound) {
			t.Errorf("damage %d: after it was set aside: %v", n, err)
		}
		if err := b.Store.Forget(t.Context(), work); err != nil {
			t.Errorf("damage %d: forgetting: %v", n, err)
		}
		if err := b.Store.Save(t.Context(), work, pair(7)); err != nil {
			t.Errorf("damage %d: saving anew: %v", n, err)
		}
		if got, err := b.Store.Load(t.Context(), work); err != nil || !same(got, pair(7)) {
			t.Errorf("damage %d: what was saved anew: %v", n, err)
		}
	}
}

// Pairs up to the longest token go in and out, and what is larger is refused
// and leaves the old one.
func large(t *testing.T, b Backend) {
	length := credential.MaxToken
	if b.Dear {
		length /= 8
	}
	want := credential.Pair{Access: secret.New(strings.Repeat("x", length)), Refresh: secret.New(strings.Repeat("y", length)), Expires: time.Unix(1795352810, 0)}
	for _, p := range []credential.Pair{pair(1), want, pair(2), want} {
		if err := b.Store.Save(t.Context(), work, p); err != nil {
			t.Fatal(err)
		}
		if got, err := b.Store.Load(t.Context(), work); err != nil || !same(got, p) {
			t.Errorf("%d characters come back changed, or %v", len(p.Access.Reveal()), err)
		}
	}
	err := b.Store.Save(t.Context(), work, credential.Pair{Access: secret.New(strings.Repeat("x", credential.MaxEncoded))})
	if !fault.Is(err, fault.Invalid) {
		t.Errorf("a pair that is too large: %v", err)
	}
	if got, err := b.Store.Load(t.Context(), work); err != nil || !same(got, want) {
		t.Errorf("after a refused one: %v", err)
	}
}
