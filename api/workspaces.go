package api

// Workspace is a part of the organization with members, keys and limits of its
// own. The default workspace is not among them.
type Workspace struct {
	ID            string            `json:"id"` // "wrkspc_…"
	Type          string            `json:"type" const:"workspace"`
	Name          string            `json:"name"`
	CreatedAt     Time              `json:"created_at"`
	ArchivedAt    *Time             `json:"archived_at"`     // null: it is not
	DisplayColor  string            `json:"display_color"`   // "#6c5bb9"
	CompartmentID string            `json:"compartment_id"`  // made of the id; nothing is kept under it here
	ExternalKeyID *Null             `json:"external_key_id"` // keys of one's own are not supported here
	Tags          map[string]string `json:"tags"`            // for programs
	DataResidency DataResidency     `json:"data_residency"`
	UserProfileID *Null             `json:"user_profile_id"` // nor are user profiles
}

// DataResidency says where models answer. This server leaves that to its
// upstreams, so it is the same for every workspace.
type DataResidency struct {
	WorkspaceGeo         WorkspaceGeo  `json:"workspace_geo"`
	AllowedInferenceGeos InferenceGeos `json:"allowed_inference_geos"`
	DefaultInferenceGeo  InferenceGeo  `json:"default_inference_geo"`
}

// DataResidencyNew is a wish where models answer. There is nothing to choose.
type DataResidencyNew struct {
	WorkspaceGeo         *WorkspaceGeo  `json:"workspace_geo,omitempty"`
	AllowedInferenceGeos *InferenceGeos `json:"allowed_inference_geos,omitempty"`
	DefaultInferenceGeo  *InferenceGeo  `json:"default_inference_geo,omitempty"`
}

// WorkspaceNew is the body that makes a workspace.
type WorkspaceNew struct {
	Name          string            `json:"name"`                    // 1 to 40 characters
	DisplayColor  *string           `json:"display_color,omitempty"` // "#6c5bb9"
	Tags          map[string]string `json:"tags,omitempty"`
	DataResidency *DataResidencyNew `json:"data_residency,omitempty"`
	ExternalKeyID *Null             `json:"external_key_id,omitempty"`
	UserProfileID *Null             `json:"user_profile_id,omitempty"`
}

// WorkspaceUpdate is the body that changes a workspace. What is absent stays.
type WorkspaceUpdate struct {
	Name          *string            `json:"name,omitempty"`          // 1 to 40 characters
	DisplayColor  *string            `json:"display_color,omitempty"` // "#6c5bb9"
	Tags          map[string]*string `json:"tags,omitempty"`          // null takes a tag away; tags that are not named stay
	DataResidency *DataResidencyNew  `json:"data_residency,omitempty"`
	ExternalKeyID *Null              `json:"external_key_id,omitempty"`
	UserProfileID *Null              `json:"user_profile_id,omitempty"`
}

// WorkspaceMember is a member of the organization in a workspace.
type WorkspaceMember struct {
	Type          string        `json:"type" const:"workspace_member"`
	UserID        string        `json:"user_id"`
	WorkspaceID   string        `json:"workspace_id"`
	WorkspaceRole WorkspaceRole `json:"workspace_role"`
}

// WorkspaceMemberNew is the body that puts a member into a workspace.
type WorkspaceMemberNew struct {
	UserID        string                  `json:"user_id"`
	WorkspaceRole AssignableWorkspaceRole `json:"workspace_role"`
}

// WorkspaceMemberUpdate is the body that gives a member or service account
// another role in a workspace.
type WorkspaceMemberUpdate struct {
	WorkspaceRole AssignableWorkspaceRole `json:"workspace_role"`
}

// WorkspaceMemberDeleted is the answer when a member was taken out of a
// workspace: their keys in it are refused from then on.
type WorkspaceMemberDeleted struct {
	Type        string `json:"type" const:"workspace_member_deleted"`
	UserID      string `json:"user_id"`
	WorkspaceID string `json:"workspace_id"`
}
