package api

// RBACGroup is members who are given rights together.
type RBACGroup struct {
	ID         string      `json:"id"` // "rbac_group_…"
	Type       string      `json:"type" const:"rbac_group"`
	Name       string      `json:"name"`     // one of a kind in the organization
	RoleIDs    []string    `json:"role_ids"` // of the custom roles that it gives; set in the console
	SourceType GroupSource `json:"source_type"`
	CreatedAt  Time        `json:"created_at"`
	UpdatedAt  Time        `json:"updated_at"`
}

// RBACGroupNew is the body that makes a group.
type RBACGroupNew struct {
	Name string `json:"name"` // 1 to 100 characters
}

// RBACGroupUpdate is the body that changes a group. What is absent stays.
type RBACGroupUpdate struct {
	Name *string `json:"name,omitempty"` // 1 to 100 characters
}

// RBACGroupDeleted is the answer when a group was deleted: its members lose what
// it gave them.
type RBACGroupDeleted struct {
	ID   string `json:"id"`
	Type string `json:"type" const:"rbac_group_deleted"`
}

// RBACGroupMember is a member of the organization in a group.
type RBACGroupMember struct {
	Type        string `json:"type" const:"rbac_group_member"`
	RBACGroupID string `json:"rbac_group_id"`
	UserID      string `json:"user_id"`
	Email       string `json:"email"`
	CreatedAt   Time   `json:"created_at"` // when they came into the group
}

// RBACGroupMemberNew is the body that puts a member into a group.
type RBACGroupMemberNew struct {
	UserID string `json:"user_id"`
}

// RBACGroupMemberDeleted is the answer when a member was taken out of a group.
type RBACGroupMemberDeleted struct {
	Type        string `json:"type" const:"rbac_group_member_deleted"`
	RBACGroupID string `json:"rbac_group_id"`
	UserID      string `json:"user_id"`
}

// RBACRole is a custom role of the organization. The built-in ones have no id
// and are not among them.
type RBACRole struct {
	ID          string         `json:"id"` // "rbac_role_…"
	Type        string         `json:"type" const:"rbac_role"`
	Name        string         `json:"name"` // deprecated: the same as display_name
	DisplayName string         `json:"display_name"`
	Source      RBACRoleSource `json:"source"`
	CreatedAt   Time           `json:"created_at"`
	UpdatedAt   Time           `json:"updated_at"` // the same as created_at: when a role was changed is in the record alone
}

// RBACRoleSource says whose a role is: always the organization's own.
type RBACRoleSource struct {
	Type string `json:"type" const:"custom"`
}

// RBACRolePermission is one thing that a role allows.
type RBACRolePermission struct {
	Type     string             `json:"type" const:"rbac_role_permission"`
	Action   string             `json:"action"` // a permission's name, such as "members:manage"
	Resource PermissionResource `json:"resource"`
}

// PermissionResource is what a permission is about: always the organization.
type PermissionResource struct {
	Type           string `json:"type" const:"organization"`
	OrganizationID string `json:"organization_id"` // a bare UUID
}
