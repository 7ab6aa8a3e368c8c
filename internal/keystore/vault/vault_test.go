package vault

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/keystore"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// ring is a keyring in memory that breaks when it is told to.
type ring struct {
	mu    sync.Mutex
	held  map[string]secret.Text
	left  int // so many calls succeed
	hangs bool
}

var errBroken = fault.New(fault.Unavailable, "broken")

func (r *ring) Kind() string             { return keystore.SecretService }
func (r *ring) Limit() int               { return 100 }
func (r *ring) Where(name string) string { return name }

func (r *ring) call() error {
	if r.hangs {
		select {}
	}
	if r.left--; r.left < 0 {
		return errBroken
	}
	return nil
}

func (r *ring) Get(_ context.Context, name string) (secret.Text, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.call(); err != nil {
		return secret.Text{}, err
	}
	if v, ok := r.held[name]; ok {
		return v, nil
	}
	return secret.Text{}, fault.New(fault.NotFound, "none")
}

func (r *ring) Set(_ context.Context, name string, v secret.Text) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.call(); err != nil {
		return err
	}
	if len(v.Reveal()) > r.Limit() || !printable(v.Reveal()) {
		return fault.New(fault.Invalid, "%d bytes", len(v.Reveal()))
	}
	r.held[name] = v
	return nil
}

func (r *ring) Delete(_ context.Context, name string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.call(); err != nil {
		return err
	}
	delete(r.held, name)
	return nil
}

func pair(n int) credential.Pair {
	return credential.Pair{Access: secret.New(fmt.Sprint(n, strings.Repeat("a", 300))), Refresh: secret.New(fmt.Sprint("r", n)), Expires: time.Unix(1795352810, 0)}
}

// However far a save comes before the keyring or the process dies, the old pair
// or the new one is there, whole; and the next save leaves nothing loose of it.
func TestBrokenOffAnywhere(t *testing.T) {
	t.Parallel()
	for calls := range 40 {
		r := &ring{held: map[string]secret.Text{}, left: 1000}
		s := &Store{Items: r, Origin: "https://gate.example.com"}
		if err := s.Save(t.Context(), "work", pair(1)); err != nil {
			t.Fatal(err)
		}
		r.left = calls
		broken := s.Save(t.Context(), "work", pair(2))
		r.left = 1000
		got, err := s.Load(t.Context(), "work")
		if err != nil || !got.SameChain(pair(1)) && !got.SameChain(pair(2)) {
			t.Fatalf("after %d calls: %v", calls, err)
		}
		if broken == nil && !got.SameChain(pair(2)) {
			t.Errorf("after %d calls the save seemed to work", calls)
		}
	}
}

// Nothing is left behind by saves, moves between the forms, and deletion.
func TestNothingIsLeft(t *testing.T) {
	t.Parallel()
	r := &ring{held: map[string]secret.Text{}, left: 1 << 30}
	s := &Store{Items: r, Origin: "https://gate.example.com"}
	for range 3 {
		if err := s.Save(t.Context(), "work", pair(1)); err != nil {
			t.Fatal(err)
		}
	}
	split := len(r.held)
	if split < 3 || split > 12 {
		t.Errorf("%d items for one pair", split)
	}
	if err := s.Delete(t.Context(), "work"); err != nil || len(r.held) != 0 {
		t.Errorf("%d items are left, %v", len(r.held), err)
	}
}

func TestNamesAreApart(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, origin := range []string{"https://a.example.com", "https://b.example.com"} {
		for _, folder := range []string{"/home/ada/.config/gatehouse", "/home/ada/other"} {
			for _, p := range []credential.Profile{"", "work"} {
				seen[(&Store{Origin: origin, Folder: folder}).Item(p)] = true
			}
		}
	}
	if len(seen) != 8 {
		t.Errorf("eight sign-ins have %d names: %v", len(seen), seen)
	}
}

// A keyring that never comes back costs two seconds, also one that does not
// look at its context.
func TestPatience(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		begin := time.Now()
		_, err := within(t.Context(), "x", func(context.Context) (none, error) { <-release; return none{}, nil })
		if !fault.Is(err, fault.Unavailable) || time.Since(begin) != keystore.BusyPatience {
			t.Errorf("after %s: %v", time.Since(begin), err)
		}
		close(release)
	})
}

// A reader that a writer overtakes again and again gives up, and does not call
// it damage.
func TestOvertaken(t *testing.T) {
	t.Parallel()
	r := &ring{held: map[string]secret.Text{}, left: 1 << 30}
	s := &Store{Items: overtaken{r}, Origin: "https://gate.example.com"}
	if _, err := s.Load(t.Context(), "work"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("%v", err)
	}
}

// overtaken has another generation at every look, and never its parts.
type overtaken struct{ *ring }

func (o overtaken) Get(_ context.Context, name string) (secret.Text, error) {
	if strings.Contains(name, "#") {
		return secret.Text{}, fault.New(fault.NotFound, "gone")
	}
	return secret.New(index{sum: sum("x"), generation: random(), parts: 1}.String()), nil
}

// FuzzIndex proves that what an item may hold is refused or read, and that what
// was read is written the same.
func FuzzIndex(f *testing.F) {
	for _, seed := range []string{"", "g1..", "g1." + sum("abc") + ".abc", "g2.0123456789abcdef.01234567.2", "g2.0123456789abcdef.01234567.02", "g2.0123456789abcdef.01234567.-1",
		"g3.a.b.c", "g2.0123456789ABCDEF.01234567.2", strings.Repeat("g1.", 99)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		i, err := parse(value)
		if err != nil {
			if !errors.Is(err, errDamaged) {
				t.Errorf("%v", err)
			}
			return
		}
		if i.String() != value || i.parts > maxParts || i.parts < 0 {
			t.Errorf("%q is read as %q", value, i.String())
		}
		_, _ = unpack(i.text)
	})
}
