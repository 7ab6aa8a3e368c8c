package apikey

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/workspace"
)

// needs is the right of its member without which a key does nothing.
func (k Kind) needs() caller.Right {
	if k == ForClaudeCode {
		return caller.OwnClaudeCodeKeys
	}
	return caller.OwnKeys
}

// Create makes a key of the caller's own, for models or for Claude Code. The
// value is returned this once.
func (s *Service) Create(ctx context.Context, who caller.Caller, o id.Organization, in New) (Key, secret.Text, error) {
	if err := access.Check(who, in.Kind.needs(), o); err != nil {
		return Key{}, secret.Text{}, err
	}
	if who.Member == "" {
		return Key{}, secret.Text{}, fault.New(fault.Denied, "an API key belongs to a member: only a member can make one")
	}
	k := Key{Organization: o, Kind: in.Kind, Name: in.Name, Member: who.Member, Workspace: in.Workspace, ExpiresAt: in.ExpiresAt, Owner: who.Name, OwnerEmail: who.Email}
	if err := s.place(ctx, who, &k); err != nil {
		return Key{}, secret.Text{}, err
	}
	return s.insert(ctx, who, secret.APIKey, k)
}

// place finds the workspace of a new key of the caller's own.
func (s *Service) place(ctx context.Context, who caller.Caller, k *Key) error {
	switch k.Kind {
	case ForClaudeCode:
		w, err := s.ClaudeCode.EnterClaudeCode(ctx, who)
		k.Workspace, k.WorkspaceName = w.ID, w.Name
		return err
	case "", ForModels:
		k.Kind = ForModels
	default:
		return fault.New(fault.Invalid, "a key is for models or for Claude Code").At("kind")
	}
	if k.Workspace == "" {
		return nil
	}
	at, err := s.standing(ctx, k.Organization, k.Workspace, string(who.Member))
	if err != nil {
		return err
	}
	k.WorkspaceName = at.Workspace.Name
	if err := access.CheckWorkspace(who, at.Role, access.HoldCredentials, at.Workspace.Name, k.Organization); err != nil {
		return err
	}
	return open(at.Workspace)
}

// open fails if no key of people's making can be in a workspace.
func open(w workspace.Workspace) error {
	switch {
	case w.Archived():
		return fault.New(fault.Invalid, "the workspace %q is archived", w.Name).At("workspace")
	case w.Kind == workspace.ClaudeCode:
		return fault.New(fault.Invalid, "in the workspace %q there are keys for Claude Code alone", w.Name).At("workspace")
	}
	return nil
}

// CreateForService makes a key of a service account: by who manages these, or by
// an admin of a workspace that it is in, for that workspace.
func (s *Service) CreateForService(ctx context.Context, who caller.Caller, o id.Organization, in New) (Key, secret.Text, error) {
	if err := access.Check(who, caller.ReadOrganization, o); err != nil {
		return Key{}, secret.Text{}, err
	}
	k := Key{Organization: o, Kind: ForModels, Name: in.Name, ServiceAccount: in.ServiceAccount, Workspace: in.Workspace, ExpiresAt: in.ExpiresAt}
	if err := s.placeService(ctx, who, &k); err != nil {
		return Key{}, secret.Text{}, err
	}
	return s.insert(ctx, who, secret.APIKey, k)
}

func (s *Service) placeService(ctx context.Context, who caller.Caller, k *Key) error {
	manages := access.Check(who, caller.ManageServiceAccounts, k.Organization)
	if manages != nil && k.Workspace != "" && s.runs(ctx, who, k.Organization, k.Workspace) == nil {
		manages = nil
	}
	if manages != nil {
		return manages
	}
	name, _, ok, err := s.Services.Serving(ctx, k.Organization, k.ServiceAccount)
	if err != nil {
		return err
	}
	if !ok {
		return fault.New(fault.NotFound, "there is no service account %q in your organization, or it is archived", k.ServiceAccount).At("service_account")
	}
	k.Owner = name
	if k.Workspace == "" {
		return nil
	}
	at, err := s.standing(ctx, k.Organization, k.Workspace, string(k.ServiceAccount))
	if err != nil {
		return err
	}
	k.WorkspaceName = at.Workspace.Name
	if !access.InWorkspace(0, at.Role).Has(access.HoldCredentials) {
		return fault.New(fault.Invalid, "the service account %q cannot have keys in the workspace %q", name, at.Workspace.Name).
			WithHint("add it to the workspace as a developer first").At("workspace")
	}
	return open(at.Workspace)
}

// CreateFor makes an API key for a member from the server's shell. Whoever has
// that is not bound by the organization's policy.
func (s *Service) CreateFor(ctx context.Context, who caller.Caller, o id.Organization, m id.Member, name string, expires time.Time) (Key, secret.Text, error) {
	if err := access.CheckInstance(who); err != nil {
		return Key{}, secret.Text{}, err
	}
	return s.insert(ctx, who, secret.APIKey, Key{Organization: o, Kind: ForModels, Name: name, Member: m, ExpiresAt: expires})
}

