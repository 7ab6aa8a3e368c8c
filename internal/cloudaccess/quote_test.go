package cloudaccess

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	hcl2 "github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

var hard = []string{"", "plain", "${file(\"x\")}", "%{if true}", "$${x}", "$%{", `a\"b\n`, "\x00\x01\a\b\x7f\x1b", "a\nb\r\n\tc", "`id`$(id)$HOME", "ü€𝄞", "\xff\xfe", "'\\''"}

// FuzzQuoting has Terraform's reader and JSON's say what they make of a value.
func FuzzQuoting(f *testing.F) {
	for _, s := range hard {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		want := strings.ToValidUTF8(s, "\uFFFD")
		expression, bad := hclsyntax.ParseExpression([]byte(hcl(s)), "x.tf", hcl2.InitialPos)
		if bad.HasErrors() {
			t.Fatalf("%q: %v", s, bad)
		}
		value, bad := expression.Value(nil)
		if bad.HasErrors() || !value.RawEquals(cty.StringVal(want)) {
			t.Errorf("%q became %#v in Terraform: %v", s, value, bad)
		}
		var read string
		if err := json.Unmarshal([]byte(`"`+inJSON(s)+`"`), &read); err != nil || read != want {
			t.Errorf("%q became %q in JSON: %v", s, read, err)
		}
	})
}

// TestQuotingInAShell has a shell read values, as a word and in both kinds of
// here-document.
func TestQuotingInAShell(t *testing.T) {
	t.Parallel()
	for _, s := range hard {
		if strings.Contains(s, "\x00") { // no word of a shell can hold it
			continue
		}
		script := "printf %s " + shell(s) + "\ncat <<END\n" + inJSON(s) + "\nEND\ncat <<'END'\n" + inJSON(s) + "\nEND\n"
		out, err := exec.Command("sh", "-c", script).Output()
		if want := s + inJSON(s) + "\n" + inJSON(s) + "\n"; err != nil || string(out) != want {
			t.Errorf("%q became %q: %v", s, out, err)
		}
	}
}
