package console_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
)

func TestSetupOfOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	foreign := w.second(t, "Other", "other@other.example")
	members, _, err := w.orgs.Members(context.Background(), caller.OfOperator(foreign), foreign, org.MemberFilter{})
	if err != nil {
		t.Fatal(err)
	}
	owner := w.as(w.owner)
	for _, path := range []string{"/people/setup/" + string(members[0].ID) + "/nudge", "/people/setup/user_nobody/nudge"} {
		if got := owner.post(path, nil); got.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, got.status)
		}
	}
	if got := owner.get("/people/setup"); strings.Contains(got.body, "other.example") || !strings.Contains(got.body, "dev@acme.example") {
		t.Error("the list is not of this organization alone")
	}
	for _, query := range []string{"?after=nonsense", "?after=99999999999999999999.x", "?before=1.%00", "?q=%25_%27%22%3E%3Cscript%3E"} {
		if got := owner.get("/people/setup" + query); got.status != http.StatusOK || strings.Contains(got.body, "<script>") {
			t.Errorf("%s: %d", query, got.status)
		}
	}
	if got := owner.get("/people/setup?step=done"); got.status != http.StatusNotFound {
		t.Errorf("a list of those who are done: %d", got.status)
	}
}

func TestStartOffersWhatTheRoleAllows(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	code := w.as(w.add("code@acme.example", "Cody", access.ClaudeCodeUser))
	if got := code.get("/start?door=key"); !strings.Contains(got.body, "ANTHROPIC_API_KEY") || !strings.Contains(got.body, `href="/keys/new"`) {
		t.Errorf("a key is not offered to who may have one for Claude Code: %d\n%s", got.status, got.body)
	}
	if got := code.get("/keys/new"); got.status != http.StatusOK || !strings.Contains(got.body, `name="kind" value="claude_code"`) {
		t.Errorf("the page that is offered: %d\n%s", got.status, got.body)
	}
	none := w.add("none@acme.example", "Nora", access.Managed)
	ctx, operator := context.Background(), caller.OfOperator(w.owner.Organization)
	role, err := w.orgs.CreateRole(ctx, w.owner.Caller(caller.Web), w.owner.Organization, org.Role{Name: "Models", Rights: caller.RightsOf(caller.UseModels, caller.OwnSessions)})
	if err == nil {
		var group org.Group
		group, err = w.orgs.CreateGroup(ctx, operator, w.owner.Organization, org.Group{Name: "Models", Roles: []id.Role{role.ID}})
		if err == nil {
			err = w.orgs.AddToGroup(ctx, operator, w.owner.Organization, group.ID, none.ID)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := w.as(none).get("/start?door=key"); got.status != http.StatusOK || strings.Contains(got.body, "ANTHROPIC_API_KEY") || !strings.Contains(got.body, "gatehouse setup claude-code") {
		t.Errorf("a key is offered to who may have none: %d\n%s", got.status, got.body)
	}
	reader := w.as(w.add("reader@acme.example", "Rita", access.User))
	if got := reader.get("/start"); got.status != http.StatusOK || !strings.Contains(got.body, "does not include models") || strings.Contains(got.body, "--report") {
		t.Errorf("who may not use models: %d", got.status)
	}
	dev := w.as(w.member)
	dev.headers = map[string]string{"User-Agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"}
	if got := dev.get("/start"); !strings.Contains(got.body, "install.ps1") || strings.Contains(got.body, "install.sh") {
		t.Error("Windows is not noticed")
	}
	if got := dev.get("/start?system=macos&door=login"); !strings.Contains(got.body, "/Library/Application Support/ClaudeCode") {
		t.Error("the choice is not heeded")
	}
}
