package api

// APIKey is an API key without its value. Admin keys are not among them.
type APIKey struct {
	ID             string     `json:"id"` // "apikey_…"
	Type           string     `json:"type" const:"api_key"`
	Name           string     `json:"name"`
	CreatedAt      Time       `json:"created_at"`
	CreatedBy      *Actor     `json:"created_by"`       // null: neither a member nor a service account made it
	ExpiresAt      *Time      `json:"expires_at"`       // null: never
	PartialKeyHint string     `json:"partial_key_hint"` // a part of the value that tells keys apart
	Principal      *Principal `json:"principal"`        // whom the key acts as
	Scope          Scope      `json:"scope"`
	Status         KeyStatus  `json:"status"`
	WorkspaceID    *string    `json:"workspace_id"` // deprecated: see scope; null: the default workspace
}

// Actor is who made something.
type Actor struct {
	ID   string    `json:"id"` // "user_…" or "svac_…"
	Type ActorType `json:"type"`
}

// Principal is whom a key acts as: a member or a service account.
type Principal struct {
	Type             PrincipalType `json:"type"`
	UserID           string        `json:"user_id,omitempty" of:"user_actor"`
	ServiceAccountID string        `json:"service_account_id,omitempty" of:"service_account_actor"`
}

// Scope is where a key belongs: to a workspace, or to the organization as a
// whole if it is in the default workspace, which has no id here.
type Scope struct {
	Type        ScopeType `json:"type"`
	WorkspaceID string    `json:"workspace_id,omitempty" of:"workspace"`
}

// APIKeyUpdate is the body that changes an API key. What is absent stays.
type APIKeyUpdate struct {
	Name   *string            `json:"name,omitempty"` // 1 to 200 characters
	Status *SettableKeyStatus `json:"status,omitempty"`
}
