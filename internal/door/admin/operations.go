package admin

import "github.com/gatehouse-dev/gatehouse/api"

// operation describes one call for the OpenAPI document.
type operation struct {
	pattern string // without what all have in common
	summary string
	in, out any
	query   []string
}

var (
	ends    = []string{"limit", "after_id", "before_id"}
	onward  = []string{"limit", "page"}
	archive = "include_archived"
)

func with(names []string, more ...string) []string {
	return append(append([]string{}, names...), more...)
}

// operations is every call that the door answers.
var operations = []operation{
	{"GET /me", "The organization", nil, api.Organization{}, nil},
	{"GET /users", "List members", nil, api.Page[api.User]{}, with(ends, "email", "roles[]")},
	{"GET /users/{id}", "One member", nil, api.User{}, nil},
	{"POST /users/{id}", "Give a member another role", api.UserUpdate{}, api.User{}, nil},
	{"DELETE /users/{id}", "Remove a member", nil, api.UserDeleted{}, nil},
	{"GET /invites", "List invitations", nil, api.Page[api.Invite]{}, with(ends, "email", "roles[]", "statuses[]")},
	{"POST /invites", "Invite somebody", api.InviteNew{}, api.Invite{}, nil},
	{"GET /invites/{id}", "One invitation", nil, api.Invite{}, nil},
	{"DELETE /invites/{id}", "Withdraw an invitation", nil, api.InviteDeleted{}, nil},
	{"GET /api_keys", "List API keys", nil, api.Page[api.APIKey]{}, with(ends, "status", "created_by_user_id", "workspace_id")},
	{"GET /api_keys/{id}", "One API key", nil, api.APIKey{}, nil},
	{"POST /api_keys/{id}", "Rename or switch an API key", api.APIKeyUpdate{}, api.APIKey{}, nil},
	{"GET /workspaces", "List workspaces", nil, api.Page[api.Workspace]{}, with(ends, archive, "include_default", "ids[]")},
	{"POST /workspaces", "Make a workspace", api.WorkspaceNew{}, api.Workspace{}, nil},
	{"GET /workspaces/{id}", "One workspace", nil, api.Workspace{}, nil},
	{"POST /workspaces/{id}", "Change a workspace", api.WorkspaceUpdate{}, api.Workspace{}, nil},
	{"POST /workspaces/{id}/archive", "Archive a workspace for good", nil, api.Workspace{}, nil},
	{"GET /workspaces/{id}/members", "List who is in a workspace", nil, api.Page[api.WorkspaceMember]{}, ends},
	{"POST /workspaces/{id}/members", "Add a member to a workspace", api.WorkspaceMemberNew{}, api.WorkspaceMember{}, nil},
	{"GET /workspaces/{id}/members/{user}", "What a member is in a workspace", nil, api.WorkspaceMember{}, nil},
	{"POST /workspaces/{id}/members/{user}", "Give a member another role in a workspace", api.WorkspaceMemberUpdate{}, api.WorkspaceMember{}, nil},
	{"DELETE /workspaces/{id}/members/{user}", "Take a member out of a workspace", nil, api.WorkspaceMemberDeleted{}, nil},
	{"GET /workspaces/{id}/service_accounts", "List service accounts in a workspace", nil, api.CursorPage[api.ServiceAccountMember]{}, onward},
	{"POST /workspaces/{id}/service_accounts", "Add a service account to a workspace", api.ServiceAccountMemberNew{}, api.ServiceAccountMember{}, nil},
	{"GET /workspaces/{id}/service_accounts/{account}", "What a service account is in a workspace", nil, api.ServiceAccountMember{}, nil},
	{"POST /workspaces/{id}/service_accounts/{account}", "Give a service account another role in a workspace", api.WorkspaceMemberUpdate{}, api.ServiceAccountMember{}, nil},
	{"DELETE /workspaces/{id}/service_accounts/{account}", "Take a service account out of a workspace", nil, api.ServiceAccountMemberDeleted{}, nil},
	{"GET /service_accounts", "List service accounts", nil, api.CursorPage[api.ServiceAccount]{}, with(onward, archive)},
	{"POST /service_accounts", "Make a service account", api.ServiceAccountNew{}, api.ServiceAccount{}, nil},
	{"GET /service_accounts/{id}", "One service account", nil, api.ServiceAccount{}, nil},
	{"POST /service_accounts/{id}", "Describe a service account anew", api.ServiceAccountUpdate{}, api.ServiceAccount{}, nil},
	{"POST /service_accounts/{id}/archive", "Archive a service account for good", nil, api.ServiceAccount{}, nil},
	{"GET /service_accounts/{id}/workspaces", "List the workspaces of a service account", nil, api.CursorPage[api.ServiceAccountMember]{}, onward},
	{"POST /service_accounts/{id}/workspaces", "Add a service account to a workspace", api.ServiceAccountWorkspaceNew{}, api.ServiceAccountMember{}, nil},
	{"DELETE /service_accounts/{id}/workspaces/{workspace}", "Take a service account out of a workspace", nil, api.ServiceAccountMemberDeleted{}, nil},
	{"GET /rbac_groups", "List groups", nil, api.CursorPage[api.RBACGroup]{}, onward},
	{"POST /rbac_groups", "Make a group", api.RBACGroupNew{}, api.RBACGroup{}, nil},
	{"GET /rbac_groups/{id}", "One group", nil, api.RBACGroup{}, nil},
	{"POST /rbac_groups/{id}", "Rename a group", api.RBACGroupUpdate{}, api.RBACGroup{}, nil},
	{"DELETE /rbac_groups/{id}", "Delete a group", nil, api.RBACGroupDeleted{}, nil},
	{"GET /rbac_groups/{id}/members", "List who is in a group", nil, api.CursorPage[api.RBACGroupMember]{}, onward},
	{"POST /rbac_groups/{id}/members", "Add a member to a group", api.RBACGroupMemberNew{}, api.RBACGroupMember{}, nil},
	{"DELETE /rbac_groups/{id}/members/{user}", "Take a member out of a group", nil, api.RBACGroupMemberDeleted{}, nil},
	{"GET /rbac_roles", "List custom roles", nil, api.CursorPage[api.RBACRole]{}, onward},
	{"GET /rbac_roles/{id}", "One custom role", nil, api.RBACRole{}, nil},
	{"GET /rbac_roles/{id}/permissions", "List what a custom role allows", nil, api.CursorPage[api.RBACRolePermission]{}, onward},
	{"GET /rate_limits", "List rate limits", nil, api.CursorPage[api.RateLimit]{}, with(onward, "model", "group_type")},
	{"GET /workspaces/{id}/rate_limits", "List rate limits of a workspace", nil, api.CursorPage[api.WorkspaceRateLimit]{}, with(onward, "include_inherited", "group_type")},
	{"POST /workspaces/{id}/rate_limits/{limit}", "Set rate limits of a workspace", api.WorkspaceRateLimitUpdate{}, api.WorkspaceRateLimit{}, nil},
}
