package console

import (
	"context"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
)

// Organizations keeps organizations and who is in them; *org.Service does.
type Organizations interface {
	Settings
	Members
	Rights
	Ownership
}

// Settings are an organization's own.
type Settings interface {
	Get(ctx context.Context, who caller.Caller, o id.Organization) (org.Organization, error)
	Create(ctx context.Context, who caller.Caller, name string, plan org.Plan) (org.Member, error)
	Update(ctx context.Context, who caller.Caller, o id.Organization, version int64, c org.Change) (org.Organization, error)
	SetModels(ctx context.Context, who caller.Caller, o id.Organization, models []string) error
	Seats(ctx context.Context, who caller.Caller, o id.Organization) (org.Taken, error)
	SetPlan(ctx context.Context, who caller.Caller, o id.Organization, version int64, plan org.Plan, seats int) (org.Organization, error)
	Delete(ctx context.Context, who caller.Caller, o id.Organization, name string) error
	Export(ctx context.Context, who caller.Caller, o id.Organization, to org.Sink) error
}

// Members are the people of an organization.
type Members interface {
	Members(ctx context.Context, who caller.Caller, o id.Organization, f org.MemberFilter) (members []org.Member, more bool, err error)
	Counts(ctx context.Context, who caller.Caller, o id.Organization) (map[org.Status]int, error)
	Member(ctx context.Context, who caller.Caller, o id.Organization, m id.Member) (org.Member, error)
	Add(ctx context.Context, who caller.Caller, o id.Organization, in org.NewMember) (org.Member, error)
	SetRole(ctx context.Context, who caller.Caller, o id.Organization, m id.Member, version int64, role access.Role) (org.Member, error)
	Suspend(ctx context.Context, who caller.Caller, o id.Organization, m id.Member) error
	Reinstate(ctx context.Context, who caller.Caller, o id.Organization, m id.Member) error
	Remove(ctx context.Context, who caller.Caller, o id.Organization, m id.Member) (org.Member, error)
	Leave(ctx context.Context, who caller.Caller, o id.Organization) error
}

// Rights are given by custom roles and groups.
type Rights interface {
	Roles(ctx context.Context, who caller.Caller, o id.Organization) ([]org.Role, error)
	Role(ctx context.Context, who caller.Caller, o id.Organization, r id.Role) (org.Role, error)
	CreateRole(ctx context.Context, who caller.Caller, o id.Organization, in org.Role) (org.Role, error)
	UpdateRole(ctx context.Context, who caller.Caller, o id.Organization, in org.Role) (org.Role, error)
	DeleteRole(ctx context.Context, who caller.Caller, o id.Organization, r id.Role) error
	Groups(ctx context.Context, who caller.Caller, o id.Organization) ([]org.Group, error)
	Group(ctx context.Context, who caller.Caller, o id.Organization, g id.Group) (org.Group, error)
	GroupsOf(ctx context.Context, who caller.Caller, o id.Organization, m id.Member) ([]org.Group, error)
	CreateGroup(ctx context.Context, who caller.Caller, o id.Organization, in org.Group) (org.Group, error)
	UpdateGroup(ctx context.Context, who caller.Caller, o id.Organization, in org.Group) (org.Group, error)
	DeleteGroup(ctx context.Context, who caller.Caller, o id.Organization, g id.Group) error
	AddToGroup(ctx context.Context, who caller.Caller, o id.Organization, g id.Group, m id.Member) error
	RemoveFromGroup(ctx context.Context, who caller.Caller, o id.Organization, g id.Group, m id.Member) error
}

// Ownership passes from one primary owner to the next.
type Ownership interface {
	OfferOwnership(ctx context.Context, who caller.Caller, o id.Organization, to id.Member) error
	OwnershipOffer(ctx context.Context, who caller.Caller, o id.Organization) (offer org.Offer, ok bool, err error)
	AnswerOwnership(ctx context.Context, who caller.Caller, o id.Organization, accept bool) error
	WithdrawOwnership(ctx context.Context, who caller.Caller, o id.Organization) error
}
