package api

// Each of these types has a closed set of values, which Values lists.

// ErrorType is the kind of an error.
type ErrorType string

// Values lists the types, in the order of their statuses: 400, 401, 403, 404,
// 409, 413, 429 twice, 501, 503, 504 and 529.
func (ErrorType) Values() []string {
	return []string{"invalid_request_error", "authentication_error", "permission_error", "not_found_error", "conflict_error", "request_too_large",
		"rate_limit_error", "billing_error", "not_supported", "api_error", "timeout_error", "overloaded_error"}
}

// Role is what a member is in the organization.
type Role string

// Values lists the roles.
func (Role) Values() []string {
	return []string{"primary_owner", "owner", "admin", "membership_admin", "billing", "developer", "claude_code_user", "user", "managed"}
}

// AssignableRole is a role that this API gives. Those who run an organization
// are made in the console.
type AssignableRole string

// Values lists the roles.
func (AssignableRole) Values() []string {
	return []string{"billing", "developer", "claude_code_user", "user", "managed"}
}

// WorkspaceRole is what a member or service account is in a workspace.
type WorkspaceRole string

// Values lists the roles.
func (WorkspaceRole) Values() []string {
	return append(AssignableWorkspaceRole("").Values(), "workspace_billing")
}

// AssignableWorkspaceRole is a role in a workspace that can be given. The other,
// workspace_billing, comes with the organization's role billing.
type AssignableWorkspaceRole string

// Values lists the roles.
func (AssignableWorkspaceRole) Values() []string {
	return []string{"workspace_admin", "workspace_developer", "workspace_restricted_developer", "workspace_user"}
}

// KeyStatus is where an API key stands.
type KeyStatus string

// Values lists the statuses.
func (KeyStatus) Values() []string { return []string{"active", "inactive", "archived", "expired"} }

// SettableKeyStatus is a status that an API key can be given. Archived is for
// good.
type SettableKeyStatus string

// Values lists the statuses.
func (SettableKeyStatus) Values() []string { return []string{"active", "inactive", "archived"} }

// InviteStatus is where an invite stands.
type InviteStatus string

// Values lists the statuses.
func (InviteStatus) Values() []string { return []string{"pending", "accepted", "expired", "deleted"} }

// GroupSource is how a group came about.
type GroupSource string

// Values lists the sources.
func (GroupSource) Values() []string { return []string{"direct", "scim"} }

// ServiceRole is what a service account is in the organization.
type ServiceRole string

// Values lists the roles. There is no service account here that runs an
// organization: it would be "admin".
func (ServiceRole) Values() []string { return []string{"developer"} }

// RateLimitGroupType is what a group of rate limits is about.
type RateLimitGroupType string

// Values lists the types.
func (RateLimitGroupType) Values() []string {
	return []string{"model_group", "batch", "token_count", "files", "skills", "web_search"}
}

// RateLimitType is what is limited.
type RateLimitType string

// Values lists the types. The second is this server's own.
func (RateLimitType) Values() []string { return []string{"requests_per_minute", "concurrent_requests"} }

// RateLimitSource is where a workspace's limit comes from.
type RateLimitSource string

// Values lists the sources.
func (RateLimitSource) Values() []string { return []string{"organization", "workspace"} }

// ActorType is what sort of actor somebody is.
type ActorType string

// Values lists the types.
func (ActorType) Values() []string { return []string{"user", "service_account"} }

// PrincipalType is as what a key acts.
type PrincipalType string

// Values lists the types.
func (PrincipalType) Values() []string { return []string{"user_actor", "service_account_actor"} }

// WorkspaceGeo is where data of a workspace is kept.
type WorkspaceGeo string

// Values lists the places.
func (WorkspaceGeo) Values() []string { return []string{"us"} }

// InferenceGeo is where models answer.
type InferenceGeo string

// Values lists the places.
func (InferenceGeo) Values() []string { return []string{"global"} }

// InferenceGeos is a choice of places where models answer.
type InferenceGeos string

// Values lists the choices.
func (InferenceGeos) Values() []string { return []string{"unrestricted"} }

// ScopeType is what a key belongs to.
type ScopeType string

// Values lists the types.
func (ScopeType) Values() []string { return []string{"organization", "workspace"} }

// UpstreamProvider is how an upstream is spoken to.
type UpstreamProvider string

// Values lists the providers. The last is no model at all.
func (UpstreamProvider) Values() []string {
	return []string{"anthropic", "anthropic-aws", "bedrock", "bedrock-mantle", "vertex", "foundry", "simulated"}
}
