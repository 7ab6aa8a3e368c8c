package admin

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/api"
	"github.com/gatehouse-dev/gatehouse/internal/apikey"
	"github.com/gatehouse-dev/gatehouse/internal/bearer"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/door/envelope"
	"github.com/gatehouse-dev/gatehouse/internal/door/route"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/invite"
	"github.com/gatehouse-dev/gatehouse/internal/limit"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/serviceaccount"
	"github.com/gatehouse-dev/gatehouse/internal/workspace"
)

const (
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
	return slices.Concat(d.userRoutes(), d.inviteRoutes(), d.workspaceRoutes(), d.groupRoutes(), d.serviceAccountRoutes(), d.rateLimitRoutes(), []route.Route{
		{Pattern: "GET /v1/organizations/me", Handler: d.serve(d.me)},
		{Pattern: "GET /v1/organizations/api_keys", Handler: d.serve(d.listKeys)},
		{Pattern: "GET /v1/organizations/api_keys/{id}", Handler: d.serve(d.getKey)},
		{Pattern: "POST /v1/organizations/api_keys/{id}", Handler: d.serve(d.updateKey)},
		{Pattern: "GET /v1/organizations/openapi.json", Handler: http.HandlerFunc(d.describe), Open: true},
		{Pattern: "/v1/organizations/", Handler: d.serve(d.nothing)},
	})
}

// answer computes what a request is answered with.
type answer func(r *http.Request, who caller.Caller) (any, error)

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
			f = d.nothing
		}
		value, err := f(r, who)
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

func (d *Door) nothing(*http.Request, caller.Caller) (any, error) {
	return nil, fault.New(fault.NotFound, "there is nothing at this path, or not for this method")
}

func (d *Door) me(r *http.Request, who caller.Caller) (any, error) {
	o, err := d.cfg.Orgs.Get(r.Context(), who, who.Organization)
	return api.Organization{ID: string(o.ID), Type: "organization", Name: o.Name}, err
}

func (d *Door) listKeys(r *http.Request, who caller.Caller) (any, error) {
	q := ask(r)
	after, before := q.ends()
	f := apikey.Filter{Kind: apikey.ForModels, CreatedBy: q.id("created_by_user_id"), After: id.APIKey(after), Before: id.APIKey(before), Limit: q.limit}
	if status := api.KeyStatus(q.text("status")); status != "" {
		if err := oneOf("status", status); err != nil {
			return nil, err
		}
		f.Status = apikey.Status(status)
	}
	in := id.Workspace(q.id("workspace_id"))
	if q.err != nil {
		return nil, q.err
	}
	if in != "" {
		if _, err := d.cfg.Workspaces.Get(r.Context(), who, who.Organization, in); err != nil {
			return nil, err
		}
		f.Workspace = &in
	}
	keys, more, err := d.cfg.Keys.List(r.Context(), who, who.Organization, f)
	if err != nil {
		return nil, err
	}
	return pageOf(keys, more, d.wire, func(k api.APIKey) string { return k.ID }), nil
}

func (d *Door) getKey(r *http.Request, who caller.Caller) (any, error) {
	k, err := d.key(r, who)
	return d.wire(k), err
}

// key is the key of the path. Admin keys are not among the API keys.
func (d *Door) key(r *http.Request, who caller.Caller) (apikey.Key, error) {
	k, err := d.cfg.Keys.Get(r.Context(), who, who.Organization, id.APIKey(r.PathValue("id")))
	if err == nil && k.Kind != apikey.ForModels {
		err = fault.New(fault.NotFound, "there is no API key %q in your organization", k.ID)
	}
	return k, err
}

func (d *Door) updateKey(r *http.Request, who caller.Caller) (any, error) {
	var in api.APIKeyUpdate
	if err := readBody(r, &in); err != nil {
		return nil, err
	}
	k, err := d.key(r, who)
	if err != nil {
		return nil, err
	}
	k, err = d.cfg.Keys.Update(r.Context(), who, who.Organization, k.ID, apikey.Change{Name: in.Name, Status: (*apikey.Status)(in.Status)})
	return d.wire(k), err
}

func (d *Door) wire(k apikey.Key) api.APIKey {
	out := api.APIKey{ID: string(k.ID), Type: "api_key", Name: k.Name, CreatedAt: api.Time{Time: k.CreatedAt}, PartialKeyHint: k.Hint,
		Scope: api.Scope{Type: "organization"}, Status: api.KeyStatus(k.At(d.cfg.Now()))}
	if strings.HasPrefix(k.CreatedBy, "user_") {
		out.CreatedBy = &api.Actor{ID: k.CreatedBy, Type: "user"}
	}
	if k.Member != "" {
		out.Principal = &api.Principal{Type: "user_actor", UserID: string(k.Member)}
	}
	if k.ServiceAccount != "" {
		out.Principal = &api.Principal{Type: "service_account_actor", ServiceAccountID: string(k.ServiceAccount)}
	}
	if k.Workspace != "" {
		out.Scope = api.Scope{Type: "workspace", WorkspaceID: string(k.Workspace)}
		out.WorkspaceID = &out.Scope.WorkspaceID
	}
	if !k.ExpiresAt.IsZero() {
		out.ExpiresAt = &api.Time{Time: k.ExpiresAt}
	}
	return out
}
