package bearer

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// Grant is an accepted credential. It may be held for as long as a stream
// lasts; OnEnd tells when it is taken back.
type Grant struct {
	hash    secret.Hash
	source  Source
	expires time.Time
	who     atomic.Pointer[caller.Caller]
	ended   atomic.Bool
	used    atomic.Int64 // microseconds; when it was last presented
	noted   atomic.Int64 // microseconds; when its address was last noted
	address atomic.Pointer[string]

	mu    sync.Mutex
	next  int
	onEnd map[int]func() // :: registration → what to do
}

// Caller is who the credential stands for, as of now.
func (g *Grant) Caller() caller.Caller { return *g.who.Load() }

// addressEvery is how often the address of one credential is looked at.
const addressEvery = int64(time.Minute / time.Microsecond)

// WantsAddress reports whether it is time to note where the credential comes
// from: to find that out takes a moment that not every request has to give.
func (g *Grant) WantsAddress(now time.Time) bool {
	last, at := g.noted.Load(), now.UnixMicro()
	return at-last >= addressEvery && g.noted.CompareAndSwap(last, at)
}

// From notes where the credential came from.
func (g *Grant) From(address string) { g.address.Store(&address) }

// seen is the caller, with the address that was noted.
func (g *Grant) seen() caller.Caller {
	who := g.Caller()
	if from := g.address.Load(); from != nil {
		who.Address = *from
	}
	return who
}

// OnEnd has f called, once and on another goroutine's time, when the credential
// is revoked; at once if it already is. Expiry alone ends nothing that runs. The
// returned function withdraws f.
func (g *Grant) OnEnd(f func()) (withdraw func()) {
	g.mu.Lock()
	if g.ended.Load() {
		g.mu.Unlock()
		f()
		return func() {}
	}
	if g.onEnd == nil {
		g.onEnd = map[int]func(){}
	}
	n := g.next
	g.next++
	g.onEnd[n] = f
	g.mu.Unlock()
	return func() {
		g.mu.Lock()
		delete(g.onEnd, n)
		g.mu.Unlock()
	}
}

func (g *Grant) end() {
	g.mu.Lock()
	g.ended.Store(true)
	fs := g.onEnd
	g.onEnd = nil
	g.mu.Unlock()
	for _, f := range fs {
		f()
	}
}

func (g *Grant) busy() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.onEnd) > 0
}
