package agent

import (
	"context"
	"encoding/hex"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"golang.org/x/sync/singleflight"
)

// Source hands out the pairs of one profile, as refresh.Source does.
type Source interface {
	Pair(ctx context.Context) (credential.Pair, error)
	PairAfter(ctx context.Context, refused secret.Hash) (credential.Pair, error)
}

// SignIn is one profile as it is now.
type SignIn struct {
	Source Source
	Server string // its origin
	// Check reads the storage, and asks no server.
	Check func(ctx context.Context) error
	// Close hangs up whatever is open. What is asked afterwards may fail, and is
	// asked again of a new one.
	Close func()
}

// Opener opens the storage of sign-ins.
type Opener interface {
	// Mark changes whenever the sign-in of a profile does: signed in, out, moved
	// to another storage. It is asked at every request and must be quick.
	Mark(profile credential.Profile) string
	// Open opens a profile. The passphrase is for a storage that needs one, and
	// may be empty. It asks nobody.
	Open(profile credential.Profile, passphrase secret.Text) (SignIn, error)
}

const (
	// maxHeld bounds the profiles that are held.
	maxHeld = 32
	// pause is how long a token that could not be renewed is handed out before
	// the next try.
	pause = 15 * time.Second
	// forced is the least time between two renewals that were made only because
	// somebody says that the server refused a token.
	forced = 30 * time.Second
	// aheadPatience bounds a renewal that nobody waits for.
	aheadPatience = time.Minute
)

var errLocked = fault.New(fault.Unavailable, "the agent is locked").WithHint("gatehouse agent unlock")

// Keeper holds access tokens in memory. Its methods may be called concurrently;
// it must not be copied after first use. All fields are required.
type Keeper struct {
	Opener Opener
	Now    func() time.Time
	Wait   func(ctx context.Context, d time.Duration) error

	flight singleflight.Group

	mu         sync.Mutex
	locked     bool
	generation int // grows with every lock and unlock
	passphrase secret.Text
	held       map[credential.Profile]*held
}

// held is one profile; it is changed with the Keeper's lock held.
type held struct {
	mark   string
	signIn SignIn
	pair   credential.Pair // without a refresh token
	again  time.Time       // when to try again to renew a pair that is not fresh
	forced time.Time       // when a refused token was last renewed for that reason
	stop   context.CancelFunc
}

// Token returns an access token of a profile that is not about to expire.
func (k *Keeper) Token(ctx context.Context, profile credential.Profile, refused secret.Hash) (Token, error) {
	profile = credential.Profile(profile.String())
	mark := k.Opener.Mark(profile)
	k.mu.Lock()
	if k.locked {
		k.mu.Unlock()
		return Token{}, errLocked
	}
	refused = k.honour(k.held[profile], refused)
	if t, ok := k.fromMemory(k.held[profile], mark, refused); ok {
		k.mu.Unlock()
		return t, nil
	}
	generation := k.generation
	k.mu.Unlock()
	done := k.flight.DoChan(flightName(generation, profile, mark, refused), func() (any, error) {
		// Whoever asked first may go away; the others still want the answer.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), aheadPatience)
		defer cancel()
		return k.fetch(ctx, profile, mark, generation, refused)
	})
	select {
	case r := <-done:
		return r.Val.(Token), r.Err
	case <-ctx.Done():
		return Token{}, fault.Wrap(fault.Unavailable, ctx.Err(), "waiting for the token was interrupted")
	}
}

func flightName(generation int, profile credential.Profile, mark string, refused secret.Hash) string {
	return strings.Join([]string{strconv.Itoa(generation), string(profile), mark, hex.EncodeToString(refused[:])}, "\x00")
}

// honour drops a refusal that would make the server renew too often: whoever has
// a shared socket could else keep it busy.
func (k *Keeper) honour(h *held, refused secret.Hash) secret.Hash {
	if refused == (secret.Hash{}) || h == nil || h.pair.Access.Hash() != refused {
		return secret.Hash{}
	}
	if since := k.Now().Sub(h.forced); since >= 0 && since < forced {
		return secret.Hash{}
	}
	return refused
}

func (k *Keeper) fromMemory(h *held, mark string, refused secret.Hash) (Token, bool) {
	if h == nil || h.mark != mark || refused != (secret.Hash{}) {
		return Token{}, false
	}
	now := k.Now()
	if h.pair.Fresh(now) || now.Before(h.again) && h.pair.Usable(now) {
		return h.token(), true
	}
	return Token{}, false
}

func (h *held) token() Token {
	return Token{Access: h.pair.Access, Expires: h.pair.Expires, Server: h.signIn.Server}
}

