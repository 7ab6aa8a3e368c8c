package server_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/testkit/nodes"
)

// TestAdminAPIRefuses sends bodies that must change nothing, and credentials
// that must not get in.
func TestAdminAPIRefuses(t *testing.T) {
	nodes.Each(t, func(t *testing.T, database string) {
		w := nodes.Start(t, nodes.Options{Database: database})
		c, admin := adminClient(w.URL, w), http.Header{"X-Api-Key": {w.Sample.AdminKey.Reveal()}}
		member := sampleUser(t, c)
		users, invites := "/v1/organizations/users", "/v1/organizations/invites"
		for _, bad := range []struct{ path, body, says string }{
			{users + "/" + member, `{"role":"user","name":"x"}`, "name"},
			{users + "/" + member, `{"Role":"user"}`, "Role"},
			{users + "/" + member, `{"role":"user","role":"billing"}`, "twice"},
			{users + "/" + member, `{"role":"user","rol\u0065":"billing"}`, "twice"},
			{users + "/" + member, `{"role":"owner"}`, "role"},
			{users + "/" + member, `{"role":"primary_owner"}`, "role"},
			{users + "/" + member, `{"role":"admin"}`, "role"},
			{users + "/" + member, `{"role":null}`, "role"},
			{users + "/" + member, `{}`, "role"},
			{users + "/" + member, `null`, "object"},
			{users + "/" + member, `[{"role":"user"}]`, "object"},
			{users + "/" + member, `{"role":"user"} {}`, "after"},
			{users + "/" + member, `{"role":["user"]}`, "role"},
			{invites, `{"email":"x@example.com","role":"owner"}`, "role"},
			{invites, `{"email":"x@example.com","role":"user","status":"accepted"}`, "status"},
			{"/v1/organizations/workspaces", `{"name":"x","tags":{"a":"1","a":"2"}}`, "twice"},
			{"/v1/organizations/workspaces", `{"name":"x","archived_at":null}`, "archived_at"},
			{"/v1/organizations/service_accounts", `{"name":"x","organization_role":"admin"}`, "organization_role"},
		} {
			got := send(t, http.MethodPost, w.URL+bad.path, "application/json", bad.body, admin)
			if got.status != 400 || !strings.Contains(toString(got), bad.says) {
				t.Errorf("%s %s: %d %s", bad.path, bad.body, got.status, toString(got))
			}
		}
		if got, err := c.Organization.Users.Get(t.Context(), member); err != nil || got.Role != "developer" {
			t.Errorf("after all that: %v, %+v", err, got)
		}
		for _, query := range []string{"limit=0", "limit=1001", "roles[]=king", "after_id=%00", "email=%00", "after_id=" + member + "&before_id=" + member} {
			if got := send(t, http.MethodGet, w.URL+users+"?"+query, "", "", admin); got.status != 400 {
				t.Errorf("%s: %d %s", query, got.status, toString(got))
			}
		}
		for _, cursor := range []string{"!", "AA", "dXNlcl8x"} {
			if got := send(t, http.MethodGet, w.URL+"/v1/organizations/service_accounts?page="+cursor, "", "", admin); got.status != 400 {
				t.Errorf("page %s: %d %s", cursor, got.status, toString(got))
			}
		}
		credentials(t, w, users)
	})
}

func credentials(t testing.TB, w *nodes.World, path string) {
	for _, one := range []struct {
		name   string
		header http.Header
		want   int
	}{
		{"none", nil, 401},
		{"an unknown one", http.Header{"X-Api-Key": {"sk-gate-admin01-" + strings.Repeat("0", 43)}}, 401},
		{"a member's API key", http.Header{"X-Api-Key": {w.Sample.APIKey.Reveal()}}, 403},
		{"an admin key", http.Header{"X-Api-Key": {w.Sample.AdminKey.Reveal()}}, 200},
		{"an admin key as a Bearer token", http.Header{"Authorization": {"Bearer " + w.Sample.AdminKey.Reveal()}}, 200},
	} {
		got := send(t, http.MethodGet, w.URL+path+"?beta=true", "", "", one.header)
		if raw, _ := json.Marshal(got.body); got.status != one.want {
			t.Errorf("%s: %d %s", one.name, got.status, raw)
		}
	}
}
