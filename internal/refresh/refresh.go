package refresh

import (
	"context"
	"fmt"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/keystore"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"golang.org/x/sync/singleflight"
)

// Exchanger trades a refresh token for the next pair of its chain. It fails with
// fault.Unauthenticated if the authorization server refuses the token, and with
// any other error if nothing is known about it.
type Exchanger interface {
	Exchange(ctx context.Context, old credential.Pair) (credential.Pair, error)
}

// Source hands out the pairs of one profile. Store, Locker, Exchanger and Now
// are required. Its methods may be called concurrently; it must not be copied
// after first use.
type Source struct {
	Profile   credential.Profile
	Store     keystore.Store
	Locker    keystore.Locker
	Exchanger Exchanger
	Now       func() time.Time
	// Patience is how long a renewal may take, waiting for the lock included;
	// zero is 30 s. While the stored token can still be used, Hurry is the bound
	// instead; zero is 5 s.
	Patience time.Duration
	Hurry    time.Duration

	flight singleflight.Group
}

// Pair returns a pair whose access token is fresh (credential.Pair.Fresh), or
// at least usable if it cannot be renewed now. It fails with NotFound if nobody
// is signed in, Unauthenticated if the sign-in has ended, Invalid if the store
// holds something that cannot be trusted, and Unavailable if the server cannot
// be reached.
func (s *Source) Pair(ctx context.Context) (credential.Pair, error) {
	return s.PairAfter(ctx, secret.Hash{})
}

// PairAfter is Pair for somebody whose access token the server has refused, known
// by its hash: that one is not handed out again. The zero Hash stands for none.
func (s *Source) PairAfter(ctx context.Context, refused secret.Hash) (credential.Pair, error) {
	stored, err := s.Store.Load(ctx, s.Profile)
	if err != nil || s.serves(stored, refused) {
		return stored, err
	}
	renewed, err := s.once(ctx, stored, refused)
	if err != nil && !fault.Is(err, fault.Unauthenticated) && stored.Usable(s.Now()) && stored.Access.Hash() != refused {
		return stored, nil
	}
	return renewed, err
}

func (s *Source) serves(pair credential.Pair, refused secret.Hash) bool {
	return pair.Fresh(s.Now()) && pair.Access.Hash() != refused
}

// once lets one goroutine renew while the others wait for its result.
func (s *Source) once(ctx context.Context, stored credential.Pair, refused secret.Hash) (credential.Pair, error) {
	patience := s.patience(stored)
	done := s.flight.DoChan(string(refused[:]), func() (any, error) {
		// Whoever asked first may go away; the others still want the answer.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		return s.renew(ctx, refused)
	})
	select {
	case r := <-done:
		return r.Val.(credential.Pair), r.Err
	case <-ctx.Done():
		return credential.Pair{}, fault.Wrap(fault.Unavailable, ctx.Err(), "renewing the credential was interrupted")
	}
}

func (s *Source) patience(stored credential.Pair) time.Duration {
	patience, hurry := s.Patience, s.Hurry
	if patience == 0 {
		patience = 30 * time.Second
	}
	if hurry == 0 {
		hurry = 5 * time.Second
	}
	if stored.Usable(s.Now()) {
		return min(hurry, patience)
	}
	return patience
}

func (s *Source) renew(ctx context.Context, refused secret.Hash) (credential.Pair, error) {
	release, err := s.Locker.Lock(ctx, s.Profile)
	if err != nil {
		return credential.Pair{}, err
	}
	defer release()
	stored, err := s.Store.Load(ctx, s.Profile)
	if err != nil || s.serves(stored, refused) {
		return stored, err
	}
	renewed, err := s.exchange(ctx, stored)
	if !fault.Is(err, fault.Unauthenticated) {
		return renewed, err
	}
	again, loadErr := s.Store.Load(ctx, s.Profile)
	if loadErr != nil || again.SameChain(stored) {
		return credential.Pair{}, err
	}
	if again.Fresh(s.Now()) {
		return again, nil
	}
	return s.exchange(ctx, again)
}

func (s *Source) exchange(ctx context.Context, old credential.Pair) (credential.Pair, error) {
	if old.Refresh.Empty() {
		return credential.Pair{}, fault.New(fault.Unauthenticated, "the sign-in has expired and cannot renew itself")
	}
	if prober, ok := s.Store.(keystore.Prober); ok {
		if err := prober.Probe(ctx, s.Profile); err != nil {
			return credential.Pair{}, err
		}
	}
	next, err := s.Exchanger.Exchange(ctx, old)
	if err != nil {
		return credential.Pair{}, err
	}
	return s.settle(ctx, old, next)
}

// settle saves next where old still stands. If somebody else went on from there
// in the meantime, theirs is the end of the chain and ours a retired link.
func (s *Source) settle(ctx context.Context, old, next credential.Pair) (credential.Pair, error) {
	stored, err := s.Store.Load(ctx, s.Profile)
	switch {
	case fault.Is(err, fault.NotFound):
		return credential.Pair{}, fault.New(fault.Unauthenticated, "this machine was signed out meanwhile")
	case err == nil && !stored.SameChain(old) && !stored.SameChain(next):
		return stored, nil
	}
	if err := s.Store.Save(ctx, s.Profile, next); err != nil {
		return credential.Pair{}, fmt.Errorf("keeping the renewed credential: %w", err)
	}
	return next, nil
}
