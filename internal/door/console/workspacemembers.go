package console

import (
	"net/http"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/workspace"
)

var workspaceRoleWords = map[access.WorkspaceRole][2]string{
	access.WorkspaceAdmin:               {"Workspace admin", "Everything in it: members, everybody's keys, models."},
	access.WorkspaceDeveloper:           {"Workspace developer", "Has keys and sign-ins in it, as far as their role in the organization has any."},
	access.WorkspaceRestrictedDeveloper: {"Workspace limited developer", "The same here: it differs in traces and files, which this server does not keep."},
	access.WorkspaceUser:                {"Workspace user", "Sees it, and has no keys in it."},
	access.WorkspaceBilling:             {"Workspace billing", "Sees it. It comes with billing in the organization."},
}

func workspaceRoleName(role string) string {
	if words, ok := workspaceRoleWords[access.WorkspaceRole(role)]; ok {
		return words[0]
	}
	return role
}

func workspaceRoleField(chosen access.WorkspaceRole) field {
	f := field{Kind: "radio", Name: "workspace_role", Label: "Role in the workspace"}
	for _, r := range access.WorkspaceRoles() {
		f.Options = append(f.Options, option{Value: string(r), Text: workspaceRoleWords[r][0], Help: workspaceRoleWords[r][1], Chosen: r == chosen})
	}
	return f
}

func newWorkspaceMemberPage(w workspace.Workspace) (view, *form) {
	page := "/workspaces/" + string(w.ID)
	f := &form{Action: page + "/members", Submit: "Add", Cancel: page, Fields: []field{
		{Kind: "text", Name: "user_id", Label: "Who", Help: "A member's e-mail address, or the name of a service account.", Autocomplete: "off", Length: 254, Focus: true},
		workspaceRoleField(access.WorkspaceDeveloper)}}
	return view{Title: "Add somebody to " + w.Name, Lead: "They have to be in the organization already.", Body: f}, f
}

func (c *Console) newWorkspaceMember(v *visit) error {
	found, err := v.workspaceToRun()
	if err != nil {
		return err
	}
	w, _ := newWorkspaceMemberPage(found)
	return v.show(http.StatusOK, "form", w)
}

func (c *Console) addWorkspaceMember(v *visit) error {
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	found, err := v.namedWorkspace()
	if err != nil {
		return err
	}
	if _, err := c.cfg.Workspaces.Add(v.r.Context(), v.who, v.who.Organization, found.ID, typed.Get("user_id"), access.WorkspaceRole(typed.Get("workspace_role"))); err != nil {
		w, f := newWorkspaceMemberPage(found)
		return v.again("form", w, f, typed, err)
	}
	return v.redirect("/workspaces/" + string(found.ID) + "?done=joined")
}

func (v *visit) namedWorkspaceMember() (workspace.Member, error) {
	if _, err := v.workspaceToRun(); err != nil {
		return workspace.Member{}, err
	}
	return v.c.cfg.Workspaces.Member(v.r.Context(), v.who, v.who.Organization, id.Workspace(v.r.PathValue("id")), v.r.PathValue("principal"))
}

func (c *Console) workspaceMemberForm(v *visit) error {
	m, err := v.namedWorkspaceMember()
	if err != nil {
		return err
	}
	page := "/workspaces/" + string(m.Workspace)
	return v.show(http.StatusOK, "form", view{Title: "The role of " + m.Name, Lead: "In the workspace " + m.WorkspaceName + ". It holds for the next request.",
		Body: &form{Action: page + "/members/" + m.Principal, Submit: "Change the role", Cancel: page, Fields: []field{workspaceRoleField(m.Role)}}})
}

func (c *Console) setWorkspaceRole(v *visit) error {
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	w := id.Workspace(v.r.PathValue("id"))
	if _, err := c.cfg.Workspaces.SetRole(v.r.Context(), v.who, v.who.Organization, w, v.r.PathValue("principal"), access.WorkspaceRole(typed.Get("workspace_role"))); err != nil {
		return err
	}
	return v.redirect("/workspaces/" + string(w) + "?done=role")
}

func (c *Console) removeWorkspaceMemberForm(v *visit) error {
	m, err := v.namedWorkspaceMember()
	if err != nil {
		return err
	}
	effects := []string{"Every key of theirs in this workspace is refused within a second, also in the middle of an answer.", "They stay in the organization, with what they have elsewhere."}
	if m.WorkspaceName == workspace.ClaudeCodeName {
		effects = append(effects, "So is every device that they have signed Claude Code in on. They can sign in again, and are here again then: to take Claude Code from them, give them the role User.")
	}
	page := "/workspaces/" + string(m.Workspace)
	return v.show(http.StatusOK, "confirm", view{Title: "Remove " + m.Name + " from " + m.WorkspaceName + "?", Body: confirm{Danger: true, Effects: effects,
		Action: v.r.URL.Path, Submit: "Remove " + m.Name, Cancel: page}})
}

func (c *Console) removeWorkspaceMember(v *visit) error {
	w := id.Workspace(v.r.PathValue("id"))
	if err := c.cfg.Workspaces.Remove(v.r.Context(), v.who, v.who.Organization, w, v.r.PathValue("principal")); err != nil {
		return err
	}
	return v.redirect("/workspaces/" + string(w) + "?done=left")
}
