package admin

import (
	"context"
	"strings"

	"github.com/gatehouse-dev/gatehouse/api"
	"github.com/gatehouse-dev/gatehouse/internal/apikey"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
)

func (d *Door) keyOperations() []operation {
	return []operation{
		shows("GET /api_keys", "List API keys", pages(keysAsked, d.findKeys, d.key, func(k apikey.Key) string { return string(k.ID) }),
			with(ends, "status", "created_by_user_id", "workspace_id")...),
		shows("GET /api_keys/{id}", "One API key", one(d.findKey, d.key)),
		takes("POST /api_keys/{id}", "Rename or switch an API key", d.updateKey),
	}
}

// keysAsked reads which keys are asked for. Admin keys are not among them.
func keysAsked(_ call, q *asked) apikey.Filter {
	f := apikey.Filter{Kind: apikey.ForModels, CreatedBy: q.id("created_by_user_id"), Limit: q.limit}
	f.After, f.Before = endsOf[id.APIKey](q)
	if status := api.KeyStatus(q.text("status")); status != "" {
		if err := oneOf("status", status); err != nil {
			q.fail(err)
		}
		f.Status = apikey.Status(status)
	}
	if in := id.Workspace(q.id("workspace_id")); in != "" {
		f.Workspace = &in
	}
	return f
}

func (d *Door) findKeys(ctx context.Context, who caller.Caller, o id.Organization, f apikey.Filter) ([]apikey.Key, bool, error) {
	if f.Workspace != nil {
		if _, err := d.cfg.Workspaces.Get(ctx, who, o, *f.Workspace); err != nil {
			return nil, false, err
		}
	}
	return d.cfg.Keys.List(ctx, who, o, f)
}

func (d *Door) findKey(ctx context.Context, who caller.Caller, o id.Organization, k id.APIKey) (apikey.Key, error) {
	found, err := d.cfg.Keys.Get(ctx, who, o, k)
	if err == nil && found.Kind != apikey.ForModels {
		err = fault.New(fault.NotFound, "there is no API key %q in your organization", k)
	}
	return found, err
}

func (d *Door) updateKey(c call, in api.APIKeyUpdate) (api.APIKey, error) {
	k, err := d.findKey(c.Context(), c.who, c.who.Organization, named[id.APIKey](c))
	if err != nil {
		return api.APIKey{}, err
	}
	k, err = d.cfg.Keys.Update(c.Context(), c.who, c.who.Organization, k.ID, apikey.Change{Name: in.Name, Status: (*apikey.Status)(in.Status)})
	return d.key(k), err
}

// key is a key as it is written.
func (d *Door) key(k apikey.Key) api.APIKey {
	out := api.APIKey{ID: string(k.ID), Type: "api_key", Name: k.Name, CreatedAt: api.Time{Time: k.CreatedAt}, ExpiresAt: api.MaybeTime(k.ExpiresAt), PartialKeyHint: k.Hint,
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
	return out
}
