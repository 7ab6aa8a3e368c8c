package bearer

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/singleflight"
)

// Source knows one sort of credential. Its methods may be called concurrently.
type Source interface {
	// Accepts reports, from its form alone, whether a credential is of this sort.
	Accepts(presented string) bool
	// Resolve says who the credential stands for and until when (zero: no end).
	// It fails with Unauthenticated if it is not, or no longer, good; any other
	// error means that nothing is known.
	Resolve(ctx context.Context, presented secret.Text) (caller.Caller, time.Time, error)
	// Recheck says the same for a caller that Resolve returned before.
	Recheck(ctx context.Context, who caller.Caller) (caller.Caller, error)
}

// Config is what a Keeper needs. Zero durations and sizes take the defaults.
type Config struct {
	Sources []Source
	Now     func() time.Time
	Grace   time.Duration    // how long a grant outlives the last word from the database: 5 minutes
	Size    int              // how many grants are remembered: 65,536
	Heard   func() time.Time // when the feed of changes last answered
	// Ended is told of every grant that was taken back, with the time at which it
	// was last presented here. It may be left out, and must not block.
	Ended func(who caller.Caller, used time.Time)
	// Late is told of a credential that is presented while its grant is being taken
	// back, and so refused by what is remembered: no Source hears of it. used is zero
	// for one that was never let in. It may be left out, and must not block.
	Late func(who caller.Caller, used, at time.Time)
}

// Keeper remembers grants. Use New; its methods may be called concurrently.
type Keeper struct {
	cfg    Config
	flight singleflight.Group

	mu     sync.RWMutex
	byHash map[secret.Hash]*Grant
	byID   map[string]map[*Grant]struct{} // :: id of anything a grant depends on → grants
}

// New returns a Keeper without grants.
func New(cfg Config) *Keeper {
	if cfg.Grace == 0 {
		cfg.Grace = 5 * time.Minute
	}
	if cfg.Size == 0 {
		cfg.Size = 1 << 16
	}
	return &Keeper{cfg: cfg, byHash: map[secret.Hash]*Grant{}, byID: map[string]map[*Grant]struct{}{}}
}

// Authenticate returns the grant of a presented credential. It fails with
// Unauthenticated if the credential is missing, malformed, foreign, unknown,
// expired or revoked, and with Unavailable if we cannot tell.
func (k *Keeper) Authenticate(ctx context.Context, presented secret.Text) (*Grant, error) {
	hash := presented.Hash()
	if grant := k.remembered(hash); grant != nil {
		return k.still(grant)
	}
	source, err := k.sourceOf(presented)
	if err != nil {
		return nil, err
	}
	found, err, _ := k.flight.Do(string(hash[:]), func() (any, error) {
		// Between the look above and here, a whole flight may have come and gone.
		if grant := k.remembered(hash); grant != nil {
			return grant, nil
		}
		// The first who asks may go away; the others still want the answer.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		return k.resolve(ctx, source, hash, presented)
	})
	if err != nil {
		return nil, err
	}
	return k.still(found.(*Grant))
}

func (k *Keeper) remembered(hash secret.Hash) *Grant {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.byHash[hash]
}

func (k *Keeper) resolve(ctx context.Context, source Source, hash secret.Hash, presented secret.Text) (*Grant, error) {
	who, expires, err := source.Resolve(ctx, presented)
	switch {
	case fault.Is(err, fault.Unauthenticated):
		return nil, err
	case err != nil:
		return nil, unavailable(err)
	}
	grant := &Grant{hash: hash, source: source, expires: expires}
	grant.who.Store(&who)
	k.remember(grant, who)
	// A change that came between the look-up and here was told to nobody: look again.
	if err := k.recheck(ctx, grant); err != nil {
		k.forget(grant) // it was never seen to hold once it could be told of changes
		return nil, unavailable(err)
	}
	return grant, nil
}

func (k *Keeper) sourceOf(presented secret.Text) (Source, error) {
	v := presented.Reveal()
	switch {
	case v == "":
		return nil, fault.New(fault.Unauthenticated, "no credential was sent").
			WithHint("send it in the Authorization or the x-api-key header")
	case secret.Foreign(v):
		return nil, fault.New(fault.Unauthenticated, "this is a credential of Anthropic's, not of this server; it was neither kept nor passed on").
			WithHint("sign in here with: gatehouse login")
	}
	for _, s := range k.cfg.Sources {
		if s.Accepts(v) {
			return s, nil
		}
	}
	return nil, Refused()
}

// Refused is the one answer to a credential that is not good. It does not say
// in which way.
func Refused() *fault.Error {
	return fault.New(fault.Unauthenticated, "the credential is unknown, expired or revoked").WithHint("sign in again with: gatehouse login")
}

func unavailable(err error) error {
	return fault.Wrap(fault.Unavailable, err, "the credential cannot be checked just now").After(2 * time.Second)
}

