package server_test

import (
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/nodes"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/openapi"
	"github.com/gatehouse-dev/gatehouse/internal/upstream"
)

// recorder holds everything to the OpenAPI document that the server serves.
func recorder(t testing.TB, w *nodes.World) *openapi.Recorder {
	t.Helper()
	got, err := http.Get(w.URL + "/v1/organizations/openapi.json")
	must(t, err)
	defer got.Body.Close()
	raw, err := io.ReadAll(got.Body)
	must(t, err)
	doc := openapi.Read(t, raw)
	// Settings of an upstream are there if they are set, as providers have different ones.
	may := []string{"details"}
	for f := range reflect.TypeFor[upstream.Settings]().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		may = append(may, name)
	}
	slices.Sort(may)
	if loose := doc.Loose(); !slices.Equal(loose, may) {
		t.Errorf("fields of answers that may be absent: %v, want %v", loose, may)
	}
	return &openapi.Recorder{T: t, Document: doc}
}

// restLives calls what the others leave out.
func restLives(t testing.TB, c anthropic.Client) {
	ctx := t.Context()
	me, err := c.Organization.Get(ctx)
	if err != nil || me.Name != "Sample organization" {
		t.Errorf("the organization: %v", err)
	}
	key, err := c.Organization.APIKeys.Get(ctx, sampleKeys(t, c)[0].ID)
	must(t, err)
	named, err := c.Organization.APIKeys.Update(ctx, key.ID, anthropic.OrganizationAPIKeyUpdateParams{Name: anthropic.String("renamed")})
	if err != nil || named.Name != "renamed" || named.Status != key.Status {
		t.Errorf("renaming a key: %v", err)
	}
}

// errorsAreDescribed asks in ways that fail, as far as SDKs cannot.
func errorsAreDescribed(t testing.TB, w *nodes.World, recorder *openapi.Recorder) {
	key := w.Sample.AdminKey.Reveal()
	for _, ask := range []struct {
		method, path, key, body string
		want                    int
	}{
		{"GET", "/users", "", "", 401},
		{"GET", "/users", w.Sample.APIKey.Reveal(), "", 403},
		{"GET", "/users?limit=x", key, "", 400},
		{"GET", "/nothing", key, "", 404},
		{"PUT", "/workspaces", key, "{}", 404},
		{"POST", "/workspaces", key, `{"name":"` + strings.Repeat("x", 64<<10) + `"}`, 413},
	} {
		r, err := http.NewRequest(ask.method, w.URL+"/v1/organizations"+ask.path, strings.NewReader(ask.body))
		must(t, err)
		r.Header.Set("X-Api-Key", ask.key)
		got, err := recorder.RoundTrip(r)
		must(t, err)
		if got.StatusCode != ask.want {
			t.Errorf("%s %s: %d, want %d", ask.method, ask.path, got.StatusCode, ask.want)
		}
	}
}
