package server

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/dial"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/price"
	"github.com/gatehouse-dev/gatehouse/internal/upstream"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/anthropic"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/simulated"
	"golang.org/x/sync/singleflight"
)

// directory is the gateway.Directory: routes are built from the database once
// and kept until the feed says that something changed.
type directory struct {
	orgs      org.Store
	upstreams *upstream.Service
	book      *price.Book
	guard     dial.Guard // owners say where upstreams are
	now       func() time.Time
	flight    singleflight.Group

	mu     sync.RWMutex
	routes map[id.Organization]*gateway.Route
	drops  int // how often a route was dropped: what was read before one is old
}

// Route implements gateway.Directory.
func (d *directory) Route(ctx context.Context, o id.Organization, _ string) (*gateway.Route, error) {
	d.mu.RLock()
	route := d.routes[o]
	d.mu.RUnlock()
	if route != nil {
		return route, nil
	}
	built, err, _ := d.flight.Do(string(o), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		return d.build(ctx, o)
	})
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the way to the models cannot be looked up just now").After(2 * time.Second)
	}
	return built.(*gateway.Route), nil
}

// drop forgets a route. Requests under way keep the upstreams they have.
func (d *directory) drop(o id.Organization) {
	d.mu.Lock()
	old := d.routes[o]
	delete(d.routes, o)
	d.drops++
	d.mu.Unlock()
	d.flight.Forget(string(o))
	if old != nil {
		closeIdle(old)
	}
}

// dropAll forgets every route. Requests under way keep the upstreams they have.
func (d *directory) dropAll() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drops++
	for o, r := range d.routes {
		d.flight.Forget(string(o))
		closeIdle(r)
	}
	clear(d.routes)
}

func (d *directory) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range d.routes {
		closeIdle(r)
	}
	clear(d.routes)
}

func closeIdle(r *gateway.Route) {
	for _, u := range r.Upstreams {
		switch c := u.(type) {
		case io.Closer:
			_ = c.Close()
		case interface{ Close() }:
			c.Close()
		}
	}
}

func (d *directory) build(ctx context.Context, o id.Organization) (*gateway.Route, error) {
	d.mu.RLock()
	drops := d.drops
	d.mu.RUnlock()
	found, ok, err := d.orgs.Organization(ctx, o)
	if err != nil || !ok {
		return nil, fmt.Errorf("reading organization %s (there: %v): %w", o, ok, err)
	}
	kept, err := d.upstreams.List(ctx, caller.OfSystem(o), o)
	if err != nil {
		return nil, err
	}
	route := &gateway.Route{Allowed: found.Settings.Models, Models: d.models()}
	for _, u := range kept {
		built, err := d.newUpstream(u)
		if err != nil {
			return nil, fmt.Errorf("using upstream %s: %w", u.ID, err)
		}
		route.Upstreams = append(route.Upstreams, built)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.drops == drops {
		d.routes[o] = route
	}
	return route, nil
}

func (d *directory) newUpstream(u upstream.Upstream) (gateway.Upstream, error) {
	switch u.Provider {
	case upstream.Anthropic:
		return anthropic.New(anthropic.Config{Name: u.Name, BaseURL: u.BaseURL, Key: u.Credential, Proxy: d.proxy, DialContext: d.guard.DialContext})
	case upstream.Simulated:
		return simulated.New(u.Name), nil
	}
	return nil, fmt.Errorf("there is no provider %q", u.Provider)
}

// proxy says by which proxy of this server's environment an upstream is reached.
// What the proxy connects to is its own affair, but for addresses.
func (d *directory) proxy(r *http.Request) (*url.URL, error) {
	via, err := http.ProxyFromEnvironment(r)
	if via == nil || err != nil {
		return nil, err
	}
	return via, d.guard.CheckHost(r.URL.Hostname())
}

func (d *directory) models() []gateway.Model {
	var all []gateway.Model
	for _, m := range d.book.Models(d.now()) {
		if m.Status == price.Active {
			all = append(all, gateway.Model{ID: m.ID, DisplayName: m.DisplayName, CreatedAt: m.Released})
		}
	}
	return all
}
