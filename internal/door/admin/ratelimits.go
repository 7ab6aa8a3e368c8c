package admin

import (
	"net/http"
	"slices"

	"github.com/gatehouse-dev/gatehouse/api"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/door/route"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/workspace"
)

const (
	perMinute  = api.RateLimitType("requests_per_minute")
	concurrent = api.RateLimitType("concurrent_requests")
	// allModels is the id of the one rate limit that there is.
	allModels = "rlim_all_models"
)

var limitGroup = api.RateLimitGroup{ID: "rlgroup_all_models", Type: "model_group", DisplayName: "All models"}

func (d *Door) rateLimitRoutes() []route.Route {
	return []route.Route{
		{Pattern: "GET /v1/organizations/rate_limits", Handler: d.serve(d.listRateLimits)},
		{Pattern: "GET /v1/organizations/workspaces/{id}/rate_limits", Handler: d.serve(d.listWorkspaceRateLimits)},
		{Pattern: "POST /v1/organizations/workspaces/{id}/rate_limits/{limit}", Handler: d.serve(d.updateWorkspaceRateLimit)},
	}
}

func limitKey[T any](T) string { return allModels }

func (d *Door) listRateLimits(r *http.Request, who caller.Caller) (any, error) {
	q := ask(r)
	model, of := q.text("model"), some[api.RateLimitGroupType](q, "group_type")
	if q.err != nil {
		return nil, q.err
	}
	o, err := d.cfg.Orgs.Get(r.Context(), who, who.Organization)
	if err != nil {
		return nil, err
	}
	models := append([]string{}, o.Settings.Models...)
	if model != "" && len(models) > 0 && !slices.Contains(models, model) {
		return nil, fault.New(fault.NotFound, "the organization does not allow a model %q", model)
	}
	var all []api.RateLimit
	if len(of) == 0 || slices.Contains(of, limitGroup.Type) {
		all = append(all, api.RateLimit{ID: allModels, Type: "rate_limit", Group: limitGroup, GroupType: limitGroup.Type, Models: models,
			Limits: []api.RateLimitValue{{Type: perMinute, Value: int64(d.cfg.PerMinute)}, {Type: concurrent, Value: int64(d.cfg.Concurrent)}}})
	}
	return cut(all, q, func(l api.RateLimit) api.RateLimit { return l }, limitKey)
}

func (d *Door) listWorkspaceRateLimits(r *http.Request, who caller.Caller) (any, error) {
	q := ask(r)
	inherited, of := q.yes("include_inherited"), some[api.RateLimitGroupType](q, "group_type")
	if q.err != nil {
		return nil, q.err
	}
	w, err := d.cfg.Workspaces.Get(r.Context(), who, who.Organization, id.Workspace(r.PathValue("id")))
	if err != nil {
		return nil, err
	}
	var all []api.WorkspaceRateLimit
	limit := d.workspaceLimit(w, inherited)
	if len(limit.Limits) > 0 && (len(of) == 0 || slices.Contains(of, limitGroup.Type)) {
		all = append(all, limit)
	}
	return cut(all, q, func(l api.WorkspaceRateLimit) api.WorkspaceRateLimit { return l }, limitKey)
}

// workspaceLimit is what holds in a workspace: what it has of its own, and if
// inherited, what it has from the organization.
func (d *Door) workspaceLimit(w workspace.Workspace, inherited bool) api.WorkspaceRateLimit {
	out := api.WorkspaceRateLimit{Type: "workspace_rate_limit", WorkspaceID: string(w.ID), RateLimitID: allModels, Group: limitGroup, GroupType: limitGroup.Type,
		Models: append([]string{}, w.Models...), Limits: []api.WorkspaceRateLimitValue{}}
	add := func(kind api.RateLimitType, own, whole int) {
		v := api.WorkspaceRateLimitValue{Type: kind, Value: int64(own), Source: api.RateLimitValueSource{Type: "workspace"}}
		above := int64(whole)
		v.OrgLimit = &above
		if own == 0 {
			v.Value, v.Source.Type = above, "organization"
		}
		if own != 0 || inherited {
			out.Limits = append(out.Limits, v)
		}
	}
	add(perMinute, w.Limits.PerMinute, d.cfg.PerMinute)
	add(concurrent, w.Limits.Concurrent, d.cfg.Concurrent)
	return out
}

func (d *Door) updateWorkspaceRateLimit(r *http.Request, who caller.Caller) (any, error) {
	var in api.WorkspaceRateLimitUpdate
	if err := readBody(r, &in); err != nil {
		return nil, err
	}
	w, err := d.cfg.Workspaces.Get(r.Context(), who, who.Organization, id.Workspace(r.PathValue("id")))
	if err != nil {
		return nil, err
	}
	if r.PathValue("limit") != allModels {
		return nil, fault.New(fault.NotFound, "there is no such rate limit")
	}
	c := workspace.Change{Version: w.Version, Limits: &w.Limits}
	if err := setLimits(c.Limits, in.Limits); err != nil {
		return nil, err
	}
	w, err = d.cfg.Workspaces.Update(r.Context(), who, who.Organization, w.ID, c)
	return d.workspaceLimit(w, true), err
}

func setLimits(limits *workspace.Limits, sets []api.WorkspaceRateLimitSet) error {
	var seen []api.RateLimitType
	for _, set := range sets {
		if slices.Contains(seen, set.Type) {
			return fault.New(fault.Invalid, "limits: %s is there twice", set.Type).At("limits")
		}
		seen = append(seen, set.Type)
		value := 0
		if set.Value.Value != nil {
			if value = int(*set.Value.Value); value < 1 {
				return fault.New(fault.Invalid, "limits.value must be 1 or more, or null for the organization's").At("limits.value")
			}
		}
		if set.Type == perMinute {
			limits.PerMinute = value
		} else {
			limits.Concurrent = value
		}
	}
	return nil
}
