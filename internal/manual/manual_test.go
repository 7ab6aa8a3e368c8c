package manual_test

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/manual"
)

var page = manual.Page{Name: "gatehouse-x", Short: `do "x" with \ and - and '`, Program: "gatehouse 0.1.0", Date: "2026-11-25", Synopsis: "gatehouse x [flags]",
	Description: "One paragraph\nin two lines.\n\n.hidden dot, and\n'a quote.\n\n--door helper  a table\n               goes on\n\nThe end \\fBnot bold\\fR.",
	Options:     []manual.Item{{"-y, --yes", "do not ask"}, {"--file NAME", ".dot"}},
	Sections:    []manual.Section{{"Exit status", []manual.Item{{"0", "done"}}}}, SeeAlso: []string{"gatehouse", "gatehouse-y"}}

// mandoc finds nothing to complain about, and shows every word.
func TestMandoc(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("mandoc")
	if err != nil {
		t.Fatal("mandoc is missing: run scripts/test-deps")
	}
	for _, args := range [][]string{{"-T", "lint", "-W", "warning"}, {"-T", "utf8"}} {
		cmd := exec.Command(program, args...)
		cmd.Stdin = bytes.NewReader(page.Bytes())
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s\n%s", args, err, out, page.Bytes())
		}
		if args[1] == "lint" {
			continue
		}
		shown := strings.ReplaceAll(plain(string(out)), "‐", "-")
		for _, want := range []string{`gatehouse-x - do "x" with \ and - and '`, "One paragraph in two lines.", ".hidden dot, and 'a quote.", "--door helper  a table\n", "                      goes on\n",
			`The end \fBnot bold\fR.`, "-y, --yes", ".dot", "EXIT STATUS", "gatehouse(1), gatehouse-y(1)"} {
			if !strings.Contains(shown, want) {
				t.Errorf("%q is not in\n%s", want, shown)
			}
		}
	}
}

// plain takes out what makes letters bold on a printer: x, backspace, x.
func plain(s string) string {
	var out []rune
	for _, r := range s {
		if r == '\b' && len(out) > 0 {
			out = out[:len(out)-1]
			continue
		}
		out = append(out, r)
	}
	return string(out)
}
