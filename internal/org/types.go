package org

import (
	"context"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/id"
)

// Organization is a tenant of the server.
type Organization struct {
	ID        id.Organization
	Name      string
	Plan      Plan
	Seats     int // that may be taken; 0: any number
	Settings  Settings
	Version   int64 // of what people edit: a change made from an older one is a Conflict
	CreatedAt time.Time
	DeletedAt time.Time // zero: it is there
}

// Settings are what an organization decides for itself.
type Settings struct {
	// Models are the models that may be used; none means all.
	Models []string `json:"models,omitempty"`
	// Color is that of the organization's mark, "#1d4ed8"; empty: the product's.
	Color string `json:"color,omitempty"`
	// Domains are those of addresses that may be invited; none means any.
	Domains []string `json:"domains,omitempty"`
	// KeyDays is the longest life of a new key, in days; 0: keys may live for ever.
	KeyDays int `json:"key_days,omitempty"`
	// SessionDays is how long after its beginning a device session ends, in
	// days; 0: it lives for as long as it is used.
	SessionDays int `json:"session_days,omitempty"`
	// RequireSecondFactor keeps members without a second factor from everything
	// but getting one.
	RequireSecondFactor bool `json:"require_second_factor,omitempty"`
	// Proposals lets members without the right to invite propose people.
	Proposals bool `json:"proposals,omitempty"`
	// InviteLinks lets those who invite make links with which people invite themselves.
	InviteLinks bool `json:"invite_links,omitempty"`
}

// Status is where a member stands.
type Status string

const (
	Active    Status = "active"
	Suspended Status = "suspended"
	Removed   Status = "removed"
)

// Member is an account in an organization.
type Member struct {
	ID               id.Member
	Organization     id.Organization
	OrganizationName string
	Plan             Plan // the organization's
	Account          id.Account
	Email            string
	Name             string
	Role             access.Role
	Status           Status
	Groups           string        // ids, separated by spaces
	Grants           caller.Rights // of the custom roles of these groups
	Version          int64
	CreatedAt        time.Time
	JoinedAt         time.Time // when they came, the last time: credentials made before are refused
	EndedAt          time.Time // when they were suspended or removed; zero: they were not
}

// Rights are what the member may do: the role's and the groups' together, as far
// as the organization's plan has them. A member who is not active has none.
func (m Member) Rights() caller.Rights {
	if m.Status != Active {
		return 0
	}
	return m.Assigned() & m.Plan.Rights()
}

// Assigned are the rights of the member's role and groups, on whatever plan and
// in whatever state.
func (m Member) Assigned() caller.Rights { return m.Role.Rights() | m.Grants }

// Caller is the member as one who asks, through a door.
func (m Member) Caller(way caller.Way) caller.Caller {
	who := caller.Caller{Kind: caller.Member, Way: way, Organization: m.Organization, OrganizationName: m.OrganizationName, Account: m.Account,
		Member: m.ID, Role: string(m.Role), Groups: m.Groups, Rights: m.Rights(), Email: m.Email, Name: m.Name}
	if m.Status == Active {
		who.Withheld, who.Plan = m.Assigned()&^m.Plan.Rights(), string(m.Plan)
	}
	return who
}

// Store is what the package needs stored. ok is false for what does not exist.
type Store interface {
	Organization(ctx context.Context, org id.Organization) (o Organization, ok bool, err error)
	Organizations(ctx context.Context) ([]Organization, error)
	SaveSettings(ctx context.Context, org id.Organization, s Settings, e audit.Event) error
	Members(ctx context.Context, org id.Organization) ([]Member, error)
	Member(ctx context.Context, org id.Organization, m id.Member) (member Member, ok bool, err error)
	MembershipsOf(ctx context.Context, account id.Account) ([]Member, error)
	MemberByEmail(ctx context.Context, email string) ([]Member, error)
	// AddMember adds the member with its new account. It fails with Conflict if
	// the address has an account already: whoever adds an address must not get
	// hold of somebody's account, nor let somebody they do not know in.
	AddMember(ctx context.Context, m Member, e audit.Event) (Member, error)
	SetStatus(ctx context.Context, org id.Organization, m id.Member, s Status, e audit.Event) error
}
