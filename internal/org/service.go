package org

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
)

// Service keeps organizations. Store and Now must be set before use.
type Service struct {
	Store Store
	Now   func() time.Time
	// Closed keeps people from making organizations of their own.
	Closed bool
}

// Get returns the caller's organization.
func (s *Service) Get(ctx context.Context, who caller.Caller, org id.Organization) (Organization, error) {
	if err := access.Check(who, caller.ReadOrganization, org); err != nil {
		return Organization{}, err
	}
	return s.get(ctx, org)
}

func (s *Service) get(ctx context.Context, org id.Organization) (Organization, error) {
	o, ok, err := s.Store.Organization(ctx, org)
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "there is no such organization")
	}
	return o, err
}

// All returns every organization of the server.
func (s *Service) All(ctx context.Context, who caller.Caller) ([]Organization, error) {
	if err := access.CheckInstance(who); err != nil {
		return nil, err
	}
	return s.Store.Organizations(ctx)
}

// Create makes an organization of a person's own, in which they are the primary
// owner.
func (s *Service) Create(ctx context.Context, who caller.Caller, name string, plan Plan) (Member, error) {
	if err := access.CheckPerson(who); err != nil {
		return Member{}, err
	}
	if s.Closed {
		return Member{}, fault.New(fault.Denied, "on this server only its operator makes organizations").WithHint("ask whoever runs the server")
	}
	name, err := CleanName(name, "")
	if err != nil || name == "" {
		return Member{}, fault.New(fault.Invalid, "an organization needs a name of at most 200 characters").At("name")
	}
	if !plan.Valid() {
		return Member{}, fault.New(fault.Invalid, "choose one of the plans").At("plan")
	}
	now := s.Now()
	o := Organization{ID: id.NewOrganization(), Name: name, Plan: plan, Version: 1, CreatedAt: now}
	m := Member{ID: id.NewMember(), Organization: o.ID, OrganizationName: name, Plan: plan, Account: who.Account, Email: who.Email, Name: who.Name,
		Role: access.PrimaryOwner, Status: Active, Version: 1, CreatedAt: now, JoinedAt: now}
	return m, s.Store.AddOrganization(ctx, o, m, maxOwned,
		audit.New(who, now, audit.OrganizationCreated, string(o.ID), audit.Detail{"name": name, "plan": string(plan)}).In(o.ID),
		audit.New(who, now, audit.MemberAdded, string(m.ID), audit.Detail{"email": m.Email, "role": string(m.Role)}).In(o.ID))
}

// maxOwned is how many organizations one person can be the primary owner of:
// anybody may make one, and a server has to hold them all.
const maxOwned = 10

// Change is what is to be different in an organization; nil leaves it.
type Change struct {
	Name                *string
	Color               *string
	Domains             *[]string
	KeyDays             *int
	SessionDays         *int
	RequireSecondFactor *bool
	Proposals           *bool
	InviteLinks         *bool
}

// Update changes an organization's settings. version is that of the state which
// the caller has seen.
func (s *Service) Update(ctx context.Context, who caller.Caller, org id.Organization, version int64, c Change) (Organization, error) {
	if err := access.Check(who, caller.ManageOrganization, org); err != nil {
		return Organization{}, err
	}
	was, err := s.get(ctx, org)
	if err != nil {
		return Organization{}, err
	}
	is := was
	if err := c.apply(&is); err != nil {
		return Organization{}, err
	}
	detail := audit.Detail{}
	for _, f := range []struct{ name, was, is string }{
		{"name", was.Name, is.Name}, {"color", was.Settings.Color, is.Settings.Color},
		{"domains", strings.Join(was.Settings.Domains, " "), strings.Join(is.Settings.Domains, " ")},
		{"key_days", fmt.Sprint(was.Settings.KeyDays), fmt.Sprint(is.Settings.KeyDays)},
		{"session_days", fmt.Sprint(was.Settings.SessionDays), fmt.Sprint(is.Settings.SessionDays)},
		{"require_second_factor", fmt.Sprint(was.Settings.RequireSecondFactor), fmt.Sprint(is.Settings.RequireSecondFactor)},
		{"proposals", fmt.Sprint(was.Settings.Proposals), fmt.Sprint(is.Settings.Proposals)},
		{"invite_links", fmt.Sprint(was.Settings.InviteLinks), fmt.Sprint(is.Settings.InviteLinks)},
	} {
		detail.Changed(f.name, f.was, f.is)
	}
	if len(detail) == 0 {
		return was, nil
	}
	is.Version = version
	e := audit.New(who, s.Now(), audit.OrganizationUpdated, string(org), detail).In(org)
	if was.Settings.SessionDays != is.Settings.SessionDays || was.Settings.RequireSecondFactor != is.Settings.RequireSecondFactor {
		e = e.Affecting(string(org)) // credentials in use may not be good any more
	}
	return s.Store.SaveOrganization(ctx, is, e)
}

var color = regexp.MustCompile(`^#[0-9a-f]{6}$`)

