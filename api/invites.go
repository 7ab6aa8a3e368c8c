package api

// Invite is an address that is asked to join the organization, within 21 days.
type Invite struct {
	ID           string       `json:"id"` // "invite_…"
	Type         string       `json:"type" const:"invite"`
	Email        string       `json:"email"`
	Role         Role         `json:"role"` // that the person will have
	Status       InviteStatus `json:"status"`
	InvitedAt    Time         `json:"invited_at"`
	ExpiresAt    Time         `json:"expires_at"`
	AcceptedAt   *Time        `json:"accepted_at"`    // null: it was not
	RBACGroupIDs []string     `json:"rbac_group_ids"` // groups that the person will be in
}

// InviteNew is the body that invites somebody.
type InviteNew struct {
	Email        string         `json:"email"`
	Role         AssignableRole `json:"role"`
	RBACGroupIDs []string       `json:"rbac_group_ids,omitempty"`
}

// InviteDeleted is the answer when an invite was withdrawn.
type InviteDeleted struct {
	ID   string `json:"id"`
	Type string `json:"type" const:"invite_deleted"`
}
