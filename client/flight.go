package client

import (
	"context"
	"sync"
	"time"
)

// early is how long before its end a token is replaced: longer than a request
// takes to get to the server.
const early = 10 * time.Second

// tokens keeps the source's last token and lets one call at a time ask for the
// next. Tokens are numbered from 1, so that a request that was refused with an
// old one takes the new one that is already here.
type tokens struct {
	mu      sync.Mutex
	last    Token
	number  int
	refused int // the highest number that the server refused
	now     *flight
}

// flight is one call of the source, and those who wait for it.
type flight struct {
	landed  chan struct{} // closed when token, number and err are set
	token   Token
	number  int
	err     error
	waiting int
	cancel  context.CancelFunc
}

// get returns a token that is not about to end and was not refused, and its
// number. The call of the source is given up when nobody waits for it any more.
func (t *tokens) get(ctx context.Context, source Source) (Token, int, error) {
	t.mu.Lock()
	if t.number > t.refused && !due(t.last) {
		defer t.mu.Unlock()
		return t.last, t.number, nil
	}
	f := t.now
	if f == nil {
		f = t.start(ctx, source)
	}
	f.waiting++
	t.mu.Unlock()
	select {
	case <-f.landed:
		return f.token, f.number, f.err
	case <-ctx.Done():
		t.leave(f)
		return Token{}, 0, ctx.Err()
	}
}

func due(t Token) bool { return !t.expires.IsZero() && time.Until(t.expires) < early }

// start is called with the lock held.
func (t *tokens) start(ctx context.Context, source Source) *flight {
	// The first who asks may leave while others still wait.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	f := &flight{landed: make(chan struct{}), cancel: cancel}
	t.now = f
	go func() {
		defer cancel()
		token, err := source.Token(ctx)
		if err == nil && !token.usable() {
			err = ErrNoToken
		}
		t.land(f, token, err)
	}()
	return f
}

func (t *tokens) land(f *flight, token Token, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	abandoned := t.now != f // whose token may be older than what came since
	if !abandoned {
		t.now = nil
	}
	if f.err = err; err == nil && !abandoned {
		t.number++
		t.last, f.token, f.number = token, token, t.number
	}
	close(f.landed)
}

func (t *tokens) leave(f *flight) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if f.waiting--; f.waiting == 0 {
		f.cancel()
		if t.now == f { // whoever comes next is not to get its cancellation
			t.now = nil
		}
	}
}

// refuse marks a token that the server does not take.
func (t *tokens) refuse(number int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.refused = max(t.refused, number)
}
