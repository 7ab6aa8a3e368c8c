package api

import "time"

// Organization is the answer of GET /v1/organizations/me.
type Organization struct {
	ID   string `json:"id"`   // a bare UUID
	Type string `json:"type"` // "organization"
	Name string `json:"name"`
}

// APIKey is an API key without its value.
type APIKey struct {
	ID             string     `json:"id"`   // "apikey_…"
	Type           string     `json:"type"` // "api_key"
	Name           string     `json:"name"`
	CreatedAt      Time       `json:"created_at"`
	CreatedBy      *Actor     `json:"created_by"` // null: not by a person
	ExpiresAt      *Time      `json:"expires_at"` // null: never
	PartialKeyHint string     `json:"partial_key_hint"`
	Principal      *Principal `json:"principal"`
	Scope          Scope      `json:"scope"`
	Status         string     `json:"status"`       // active, inactive, archived or expired
	WorkspaceID    *string    `json:"workspace_id"` // null: the default workspace
}

// Actor is who made something.
type Actor struct {
	ID   string `json:"id"`
	Type string `json:"type"` // "user"
}

// Principal is whom a key acts as.
type Principal struct {
	Type   string `json:"type"` // "user_actor"
	UserID string `json:"user_id"`
}

// Scope is where a key belongs.
type Scope struct {
	Type string `json:"type"` // "organization"
}

// APIKeyUpdate is the body of POST /v1/organizations/api_keys/{id}. A member
// that is absent leaves things as they are.
type APIKeyUpdate struct {
	Name   *string `json:"name,omitempty"`
	Status *string `json:"status,omitempty"` // active, inactive or archived
}

// Page is a page of a list, the newest first.
type Page[T any] struct {
	Data    []T     `json:"data"`
	FirstID *string `json:"first_id"` // null: the page is empty
	LastID  *string `json:"last_id"`
	HasMore bool    `json:"has_more"` // in the direction that was asked for
}

// Error is the answer of every request that fails.
type Error struct {
	Type      string      `json:"type"` // "error"
	Error     ErrorDetail `json:"error"`
	RequestID string      `json:"request_id"`
}

// ErrorDetail says what went wrong.
type ErrorDetail struct {
	Type    string `json:"type"` // such as "not_found_error"
	Message string `json:"message"`
}

// Time is a moment as the API writes it.
type Time struct{ time.Time }

// MarshalJSON writes the moment in UTC with microseconds.
func (t Time) MarshalJSON() ([]byte, error) {
	return []byte(t.UTC().Format(`"2006-01-02T15:04:05.000000Z"`)), nil
}
