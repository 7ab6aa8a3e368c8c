package api

// ServiceAccount is a principal that is no person, with keys of its own.
type ServiceAccount struct {
	ID                string      `json:"id"` // "svac_…"
	Type              string      `json:"type" const:"service_account"`
	Name              string      `json:"name"`
	Description       string      `json:"description"`
	OrganizationRole  ServiceRole `json:"organization_role"`
	CreatedAt         Time        `json:"created_at"`
	CreatedByActorID  *string     `json:"created_by_actor_id"` // a member's, service account's or key's id; null: the server's operator
	UpdatedAt         Time        `json:"updated_at"`          // when it was last changed, or else made
	UpdatedByActorID  *string     `json:"updated_by_actor_id"`
	ArchivedAt        *Time       `json:"archived_at"` // null: it is not
	ArchivedByActorID *string     `json:"archived_by_actor_id"`
}

// ServiceAccountNew is the body that makes a service account.
type ServiceAccountNew struct {
	Name             string       `json:"name"`                  // 1 to 64 lower-case letters, digits and hyphens
	Description      *string      `json:"description,omitempty"` // at most 1000 characters
	OrganizationRole *ServiceRole `json:"organization_role,omitempty"`
}

// ServiceAccountUpdate is the body that changes a service account.
type ServiceAccountUpdate struct {
	Description      Optional[string] `json:"description,omitzero"` // absent: stays; null: cleared
	OrganizationRole *ServiceRole     `json:"organization_role,omitempty"`
}

// ServiceAccountMember is a service account in a workspace.
type ServiceAccountMember struct {
	Type             string        `json:"type" const:"service_account_workspace_member"`
	ServiceAccountID string        `json:"service_account_id"`
	WorkspaceID      string        `json:"workspace_id"`
	WorkspaceRole    WorkspaceRole `json:"workspace_role"`
	Implicit         bool          `json:"implicit"` // always false: the default workspace, in which everybody is, is not listed
	CreatedByActorID *string       `json:"created_by_actor_id"`
}

// ServiceAccountMemberNew is the body that puts a service account into a
// workspace, whose id is in the path.
type ServiceAccountMemberNew struct {
	ServiceAccountID string                  `json:"service_account_id"`
	WorkspaceRole    AssignableWorkspaceRole `json:"workspace_role"`
}

// ServiceAccountWorkspaceNew is the body that puts a service account, whose id
// is in the path, into a workspace.
type ServiceAccountWorkspaceNew struct {
	WorkspaceID   string                  `json:"workspace_id"`
	WorkspaceRole AssignableWorkspaceRole `json:"workspace_role"`
}

// ServiceAccountMemberDeleted is the answer when a service account is not in a
// workspace any more.
type ServiceAccountMemberDeleted struct {
	Type             string `json:"type" const:"service_account_workspace_member_deleted"`
	ServiceAccountID string `json:"service_account_id"`
	WorkspaceID      string `json:"workspace_id"`
}
