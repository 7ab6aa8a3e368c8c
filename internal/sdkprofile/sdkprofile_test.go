package sdkprofile_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/sdkprofile"
)

var ours = sdkprofile.Profile{ClientID: "gatehouse", BaseURL: "https://gate.example.com", OrganizationID: "5f0c8e1e-0f0e-4c1e-9d8e-3b9f6a1c2d3e"}

func TestFind(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		system, home string
		env          map[string]string
		want         string
	}{
		{"linux", "/home/ada", nil, "/home/ada/.config/anthropic"},
		{"darwin", "/Users/ada", nil, "/Users/ada/.config/anthropic"},
		{"linux", "/home/ada", map[string]string{"XDG_CONFIG_HOME": "/x"}, "/x/anthropic"},
		{"linux", "/home/ada", map[string]string{"XDG_CONFIG_HOME": "/x", "ANTHROPIC_CONFIG_DIR": "/y"}, "/y"},
		{"linux", "", nil, ""},
		{"linux", "/home/ada", map[string]string{"ANTHROPIC_CONFIG_DIR": "relative"}, ""},
	} {
		got, err := sdkprofile.Find(tt.system, tt.home, func(k string) string { return tt.env[k] })
		if string(got) != tt.want || (err != nil) != (tt.want == "") {
			t.Errorf("Find(%s, %q, %v) = %q, %v", tt.system, tt.home, tt.env, got, err)
		}
	}
}

func TestWriteReadRemove(t *testing.T) {
	t.Parallel()
	f := sdkprofile.Folder(t.TempDir())
	if _, err := f.Read(""); !fault.Is(err, fault.NotFound) {
		t.Errorf("%v", err)
	}
	if err := f.Write("", ours); err != nil {
		t.Fatal(err)
	}
	const want = `{
  "version": "1.0",
  "authentication": {
    "type": "user_oauth",
    "client_id": "gatehouse"
  },
  "base_url": "https://gate.example.com",
  "organization_id": "5f0c8e1e-0f0e-4c1e-9d8e-3b9f6a1c2d3e"
}
`
	if b, err := os.ReadFile(filepath.Join(string(f), "configs", "gatehouse.json")); err != nil || string(b) != want {
		t.Errorf("%s, %v", b, err)
	}
	if got, err := f.Read(""); err != nil || got != ours {
		t.Errorf("%+v, %v", got, err)
	}
	if removed, err := f.Remove("", "gatehouse"); err != nil || !removed {
		t.Errorf("%v, %v", removed, err)
	}
	if removed, err := f.Remove("", "gatehouse"); err != nil || removed {
		t.Errorf("again: %v, %v", removed, err)
	}
}

// What another program wrote under our name stays as it is.
func TestForeignProfilesAreLeftAlone(t *testing.T) {
	t.Parallel()
	const p credential.Profile = "work"
	for name, content := range map[string]string{
		"another client": `{"authentication":{"type":"user_oauth","client_id":"other"}}`,
		"another kind":   `{"authentication":{"type":"oidc_federation","federation_rule_id":"fdrl_1"}}`,
		"not JSON":       `{`,
	} {
		f := sdkprofile.Folder(t.TempDir())
		if err := os.MkdirAll(filepath.Dir(f.Config(p)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(f.Config(p), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := f.Write(p, ours); !fault.Is(err, fault.Conflict) {
			t.Errorf("%s: %v", name, err)
		}
		if removed, err := f.Remove(p, "gatehouse"); removed || err != nil {
			t.Errorf("%s: removed %v, %v", name, removed, err)
		}
		if b, err := os.ReadFile(f.Config(p)); err != nil || string(b) != content {
			t.Errorf("%s: %s, %v", name, b, err)
		}
	}
}
