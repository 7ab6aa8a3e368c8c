package server_test

import (
	"strings"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
)

func serviceAccountsLive(t testing.TB, c anthropic.Client, foreign others) {
	ctx, accounts := t.Context(), c.Organization.ServiceAccounts
	made, err := accounts.New(ctx, anthropic.OrganizationServiceAccountNewParams{Name: "nightly", Description: anthropic.String("builds")})
	must(t, err)
	if !strings.HasPrefix(made.CreatedByActorID, "apikey_") || made.OrganizationRole != "developer" {
		t.Errorf("a service account: %s", made.RawJSON())
	}
	_, err = accounts.New(ctx, anthropic.OrganizationServiceAccountNewParams{Name: "mighty", OrganizationRole: "admin"})
	wantAPIError(t, "a service account that is an admin", err, 400, "invalid_request_error")
	space, err := c.Organization.Workspaces.New(ctx, anthropic.OrganizationWorkspaceNewParams{Name: "Night"})
	must(t, err)
	in, err := accounts.Workspaces.Add(ctx, made.ID, anthropic.OrganizationServiceAccountWorkspaceAddParams{WorkspaceID: space.ID, WorkspaceRole: "workspace_developer"})
	if err != nil || in.WorkspaceID != space.ID {
		t.Errorf("into a workspace: %v", err)
	}
	_, err = accounts.Workspaces.Add(ctx, made.ID, anthropic.OrganizationServiceAccountWorkspaceAddParams{WorkspaceID: foreign.workspace, WorkspaceRole: "workspace_developer"})
	wantAPIError(t, "into a foreign workspace", err, 404, "not_found_error")
	if page, err := accounts.Workspaces.List(ctx, made.ID, anthropic.OrganizationServiceAccountWorkspaceListParams{}); err != nil || len(page.Data) != 1 {
		t.Errorf("workspaces of a service account: %v", err)
	}
	got, err := c.Organization.Workspaces.ServiceAccounts.Get(ctx, made.ID, anthropic.OrganizationWorkspaceServiceAccountGetParams{WorkspaceID: space.ID})
	if err != nil || got.ServiceAccountID != made.ID || !strings.HasPrefix(got.CreatedByActorID, "apikey_") {
		t.Errorf("a service account in a workspace: %v", err)
	}
	if page, err := c.Organization.Workspaces.ServiceAccounts.List(ctx, space.ID, anthropic.OrganizationWorkspaceServiceAccountListParams{}); err != nil || len(page.Data) != 1 {
		t.Errorf("service accounts of a workspace: %v", err)
	}
	_, err = c.Organization.Workspaces.Members.Get(ctx, made.ID, anthropic.OrganizationWorkspaceMemberGetParams{WorkspaceID: space.ID})
	wantAPIError(t, "a service account among the people", err, 404, "not_found_error")
	for range 2 { // nothing happens the second time
		_, err = accounts.Workspaces.Remove(ctx, space.ID, anthropic.OrganizationServiceAccountWorkspaceRemoveParams{ServiceAccountID: made.ID})
		must(t, err)
	}
	_, err = accounts.Workspaces.Remove(ctx, foreign.workspace, anthropic.OrganizationServiceAccountWorkspaceRemoveParams{ServiceAccountID: made.ID})
	wantAPIError(t, "out of a foreign workspace", err, 404, "not_found_error")
	servicesLive(t, c, made.ID, space.ID, foreign)
	if got, err := accounts.Archive(ctx, made.ID); err != nil || got.ArchivedAt.IsZero() {
		t.Errorf("archiving a service account: %v", err)
	}
	for archived, want := range map[bool]int{false: 0, true: 1} {
		page, err := accounts.List(ctx, anthropic.OrganizationServiceAccountListParams{IncludeArchived: anthropic.Bool(archived)})
		if err != nil || len(page.Data) != want {
			t.Errorf("listing service accounts, archived %v: %v", archived, err)
		}
	}
	_, err = accounts.Get(ctx, foreign.service)
	wantAPIError(t, "a foreign service account", err, 404, "not_found_error")
	_, err = accounts.Workspaces.List(ctx, foreign.service, anthropic.OrganizationServiceAccountWorkspaceListParams{})
	wantAPIError(t, "the workspaces of a foreign service account", err, 404, "not_found_error")
}

