package api

// RateLimit is what each credential in the organization may ask of models. There
// is one, for all models together.
type RateLimit struct {
	ID        string             `json:"id"` // "rlim_…"
	Type      string             `json:"type" const:"rate_limit"`
	Group     RateLimitGroup     `json:"group"`
	GroupType RateLimitGroupType `json:"group_type"` // deprecated: see group
	Models    []string           `json:"models"`     // that the organization allows; empty: all
	Limits    []RateLimitValue   `json:"limits"`
}

// RateLimitGroup is what limits are about.
type RateLimitGroup struct {
	ID          string             `json:"id"` // the same in every organization
	Type        RateLimitGroupType `json:"type"`
	DisplayName string             `json:"display_name"`
}

// RateLimitValue is one limit.
type RateLimitValue struct {
	Type  RateLimitType `json:"type"`
	Value int64         `json:"value"` // requests: in a minute, or at the same time
}

// WorkspaceRateLimit is what each credential in a workspace may ask of models.
type WorkspaceRateLimit struct {
	Type        string                    `json:"type" const:"workspace_rate_limit"`
	WorkspaceID string                    `json:"workspace_id"`
	RateLimitID string                    `json:"rate_limit_id"` // the organization's
	Group       RateLimitGroup            `json:"group"`
	GroupType   RateLimitGroupType        `json:"group_type"` // deprecated: see group
	Models      []string                  `json:"models"`     // that the workspace allows; empty: all of the organization's
	Limits      []WorkspaceRateLimitValue `json:"limits"`
}

// WorkspaceRateLimitValue is one limit in a workspace.
type WorkspaceRateLimitValue struct {
	Type     RateLimitType        `json:"type"`
	Value    int64                `json:"value"`     // above org_limit it has no effect
	OrgLimit *int64               `json:"org_limit"` // null: the organization has none
	Source   RateLimitValueSource `json:"source"`
}

// RateLimitValueSource is where a value comes from.
type RateLimitValueSource struct {
	Type RateLimitSource `json:"type"`
}

// WorkspaceRateLimitUpdate is the body that sets limits of a workspace. Those
// that are not named stay.
type WorkspaceRateLimitUpdate struct {
	Limits []WorkspaceRateLimitSet `json:"limits"`
}

// WorkspaceRateLimitSet sets one limit.
type WorkspaceRateLimitSet struct {
	Type  RateLimitType   `json:"type"`
	Value Optional[int64] `json:"value"` // null: as the organization has it
}
