package api

// Organization is the organization that an admin key is of.
type Organization struct {
	ID   string `json:"id"` // a bare UUID
	Type string `json:"type" const:"organization"`
	Name string `json:"name"`
}

// User is a member of the organization. Those who are suspended are among them,
// those who were removed are not.
type User struct {
	ID      string `json:"id"` // "user_…"
	Type    string `json:"type" const:"user"`
	AddedAt Time   `json:"added_at"` // when they joined, the last time
	Email   string `json:"email"`
	Name    string `json:"name"`
	Role    Role   `json:"role"`
}

// UserUpdate is the body that gives a member another role.
type UserUpdate struct {
	Role AssignableRole `json:"role"`
}

// UserDeleted is the answer when a member was removed: every session, token and
// key of theirs is refused from then on.
type UserDeleted struct {
	ID   string `json:"id"`
	Type string `json:"type" const:"user_deleted"`
}