func (c Change) apply(o *Organization) error {
	if c.Name != nil {
		name, err := CleanName(*c.Name, "")
		if err != nil || name == "" {
			return fault.New(fault.Invalid, "an organization needs a name of at most 200 characters").At("name")
		}
		o.Name = name
	}
	if c.Color != nil {
		o.Settings.Color = strings.ToLower(*c.Color)
		if o.Settings.Color != "" && !color.MatchString(o.Settings.Color) {
			return fault.New(fault.Invalid, "a colour is written as six hexadecimal digits: #1d4ed8").At("color")
		}
	}
	if c.Domains != nil {
		domains, err := CleanDomains(*c.Domains, 100)
		if err != nil {
			return err
		}
		o.Settings.Domains = domains
	}
	for _, days := range []struct {
		field string
		from  *int
		to    *int
		most  int
	}{{"key_days", c.KeyDays, &o.Settings.KeyDays, 3650}, {"session_days", c.SessionDays, &o.Settings.SessionDays, 365}} {
		if days.from == nil {
			continue
		}
		if *days.from < 0 || *days.from > days.most {
			return fault.New(fault.Invalid, "that is a number of days from 0 to %d", days.most).At(days.field)
		}
		*days.to = *days.from
	}
	for _, b := range []struct{ from, to *bool }{{c.RequireSecondFactor, &o.Settings.RequireSecondFactor},
		{c.Proposals, &o.Settings.Proposals}, {c.InviteLinks, &o.Settings.InviteLinks}} {
		if b.from != nil {
			*b.to = *b.from
		}
	}
	return nil
}

// cleanModels is a list of models' names, each once, in the order in which they came.
func cleanModels(raw []string) (models []string, err error) {
	for _, m := range raw {
		m = strings.TrimSpace(m)
		if len(m) > 200 {
			return nil, fault.New(fault.Invalid, "a model's name has at most 200 characters").At("models")
		}
		if m != "" && !slices.Contains(models, m) {
			models = append(models, m)
		}
	}
	if len(models) > 500 {
		return nil, fault.New(fault.Invalid, "at most 500 models can be listed").At("models")
	}
	return models, nil
}

// SetModels says which models may be used; none means all.
func (s *Service) SetModels(ctx context.Context, who caller.Caller, org id.Organization, models []string) error {
	if err := access.Check(who, caller.ManageOrganization, org); err != nil {
		return err
	}
	o, err := s.get(ctx, org)
	if err != nil {
		return err
	}
	was := o.Settings.Models
	if o.Settings.Models, err = cleanModels(models); err != nil {
		return err
	}
	_, err = s.Store.SaveOrganization(ctx, o, audit.New(who, s.Now(), audit.OrganizationUpdated, string(org), audit.Detail{
		"models_before": strings.Join(was, " "), "models_after": strings.Join(o.Settings.Models, " ")}).In(org))
	return err
}

// Taken is how many seats there are, and who takes them.
type Taken struct {
	Seats   int // 0: any number
	Members int // active and suspended
	Invited int // invitations that wait
}

// Free is how many seats are left; -1 if they are not counted.
func (t Taken) Free() int {
	if t.Seats == 0 {
		return -1
	}
	return max(0, t.Seats-t.Members-t.Invited)
}

// Seats says how many seats there are and how many are taken.
func (s *Service) Seats(ctx context.Context, who caller.Caller, org id.Organization) (Taken, error) {
	if err := access.CheckAny(who, org, caller.ReadBilling, caller.ReadMembers); err != nil {
		return Taken{}, err
	}
	o, err := s.get(ctx, org)
	if err != nil {
		return Taken{}, err
	}
	t, err := s.Store.Taken(ctx, org)
	if o.Plan.HasSeats() {
		t.Seats = o.Seats
	}
	return t, err
}

const maxSeats = 1_000_000

// SetPlan changes the plan and the number of seats, 0 for any number. What a
// plan does not have stops at once. There cannot be fewer seats than are taken.
func (s *Service) SetPlan(ctx context.Context, who caller.Caller, org id.Organization, version int64, plan Plan, seats int) (Organization, error) {
	if err := access.Check(who, caller.ManageBilling, org); err != nil {
		return Organization{}, err
	}
	was, err := s.get(ctx, org)
	if err != nil {
		return Organization{}, err
	}
	if !plan.Valid() {
		return Organization{}, fault.New(fault.Invalid, "choose one of the plans").At("plan")
	}
	if seats < 0 || seats > maxSeats {
		return Organization{}, fault.New(fault.Invalid, "that is a number of seats from 0 to %d", maxSeats).At("seats")
	}
	is := was
	is.Plan, is.Seats, is.Version = plan, seats, version
	detail := audit.Detail{}
	detail.Changed("plan", string(was.Plan), string(is.Plan))
	detail.Changed("seats", fmt.Sprint(was.Seats), fmt.Sprint(is.Seats))
	if len(detail) == 0 {
		return was, nil
	}
	return s.Store.SavePlan(ctx, is, audit.New(who, s.Now(), audit.SeatsChanged, string(org), detail).In(org).Affecting(string(org)))
}

// Delete ends an organization: everything in it is refused from then on. The
// record stays. name must be the organization's, typed again.
func (s *Service) Delete(ctx context.Context, who caller.Caller, org id.Organization, name string) error {
	if err := access.Check(who, caller.OwnOrganization, org); err != nil {
		return err
	}
	if who.Kind != caller.Member && access.CheckInstance(who) != nil {
		return fault.New(fault.Denied, "only the primary owner deletes an organization")
	}
	o, err := s.get(ctx, org)
	if err != nil {
		return err
	}
	if strings.TrimSpace(name) != o.Name {
		return fault.New(fault.Invalid, "type the name of the organization exactly: %s", o.Name).At("name")
	}
	now := s.Now()
	return s.Store.DeleteOrganization(ctx, org, now, audit.New(who, now, audit.OrganizationDeleted, string(org), audit.Detail{"name": o.Name}).In(org).Affecting(string(org)))
}

// Export hands over everything that is kept of an organization, table by table,
// without secrets.
func (s *Service) Export(ctx context.Context, who caller.Caller, org id.Organization, to Sink) error {
	if err := access.Check(who, caller.OwnOrganization, org); err != nil {
		return err
	}
	e := audit.New(who, s.Now(), audit.OrganizationExported, string(org), audit.Detail{"what": "everything"}).In(org)
	return s.Store.Export(ctx, org, to, e)
}
