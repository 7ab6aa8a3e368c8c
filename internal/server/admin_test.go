package server_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"
	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/account"
	"github.com/gatehouse-dev/gatehouse/internal/apikey"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/serviceaccount"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/nodes"
	"github.com/gatehouse-dev/gatehouse/internal/upstream"
	"github.com/gatehouse-dev/gatehouse/internal/workspace"
)

// TestAdminAPILifecycles takes each subject of the Admin API through its life,
// with the SDK as it comes, and tries ids of another organization on the way.
func TestAdminAPILifecycles(t *testing.T) {
	nodes.Each(t, func(t *testing.T, database string) {
		w := nodes.Start(t, nodes.Options{Database: database})
		recorder := recorder(t, w)
		c := adminClient(w.URL, w, option.WithHTTPClient(&http.Client{Transport: recorder}))
		member := sampleUser(t, c)
		foreign := strangers(t, w)
		invitesLive(t, c, foreign)
		usersLive(t, w, c, foreign)
		w.Forward(t, time.Minute)
		workspacesLive(t, w, c, member, foreign)
		w.Forward(t, time.Minute)
		groupsLive(t, w, c, member, foreign)
		w.Forward(t, time.Minute)
		serviceAccountsLive(t, c, foreign)
		rateLimitsLive(t, c, foreign)
		w.Forward(t, time.Minute)
		restLives(t, c)
		upstreamsLive(t, c, foreign)
		errorsAreDescribed(t, w, recorder)
		if missing := recorder.Missing(); len(missing) > 0 {
			t.Errorf("never answered: %s", strings.Join(missing, ", "))
		}
	})
}

// others are things of another organization.
type others struct{ member, workspace, group, service, role, upstream string }

