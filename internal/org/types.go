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
	Settings  Settings
	CreatedAt time.Time
}

// Settings are what an organization decides for itself.
type Settings struct {
	// Models are the models that may be used; none means all.
	Models []string `json:"models,omitempty"`
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
	Account          id.Account
	Email            string
	Name             string
	Role             access.Role
	Status           Status
	CreatedAt        time.Time
}

// Caller is the member as one who asks, through a door. A member who is not
// active has no rights at all.
func (m Member) Caller(way caller.Way) caller.Caller {
	who := caller.Caller{Kind: caller.Member, Way: way, Organization: m.Organization, OrganizationName: m.OrganizationName, Account: m.Account, Member: m.ID,
		Role: string(m.Role), Email: m.Email, Name: m.Name}
	if m.Status == Active {
		who.Rights = m.Role.Rights()
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
	Names(ctx context.Context, org id.Organization, members []id.Member) (map[id.Member]string, error)
	MembershipsOf(ctx context.Context, account id.Account) ([]Member, error)
	MemberByEmail(ctx context.Context, email string) ([]Member, error)
	// AddMember adds the member with its new account. It fails with Conflict if
	// the address has an account already: whoever adds an address must not get
	// hold of somebody's account, nor let somebody they do not know in.
	AddMember(ctx context.Context, m Member, e audit.Event) (Member, error)
	SetStatus(ctx context.Context, org id.Organization, m id.Member, s Status, e audit.Event) error
}