// fetch asks the storage, and through it the server.
func (k *Keeper) fetch(ctx context.Context, profile credential.Profile, mark string, generation int, refused secret.Hash) (Token, error) {
	signIn, before, err := k.open(profile, mark, generation)
	if err != nil {
		return Token{}, err
	}
	pair, err := ask(ctx, signIn.Source, refused)
	if err != nil && before && !fault.Is(err, fault.Unauthenticated) {
		// A keyring that was started anew does not know who has been there before.
		k.mu.Lock()
		k.drop(profile)
		k.mu.Unlock()
		if signIn, _, err = k.open(profile, mark, generation); err != nil {
			return Token{}, err
		}
		pair, err = ask(ctx, signIn.Source, refused)
	}
	if err == nil && !credential.Printable(pair.Access) {
		err = fault.New(fault.Invalid, "the stored access token is not printable").WithHint("gatehouse login" + profile.Flag())
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.generation != generation:
		signIn.Close()
		return Token{}, errLocked
	case err != nil:
		k.drop(profile)
		signIn.Close()
		return Token{}, err
	}
	return k.keep(profile, mark, signIn, pair, refused)
}

func ask(ctx context.Context, source Source, refused secret.Hash) (credential.Pair, error) {
	if refused == (secret.Hash{}) {
		return source.Pair(ctx)
	}
	return source.PairAfter(ctx, refused)
}

// open returns a profile's sign-in; before says that it was open.
func (k *Keeper) open(profile credential.Profile, mark string, generation int) (signIn SignIn, before bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.generation != generation {
		return SignIn{}, false, errLocked
	}
	if h := k.held[profile]; h != nil && h.mark == mark {
		return h.signIn, true, nil
	}
	signIn, err = k.Opener.Open(profile, k.passphrase)
	return signIn, false, err
}

// keep is called with the lock held.
func (k *Keeper) keep(profile credential.Profile, mark string, signIn SignIn, pair credential.Pair, refused secret.Hash) (Token, error) {
	h := k.held[profile]
	if h == nil {
		if len(k.held) >= maxHeld {
			signIn.Close()
			return Token{}, fault.New(fault.Unavailable, "the agent holds %d profiles already", maxHeld).WithHint("gatehouse agent stop")
		}
		h = &held{}
		if k.held == nil {
			k.held = map[credential.Profile]*held{}
		}
		k.held[profile] = h
	}
	now := k.Now()
	changed := !h.pair.Access.Equal(pair.Access)
	h.mark, h.signIn = mark, signIn
	h.pair = credential.Pair{Access: pair.Access, Expires: pair.Expires}
	if h.again = (time.Time{}); !pair.Fresh(now) {
		h.again = now.Add(pause)
	}
	if refused != (secret.Hash{}) {
		h.forced = now
	}
	if changed || h.stop == nil {
		if h.stop != nil {
			h.stop()
		}
		var ctx context.Context
		ctx, h.stop = context.WithCancel(context.Background())
		go k.ahead(ctx, profile, max(h.pair.Due().Sub(now), pause))
	}
	return h.token(), nil
}

// ahead renews a token when half of its life is over, so that nobody waits for it.
// It goes on while the server cannot be reached, and ends when the token is
// replaced or forgotten.
func (k *Keeper) ahead(ctx context.Context, profile credential.Profile, in time.Duration) {
	for k.Wait(ctx, in) == nil {
		_, err := k.Token(ctx, profile, secret.Hash{})
		if err != nil && !fault.Is(err, fault.Unavailable) {
			return
		}
		in = aheadPatience
	}
}

// drop is called with the lock held.
func (k *Keeper) drop(profile credential.Profile) {
	if h := k.held[profile]; h != nil {
		h.stop()
		h.signIn.Close()
		delete(k.held, profile)
	}
}

// Lock forgets everything, and refuses until Unlock.
func (k *Keeper) Lock() {
	k.mu.Lock()
	k.locked = true
	k.forget()
	k.mu.Unlock()
	debug.FreeOSMemory() // what was let go of leaves the process
}

// forget is called with the lock held.
func (k *Keeper) forget() {
	k.generation++
	k.passphrase = secret.Text{}
	for profile := range k.held {
		k.drop(profile)
	}
}

// Unlock opens a profile's storage with what the person typed, if that is
// needed, and goes on. Where that fails, what was before stays.
func (k *Keeper) Unlock(ctx context.Context, profile credential.Profile, passphrase secret.Text) error {
	profile = credential.Profile(profile.String())
	signIn, err := k.Opener.Open(profile, passphrase)
	if err != nil {
		return err
	}
	defer signIn.Close()
	if err := signIn.Check(ctx); err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.locked = false
	k.generation++
	if !passphrase.Empty() {
		k.passphrase = passphrase
	}
	return nil
}

// Locked reports whether the agent refuses.
func (k *Keeper) Locked() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.locked
}

// Held lists what is in memory, in the order of the profiles' names.
func (k *Keeper) Held() []ProfileStatus {
	k.mu.Lock()
	defer k.mu.Unlock()
	list := []ProfileStatus{}
	for profile, h := range k.held {
		list = append(list, ProfileStatus{Profile: profile.String(), Server: h.signIn.Server, Expires: h.pair.Expires.UTC()})
	}
	slices.SortFunc(list, func(a, b ProfileStatus) int { return strings.Compare(a.Profile, b.Profile) })
	return list
}
