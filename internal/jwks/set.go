package jwks

import (
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/go-jose/go-jose/v4"
)

// Key is a signing key.
type Key struct {
	ID        string // the "kid"
	Algorithm Algorithm
	Private   crypto.Signer
	CreatedAt time.Time
	ActiveAt  time.Time
}

// Store is what the package needs stored. Private keys are sealed by it.
type Store interface {
	// Keys returns all keys of an algorithm in the order of ActiveAt.
	Keys(ctx context.Context, a Algorithm) ([]Key, error)
	// Add adds a key, unless it is the first of its algorithm and another is there
	// already.
	Add(ctx context.Context, k Key, first bool, e audit.Event) error
}

// Set is the keys of one algorithm as one node knows them. Use Load or New; it is
// safe for concurrent use.
type Set struct {
	store     Store
	algorithm Algorithm
	now       func() time.Time

	mu      sync.RWMutex
	keys    []Key
	signers map[string]jose.Signer

	looking sync.Mutex // held while looking for a key that is not known
	looked  time.Time
	failed  error // how the last look went
	making  sync.Mutex
}

// New is a set that has read nothing yet: see Ensure.
func New(store Store, a Algorithm, now func() time.Time) *Set {
	return &Set{store: store, algorithm: a, now: now}
}

// Load reads the keys, after making the first if there is none.
func Load(ctx context.Context, store Store, a Algorithm, now func() time.Time) (*Set, error) {
	s := New(store, a, now)
	return s, s.Ensure(ctx)
}

// Ensure sees to it that there is a key to sign with. A set that was not made by
// Load needs it before anything else.
func (s *Set) Ensure(ctx context.Context) error {
	if s.has() {
		return nil
	}
	s.making.Lock()
	defer s.making.Unlock()
	if s.has() {
		return nil
	}
	if err := s.Reload(ctx); err != nil || s.has() {
		return err
	}
	return s.add(ctx, caller.OfSystem(""), true, s.now())
}

func (s *Set) has() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.keys) > 0
}

// Reload reads the keys again.
func (s *Set) Reload(ctx context.Context) error {
	keys, err := s.store.Keys(ctx, s.algorithm)
	if err != nil {
		return fmt.Errorf("reading the signing keys: %w", err)
	}
	signers := map[string]jose.Signer{}
	for _, k := range keys {
		options := (&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", k.ID)
		if signers[k.ID], err = jose.NewSigner(jose.SigningKey{Algorithm: s.algorithm, Key: k.Private}, options); err != nil {
			return fmt.Errorf("using signing key %s: %w", k.ID, err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys, s.signers = keys, signers
	return nil
}

// Rotate makes a new key, which signs after a short while.
func (s *Set) Rotate(ctx context.Context, who caller.Caller) error {
	if err := access.CheckInstance(who); err != nil {
		return err
	}
	return s.add(ctx, who, false, s.now().Add(times[s.algorithm].lead))
}

// RotateIfOld rotates when the newest key is older than Life. Where there is no key
// yet, none is made.
func (s *Set) RotateIfOld(ctx context.Context, who caller.Caller) error {
	if err := access.CheckInstance(who); err != nil {
		return err
	}
	s.mu.RLock()
	young := len(s.keys) == 0 || s.now().Sub(s.keys[len(s.keys)-1].CreatedAt) < Life
	s.mu.RUnlock()
	if young {
		return nil
	}
	return s.Rotate(ctx, who)
}

func (s *Set) add(ctx context.Context, who caller.Caller, first bool, active time.Time) error {
	private, err := generate(s.algorithm)
	if err != nil {
		return err
	}
	k := Key{ID: string(id.NewRequest())[4:], Algorithm: s.algorithm, Private: private, CreatedAt: s.now(), ActiveAt: active}
	if err := s.store.Add(ctx, k, first, audit.New(who, s.now(), audit.SigningKeyRotated, k.ID, nil)); err != nil {
		return fmt.Errorf("adding a signing key: %w", err)
	}
	return s.Reload(ctx)
}

// Sign makes a token of the claims.
func (s *Set) Sign(claims any) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("encoding claims: %w", err)
	}
	signed, err := s.signer().Sign(payload)
	if err != nil {
		return "", fmt.Errorf("signing a token: %w", err)
	}
	return signed.CompactSerialize()
}

func (s *Set) signer() jose.Signer {
	s.mu.RLock()
	defer s.mu.RUnlock()
	now, chosen := s.now(), s.keys[0]
	for _, k := range s.keys {
		if !k.ActiveAt.After(now) {
			chosen = k
		}
	}
	return s.signers[chosen.ID]
}

// ErrToken is the one answer to a token that this set did not sign.
var ErrToken = errors.New("the token was not signed by this server")

// Verify checks a token's signature and reads its claims. It fails with
// ErrToken if the token is not ours; any other error says that we cannot tell.
func (s *Set) Verify(ctx context.Context, token string, claims any) error {
	parsed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{s.algorithm})
	if err != nil || len(parsed.Signatures) != 1 {
		return ErrToken
	}
	key, err := s.verifier(ctx, parsed.Signatures[0].Protected.KeyID)
	if err != nil {
		return err
	}
	payload, err := parsed.Verify(key)
	if err != nil {
		return ErrToken
	}
	if err := json.Unmarshal(payload, claims); err != nil {
		return ErrToken
	}
	return nil
}

func (s *Set) verifier(ctx context.Context, kid string) (crypto.PublicKey, error) {
	if key, ok := s.find(kid); ok {
		return key, nil
	}
	// Another node may have made it a moment ago.
	if err := s.lookAgain(ctx); err != nil {
		return nil, err
	}
	if key, ok := s.find(kid); ok {
		return key, nil
	}
	return nil, ErrToken
}

// lookAgain reloads the keys, but not more than once a second: strangers' tokens
// must not keep the database busy. Whoever comes in between gets the result of
// the last look, also if it failed.
func (s *Set) lookAgain(ctx context.Context) error {
	s.looking.Lock()
	defer s.looking.Unlock()
	if s.now().Sub(s.looked) >= time.Second {
		s.failed = s.Reload(ctx)
		s.looked = s.now()
	}
	return s.failed
}

func (s *Set) find(kid string) (crypto.PublicKey, bool) {
	for _, k := range s.published() {
		if k.ID == kid {
			return k.Private.Public(), true
		}
	}
	return nil, false
}

// published are the keys that verify now.
func (s *Set) published() []Key {
	s.mu.RLock()
	defer s.mu.RUnlock()
	now, from := s.now(), 0
	for i := 1; i < len(s.keys); i++ {
		if now.Sub(s.keys[i].ActiveAt) > times[s.algorithm].overlap {
			from = i
		}
	}
	return slices.Clone(s.keys[from:])
}

// Public is the JSON Web Key Set (RFC 7517) to be served.
func (s *Set) Public() jose.JSONWebKeySet {
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for _, k := range s.published() {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: k.Private.Public(), KeyID: k.ID, Algorithm: string(s.algorithm), Use: "sig"})
	}
	return set
}
