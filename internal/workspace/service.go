package workspace

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
)

// Service keeps workspaces. Its fields must be set before use.
type Service struct {
	Store Store
	Now   func() time.Time
}

// List returns a page of workspaces, the newest first: all for who may see all,
// those that the caller is in otherwise.
func (s *Service) List(ctx context.Context, who caller.Caller, o id.Organization, f Filter) (page []Workspace, more bool, err error) {
	if err := access.Check(who, caller.ReadOrganization, o); err != nil {
		return nil, false, err
	}
	if f.After != "" && f.Before != "" {
		return nil, false, fault.New(fault.Invalid, "after_id and before_id cannot be given together").At("before_id")
	}
	if access.CheckWorkspace(who, "", access.SeeWorkspace, "", o) != nil {
		if who.Member == "" { // it is in none
			return nil, false, access.Check(who, caller.ReadWorkspaces, o)
		}
		f.Member = who.Member
	}
	if f.Limit <= 0 {
		f.Limit = 20
	}
	for _, cursor := range []id.Workspace{f.After, f.Before} {
		if cursor == "" {
			continue
		}
		if _, ok, err := s.Store.Workspace(ctx, o, cursor); err != nil {
			return nil, false, err
		} else if !ok {
			return nil, false, fault.New(fault.Invalid, "there is no workspace %q to page from", cursor)
		}
	}
	return s.Store.List(ctx, o, f)
}

// Get returns one workspace to who may see it.
func (s *Service) Get(ctx context.Context, who caller.Caller, o id.Organization, w id.Workspace) (Workspace, error) {
	if err := access.Check(who, caller.ReadOrganization, o); err != nil {
		return Workspace{}, err
	}
	return s.standing(ctx, who, o, w, access.SeeWorkspace)
}

// May is what the caller may do in a workspace, for pages that offer it.
func (s *Service) May(ctx context.Context, who caller.Caller, o id.Organization, w id.Workspace) (access.WorkspaceRights, error) {
	if err := access.Check(who, caller.ReadOrganization, o); err != nil {
		return 0, err
	}
	found, ok, err := s.Store.Standing(ctx, o, w, string(who.Member))
	if err != nil || !ok {
		return 0, err
	}
	return access.InWorkspace(who.Rights, found.Role), nil
}

// standing returns a workspace if the caller may do something in it.
func (s *Service) standing(ctx context.Context, who caller.Caller, o id.Organization, w id.Workspace, want access.WorkspaceRights) (Workspace, error) {
	if w == "" {
		return Workspace{}, fault.New(fault.Invalid, "the default workspace cannot be changed: everybody in the organization uses it by their role")
	}
	if who.Kind == caller.AdminKey { // it is in none: it lacks a scope, whether the workspace is there or not
		if err := access.CheckAny(who, o, caller.ReadWorkspaces, caller.ManageWorkspaces, caller.ManageBilling); err != nil {
			return Workspace{}, err
		}
	}
	found, ok, err := s.Store.Standing(ctx, o, w, string(who.Member))
	if err != nil {
		return Workspace{}, err
	}
	if !ok {
		return Workspace{}, notThere()
	}
	return found.Workspace, access.CheckWorkspace(who, found.Role, want, found.Workspace.Name, o)
}

func notThere() error {
	return fault.New(fault.NotFound, "there is no such workspace in your organization, or you are not in it").
		WithHint("ask an admin of the workspace to add you")
}

// changeable is standing, of a workspace that is not archived, to run it.
func (s *Service) changeable(ctx context.Context, who caller.Caller, o id.Organization, w id.Workspace) (Workspace, error) {
	found, err := s.standing(ctx, who, o, w, access.RunWorkspace)
	if err == nil && found.Archived() {
		err = fault.New(fault.Invalid, "the workspace %q is archived", found.Name)
	}
	return found, err
}

// Create makes a workspace.
func (s *Service) Create(ctx context.Context, who caller.Caller, o id.Organization, in New) (Workspace, error) {
	if err := access.Check(who, caller.ManageWorkspaces, o); err != nil {
		return Workspace{}, err
	}
	w := Workspace{ID: id.NewWorkspace(), Organization: o, Name: in.Name, Color: in.Color, Models: in.Models, Tags: in.Tags, Version: 1, CreatedAt: s.Now()}
	if err := w.clean(); err != nil {
		return Workspace{}, err
	}
	return w, s.Store.Add(ctx, w, audit.New(who, s.Now(), audit.WorkspaceCreated, string(w.ID), audit.Detail{"name": w.Name,
		"models": strings.Join(w.Models, " ")}).In(o))
}

var color = regexp.MustCompile(`^#[0-9A-Fa-f]{6}$`)

// clean makes what people typed fit to be kept, or says what is wrong with it.
func (w *Workspace) clean() error {
	var err error
	if w.Name, err = CleanName(w.Name); err != nil {
		return err
	}
	if w.Kind != ClaudeCode && strings.EqualFold(w.Name, ClaudeCodeName) {
		return fault.New(fault.Invalid, "the name %q belongs to the workspace that Claude Code's sign-ins are in", ClaudeCodeName).At("name")
	}
	if w.Color == "" {
		w.Color = DefaultColor
	}
	if !color.MatchString(w.Color) {
		return fault.New(fault.Invalid, "a colour is written as # and six hexadecimal digits, such as %s", DefaultColor).At("display_color")
	}
	if w.Models, err = cleanModels(w.Models); err != nil {
		return err
	}
	if w.Limits.PerMinute < 0 || w.Limits.Concurrent < 0 || w.Limits.PerMinute > maxLimit || w.Limits.Concurrent > maxLimit {
		return fault.New(fault.Invalid, "a limit is a number from 1 to %d", maxLimit).At("limits")
	}
	return cleanTags(w.Tags)
}

