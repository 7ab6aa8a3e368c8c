package helper

import (
	"context"
	"sync"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// flights lets one goroutine do what many wait for. Unlike x/sync/singleflight
// it ends the work when nobody waits any more: an interrupted command leaves no
// script running.
type flights struct {
	mu   sync.Mutex
	open map[string]*flight
}

type flight struct {
	waiting int
	stop    context.CancelFunc
	done    chan struct{}
	token   secret.Text
	err     error
}

func (f *flights) do(ctx context.Context, key string, work func(context.Context) (secret.Text, error)) (secret.Text, error) {
	one := f.join(ctx, key, work)
	select {
	case <-one.done:
		return one.token, one.err
	case <-ctx.Done():
		f.leave(key, one)
		return secret.Text{}, fault.Wrap(fault.Unavailable, ctx.Err(), "waiting for the helper was interrupted")
	}
}

func (f *flights) join(ctx context.Context, key string, work func(context.Context) (secret.Text, error)) *flight {
	f.mu.Lock()
	defer f.mu.Unlock()
	if one := f.open[key]; one != nil {
		one.waiting++
		return one
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	one := &flight{waiting: 1, stop: stop, done: make(chan struct{})}
	if f.open == nil {
		f.open = map[string]*flight{}
	}
	f.open[key] = one
	go func() {
		one.token, one.err = work(ctx)
		f.land(key, one)
	}()
	return one
}

func (f *flights) land(key string, one *flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open[key] == one {
		delete(f.open, key)
	}
	one.stop()
	close(one.done)
}

// leave ends the work of the last who waited; nobody joins it any more. It waits
// for the end, which is near: the script is being ended.
func (f *flights) leave(key string, one *flight) {
	f.mu.Lock()
	one.waiting--
	last := one.waiting == 0
	if last && f.open[key] == one {
		delete(f.open, key)
	}
	f.mu.Unlock()
	if last {
		one.stop()
		<-one.done
	}
}
