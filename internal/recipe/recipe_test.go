package recipe_test

import (
	"go/parser"
	"go/token"
	"strings"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/recipe"
	"github.com/goccy/go-yaml"
)

func TestWorkflow(t *testing.T) {
	t.Parallel()
	for want, action := range map[string]recipe.Action{
		"${{ secrets.GATEHOUSE_API_KEY }}":         {Secret: "GATEHOUSE_API_KEY"},
		"${{ vars.ANTHROPIC_FEDERATION_RULE_ID }}": {},
		"fdrl_1": {Rule: "fdrl_1", Organization: "5f0c8e1e-0f0e-4c1e-9d8e-3b9f6a1c2d3e", ServiceAccount: "svac_1", Workspace: "wrkspc_1"},
	} {
		action.Server = "https://gate.example.com"
		text, err := action.Workflow()
		if err != nil {
			t.Fatal(err)
		}
		var w struct {
			Permissions map[string]string
			Jobs        map[string]struct {
				Env   map[string]string
				Steps []struct {
					Uses string
					With map[string]string
				}
			}
		}
		if err := yaml.Unmarshal([]byte(text), &w); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		job := w.Jobs["claude"]
		with := job.Steps[1].With
		if job.Env["ANTHROPIC_BASE_URL"] != action.Server || w.Permissions["id-token"] != "write" || !strings.HasPrefix(job.Steps[1].Uses, "anthropics/claude-code-action@") {
			t.Errorf("%+v", w)
		}
		if with["anthropic_api_key"] != want && with["anthropic_federation_rule_id"] != want {
			t.Errorf("%v has no %s", with, want)
		}
	}
}

// What is pasted into a repository holds no secret, and neither does the refusal.
func TestASecretIsRefused(t *testing.T) {
	t.Parallel()
	for _, action := range []recipe.Action{{Secret: "sk-gate-api01-canary"}, {Secret: "A }} canary"}, {Rule: "sk-ant-canary"}, {Organization: "a canary"}, {ServiceAccount: "x\n  canary: 1"}} {
		text, err := action.Workflow()
		if !fault.Is(err, fault.Invalid) || strings.Contains(text+err.Error(), "canary") {
			t.Errorf("%+v: %q, %v", action, text, err)
		}
	}
}

func TestSDK(t *testing.T) {
	t.Parallel()
	for _, language := range recipe.Languages() {
		if text, err := recipe.SDK(language, "gatehouse-work"); err != nil || !strings.Contains(text, "ANTHROPIC_PROFILE=gatehouse-work\n") {
			t.Errorf("%s: %q, %v", language, text, err)
		}
	}
	program, _ := recipe.SDK("go", "gatehouse")
	if _, err := parser.ParseFile(token.NewFileSet(), "main.go", program, 0); err != nil {
		t.Error(err)
	}
	if _, err := recipe.SDK("cobol", "gatehouse"); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
}