// still returns the grant if it holds at this moment.
func (k *Keeper) still(g *Grant) (*Grant, error) {
	now := k.cfg.Now()
	switch {
	case g.ended.Load():
		k.late(g, now)
		return nil, Refused()
	case !g.expires.IsZero() && !now.Before(g.expires):
		k.forget(g)
		return nil, Refused()
	case k.cfg.Heard != nil && now.Sub(k.cfg.Heard()) > k.cfg.Grace:
		return nil, fault.New(fault.Unavailable, "the server has been without its database for too long to trust what it remembers").After(10 * time.Second)
	}
	g.used.Store(now.UnixMicro())
	return g, nil
}

func (k *Keeper) late(g *Grant, now time.Time) {
	k.forget(g)
	if k.cfg.Late == nil {
		return
	}
	var used time.Time
	if micros := g.used.Load(); micros != 0 {
		used = time.UnixMicro(micros)
	}
	k.cfg.Late(g.seen(), used, now)
}

// Used returns the callers that presented a credential since a moment, with the
// time at which each last did, and the address that was noted of it.
func (k *Keeper) Used(since time.Time) map[caller.Caller]time.Time {
	k.mu.RLock()
	defer k.mu.RUnlock()
	used := map[caller.Caller]time.Time{}
	for _, g := range k.byHash {
		if at := time.UnixMicro(g.used.Load()); at.After(since) {
			used[g.seen()] = at
		}
	}
	return used
}

// Changed tells the Keeper that the things with these ids are no longer as they
// were. Every grant that depends on one is asked for again; those that are gone
// end before Changed returns. An error means that some could not be asked.
func (k *Keeper) Changed(ctx context.Context, ids ...string) error {
	var failed error
	for _, g := range k.dependents(ids) {
		if err := k.recheck(ctx, g); err != nil {
			failed = err
		}
	}
	return failed
}

// ChangedAll tells the Keeper that anything may have changed: every grant is
// asked for again, a few at a time. Otherwise it is as Changed.
func (k *Keeper) ChangedAll(ctx context.Context) error {
	var asking errgroup.Group
	asking.SetLimit(8)
	for _, g := range k.all() {
		asking.Go(func() error { return k.recheck(ctx, g) })
	}
	return asking.Wait()
}

// all returns every grant that can be reached: each depends on something.
func (k *Keeper) all() []*Grant {
	k.mu.RLock()
	ids := slices.Collect(maps.Keys(k.byID))
	k.mu.RUnlock()
	return k.dependents(ids)
}

func (k *Keeper) recheck(ctx context.Context, g *Grant) error {
	who, err := g.source.Recheck(ctx, g.Caller())
	switch {
	case err == nil:
		g.who.Store(&who)
	case fault.Is(err, fault.Unauthenticated):
		k.forget(g)
		g.end()
		if used := g.used.Load(); used != 0 && k.cfg.Ended != nil {
			k.cfg.Ended(g.seen(), time.UnixMicro(used))
		}
	default:
		return err
	}
	return nil
}

func (k *Keeper) dependents(ids []string) []*Grant {
	k.mu.RLock()
	defer k.mu.RUnlock()
	var found []*Grant
	seen := map[*Grant]bool{}
	for _, id := range ids {
		for g := range k.byID[id] {
			if !seen[g] {
				seen[g] = true
				found = append(found, g)
			}
		}
	}
	return found
}

func (k *Keeper) remember(g *Grant, who caller.Caller) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for old := range k.byHash {
		if len(k.byHash) < k.cfg.Size {
			break
		}
		// Maps iterate in random order: some grant makes room. One with a stream
		// on it stays reachable by its ids, so that it can still be ended.
		delete(k.byHash, old)
	}
	k.byHash[g.hash] = g
	for _, id := range dependencies(who) {
		if k.byID[id] == nil {
			k.byID[id] = map[*Grant]struct{}{}
		}
		k.byID[id][g] = struct{}{}
	}
	k.sweep()
}

func (k *Keeper) forget(g *Grant) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.byHash[g.hash] == g {
		delete(k.byHash, g.hash)
	}
	if !g.busy() {
		k.unlink(g)
	}
}

// sweep drops what is reachable by id alone and carries no stream any more.
// It does so when that is more than half of everything, so its cost is shared.
func (k *Keeper) sweep() {
	session := 0
	for _, set := range k.byID {
		session = max(session, len(set))
	}
	if session <= 2*k.cfg.Size {
		return
	}
	for _, set := range k.byID {
		for g := range set {
			if k.byHash[g.hash] != g && !g.busy() {
				k.unlink(g)
			}
		}
	}
}

func (k *Keeper) unlink(g *Grant) {
	for _, id := range dependencies(g.Caller()) {
		delete(k.byID[id], g)
		if len(k.byID[id]) == 0 {
			delete(k.byID, id)
		}
	}
}

func dependencies(who caller.Caller) []string {
	var ids []string
	for _, id := range []string{string(who.Key), string(who.Session), string(who.Member), string(who.ServiceAccount), string(who.Maker), string(who.Workspace), string(who.Account), string(who.Organization)} {
		if id != "" {
			ids = append(ids, id)
		}
	}
	return append(ids, strings.Fields(who.Groups)...)
}
