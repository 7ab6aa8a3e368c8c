package invite

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
)

// rules are an organization's facts at a moment and what a caller may do with
// them: they are read once and asked of thousands of lines.
type rules struct {
	who        caller.Caller
	org        org.Organization
	groups     []Named
	workspaces []Named
	seats      Seats
	roles      map[access.Role]error // verdicts so far
	puts       map[string]error
}

func (s *Service) rules(ctx context.Context, who caller.Caller, o id.Organization) (*rules, error) {
	r := &rules{who: who, roles: map[access.Role]error{}, puts: map[string]error{}}
	var err error
	if r.org, err = s.organization(ctx, o); err != nil {
		return nil, err
	}
	if r.groups, err = s.Store.Groups(ctx, o); err != nil {
		return nil, err
	}
	if r.workspaces, err = s.Store.Workspaces(ctx, o); err != nil {
		return nil, err
	}
	r.seats, err = s.Store.Seats(ctx, o, s.Now())
	return r, err
}

// mayGive says whether the caller may invite somebody with a role.
func (r *rules) mayGive(role access.Role) error {
	verdict, known := r.roles[role]
	if !known {
		verdict = r.decide(role)
		r.roles[role] = verdict
	}
	return verdict
}

func (r *rules) decide(role access.Role) error {
	if !role.Valid() || role == access.PrimaryOwner {
		return fault.New(fault.Invalid, "there is no role %q that could be given", short(string(role))).At("role")
	}
	return r.give(role.Rights())
}

// give is the decision itself: nobody hands out more than they have, and who
// runs the organization is for those to say who manage admins.
func (r *rules) give(rights caller.Rights) error {
	right := caller.ManageMembers
	if access.Runs(rights) {
		right = caller.ManageAdmins
	}
	return access.CheckGive(r.who, right, rights, r.org.ID)
}

// mayPutIn says whether the caller may invite somebody into a group.
func (r *rules) mayPutIn(g Named) error {
	verdict, known := r.puts[g.ID]
	if !known {
		verdict = r.give(g.Rights)
		r.puts[g.ID] = verdict
	}
	return verdict
}

func (r *rules) mayUseWorkspaces() error {
	return access.Check(r.who, caller.ManageWorkspaces, r.org.ID)
}

// admit makes what was asked for one person fit to be stored, or says why not.
func (r *rules) admit(in New) (New, error) {
	var err error
	if in.Email, err = org.CleanEmail(in.Email); err != nil {
		return in, err
	}
	if in.Name, err = cleanName(in.Name); err != nil {
		return in, err
	}
	if err := r.allowed(in.Email); err != nil {
		return in, err
	}
	if err := r.mayGive(in.Role); err != nil {
		return in, err
	}
	if in.Groups, err = r.groupsOf(texts(in.Groups)); err != nil {
		return in, err
	}
	in.Workspaces, err = r.workspacesOf(texts(in.Workspaces))
	return in, err
}

// cleanName is a name without what could change how other text is read. It may
// be empty.
func cleanName(raw string) (string, error) {
	if len(raw) > 1000 {
		return "", fault.New(fault.Invalid, "a name has at most 200 printable characters").At("name")
	}
	return org.CleanName(org.CleanText(raw, 1000), "")
}

// allowed says whether an address is of a domain that may be invited.
func (r *rules) allowed(email string) error {
	domains := r.org.Settings.Domains
	if len(domains) == 0 || inDomains(email, domains) {
		return nil
	}
	return fault.New(fault.Invalid, "%s invites addresses of %s alone", r.org.Name, strings.Join(domains, ", ")).At("email").Coded("email_domain_not_allowed").
		WithHint("an owner can allow further domains in the organization's settings")
}

func inDomains(email string, domains []string) bool {
	domain := email[strings.LastIndexByte(email, '@')+1:]
	return slices.ContainsFunc(domains, func(d string) bool { return strings.EqualFold(d, domain) })
}

// groupsOf finds groups by name or id. One of another organization is not there.
func (r *rules) groupsOf(named []string) ([]id.Group, error) {
	var all []id.Group
	for _, n := range named {
		g, err := find(r.groups, n, "group", r.org.Name)
		if err != nil {
			return nil, err.Coded("rbac_group_not_found")
		}
		if err := r.mayPutIn(g); err != nil {
			return nil, err
		}
		all = append(all, id.Group(g.ID))
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

func (r *rules) workspacesOf(named []string) ([]id.Workspace, error) {
	var all []id.Workspace
	if len(named) > 0 {
		if err := r.mayUseWorkspaces(); err != nil {
			return nil, err
		}
	}
	for _, n := range named {
		w, err := find(r.workspaces, n, "workspace", r.org.Name)
		if err != nil {
			return nil, err
		}
		all = append(all, id.Workspace(w.ID))
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

func find(all []Named, named, what, organization string) (Named, *fault.Error) {
	for _, n := range all {
		if n.ID == named || strings.EqualFold(n.Name, named) {
			return n, nil
		}
	}
	return Named{}, fault.New(fault.NotFound, "there is no %s %q in %s", what, short(named), organization).At(what + "s")
}

// roleNamed reads a role as people write it.
func roleNamed(text string) access.Role {
	key := strings.NewReplacer(" ", "_", "-", "_").Replace(strings.ToLower(strings.TrimSpace(text)))
	switch key {
	case "claude_code":
		return access.ClaudeCodeUser
	case "member":
		return access.User
	case "membership_administrator":
		return access.MembershipAdmin
	case "administrator":
		return access.Admin
	}
	return access.Role(key)
}

func texts[T ~string](all []T) []string {
	out := make([]string, len(all))
	for i, one := range all {
		out[i] = string(one)
	}
	return out
}

// short is something typed, cut to what a message has room for.
func short(text string) string { return fmt.Sprintf("%.60s", text) }