const (
	maxLimit  = 1_000_000
	maxModels = 500
	maxTags   = 50
)

// CleanName is the name of a workspace, fit to be shown.
func CleanName(raw string) (string, error) {
	name := org.CleanText(strings.Join(strings.Fields(raw), " "), 4*40)
	if name == "" || len([]rune(name)) > 40 {
		return "", fault.New(fault.Invalid, "a workspace needs a name of 1 to 40 characters").At("name")
	}
	return name, nil
}

func cleanModels(raw []string) ([]string, error) {
	var models []string
	for _, m := range raw {
		m = strings.TrimSpace(m)
		if len(m) > 200 || strings.ContainsFunc(m, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
			return nil, fault.New(fault.Invalid, "a model's name has at most 200 characters, and no spaces").At("models")
		}
		if m != "" && !slices.Contains(models, m) {
			models = append(models, m)
		}
	}
	if len(models) > maxModels {
		return nil, fault.New(fault.Invalid, "at most %d models can be listed", maxModels).At("models")
	}
	return models, nil
}

func cleanTags(tags map[string]string) error {
	if len(tags) > maxTags {
		return fault.New(fault.Invalid, "a workspace has at most %d tags", maxTags).At("tags")
	}
	for k, v := range tags {
		if k == "" || len(k) > 128 || len(v) > 256 || org.CleanText(k, 128) != k || org.CleanText(v, 256) != v {
			return fault.New(fault.Invalid, "a tag has a key of 1 to 128 and a value of at most 256 printable characters").At("tags")
		}
		if strings.HasPrefix(strings.ToLower(k), "anthropic") {
			return fault.New(fault.Invalid, "a tag's key may not begin with %q", "anthropic").At("tags")
		}
	}
	return nil
}

// Update changes a workspace. It fails with Conflict if somebody else has changed
// it since the version that the change was made from.
func (s *Service) Update(ctx context.Context, who caller.Caller, o id.Organization, w id.Workspace, c Change) (Workspace, error) {
	if err := access.Check(who, caller.ReadOrganization, o); err != nil {
		return Workspace{}, err
	}
	was, err := s.changeable(ctx, who, o, w)
	if err != nil {
		return Workspace{}, err
	}
	if c.Version != 0 && c.Version != was.Version {
		return Workspace{}, Changed(was.Name)
	}
	is := was.with(c)
	if was.Kind == ClaudeCode && is.Name != was.Name {
		return Workspace{}, fault.New(fault.Invalid, "the workspace %q keeps its name", was.Name).At("name")
	}
	if err := is.clean(); err != nil {
		return Workspace{}, err
	}
	if is.same(was) {
		return was, nil
	}
	is.Version++
	e := audit.New(who, s.Now(), audit.WorkspaceUpdated, string(w), was.difference(is)).In(o).Affecting(string(w))
	return is, s.Store.Update(ctx, was, is, e)
}

// Changed is the Conflict of two who change the same workspace.
func Changed(name string) error {
	return fault.New(fault.Conflict, "somebody else has changed the workspace %q since you opened it", name).WithHint("look at it again, then make your change")
}

func (w Workspace) with(c Change) Workspace {
	if c.Name != nil {
		w.Name = *c.Name
	}
	if c.Color != nil {
		w.Color = *c.Color
	}
	if c.Models != nil {
		w.Models = *c.Models
	}
	if c.Tags != nil {
		w.Tags = *c.Tags
	}
	if c.Limits != nil {
		w.Limits = *c.Limits
	}
	return w
}

func (w Workspace) same(other Workspace) bool {
	return w.Name == other.Name && w.Color == other.Color && w.Limits == other.Limits && slices.Equal(w.Models, other.Models) && maps.Equal(w.Tags, other.Tags)
}

// Archive ends a workspace for good. Its keys stop at once.
func (s *Service) Archive(ctx context.Context, who caller.Caller, o id.Organization, w id.Workspace) (Workspace, error) {
	if err := access.Check(who, caller.ManageWorkspaces, o); err != nil {
		return Workspace{}, err
	}
	was, err := s.standing(ctx, who, o, w, access.RunWorkspace)
	switch {
	case err != nil:
		return Workspace{}, err
	case was.Kind == ClaudeCode:
		return Workspace{}, fault.New(fault.Invalid, "the workspace %q cannot be archived: nobody in the organization could sign Claude Code in again", was.Name).
			WithHint("to take Claude Code from somebody, give them the role user or billing, or suspend them")
	case was.Archived():
		return was, nil
	}
	is := was
	is.ArchivedAt, is.Version = s.Now(), was.Version+1
	return is, s.Store.Update(ctx, was, is, audit.New(who, s.Now(), audit.WorkspaceArchived, string(w), audit.Detail{"name": was.Name}).In(o).Affecting(string(w)))
}
