package helper_test

import (
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/helper"
)

func TestInSettings(t *testing.T) {
	t.Parallel()
	found, err := helper.InSettings([]byte(`{"apiKeyHelper":"gatehouse token","otelHeadersHelper":7,"awsAuthRefresh":"aws sso login","env":{"ANTHROPIC_BASE_URL":"https://gate.example.com","X":1}}`), "f", helper.User, false)
	want := []helper.Script{
		{Kind: helper.APIKey, Line: "gatehouse token", File: "f", Place: helper.User, Server: "https://gate.example.com"},
		{Kind: helper.AWSRefresh, Line: "aws sso login", File: "f", Place: helper.User, Server: "https://gate.example.com"},
	}
	if err != nil || len(found) != 2 || found[0] != want[0] || found[1] != want[1] {
		t.Errorf("%+v, %v", found, err)
	}
	if _, err := helper.InSettings([]byte(`["apiKeyHelper"]`), "f", helper.User, false); err == nil {
		t.Error("a list was taken for settings")
	}
}

func TestTrusts(t *testing.T) {
	t.Parallel()
	state := []byte(`{"projects":{"/src/a":{"hasTrustDialogAccepted":true},"/src/b":{}}}`)
	for folder, want := range map[string]bool{"/src/a": true, "/src/b": false, "/src": false, "/src/a/": false} {
		if helper.Trusts(state, folder) != want {
			t.Errorf("%s: %v", folder, !want)
		}
	}
	if helper.Trusts(state[:30], "/src/a") || helper.Trusts(nil, "") {
		t.Error("half a file trusts somebody")
	}
}

func FuzzSettings(f *testing.F) {
	f.Add([]byte(`{"apiKeyHelper":"x","env":{"ANTHROPIC_BASE_URL":"y"}}`), "/src")
	f.Add([]byte(`{"projects":{"/src":{"hasTrustDialogAccepted":true}}}`), "/src")
	f.Fuzz(func(t *testing.T, raw []byte, folder string) {
		found, _ := helper.InSettings(raw, "f", helper.Project, helper.Trusts(raw, folder))
		for _, s := range found {
			if s.Line == "" || s.Place != helper.Project {
				t.Errorf("%+v", s)
			}
		}
	})
}
