package keystoretest

import (
	"context"
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
	for range 4 {
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
	for n := range 50 {
		if err := b.Store.Save(t.Context(), work, pair(n)); err != nil {
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