// servicesLive does with a service account what can be done from the side of
// workspaces.
func servicesLive(t testing.TB, c anthropic.Client, account, space string, foreign others) {
	ctx, inside := t.Context(), c.Organization.Workspaces.ServiceAccounts
	_, err := inside.Add(ctx, space, anthropic.OrganizationWorkspaceServiceAccountAddParams{ServiceAccountID: account, WorkspaceRole: "workspace_developer"})
	must(t, err)
	changed, err := inside.Update(ctx, account, anthropic.OrganizationWorkspaceServiceAccountUpdateParams{WorkspaceID: space, WorkspaceRole: "workspace_user"})
	if err != nil || changed.WorkspaceRole != "workspace_user" {
		t.Errorf("another role for a service account: %v", err)
	}
	for range 2 {
		_, err = inside.Remove(ctx, account, anthropic.OrganizationWorkspaceServiceAccountRemoveParams{WorkspaceID: space})
		must(t, err)
	}
	_, err = inside.Remove(ctx, foreign.service, anthropic.OrganizationWorkspaceServiceAccountRemoveParams{WorkspaceID: space})
	wantAPIError(t, "taking a foreign service account out", err, 404, "not_found_error")
	described, err := c.Organization.ServiceAccounts.Update(ctx, account, anthropic.OrganizationServiceAccountUpdateParams{Description: anthropic.String("tests")})
	if err != nil || described.Description != "tests" {
		t.Errorf("describing a service account: %v", err)
	}
	if got, err := c.Organization.ServiceAccounts.Get(ctx, account); err != nil || got.RawJSON() != described.RawJSON() {
		t.Errorf("reading a service account: %v", err)
	}
}

func rateLimitsLive(t testing.TB, c anthropic.Client, foreign others) {
	ctx := t.Context()
	all, err := c.Organization.RateLimits.List(ctx, anthropic.OrganizationRateLimitListParams{})
	must(t, err)
	if len(all.Data) != 1 || len(all.Data[0].Limits) != 2 || all.Data[0].Limits[0].Value != 1000 {
		t.Fatalf("rate limits: %s", all.RawJSON())
	}
	space, err := c.Organization.Workspaces.New(ctx, anthropic.OrganizationWorkspaceNewParams{Name: "Slow"})
	must(t, err)
	limits := c.Organization.Workspaces.RateLimits
	if page, err := limits.List(ctx, space.ID, anthropic.OrganizationWorkspaceRateLimitListParams{}); err != nil || len(page.Data) != 0 {
		t.Errorf("limits of its own: %v", err)
	}
	set, err := limits.Update(ctx, all.Data[0].ID, anthropic.OrganizationWorkspaceRateLimitUpdateParams{WorkspaceID: space.ID,
		Limits: []anthropic.WorkspaceRateLimitUpdateValueParam{{Type: "requests_per_minute", Value: anthropic.Int(5)}}})
	must(t, err)
	if len(set.Limits) != 2 || set.Limits[0].Value != 5 || set.Limits[0].OrgLimit != 1000 || set.Limits[1].Source.Type != "organization" {
		t.Errorf("set: %s", set.RawJSON())
	}
	if page, err := limits.List(ctx, space.ID, anthropic.OrganizationWorkspaceRateLimitListParams{}); err != nil || len(page.Data) != 1 || len(page.Data[0].Limits) != 1 {
		t.Errorf("limits of its own: %v", err)
	}
	_, err = limits.List(ctx, foreign.workspace, anthropic.OrganizationWorkspaceRateLimitListParams{})
	wantAPIError(t, "limits of a foreign workspace", err, 404, "not_found_error")
}
