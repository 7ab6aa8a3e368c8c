package org

import (
	"context"
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
)

// Service keeps organizations. Its fields must be set before use.
type Service struct {
	Store Store
	Now   func() time.Time
}

// Get returns the caller's organization.
func (s *Service) Get(ctx context.Context, who caller.Caller, org id.Organization) (Organization, error) {
	if err := access.Check(who, caller.ReadOrganization, org); err != nil {
		return Organization{}, err
	}
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

// SetModels says which models may be used; none means all.
func (s *Service) SetModels(ctx context.Context, who caller.Caller, org id.Organization, models []string) error {
	if err := access.Check(who, caller.ManageOrganization, org); err != nil {
		return err
	}
	o, err := s.Get(ctx, who, org)
	if err != nil {
		return err
	}
	was := o.Settings.Models
	o.Settings.Models = nil
	for _, m := range models {
		m = strings.TrimSpace(m)
		if len(m) > 200 {
			return fault.New(fault.Invalid, "a model's name has at most 200 characters").At("models")
		}
		if m != "" && !slices.Contains(o.Settings.Models, m) {
			o.Settings.Models = append(o.Settings.Models, m)
		}
	}
	if len(o.Settings.Models) > 500 {
		return fault.New(fault.Invalid, "at most 500 models can be listed").At("models")
	}
	return s.Store.SaveSettings(ctx, org, o.Settings, audit.New(who, s.Now(), audit.OrganizationUpdated, string(org), audit.Detail{
		"models_before": strings.Join(was, " "), "models_after": strings.Join(o.Settings.Models, " ")}).In(org))
}

// Members lists who is in an organization, in the order of joining.
func (s *Service) Members(ctx context.Context, who caller.Caller, org id.Organization) ([]Member, error) {
	if err := access.Check(who, caller.ReadMembers, org); err != nil {
		return nil, err
	}
	return s.Store.Members(ctx, org)
}

// Member returns one member.
func (s *Service) Member(ctx context.Context, who caller.Caller, org id.Organization, m id.Member) (Member, error) {
	if err := access.Check(who, caller.ReadMembers, org); err != nil {
		return Member{}, err
	}
	return s.member(ctx, org, m)
}

func (s *Service) member(ctx context.Context, org id.Organization, m id.Member) (Member, error) {
	found, ok, err := s.Store.Member(ctx, org, m)
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "there is no such member in your organization")
	}
	return found, err
}

// NewMember is what is asked when somebody is added.
type NewMember struct {
	Email string
	Name  string
	Role  access.Role
}

// Add adds a member, with a new account if nobody has the address yet.
func (s *Service) Add(ctx context.Context, who caller.Caller, org id.Organization, in NewMember) (Member, error) {
	if err := access.Check(who, caller.ManageMembers, org); err != nil {
		return Member{}, err
	}
	email, err := CleanEmail(in.Email)
	if err != nil {
		return Member{}, err
	}
	name, err := CleanName(in.Name, email)
	if err != nil {
		return Member{}, err
	}
	if !in.Role.Valid() || in.Role == access.PrimaryOwner {
		return Member{}, fault.New(fault.Invalid, "there is no role %q that could be given", in.Role).At("role")
	}
	m := Member{ID: id.NewMember(), Organization: org, Account: id.NewAccount(), Email: email, Name: name, Role: in.Role, Status: Active, Version: 1, CreatedAt: s.Now(), JoinedAt: s.Now()}
	return s.Store.AddMember(ctx, m, audit.New(who, s.Now(), audit.MemberAdded, string(m.ID), audit.Detail{
		"email": email, "role": string(in.Role)}).In(org))
}

// Suspend takes a member's access away, with every credential that hangs on it.
func (s *Service) Suspend(ctx context.Context, who caller.Caller, org id.Organization, m id.Member) error {
	if err := access.Check(who, caller.ManageMembers, org); err != nil {
		return err
	}
	found, err := s.member(ctx, org, m)
	switch {
	case err != nil:
		return err
	case found.Role == access.PrimaryOwner:
		return fault.New(fault.Conflict, "the primary owner cannot be suspended")
	case who.Member == m:
		return fault.New(fault.Conflict, "you cannot suspend yourself")
	}
	return s.Store.SetStatus(ctx, org, m, Suspended, audit.New(who, s.Now(), audit.MemberSuspended, string(m), audit.Detail{
		"email": found.Email}).In(org).Affecting(string(m)))
}

// CleanEmail is the form in which addresses are kept and compared.
func CleanEmail(raw string) (string, error) {
	raw = strings.TrimSpace(raw)
	a, err := mail.ParseAddress(raw)
	if err != nil || a.Address != raw || len(raw) > 254 || !utf8.ValidString(raw) || strings.ContainsAny(raw, " \t\r\n\x00") {
		return "", fault.New(fault.Invalid, "%.80q is not an e-mail address", raw).At("email")
	}
	return strings.ToLower(a.Address), nil
}

// CleanName is a name fit to be shown; fallback stands in for an empty one.
func CleanName(raw, fallback string) (string, error) {
	name := strings.Join(strings.Fields(raw), " ")
	if name == "" {
		name = fallback
	}
	if len(name) > 200 || !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "", fault.New(fault.Invalid, "a name has at most 200 printable characters").At("name")
	}
	return name, nil
}

// CleanText is a stranger's text made fit to be stored and shown, in at most so
// many bytes.
func CleanText(text string, most int) string {
	if len(text) > 4*most {
		text = text[:4*most] // what follows would be cut off in any case
	}
	text = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.In(r, unicode.C, unicode.Zl, unicode.Zp) {
			return -1
		}
		return r
	}, text)
	if len(text) > most {
		text = text[:most]
	}
	return strings.ToValidUTF8(text, "")
}
