package sdk_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/source"
	"github.com/gatehouse-dev/gatehouse/internal/source/sdk"
	st "github.com/gatehouse-dev/gatehouse/internal/source/sourcetest"
)

const minted = "sk-ant-oat01-" + st.Canary

// exchanged is the token endpoint as it was measured with the real client.
func exchanged(w *st.World, identity string) func(http.ResponseWriter, *http.Request, time.Duration) {
	return func(rw http.ResponseWriter, r *http.Request, left time.Duration) {
		var got map[string]string
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			w.T.Error(err)
		}
		want := map[string]string{"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": identity,
			"federation_rule_id": "fdrl_1", "organization_id": "org-1", "service_account_id": "svac_1"}
		if fmt.Sprint(got) != fmt.Sprint(want) || r.URL.Path != "/v1/oauth/token" || r.Header.Get("anthropic-beta") != "oauth-2025-04-20,oidc-federation-2026-04-01" {
			w.T.Errorf("asked for with %v", r.Header)
		}
		_, _ = fmt.Fprintf(rw, `{"access_token":%q,"token_type":"Bearer","expires_in":%d}`, minted, int(left.Seconds()))
	}
}

func TestSuite(t *testing.T) {
	t.Parallel()
	identity := st.JWT(time.Hour)
	st.Run(t,
		st.Case{Name: "federation", Kind: source.Federation, Scheme: source.Bearer, Origin: "ANTHROPIC_FEDERATION_RULE_ID", Payer: "org-1", Remote: st.Endpoint,
			New: func(w *st.World, _ time.Duration) (source.Source, string) {
				for name, value := range map[string]string{"FEDERATION_RULE_ID": "fdrl_1", "ORGANIZATION_ID": "org-1", "SERVICE_ACCOUNT_ID": "svac_1",
					"BASE_URL": w.URL, "IDENTITY_TOKEN_FILE": w.Write("token", identity+"\n", 0o644)} {
					w.Env["ANTHROPIC_"+name] = value
				}
				w.Answer = exchanged(w, identity)
				return sdk.Federation{Machine: w.Machine()}, minted
			}},
		st.Case{Name: "a profile that federates", Kind: source.Federation, Scheme: source.Bearer, Origin: "the SDK profile ci", Payer: "org-1", Remote: st.Endpoint,
			New: func(w *st.World, _ time.Duration) (source.Source, string) {
				w.Env["ANTHROPIC_PROFILE"] = "ci"
				w.Write(".config/anthropic/configs/ci.json", fmt.Sprintf(`{"version":"1.0","authentication":{"type":"oidc_federation","federation_rule_id":"fdrl_1","service_account_id":"svac_1","identity_token":{"source":"file","path":%q}},"base_url":%q,"organization_id":"org-1"}`,
					w.Write("token", identity, 0o644), w.URL), 0o644)
				w.Answer = exchanged(w, identity)
				return sdk.Profile{Machine: w.Machine()}, minted
			}},
		st.Case{Name: "a person's profile", Kind: source.SDKProfile, Scheme: source.Bearer, Origin: "configs/mine.json", Payer: "through https://gate.example.com", Remote: st.Nothing,
			New: func(w *st.World, left time.Duration) (source.Source, string) {
				w.Write(".config/anthropic/active_config", "mine\n", 0o644)
				w.Write(".config/anthropic/configs/mine.json", `{"version":"1.0","authentication":{"type":"user_oauth","client_id":"c"},"base_url":"https://gate.example.com"}`, 0o644)
				w.Write(".config/anthropic/credentials/mine.json", fmt.Sprintf(`{"version":"1.0","type":"oauth_token","access_token":%q,"refresh_token":"r-%s","expires_at":%d}`,
					st.JWT(left), st.Canary, st.Now().Add(left).Unix()), 0o600)
				return sdk.Profile{Machine: w.Machine()}, st.JWT(left)
			}},
	)
}

func TestBadProfiles(t *testing.T) {
	t.Parallel()
	const oauth = `{"authentication":{"type":"user_oauth"}}`
	good := `{"access_token":"` + st.Canary + `","expires_at":1}`
	for name, tt := range map[string]struct {
		profile, config, credentials string
		mode                         os.FileMode
		want                         string
	}{
		"a name that climbs": {"../x", oauth, good, 0o600, "name of the SDK profile"},
		"no config":          {"x", "", "", 0o600, "there is no"},
		"not JSON":           {"x", "<html>" + st.Canary, good, 0o600, "JSON"},
		"another way":        {"x", `{"authentication":{"type":"magic"}}`, good, 0o600, "no way that is known"},
		"no credentials":     {"x", oauth, "", 0o600, "nobody is signed in"},
		"open to others":     {"x", oauth, good, 0o644, "is open to others"},
		"half written":       {"x", oauth, good[:20], 0o600, "cannot be used"},
	} {
		home := t.TempDir()
		for path, content := range map[string]string{"configs/x.json": tt.config, "credentials/x.json": tt.credentials} {
			path = filepath.Join(home, path)
			if content == "" {
				continue
			}
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(content), tt.mode); err != nil {
				t.Fatal(err)
			}
		}
		env := map[string]string{"ANTHROPIC_CONFIG_DIR": home, "ANTHROPIC_PROFILE": tt.profile}
		m := source.Machine{System: "linux", Getenv: func(n string) string { return env[n] }, Now: st.Now, Wait: st.Patient}
		_, err := (sdk.Profile{Machine: m}).Credential(t.Context())
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), st.Canary) {
			t.Errorf("%s: %v", name, err)
		}
		if about, found := (sdk.Profile{Machine: m}).Find(t.Context()); !found || about.Problem == "" {
			t.Errorf("%s: the problem is not told: %+v", name, about)
		}
	}
	m := source.Machine{System: "linux", Home: t.TempDir(), Getenv: func(string) string { return "" }, Now: st.Now, Wait: st.Patient}
	if _, err := (sdk.Profile{Machine: m}).Credential(t.Context()); !fault.Is(err, fault.NotFound) {
		t.Errorf("no profile at all: %v", err)
	}
	if _, found := (sdk.Profile{Machine: m}).Find(t.Context()); found {
		t.Error("a profile was found where none is")
	}
}