// CreateAdmin makes an admin key for an organization. It can do no more than its
// maker; of what it can do, it always sees the organization itself.
func (s *Service) CreateAdmin(ctx context.Context, who caller.Caller, o id.Organization, in New) (Key, secret.Text, error) {
	if err := access.Check(who, caller.ManageAdminKeys, o); err != nil {
		return Key{}, secret.Text{}, err
	}
	if who.Kind == caller.AdminKey {
		return Key{}, secret.Text{}, fault.New(fault.Denied, "an admin key cannot make another").WithHint("an owner makes it in the console")
	}
	most := access.AdminKeyRights()
	if who.Kind == caller.Member {
		most &= who.Rights
	}
	if in.Scopes == 0 {
		in.Scopes = most
	}
	in.Scopes |= caller.RightsOf(caller.ReadOrganization)
	if beyond := in.Scopes &^ most; beyond != 0 {
		return Key{}, secret.Text{}, fault.New(fault.Invalid, "an admin key that you make cannot have: %s", beyond).At("scopes")
	}
	return s.insert(ctx, who, secret.AdminKey, Key{Organization: o, Kind: ForAdmin, Name: in.Name, Scopes: in.Scopes, ExpiresAt: in.ExpiresAt})
}

func (s *Service) insert(ctx context.Context, who caller.Caller, kind secret.Kind, k Key) (Key, secret.Text, error) {
	value := secret.Mint(kind)
	k, e, err := s.fresh(ctx, who, k, value, audit.KeyCreated)
	if err != nil {
		return Key{}, secret.Text{}, err
	}
	return k, value, s.Store.Insert(ctx, k, value.Hash(), e)
}

// fresh makes a key whose owner and workspace are known whole, with its event.
func (s *Service) fresh(ctx context.Context, who caller.Caller, k Key, value secret.Text, what audit.Type) (Key, audit.Event, error) {
	var err error
	if k.Name, err = cleanName(k.Name); err != nil {
		return Key{}, audit.Event{}, err
	}
	now := s.Now()
	if err := s.checkExpiry(ctx, who, k, now); err != nil {
		return Key{}, audit.Event{}, err
	}
	k.ID, k.Hint, k.CreatedBy, k.Status, k.CreatedAt = id.NewAPIKey(), secret.Hint(value), who.Principal(), Active, now
	detail := audit.Detail{"name": k.Name, "kind": string(k.Kind), "for": string(k.Member) + string(k.ServiceAccount), "owner": k.Owner,
		"workspace": string(k.Workspace), "workspace_name": k.WorkspaceName, "scopes": k.Scopes.String()}
	if !k.ExpiresAt.IsZero() {
		detail["expires_at"] = k.ExpiresAt.UTC().Format(time.RFC3339)
	}
	return k, audit.New(who, now, what, string(k.ID), detail).In(k.Organization), nil
}

const day = 24 * time.Hour

// checkExpiry holds a new key to its organization's policy. A few minutes more
// are let pass: forms take time.
func (s *Service) checkExpiry(ctx context.Context, who caller.Caller, k Key, now time.Time) error {
	if !k.ExpiresAt.IsZero() && !k.ExpiresAt.After(now) {
		return fault.New(fault.Invalid, "the expiry is in the past").At("expires")
	}
	if who.Kind == caller.Operator || who.Kind == caller.System {
		return nil
	}
	days, err := s.longest(ctx, k.Organization)
	if err != nil || days == 0 {
		return err
	}
	if k.ExpiresAt.IsZero() || k.ExpiresAt.Sub(now) > time.Duration(days)*day+10*time.Minute {
		return fault.New(fault.Invalid, "in your organization a key lives for at most %d days", days).At("expires").
			WithHint("an admin of the organization can change that under its settings")
	}
	return nil
}

func (s *Service) longest(ctx context.Context, o id.Organization) (days int, err error) {
	found, ok, err := s.Members.Organization(ctx, o)
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "there is no such organization")
	}
	return found.Settings.KeyDays, err
}

// LongestLife is how long a new key may live in an organization; 0: for ever.
func (s *Service) LongestLife(ctx context.Context, who caller.Caller, o id.Organization) (time.Duration, error) {
	if err := access.Check(who, caller.ReadOrganization, o); err != nil {
		return 0, err
	}
	days, err := s.longest(ctx, o)
	return time.Duration(days) * day, err
}

func cleanName(raw string) (string, error) {
	name := strings.Join(strings.Fields(raw), " ")
	if name == "" || len(name) > 200 || !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "", fault.New(fault.Invalid, "a key needs a name of at most 200 printable characters").At("name")
	}
	return name, nil
}
