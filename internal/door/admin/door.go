package admin

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/api"
	"github.com/gatehouse-dev/gatehouse/internal/apikey"
	"github.com/gatehouse-dev/gatehouse/internal/bearer"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/door/envelope"
	"github.com/gatehouse-dev/gatehouse/internal/door/route"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/invite"
	"github.com/gatehouse-dev/gatehouse/internal/limit"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/serviceaccount"
	"github.com/gatehouse-dev/gatehouse/internal/upstream"
	"github.com/gatehouse-dev/gatehouse/internal/workspace"
)

const (
	root         = "/v1/organizations"
	maxBody      = 64 << 10
	defaultLimit = 20
	maxLimit     = 1000
	maxMembers   = 1000 // of an object in a body
	maxIDs       = 100  // that one list is narrowed to
)

// Authenticator turns a presented credential into a grant. *bearer.Keeper is one.
type Authenticator interface {
	Authenticate(ctx context.Context, presented secret.Text) (*bearer.Grant, error)
}

// Config is what a Door needs.
type Config struct {
	Authenticator         Authenticator
	Orgs                  *org.Service
	Invites               *invite.Service
	Keys                  *apikey.Service
	Workspaces            *workspace.Service
	ServiceAccounts       *serviceaccount.Service
	Upstreams             *upstream.Service
	PerMinute, Concurrent int            // what every credential may ask of models
	Requests              *limit.Limiter // by organization
	Invitations           *limit.Limiter // that are made, by organization
	Address               func(*http.Request) string
	Now                   func() time.Time
	Log                   *slog.Logger
}

// Door serves the Admin API. Make it with New.
type Door struct{ cfg Config }

// New returns a Door.
func New(cfg Config) *Door { return &Door{cfg} }

// Routes lists the door's patterns. Only the description of the others is open.
func (d *Door) Routes() []route.Route {
	routes := []route.Route{
		{Pattern: "GET " + root + "/openapi.json", Handler: http.HandlerFunc(d.describe), Open: true},
		{Pattern: root + "/", Handler: d.serve(nothing)},
	}
	for _, op := range d.operations() {
		routes = append(routes, route.Route{Pattern: strings.Replace(op.pattern, " ", " "+root, 1), Handler: d.serve(op.answer)})
	}
	return routes
}

// serve is the frame around every answer: who asks, how often, and how it is
// written.
func (d *Door) serve(f answer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		request := w.Header().Get("Request-Id")
		who, err := d.admit(r)
		if err != nil {
			d.fail(w, r, request, err)
			return
		}
		w.Header().Set("anthropic-organization-id", string(who.Organization))
		if !known(r) {
			f = nothing
		}
		value, err := f(call{r, who})
		if err != nil {
			d.fail(w, r, request, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		_ = json.NewEncoder(w).Encode(value) // the client has gone: nobody to tell
	}
}

// known reports whether what the path names looks like ids.
func known(r *http.Request) bool {
	for _, name := range []string{"id", "user", "account", "workspace", "limit"} {
		if v := r.PathValue(name); v != "" && !wellFormed(v) {
			return false
		}
	}
	return true
}

func (d *Door) admit(r *http.Request) (caller.Caller, error) {
	presented := r.Header.Get("X-Api-Key")
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok && presented == "" {
		presented = token
	}
	grant, err := d.cfg.Authenticator.Authenticate(r.Context(), secret.New(presented))
	if err != nil {
		return caller.Caller{}, err
	}
	from := d.cfg.Address(r)
	grant.From(from)
	who := grant.Caller().From(from)
	if who.Kind != caller.AdminKey {
		return caller.Caller{}, fault.New(fault.Denied, "the Admin API needs an admin key").WithHint("an owner makes one in the console, under API keys")
	}
	if ok, wait := d.cfg.Requests.Allow(string(who.Organization)); !ok {
		return caller.Caller{}, fault.New(fault.RateLimited, "more than 100 requests a minute to the Admin API").After(wait)
	}
	return who, nil
}

func (d *Door) fail(w http.ResponseWriter, r *http.Request, request string, err error) {
	if kind := fault.KindOf(err); kind == fault.Internal || kind == fault.Unavailable {
		d.cfg.Log.LogAttrs(r.Context(), slog.LevelError, "a request failed", slog.String("request_id", request),
			slog.String("route", r.Pattern), slog.String("error", err.Error()))
	}
	envelope.Write(w, request, err)
}

func nothing(call) (any, error) {
	return nil, fault.New(fault.NotFound, "there is nothing at this path, or not for this method")
}

func (d *Door) me(c call) (api.Organization, error) {
	o, err := d.cfg.Orgs.Get(c.Context(), c.who, c.who.Organization)
	return api.Organization{ID: string(o.ID), Type: "organization", Name: o.Name}, err
}