func strangers(t testing.TB, w *nodes.World) others {
	t.Helper()
	ctx, rooms := t.Context(), w.Server.Rooms()
	boss, err := rooms.Accounts.Found(ctx, operator(), account.First{Organization: "Victim", Email: "boss@example.org"})
	must(t, err)
	who, o := caller.OfOperator(boss.Organization), boss.Organization
	space, err := rooms.Workspaces.Create(ctx, who, o, workspace.New{Name: "Theirs"})
	must(t, err)
	group, err := rooms.Orgs.CreateGroup(ctx, who, o, org.Group{Name: "Theirs"})
	must(t, err)
	service, err := rooms.ServiceAccounts.Create(ctx, who, o, serviceaccount.New{Name: "theirs"})
	must(t, err)
	role, err := rooms.Orgs.CreateRole(ctx, who, o, org.Role{Name: "Theirs", Rights: caller.RightsOf(caller.ReadMembers)})
	must(t, err)
	up, err := rooms.Upstreams.Connect(ctx, who, o, upstream.New{Name: "Theirs", Provider: upstream.Simulated})
	must(t, err)
	return others{string(boss.ID), string(space.ID), string(group.ID), string(service.ID), string(role.ID), string(up.ID)}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func sampleUser(t testing.TB, c anthropic.Client) string {
	t.Helper()
	page, err := c.Organization.Users.List(t.Context(), anthropic.OrganizationUserListParams{Email: anthropic.String("Member@Example.com")})
	must(t, err)
	if len(page.Data) != 1 || page.Data[0].Role != "developer" || page.Data[0].Name != "Max Member" || page.Data[0].AddedAt.IsZero() {
		t.Fatalf("by address: %s", page.RawJSON())
	}
	return page.Data[0].ID
}

func invitesLive(t testing.TB, c anthropic.Client, foreign others) {
	ctx, invites := t.Context(), c.Organization.Invites
	in := anthropic.OrganizationInviteNewParams{Email: "new@example.com", Role: "user"}
	made, err := invites.New(ctx, in)
	must(t, err)
	if made.Email != "new@example.com" || made.Role != "user" || made.Status != "pending" || made.ExpiresAt.Sub(made.InvitedAt) != 21*24*time.Hour {
		t.Errorf("invited: %s", made.RawJSON())
	}
	_, err = invites.New(ctx, in)
	wantAPIError(t, "inviting twice", err, 409, "conflict_error")
	_, err = invites.New(ctx, anthropic.OrganizationInviteNewParams{Email: "member@example.com", Role: "user"})
	wantAPIError(t, "inviting a member", err, 409, "conflict_error")
	for _, group := range []string{foreign.group, "rbac_group_0000000000000000000000"} {
		_, err = invites.New(ctx, anthropic.OrganizationInviteNewParams{Email: "other@example.com", Role: "user", RBACGroupIDs: []string{group}})
		wantAPIError(t, "an invitation into a group that is not there", err, 404, "not_found_error")
		if !strings.Contains(err.Error(), "rbac_group_not_found") || strings.Contains(err.Error(), "Theirs") {
			t.Errorf("an invitation into a group that is not there: %v", err)
		}
	}
	got, err := invites.Get(ctx, made.ID)
	if err != nil || got.ID != made.ID {
		t.Errorf("reading: %v, %+v", err, got)
	}
	list := func(status string) int {
		page, err := invites.List(ctx, anthropic.OrganizationInviteListParams{Statuses: []string{status}, Roles: []string{"user", "billing"}})
		must(t, err)
		return len(page.Data)
	}
	if list("pending") != 1 || list("deleted") != 0 {
		t.Error("the invitation is not listed as pending")
	}
	gone, err := invites.Delete(ctx, made.ID)
	if err != nil || gone.ID != made.ID {
		t.Errorf("withdrawing: %v", err)
	}
	if list("pending") != 0 || list("deleted") != 1 {
		t.Error("the invitation is not listed as deleted")
	}
	_, err = invites.Get(ctx, "invite_0000000000000000000000")
	wantAPIError(t, "an invitation that is not there", err, 404, "not_found_error")
}

func usersLive(t testing.TB, w *nodes.World, c anthropic.Client, foreign others) {
	ctx, users := t.Context(), c.Organization.Users
	var last org.Member
	for i := range 3 {
		w.Forward(t, time.Second)
		var err error
		last, err = w.Server.Rooms().Orgs.Add(ctx, caller.OfOperator(w.Sample.Organization), w.Sample.Organization,
			org.NewMember{Email: "person" + strconv.Itoa(i) + "@example.com", Role: access.User})
		must(t, err)
	}
	var emails []string
	pager := users.ListAutoPaging(ctx, anthropic.OrganizationUserListParams{Limit: anthropic.Int(2)})
	for pager.Next() {
		emails = append(emails, pager.Current().Email)
	}
	if got := strings.Join(emails, " "); pager.Err() != nil || got != "person2@example.com person1@example.com person0@example.com member@example.com owner@example.com" {
		t.Errorf("paging through users: %s, %v", got, pager.Err())
	}
	if page, err := users.List(ctx, anthropic.OrganizationUserListParams{Roles: []string{"primary_owner", "developer"}}); err != nil || len(page.Data) != 2 {
		t.Errorf("users by role: %v", err)
	}
	changed, err := users.Update(ctx, string(last.ID), anthropic.OrganizationUserUpdateParams{Role: "billing"})
	if err != nil || changed.Role != "billing" {
		t.Errorf("another role: %v, %+v", err, changed)
	}
	if got, err := users.Get(ctx, string(last.ID)); err != nil || got.Role != "billing" {
		t.Errorf("reading a user: %v", err)
	}
	gone, err := users.Remove(ctx, string(last.ID))
	if err != nil || gone.ID != string(last.ID) {
		t.Errorf("removing: %v", err)
	}
	for what, id := range map[string]string{"removed": string(last.ID), "foreign": foreign.member, "malformed": "user_\x00"} {
		_, err = users.Get(ctx, id)
		wantAPIError(t, "reading a user who is "+what, err, 404, "not_found_error")
		_, err = users.Update(ctx, id, anthropic.OrganizationUserUpdateParams{Role: "user"})
		wantAPIError(t, "changing a user who is "+what, err, 404, "not_found_error")
		_, err = users.Remove(ctx, id)
		wantAPIError(t, "removing a user who is "+what, err, 404, "not_found_error")
	}
	_, err = users.List(ctx, anthropic.OrganizationUserListParams{AfterID: anthropic.String(foreign.member)})
	wantAPIError(t, "paging from a foreign user", err, 400, "invalid_request_error")
}

func workspacesLive(t testing.TB, w *nodes.World, c anthropic.Client, member string, foreign others) {
	ctx, spaces := t.Context(), c.Organization.Workspaces
	made, err := spaces.New(ctx, anthropic.OrganizationWorkspaceNewParams{Name: "Robots", Tags: map[string]string{"team": "a"}})
	must(t, err)
	changed, err := spaces.Update(ctx, made.ID, anthropic.OrganizationWorkspaceUpdateParams{Name: anthropic.String("Machines"), DisplayColor: anthropic.String("#112233")})
	must(t, err)
	if changed.Name != "Machines" || changed.DisplayColor != "#112233" || changed.Tags["team"] != "a" || !changed.ArchivedAt.IsZero() {
		t.Errorf("changed: %s", changed.RawJSON())
	}
	if got, err := spaces.Get(ctx, made.ID); err != nil || got.RawJSON() != changed.RawJSON() {
		t.Errorf("reading a workspace: %v", err)
	}
	in, err := spaces.Members.Add(ctx, made.ID, anthropic.OrganizationWorkspaceMemberAddParams{UserID: member, WorkspaceRole: "workspace_developer"})
	if err != nil || in.UserID != member || in.WorkspaceRole != "workspace_developer" {
		t.Errorf("adding: %v", err)
	}
	_, err = spaces.Members.Add(ctx, made.ID, anthropic.OrganizationWorkspaceMemberAddParams{UserID: member, WorkspaceRole: "workspace_user"})
	wantAPIError(t, "adding twice", err, 409, "conflict_error")
	_, err = spaces.Members.Add(ctx, made.ID, anthropic.OrganizationWorkspaceMemberAddParams{UserID: foreign.member, WorkspaceRole: "workspace_user"})
	wantAPIError(t, "adding a foreign user", err, 404, "not_found_error")
	_, err = spaces.Members.Add(ctx, foreign.workspace, anthropic.OrganizationWorkspaceMemberAddParams{UserID: member, WorkspaceRole: "workspace_user"})
	wantAPIError(t, "adding to a foreign workspace", err, 404, "not_found_error")
	in, err = spaces.Members.Update(ctx, member, anthropic.OrganizationWorkspaceMemberUpdateParams{WorkspaceID: made.ID, WorkspaceRole: "workspace_admin"})
	if err != nil || in.WorkspaceRole != "workspace_admin" {
		t.Errorf("another role in the workspace: %v", err)
	}
	if got, err := spaces.Members.Get(ctx, member, anthropic.OrganizationWorkspaceMemberGetParams{WorkspaceID: made.ID}); err != nil || got.WorkspaceRole != "workspace_admin" {
		t.Errorf("reading a member of a workspace: %v", err)
	}
	_, err = spaces.Members.Update(ctx, member, anthropic.OrganizationWorkspaceMemberUpdateParams{WorkspaceID: made.ID, WorkspaceRole: "workspace_billing"})
	wantAPIError(t, "giving workspace_billing", err, 400, "invalid_request_error")
	if page, err := spaces.Members.List(ctx, made.ID, anthropic.OrganizationWorkspaceMemberListParams{}); err != nil || len(page.Data) != 1 || page.Data[0].UserID != member {
		t.Errorf("members of the workspace: %v", err)
	}
	keysInWorkspace(t, w, c, member, made.ID, foreign)
	gone, err := spaces.Members.Remove(ctx, member, anthropic.OrganizationWorkspaceMemberRemoveParams{WorkspaceID: made.ID})
	if err != nil || gone.UserID != member || gone.WorkspaceID != made.ID {
		t.Errorf("taking out: %v", err)
	}
	_, err = spaces.Members.Get(ctx, member, anthropic.OrganizationWorkspaceMemberGetParams{WorkspaceID: made.ID})
	wantAPIError(t, "somebody who is not in", err, 404, "not_found_error")
	if got, err := spaces.Archive(ctx, made.ID); err != nil || got.ArchivedAt.IsZero() {
		t.Errorf("archiving: %v", err)
	}
	for archived, want := range map[bool]int{false: 0, true: 1} {
		page, err := spaces.List(ctx, anthropic.OrganizationWorkspaceListParams{IncludeArchived: anthropic.Bool(archived)})
		if err != nil || len(page.Data) != want {
			t.Errorf("listing workspaces, archived %v: %v", archived, err)
		}
	}
	_, err = spaces.Get(ctx, foreign.workspace)
	wantAPIError(t, "a foreign workspace", err, 404, "not_found_error")
	_, err = spaces.Archive(ctx, foreign.workspace)
	wantAPIError(t, "archiving a foreign workspace", err, 404, "not_found_error")
}

// keysInWorkspace lists keys by workspace.
func keysInWorkspace(t testing.TB, w *nodes.World, c anthropic.Client, member, space string, foreign others) {
	ctx, rooms := t.Context(), w.Server.Rooms()
	members, _, err := rooms.Orgs.Members(ctx, caller.OfOperator(w.Sample.Organization), w.Sample.Organization, org.MemberFilter{Email: "member@example.com"})
	must(t, err)
	found, err := rooms.Workspaces.Get(ctx, caller.OfOperator(w.Sample.Organization), w.Sample.Organization, id.Workspace(space))
	must(t, err)
	_, _, err = rooms.Keys.Create(ctx, members[0].Caller(caller.Web), w.Sample.Organization, apikey.New{Name: "of the workspace", Workspace: found.ID})
	must(t, err)
	page, err := c.Organization.APIKeys.List(ctx, anthropic.OrganizationAPIKeyListParams{WorkspaceID: anthropic.String(space)})
	if err != nil || len(page.Data) != 1 || page.Data[0].Name != "of the workspace" || page.Data[0].Scope.WorkspaceID != space {
		t.Errorf("keys of a workspace: %v", err)
	}
	_, err = c.Organization.APIKeys.List(ctx, anthropic.OrganizationAPIKeyListParams{WorkspaceID: anthropic.String(foreign.workspace)})
	wantAPIError(t, "keys of a foreign workspace", err, 404, "not_found_error")
}

func groupsLive(t testing.TB, w *nodes.World, c anthropic.Client, member string, foreign others) {
	ctx, groups := t.Context(), c.Beta.Organization.RBACGroups
	var ids []string
	for _, name := range []string{"a", "b", "c"} {
		made, err := groups.New(ctx, anthropic.BetaOrganizationRBACGroupNewParams{Name: name})
		must(t, err)
		ids = append(ids, made.ID)
	}
	_, err := groups.New(ctx, anthropic.BetaOrganizationRBACGroupNewParams{Name: "a"})
	wantAPIError(t, "a group's name twice", err, 409, "conflict_error")
	seen := map[string]bool{}
	pager := groups.ListAutoPaging(ctx, anthropic.BetaOrganizationRBACGroupListParams{Limit: anthropic.Int(1)})
	for pager.Next() {
		seen[pager.Current().Name] = true
	}
	if pager.Err() != nil || len(seen) != 3 {
		t.Errorf("paging through groups: %v, %v", seen, pager.Err())
	}
	renamed, err := groups.Update(ctx, ids[0], anthropic.BetaOrganizationRBACGroupUpdateParams{Name: anthropic.String("first")})
	if err != nil || renamed.Name != "first" {
		t.Errorf("renaming a group: %v", err)
	}
	if got, err := groups.Get(ctx, ids[0]); err != nil || got.Name != "first" {
		t.Errorf("reading a group: %v", err)
	}
	before := w.Clock.Now().Add(-time.Microsecond)
	in, err := groups.Members.Add(ctx, ids[0], anthropic.BetaOrganizationRBACGroupMemberAddParams{UserID: member})
	if err != nil || in.Email != "member@example.com" || in.CreatedAt.Before(before) {
		t.Errorf("adding to a group: %v", err)
	}
	if again, err := groups.Members.Add(ctx, ids[0], anthropic.BetaOrganizationRBACGroupMemberAddParams{UserID: member}); err != nil || !again.CreatedAt.Equal(in.CreatedAt) {
		t.Errorf("adding to a group again: %v, %v, not %v", err, again.CreatedAt, in.CreatedAt)
	}
	_, err = groups.Members.Add(ctx, ids[0], anthropic.BetaOrganizationRBACGroupMemberAddParams{UserID: foreign.member})
	wantAPIError(t, "adding a foreign user to a group", err, 404, "not_found_error")
	page, err := groups.Members.List(ctx, ids[0], anthropic.BetaOrganizationRBACGroupMemberListParams{})
	if err != nil || len(page.Data) != 1 || page.Data[0].UserID != member || !page.Data[0].CreatedAt.Equal(in.CreatedAt) {
		t.Errorf("members of a group: %v", err)
	}
	_, err = groups.Members.Remove(ctx, member, anthropic.BetaOrganizationRBACGroupMemberRemoveParams{RBACGroupID: ids[0]})
	must(t, err)
	_, err = groups.Members.Remove(ctx, member, anthropic.BetaOrganizationRBACGroupMemberRemoveParams{RBACGroupID: ids[0]})
	wantAPIError(t, "taking out of a group twice", err, 404, "not_found_error")
	_, err = groups.Delete(ctx, ids[0])
	must(t, err)
	for what, id := range map[string]string{"deleted": ids[0], "foreign": foreign.group} {
		_, err = groups.Get(ctx, id)
		wantAPIError(t, "a group that is "+what, err, 404, "not_found_error")
		_, err = groups.Delete(ctx, id)
		wantAPIError(t, "deleting a group that is "+what, err, 404, "not_found_error")
	}
	rolesRead(t, w, c, foreign)
}

func rolesRead(t testing.TB, w *nodes.World, c anthropic.Client, foreign others) {
	ctx, roles := t.Context(), c.Beta.Organization.RBACRoles
	made, err := w.Server.Rooms().Orgs.CreateRole(ctx, caller.OfOperator(w.Sample.Organization), w.Sample.Organization,
		org.Role{Name: "Readers", Rights: caller.RightsOf(caller.ReadMembers, caller.ReadWorkspaces)})
	must(t, err)
	page, err := roles.List(ctx, anthropic.BetaOrganizationRBACRoleListParams{})
	if err != nil || len(page.Data) != 1 || page.Data[0].DisplayName != "Readers" {
		t.Errorf("roles: %v", err)
	}
	var actions []string
	pager := roles.Permissions.ListAutoPaging(ctx, string(made.ID), anthropic.BetaOrganizationRBACRolePermissionListParams{Limit: anthropic.Int(1)})
	for pager.Next() {
		actions = append(actions, pager.Current().Action)
		if got := pager.Current().Resource.OrganizationID; got != string(w.Sample.Organization) {
			t.Errorf("a permission is about %q", got)
		}
	}
	if pager.Err() != nil || len(actions) != 2 {
		t.Errorf("permissions: %v, %v", actions, pager.Err())
	}
	if got, err := roles.Get(ctx, string(made.ID)); err != nil || got.DisplayName != "Readers" {
		t.Errorf("reading a role: %v", err)
	}
	_, err = roles.Get(ctx, foreign.role)
	wantAPIError(t, "a foreign role", err, 404, "not_found_error")
}
