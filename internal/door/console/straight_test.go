package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/cloudaccess"
	"github.com/gatehouse-dev/gatehouse/internal/org"
)

// TestDirectAccess sets a cloud up, gets it wrong, narrows it to a group, and ends it.
func TestDirectAccess(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	v, ctx, o := w.as(w.owner), t.Context(), w.owner.Organization
	issuer := cloudaccess.Issuer(w.url, o)
	if got := v.get("/clouds"); !strings.Contains(got.body, "Requests go through this server") || !strings.Contains(got.body, issuer) {
		t.Errorf("without any:\n%s", got.body)
	}
	if got := v.get("/clouds/aws"); !strings.Contains(got.body, "aws_iam_openid_connect_provider") || !strings.Contains(got.body, issuer) || strings.Contains(got.body, "gatehouse run --direct") {
		t.Errorf("before it is set up:\n%s", got.body)
	}
	if got := v.get("/clouds/oracle"); got.status != http.StatusNotFound {
		t.Errorf("another cloud: %d", got.status)
	}
	form := url.Values{"role_arn": {"arn:aws:iam::123456789012:user/ada"}, "region": {"eu-central-1"}, "hours": {"4"}, "group": {""}}
	if got := v.post("/clouds/aws", form); got.status != http.StatusBadRequest || !strings.Contains(got.body, `id="role_arn-problem"`) || !strings.Contains(got.body, `value="4"`) {
		t.Errorf("a user as the role: %d\n%s", got.status, got.body)
	}
	form.Set("role_arn", "arn:aws:iam::123456789012:role/teams/claude")
	for field, wrong := range map[string]string{"hours": "many", "group": "group_of_others"} {
		bad := url.Values{}
		for k, x := range form {
			bad[k] = x
		}
		bad.Set(field, wrong)
		if got := v.post("/clouds/aws", bad); got.status != http.StatusBadRequest || !strings.Contains(got.body, field) {
			t.Errorf("a wrong %s: %d", field, got.status)
		}
	}
	group, err := w.orgs.CreateGroup(ctx, w.owner.Caller(caller.Web), o, org.Group{Name: "Platform"})
	if err != nil {
		t.Fatal(err)
	}
	form.Set("group", string(group.ID))
	if got := v.post("/clouds/aws", form); got.status != http.StatusSeeOther {
		t.Fatalf("saving: %d\n%s", got.status, got.body)
	}
	page := v.get("/clouds/aws").body
	for _, want := range []string{"/teams/", "max_session_duration = 14400", "gatehouse run --direct=aws -- claude", "gatehouse setup claude-code --door direct --cloud aws", "gatehouse env --direct=aws", "gatehouse credential aws", "credential_process"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if got := v.get("/clouds").body; !strings.Contains(got, "Platform") || !strings.Contains(got, "role/teams/claude") {
		t.Errorf("the list:\n%s", got)
	}
	// A form without the field, as somebody gets who may not read groups, widens nothing.
	form.Del("group")
	if got := v.post("/clouds/aws", form); got.status != http.StatusSeeOther {
		t.Fatalf("saving again: %d", got.status)
	}
	all, err := w.clouds.List(ctx, w.owner.Caller(caller.Web), o)
	if err != nil || len(all) != 1 || all[0].Group != group.ID || all[0].Settings.Hours != 4 {
		t.Errorf("%+v, %v", all, err)
	}
	if got := v.get("/clouds/aws/remove"); !strings.Contains(got.body, "go on until they end") {
		t.Errorf("before it ends:\n%s", got.body)
	}
	if got := v.post("/clouds/aws/remove", url.Values{}); got.status != http.StatusSeeOther {
		t.Errorf("ending it: %d", got.status)
	}
	if got := v.post("/clouds/aws/remove", url.Values{}); got.status != http.StatusNotFound {
		t.Errorf("ending it twice: %d", got.status)
	}
	if all, _ := w.clouds.List(ctx, w.owner.Caller(caller.Web), o); len(all) != 0 {
		t.Errorf("%+v", all)
	}
}

// TestDirectAccessToFoundry shows members nothing that cannot work yet.
func TestDirectAccessToFoundry(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	v := w.as(w.owner)
	form := url.Values{"tenant": {"11111111-2222-3333-4444-555555555555"}, "resource": {"claude"}}
	if got := v.post("/clouds/azure", form); got.status != http.StatusSeeOther {
		t.Fatalf("saving: %d\n%s", got.status, got.body)
	}
	if page := v.get("/clouds/azure").body; strings.Contains(page, "gatehouse run --direct") || !strings.Contains(page, "when the client id is saved") {
		t.Errorf("without a client id:\n%s", page)
	}
	form.Set("client", "66666666-7777-8888-9999-000000000000")
	if got := v.post("/clouds/azure", form); got.status != http.StatusSeeOther {
		t.Fatalf("saving: %d\n%s", got.status, got.body)
	}
	if page := v.get("/clouds/azure").body; !strings.Contains(page, "gatehouse run --direct=azure -- claude") || strings.Contains(page, "gatehouse env") || strings.Contains(page, "setup claude-code") {
		t.Errorf("with one:\n%s", page)
	}
}
