package cloudaccess_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/cloudaccess"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

const base = "https://gate.example.com"

// full is what an organization may have said, with what no check lets through.
func full(hostile string) cloudaccess.Settings {
	return cloudaccess.Settings{RoleARN: "arn:aws:iam::123456789012:role/teams/claude" + hostile, Region: "eu-central-1", Hours: 4, Project: "proj" + hostile, ProjectNumber: "42",
		Pool: "pool" + hostile, Provider: "prov" + hostile, Account: "who@x" + hostile, Tenant: "t" + hostile, Client: "c" + hostile, Resource: "res" + hostile}
}

// TestRecipes reads what is to be pasted as Terraform and the shell read it.
func TestRecipes(t *testing.T) {
	t.Parallel()
	o := id.NewOrganization()
	issuer := cloudaccess.Issuer(base, o)
	for _, c := range cloudaccess.Clouds() {
		for name, in := range map[string]cloudaccess.Settings{"nothing said": {}, "all said": full(""), "hostile": full("${file(\"x\")}%{if}'\"\\\n$(touch x)`")} {
			r, err := cloudaccess.Access{Cloud: c, Settings: in}.Recipe(base, o)
			if err != nil {
				t.Fatal(err)
			}
			if name != "hostile" { // the commands hold JSON too, for which a check before is all
				sh := exec.Command("bash", "-n")
				sh.Stdin = strings.NewReader(r.Commands)
				if out, err := sh.CombinedOutput(); err != nil {
					t.Errorf("%s, %s: %v %s\n%s", c, name, err, out, r.Commands)
				}
				if !strings.Contains(r.Commands, issuer) || !strings.Contains(r.Terraform, issuer) {
					t.Errorf("%s, %s names no issuer", c, name)
				}
			}
			parsed, bad := hclsyntax.ParseConfig([]byte(r.Terraform), "x.tf", hcl.InitialPos)
			if bad.HasErrors() {
				t.Errorf("%s, %s: %v\n%s", c, name, bad, r.Terraform)
				continue
			}
			calls(t, parsed)
		}
	}
	aws, err := cloudaccess.Access{Cloud: cloudaccess.AWS, Settings: full("")}.Recipe(base, o)
	for _, want := range []string{`path                 = "/teams/"`, `name                 = "claude"`, "max_session_duration = 14400", "sts:TagSession", "sts:SetSourceIdentity", `"gate.example.com/oidc/` + string(o) + `:aud"`} {
		if err != nil || !strings.Contains(aws.Terraform, want) {
			t.Errorf("AWS's recipe does not say %s: %v", want, err)
		}
	}
	google, err := cloudaccess.Access{Cloud: cloudaccess.Google, Settings: cloudaccess.Settings{Project: "proj", ProjectNumber: "42", Pool: "pool", Provider: "prov"}}.Recipe(base, o)
	if err != nil || !strings.Contains(google.Commands, "'principalSet://iam.googleapis.com/projects/42/locations/global/workloadIdentityPools/pool/*'") || strings.Contains(google.Terraform, "workloadIdentityUser") {
		t.Errorf("%v\n%s", err, google.Commands)
	}
	azure, err := cloudaccess.Access{Cloud: cloudaccess.Azure}.Recipe(base, o)
	if err != nil || !strings.Contains(azure.Terraform, `"organization:`+string(o)+`"`) || !strings.Contains(azure.Commands, "api://AzureADTokenExchange") {
		t.Errorf("%v\n%s", err, azure.Terraform)
	}
}

// calls checks that no value became a part of the language.
func calls(t *testing.T, f *hcl.File) {
	t.Helper()
	bad := hclsyntax.VisitAll(f.Body.(*hclsyntax.Body), func(n hclsyntax.Node) hcl.Diagnostics {
		switch n.(type) {
		case *hclsyntax.FunctionCallExpr, *hclsyntax.ConditionalExpr:
			t.Errorf("%s is computed", n.Range())
		}
		return nil
	})
	if bad.HasErrors() {
		t.Error(bad)
	}
}
