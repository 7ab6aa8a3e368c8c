package server

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/catalogue"
	"github.com/gatehouse-dev/gatehouse/internal/cloudaccess"
	"github.com/gatehouse-dev/gatehouse/internal/dial"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/gateway/breaker"
	"github.com/gatehouse-dev/gatehouse/internal/gateway/quota"
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
	whole  *gateway.Route           // of the default workspace, for who is in no group that narrows it
	groups map[string][]string      // :: id of a group → the models that its members may ask for, if it says
	of     map[place]*gateway.Route // of the others, as far as somebody asked
	drops  int                      // of the directory when they were read
}

// place is from where a route begins: a workspace, and the groups of the member that
// narrow it, separated by spaces.
type place struct {
	workspace id.Workspace
	groups    string
}

// maxPlaces bounds what is remembered of an organization, whose members may be in any
// set of groups.
const maxPlaces = 10_000

// place is where a caller's requests begin.
func (w *ways) place(who caller.Caller) place {
	at := place{workspace: who.Workspace}
	if len(w.groups) == 0 {
		return at
	}
	var narrowing []string
	for g := range strings.FieldsSeq(who.Groups) {
		if w.groups[g] != nil {
			narrowing = append(narrowing, g)
		}
	}
	slices.Sort(narrowing)
	at.groups = strings.Join(narrowing, " ")
	return at
}

// Route implements gateway.Directory.
func (d *directory) Route(ctx context.Context, who caller.Caller, _ string) (*gateway.Route, error) {
	known, route := d.known(who)
	var err error
	if known == nil {
		known, err = once(ctx, d, string(who.Organization), func(ctx context.Context) (*ways, error) { return d.ways(ctx, who.Organization) })
		if err == nil && known.place(who) == (place{}) {
			return known.whole, nil
		}
	}
	if err == nil && route == nil {
		at := known.place(who)
		route, err = once(ctx, d, at.key(who.Organization, known.drops), func(ctx context.Context) (*gateway.Route, error) { return d.from(ctx, known, who.Organization, at) })
	}
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the way to the models cannot be looked up just now").After(2 * time.Second)
	}
	return route, nil
}

// once lets many who ask for the same at a time look it up together.
func once[T any](ctx context.Context, d *directory, key string, look func(context.Context) (T, error)) (T, error) {
	found, err, _ := d.flight.Do(key, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		return look(ctx)
	})
	if err != nil {
		var none T
		return none, err
	}
	return found.(T), nil
}

// key names the looking up of a route. Whoever comes after something has changed does
// not wait for what was looked up before.
func (at place) key(o id.Organization, drops int) string {
	return fmt.Sprint(o, " ", drops, " ", at.workspace, " ", at.groups)
}

// begun is the route from a place, nil if it is not made yet. The directory is locked.
func (w *ways) begun(at place) *gateway.Route {
	if at == (place{}) {
		return w.whole
	}
	return w.of[at]
}

// known is what is known of a caller's organization, and their route.
func (d *directory) known(who caller.Caller) (*ways, *gateway.Route) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	known := d.routes[who.Organization]
	if known == nil {
		return nil, nil
	}
	return known, known.begun(known.place(who))
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
	d.flight.Forget(string(o))
	if old := d.routes[o]; old != nil {
		closeIdle(old.whole)
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

// ways builds an organization's, and remembers them if nothing was dropped meanwhile.
func (d *directory) ways(ctx context.Context, o id.Organization) (*ways, error) {
	d.mu.RLock()
	drops := d.drops
	d.mu.RUnlock()
	whole, err := d.build(ctx, o)
	if err != nil {
		return nil, err
	}
	made := &ways{whole: whole, groups: map[string][]string{}, of: map[place]*gateway.Route{}, drops: drops}
	groups, err := d.orgs.Groups(ctx, o)
	if err != nil {
		return nil, err
	}
	for _, g := range groups {
		if len(g.Models) > 0 {
			made.groups[string(g.ID)] = g.Models
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.drops == drops {
		d.routes[o] = made
	}
	return made, nil
}

// from builds the route from a place.
func (d *directory) from(ctx context.Context, w *ways, o id.Organization, at place) (*gateway.Route, error) {
	route := *w.whole
	if at.workspace != "" {
		if err := d.inWorkspace(ctx, &route, o, at.workspace); err != nil {
			return nil, err
		}
	}
	if at.groups != "" {
		var models []string
		for g := range strings.FieldsSeq(at.groups) {
			models = append(models, w.groups[g]...)
		}
		narrow(&route, models, "your groups")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.routes[o] == w { // nothing was dropped meanwhile
		if len(w.of) >= maxPlaces {
			clear(w.of)
		}
		w.of[at] = &route
	}
	return &route, nil
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
			built = unusable{u.Name, err}
		}
		route.Upstreams = append(route.Upstreams, built)
		route.Weights = append(route.Weights, u.Settings.Weight)
		route.Fences[u.Name] = u.Settings.Fence
	}
	d.pools(route, kept)
	return route, nil
}

// pools gives upstreams the quotas that they draw from. The first of a pool that has
// one says how large it is.
func (d *directory) pools(route *gateway.Route, all []upstream.Upstream) {
	quotas := map[string]quota.Quota{}
	route.Pools = map[string]string{}
	for _, u := range all {
		in := u.Settings
		name := "pool " + in.Pool
		if in.Pool == "" {
			name = "upstream " + string(u.ID)
		}
		had, q := quotas[name], quota.Quota{Requests: int64(in.RequestsPerMinute), Tokens: int64(in.TokensPerMinute)}
		if in.Pool == "" && q == (quota.Quota{}) {
			continue
		}
		route.Pools[u.Name] = name
		if had == (quota.Quota{}) {
			quotas[name] = q
		}
	}
	if len(quotas) > 0 {
		route.Quotas = quota.New(quotas, d.now)
	}
}

// inWorkspace makes a route that of a workspace.
func (d *directory) inWorkspace(ctx context.Context, route *gateway.Route, o id.Organization, w id.Workspace) error {
	found, ok, err := d.workspaces.Workspace(ctx, o, w)
	if err != nil || !ok {
		return fmt.Errorf("reading workspace %s (there: %v): %w", w, ok, err)
	}
	route.PerMinute, route.Concurrent = found.Limits.PerMinute, found.Limits.Concurrent
	if len(found.Models) > 0 {
		narrow(route, found.Models, fmt.Sprintf("the workspace %q", found.Name))
	}
	return nil
}

// narrow leaves of what a route allows the models of a list.
func narrow(route *gateway.Route, models []string, by string) {
	any := len(route.Allowed) == 0 && !route.Nothing
	var both []string
	for _, m := range models {
		if (any || slices.Contains(route.Allowed, m)) && !slices.Contains(both, m) {
			both = append(both, m)
		}
	}
	route.Allowed, route.Nothing = both, len(both) == 0
	route.Narrowed = append(slices.Clone(route.Narrowed), by)
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
