package admin

import (
	"maps"
	"strings"

	"github.com/gatehouse-dev/gatehouse/api"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/workspace"
)

func (d *Door) workspaceOperations() []operation {
	return append([]operation{
		shows("GET /workspaces", "List workspaces", pages(workspacesAsked, d.cfg.Workspaces.List, space, func(w workspace.Workspace) string { return string(w.ID) }),
			with(ends, "include_archived", "include_default", "ids[]")...),
		takes("POST /workspaces", "Make a workspace", d.createWorkspace),
		shows("GET /workspaces/{id}", "One workspace", one(d.cfg.Workspaces.Get, space)),
		takes("POST /workspaces/{id}", "Change a workspace", d.updateWorkspace),
		shows("POST /workspaces/{id}/archive", "Archive a workspace for good", one(d.cfg.Workspaces.Archive, space)),
	}, d.workspaceMemberOperations()...)
}

func workspacesAsked(_ call, q *asked) workspace.Filter {
	q.yes("include_default") // it has no id here, and is in no list
	f := workspace.Filter{Archived: q.yes("include_archived"), IDs: ids[id.Workspace](q, "ids"), Limit: q.limit}
	f.After, f.Before = endsOf[id.Workspace](q)
	return f
}

func (d *Door) createWorkspace(c call, in api.WorkspaceNew) (api.Workspace, error) {
	made := workspace.New{Name: in.Name, Tags: in.Tags}
	if in.DisplayColor != nil {
		made.Color = *in.DisplayColor
	}
	w, err := d.cfg.Workspaces.Create(c.Context(), c.who, c.who.Organization, made)
	return space(w), err
}

// workspace is the one that the path names.
func (d *Door) workspace(c call) (workspace.Workspace, error) {
	return d.cfg.Workspaces.Get(c.Context(), c.who, c.who.Organization, named[id.Workspace](c))
}

func (d *Door) updateWorkspace(c call, in api.WorkspaceUpdate) (api.Workspace, error) {
	change := workspace.Change{Name: in.Name, Color: in.DisplayColor}
	if in.Tags != nil {
		was, err := d.workspace(c)
		if err != nil {
			return api.Workspace{}, err
		}
		tags := retag(was.Tags, in.Tags)
		change.Tags, change.Version = &tags, was.Version
	}
	w, err := d.cfg.Workspaces.Update(c.Context(), c.who, c.who.Organization, named[id.Workspace](c), change)
	return space(w), err
}

// retag returns tags with changes made to them; nil takes one away.
func retag(tags map[string]string, changes map[string]*string) map[string]string {
	is := map[string]string{}
	maps.Copy(is, tags)
	for k, v := range changes {
		if delete(is, k); v != nil {
			is[k] = *v
		}
	}
	return is
}

// space is a workspace as it is written.
func space(w workspace.Workspace) api.Workspace {
	return api.Workspace{ID: string(w.ID), Type: "workspace", Name: w.Name, CreatedAt: api.Time{Time: w.CreatedAt}, ArchivedAt: api.MaybeTime(w.ArchivedAt),
		DisplayColor: w.Color, CompartmentID: "cmpt_" + strings.TrimPrefix(string(w.ID), "wrkspc_"), Tags: retag(w.Tags, nil),
		DataResidency: api.DataResidency{WorkspaceGeo: "us", AllowedInferenceGeos: "unrestricted", DefaultInferenceGeo: "global"}}
}
