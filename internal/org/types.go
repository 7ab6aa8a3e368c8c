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
	// OrganizationColor is that of its mark; empty: it has chosen none.
	OrganizationColor string
	Plan              Plan // the organization's
	Account           id.Account
	Email             string
	Name              string
	Role              access.Role
	Status            Status
	Groups            string        // ids, separated by spaces
	Grants            caller.Rights // of the custom roles of these groups
	Version           int64
	CreatedAt         time.Time
	JoinedAt          time.Time // when they came, the last time: credentials made before are refused
	EndedAt           time.Time // when they were suspended or removed; zero: they were not
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

// Order is how a list of members is sorted.
type Order string

const (
	ByJoining Order = ""      // the newest first
	ByName    Order = "name"  // from A to Z
	ByEmail   Order = "email" // from A to Z
)

// MemberFilter chooses members. Empty fields choose all who are not removed.
type MemberFilter struct {
	Status Status // Removed is only found when asked for
	Roles  []access.Role
	Group  id.Group
	Text   string // in the name or address
	Email  string // the whole address, whatever its case; a part after + may be missing
	Order  Order
	After  id.Member // the page after this member
	Before id.Member // the page before this member
	Limit  int       // 20 if not positive
}

// Sink takes the rows of an export, table by table. Columns are in their order.
type Sink func(table string, columns []string, row []any) error

// Store is what the package needs stored. ok is false for what does not exist.
// What has a Version is saved only over that version, and comes back with the
// next: Conflict, if somebody else was first. A Version of 0 is any.
type Store interface {
	OrganizationStore
	MemberStore
	RoleStore
	GroupStore
	OwnershipStore
}

// OrganizationStore stores organizations.
type OrganizationStore interface {
	Organization(ctx context.Context, org id.Organization) (o Organization, ok bool, err error)
	Organizations(ctx context.Context) ([]Organization, error)
	// AddOrganization fails with Conflict if the first member is the primary
	// owner of most organizations already.
	AddOrganization(ctx context.Context, o Organization, first Member, most int, e ...audit.Event) error
	SaveOrganization(ctx context.Context, o Organization, e audit.Event) (Organization, error)
	// SavePlan saves plan and seats, and nothing else. It fails with Invalid if more
	// seats are taken than there would be; nobody takes one in between.
	SavePlan(ctx context.Context, o Organization, e audit.Event) (Organization, error)
	DeleteOrganization(ctx context.Context, org id.Organization, at time.Time, e audit.Event) error
	Taken(ctx context.Context, org id.Organization) (Taken, error)
	Export(ctx context.Context, org id.Organization, to Sink, e audit.Event) error
}

// MemberStore stores members.
type MemberStore interface {
	Members(ctx context.Context, org id.Organization, f MemberFilter) (members []Member, more bool, err error)
	CountMembers(ctx context.Context, org id.Organization) (map[Status]int, error)
	Member(ctx context.Context, org id.Organization, m id.Member) (member Member, ok bool, err error)
	Names(ctx context.Context, org id.Organization, members []id.Member) (map[id.Member]string, error)
	MembershipsOf(ctx context.Context, account id.Account) ([]Member, error)
	MemberByEmail(ctx context.Context, email string) ([]Member, error)
	// AddMember adds the member with its new account. It fails with Conflict if
	// the address has an account already: whoever adds an address must not get
	// hold of somebody's account, nor let somebody they do not know in.
	AddMember(ctx context.Context, m Member, e audit.Event) (Member, error)
	// SaveMember saves role and status. A member who is removed loses groups,
	// workspaces and waiting invitations with it.
	SaveMember(ctx context.Context, m Member, e audit.Event) (Member, error)
}

// RoleStore stores custom roles.
type RoleStore interface {
	Roles(ctx context.Context, org id.Organization) ([]Role, error)
	Role(ctx context.Context, org id.Organization, r id.Role) (role Role, ok bool, err error)
	// AddRole fails with Conflict if the name is taken or there are most roles.
	AddRole(ctx context.Context, r Role, most int, e audit.Event) error
	SaveRole(ctx context.Context, r Role, e audit.Event) (Role, error)
	DeleteRole(ctx context.Context, org id.Organization, r id.Role, e audit.Event) error
	// GroupsWith returns the ids of the groups that give a role.
	GroupsWith(ctx context.Context, org id.Organization, r id.Role) ([]string, error)
}

// GroupStore stores groups.
type GroupStore interface {
	Groups(ctx context.Context, org id.Organization) ([]Group, error)
	Group(ctx context.Context, org id.Organization, g id.Group) (group Group, ok bool, err error)
	// AddGroup fails with Conflict if the name is taken or there are most groups.
	AddGroup(ctx context.Context, g Group, most int, e audit.Event) error
	SaveGroup(ctx context.Context, g Group, e audit.Event) (Group, error)
	DeleteGroup(ctx context.Context, org id.Organization, g id.Group, e audit.Event) error
	GroupMembers(ctx context.Context, org id.Organization, f GroupMemberFilter) (members []GroupMember, more bool, err error)
	GroupMember(ctx context.Context, org id.Organization, g id.Group, m id.Member) (member GroupMember, ok bool, err error)
	AddToGroup(ctx context.Context, org id.Organization, g id.Group, m id.Member, by Source, at time.Time, e audit.Event) error
	RemoveFromGroup(ctx context.Context, org id.Organization, g id.Group, m id.Member, e audit.Event) error
}

// OwnershipStore stores offers of ownership.
type OwnershipStore interface {
	// SaveOffer replaces an offer that stands.
	SaveOffer(ctx context.Context, o Offer, e audit.Event) error
	Offer(ctx context.Context, org id.Organization) (o Offer, ok bool, err error)
	DropOffer(ctx context.Context, org id.Organization, e audit.Event) error
	// TransferOwnership makes To the primary owner and From an owner. It fails
	// with Conflict if the offer, or either's standing, is not as it was.
	TransferOwnership(ctx context.Context, o Offer, e audit.Event) error
}

var zero time.Time
