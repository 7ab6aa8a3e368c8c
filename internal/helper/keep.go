package helper

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/atomicfile"
	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gofrs/flock"
)

// entry is what is kept of one run: a token, or the reason why there is none.
type entry struct {
	At     int64  `json:"at"` // Unix nanoseconds
	Token  string `json:"token,omitempty"`
	Failed string `json:"failed,omitempty"`
}

func (e entry) at() time.Time      { return time.Unix(0, e.At) }
func (e entry) token() secret.Text { return secret.New(e.Token) }

// usable reports whether a kept token may still be handed out. One out of the
// future was kept under another clock.
func (r *Runner) usable(e entry) (secret.Text, bool) {
	now, lifetime := r.Now(), DefaultTTL
	if r.Lifetime != nil {
		lifetime = *r.Lifetime
	}
	age := now.Sub(e.at())
	if e.Token == "" || age < 0 || age >= lifetime {
		return secret.Text{}, false
	}
	token := e.token()
	if claims, err := credential.ReadClaims(token); err == nil && !claims.Expires.IsZero() && !claims.Expires.After(now) {
		return secret.Text{}, false
	}
	return token, true
}

type memory struct {
	mu   sync.Mutex
	kept map[string]entry
}

func (m *memory) get(key string) entry {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.kept[key]
}

func (m *memory) put(key string, e entry) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.kept == nil {
		m.kept = map[string]entry{}
	}
	m.kept[key] = e
}

func (m *memory) drop(key string, token secret.Text) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.kept[key].token().Equal(token) {
		delete(m.kept, key)
	}
}

// The kept file is a convenience: whatever is wrong with it or its folder means
// that the script runs again, and nothing else.

const maxKept = 64 << 10

func (r *Runner) path(key string) string { return filepath.Join(r.Keep, key+".json") }

func (r *Runner) load(key string) entry {
	if r.Keep == "" {
		return entry{}
	}
	var e entry
	b, err := atomicfile.ReadPrivate(r.path(key), maxKept)
	if err != nil || json.Unmarshal(b, &e) != nil || !plain(e.Token) {
		return entry{}
	}
	return e
}

// plain reports whether a kept value is what read lets through.
func plain(token string) bool {
	return len(token) <= credential.MaxToken && !strings.ContainsFunc(token, func(r rune) bool { return r < ' ' || r > '~' })
}

func (r *Runner) save(key string, e entry) {
	if r.Keep == "" {
		return
	}
	if b, err := json.Marshal(e); err == nil {
		_ = atomicfile.Replace(r.path(key), b, atomicfile.SecretDir, atomicfile.SecretFile)
	}
}

func (r *Runner) remove(key string) {
	if r.Keep != "" {
		_ = os.Remove(r.path(key))
	}
}

const (
	lockRetry = 20 * time.Millisecond
	lockLimit = 4 * time.Minute // longer than any script may take
)

// lock keeps other processes from running the same script meanwhile. Where no
// lock can be had, each runs its own.
func (r *Runner) lock(ctx context.Context, key string) (release func()) {
	if r.Keep == "" || os.MkdirAll(r.Keep, atomicfile.SecretDir) != nil {
		return func() {}
	}
	ctx, stop := r.Wait.Limit(ctx, lockLimit)
	defer stop()
	lock := flock.New(filepath.Join(r.Keep, key+".lock"), flock.SetPermissions(atomicfile.SecretFile))
	if held, err := lock.TryLockContext(ctx, lockRetry); err != nil || !held {
		return func() {}
	}
	return func() { _ = lock.Unlock() }
}
