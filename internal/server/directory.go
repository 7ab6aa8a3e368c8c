package server

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/catalogue"
	"github.com/gatehouse-dev/gatehouse/internal/cloudaccess"
	"github.com/gatehouse-dev/gatehouse/internal/dial"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/gateway/breaker"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/price"
	"github.com/gatehouse-dev/gatehouse/internal/upstream"
	"github.com/gatehouse-dev/gatehouse/internal/workspace"
	"golang.org/x/sync/singleflight"
)

// directory is the gateway.Directory: routes are built from the database once
// and kept until the feed says that something changed.
type directory struct {
	orgs         org.Store
	workspaces   workspace.Store
	upstreams    *upstream.Service
	book         *price.Book
	catalogue    *catalogue.Catalogue
	clouds       Clouds
	guard        dial.Guard // owners say where upstreams are
	guarded      *http.Client
	issuer       *cloudaccess.Service
	now          func() time.Time
	identityFile string // with an identity token of this server's own
	flight       singleflight.Group

	mu     sync.RWMutex
	routes map[id.Organization]*ways
	drops  int // how often a route was dropped: what was read before one is old
}

// ways are the routes of one organization: its workspaces share its upstreams.
type ways struct {
	whole *gateway.Route                  // of the default workspace
	of    map[id.Workspace]*gateway.Route // of the others, as far as somebody asked
}

// Route implements gateway.Directory.
func (d *directory) Route(ctx context.Context, who caller.Caller, _ string) (*gateway.Route, error) {
	if route := d.known(who.Organization, who.Workspace); route != nil {
		return route, nil
	}
	built, err, _ := d.flight.Do(string(who.Organization)+" "+string(who.Workspace), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		return d.route(ctx, who.Organization, who.Workspace)
	})
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the way to the models cannot be looked up just now").After(2 * time.Second)
	}
	return built.(*gateway.Route), nil
}

func (d *directory) known(o id.Organization, w id.Workspace) *gateway.Route {
	d.mu.RLock()
	defer d.mu.RUnlock()
	switch known := d.routes[o]; {
	case known == nil:
		return nil
	case w == "":
		return known.whole
	default:
		return known.of[w]
	}
}

// drop forgets an organization's routes. Requests under way keep the upstreams
// they have.
func (d *directory) drop(o id.Organization) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drops++
	d.forget(o)
}

// dropAll forgets every route. Requests under way keep the upstreams they have.
func (d *directory) dropAll() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drops++
	for o := range d.routes {
		d.forget(o)
	}
}

func (d *directory) forget(o id.Organization) {
	d.flight.Forget(string(o) + " ")
	if old := d.routes[o]; old != nil {
		closeIdle(old.whole)
		for w := range old.of {
			d.flight.Forget(string(o) + " " + string(w))
		}
	}
	delete(d.routes, o)
}

func (d *directory) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for o := range d.routes {
		d.forget(o)
	}
}

func closeIdle(r *gateway.Route) {
	for _, u := range r.Upstreams {
		closeUpstream(u)
	}
}

func closeUpstream(u gateway.Upstream) {
	switch c := u.(type) {
	case io.Closer:
		_ = c.Close()
	case interface{ Close() }:
		c.Close()
	}
}

// route builds what is not known yet: the organization's route, or from that the
// workspace's.
func (d *directory) route(ctx context.Context, o id.Organization, w id.Workspace) (*gateway.Route, error) {
	if w == "" {
		d.mu.RLock()
		drops := d.drops
		d.mu.RUnlock()
		whole, err := d.build(ctx, o)
		if err != nil {
			return nil, err
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.drops == drops {
			d.routes[o] = &ways{whole: whole, of: map[id.Workspace]*gateway.Route{}}
		}
		return whole, nil
	}
	whole, err := d.Route(ctx, caller.OfSystem(o), "")
	if err != nil {
		return nil, err
	}
	route, err := d.narrow(ctx, whole, o, w)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if known := d.routes[o]; known != nil && known.whole == whole { // nothing was dropped meanwhile
		known.of[w] = route
	}
	return route, nil
}

func (d *directory) build(ctx context.Context, o id.Organization) (*gateway.Route, error) {
	found, ok, err := d.orgs.Organization(ctx, o)
	if err != nil || !ok {
		return nil, fmt.Errorf("reading organization %s (there: %v): %w", o, ok, err)
	}
	kept, err := d.upstreams.List(ctx, caller.OfSystem(o), o)
	if err != nil {
		return nil, err
	}
	route := &gateway.Route{Allowed: found.Settings.Models, Models: d.models(), Fences: map[string]string{}, Health: breaker.New(d.now)}
	for _, u := range kept {
		built, err := d.newUpstream(u)
		if err != nil {
			return nil, fmt.Errorf("using upstream %s: %w", u.ID, err)
		}
		route.Upstreams = append(route.Upstreams, built)
		route.Weights = append(route.Weights, u.Settings.Weight)
		route.Fences[u.Name] = u.Settings.Fence
	}
	return route, nil
}

// narrow is an organization's route as a workspace allows it.
func (d *directory) narrow(ctx context.Context, whole *gateway.Route, o id.Organization, w id.Workspace) (*gateway.Route, error) {
	found, ok, err := d.workspaces.Workspace(ctx, o, w)
	if err != nil || !ok {
		return nil, fmt.Errorf("reading workspace %s (there: %v): %w", w, ok, err)
	}
	route := *whole
	route.PerMinute, route.Concurrent = found.Limits.PerMinute, found.Limits.Concurrent
	if len(found.Models) == 0 {
		return &route, nil
	}
	route.Workspace, route.Allowed = found.Name, found.Models
	if len(whole.Allowed) > 0 {
		route.Allowed = nil
		for _, m := range found.Models {
			if slices.Contains(whole.Allowed, m) {
				route.Allowed = append(route.Allowed, m)
			}
		}
		route.Nothing = len(route.Allowed) == 0
	}
	return &route, nil
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
