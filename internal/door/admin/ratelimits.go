package admin

import (
	"slices"

	"github.com/gatehouse-dev/gatehouse/api"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/workspace"
)

const (
	perMinute  = api.RateLimitType("requests_per_minute")
	concurrent = api.RateLimitType("concurrent_requests")
	// allModels is the id of the one rate limit that there is.
	allModels = "rlim_all_models"
)

var limitGroup = api.RateLimitGroup{ID: "rlgroup_all_models", Type: "model_group", DisplayName: "All models"}

func (d *Door) rateLimitOperations() []operation {
	return []operation{
		shows("GET /rate_limits", "List rate limits", whole(d.allRateLimits, same, limitKey[api.RateLimit]), with(onward, "model", "group_type")...),
		shows("GET /workspaces/{id}/rate_limits", "List rate limits of a workspace",
			whole(d.allWorkspaceRateLimits, same, limitKey[api.WorkspaceRateLimit]), with(onward, "include_inherited", "group_type")...),
		takes("POST /workspaces/{id}/rate_limits/{limit}", "Set rate limits of a workspace", d.updateWorkspaceRateLimit),
	}
}

func same[T any](v T) T { return v }

func limitKey[T any](T) string { return allModels }

// ofGroup reports whether the one group of limits is among those asked for.
func ofGroup(q *asked) bool {
	of := some[api.RateLimitGroupType, api.RateLimitGroupType](q, "group_type")
	return len(of) == 0 || slices.Contains(of, limitGroup.Type)
}

func (d *Door) allRateLimits(c call, q *asked) ([]api.RateLimit, error) {
	model, asked := q.text("model"), ofGroup(q)
	if q.err != nil {
		return nil, q.err
	}
	o, err := d.cfg.Orgs.Get(c.Context(), c.who, c.who.Organization)
	if err != nil {
		return nil, err
	}
	models := texts(o.Settings.Models)
	if model != "" && len(models) > 0 && !slices.Contains(models, model) {
		return nil, fault.New(fault.NotFound, "the organization does not allow a model %q", model)
	}
	if !asked {
		return nil, nil
	}
	return []api.RateLimit{{ID: allModels, Type: "rate_limit", Group: limitGroup, GroupType: limitGroup.Type, Models: models,
		Limits: []api.RateLimitValue{{Type: perMinute, Value: int64(d.cfg.PerMinute)}, {Type: concurrent, Value: int64(d.cfg.Concurrent)}}}}, nil
}

func (d *Door) allWorkspaceRateLimits(c call, q *asked) ([]api.WorkspaceRateLimit, error) {
	inherited, asked := q.yes("include_inherited"), ofGroup(q)
	if q.err != nil {
		return nil, q.err
	}
	w, err := d.workspace(c)
	if err != nil {
		return nil, err
	}
	if limit := d.workspaceLimit(w, inherited); asked && len(limit.Limits) > 0 {
		return []api.WorkspaceRateLimit{limit}, nil
	}
	return nil, nil
}

// workspaceLimit is what holds in a workspace: what it has of its own, and if
// inherited, what it has from the organization.
func (d *Door) workspaceLimit(w workspace.Workspace, inherited bool) api.WorkspaceRateLimit {
	out := api.WorkspaceRateLimit{Type: "workspace_rate_limit", WorkspaceID: string(w.ID), RateLimitID: allModels, Group: limitGroup, GroupType: limitGroup.Type,
		Models: texts(w.Models), Limits: []api.WorkspaceRateLimitValue{}}
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

func (d *Door) updateWorkspaceRateLimit(c call, in api.WorkspaceRateLimitUpdate) (api.WorkspaceRateLimit, error) {
	w, err := d.workspace(c)
	if err == nil && c.PathValue("limit") != allModels {
		err = fault.New(fault.NotFound, "there is no such rate limit")
	}
	if err == nil {
		err = setLimits(&w.Limits, in.Limits)
	}
	if err != nil {
		return api.WorkspaceRateLimit{}, err
	}
	w, err = d.cfg.Workspaces.Update(c.Context(), c.who, c.who.Organization, w.ID, workspace.Change{Version: w.Version, Limits: &w.Limits})
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
