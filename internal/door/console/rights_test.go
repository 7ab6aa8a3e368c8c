package console_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/door/console"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/repository"
	"github.com/google/go-cmp/cmp"
)

var rewrite = flag.Bool("update", false, "write the table in docs/concepts/roles.md anew, to be read before it is committed")

// TestEveryRightHasWords wants a person to be able to read every permission, on
// the page and in the documentation.
func TestEveryRightHasWords(t *testing.T) {
	t.Parallel()
	rows := console.PermissionRows()
	if len(rows) != len(caller.EveryRight()) {
		t.Errorf("%d permissions have words and a place, there are %d", len(rows), len(caller.EveryRight()))
	}
	var table strings.Builder
	table.WriteString("| Permission | Name |")
	for _, r := range access.Roles() {
		table.WriteString(" `" + string(r) + "` |")
	}
	table.WriteString("\n| --- | --- |" + strings.Repeat(" :-: |", len(access.Roles())) + "\n")
	for _, row := range rows {
		right, ok := caller.RightNamed(row.Name)
		if !ok || row.Text == "" {
			t.Errorf("%+v is no permission", row)
		}
		table.WriteString("| " + row.Text + " | `" + row.Name + "` |")
		for i, r := range access.Roles() {
			if row.Has[i] != r.Rights().Has(right) {
				t.Errorf("the page says of %s and %s: %v", r, right, row.Has[i])
			}
			table.WriteString(map[bool]string{true: " yes |", false: "  |"}[row.Has[i]])
		}
		table.WriteString("\n")
	}
	file := filepath.Join(repository.Root(t), "docs", "concepts", "roles.md")
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := strings.Cut(string(raw), "<!-- rights -->\n")
	documented, after, ok := strings.Cut(rest, "<!-- /rights -->")
	if !ok {
		t.Fatal("docs/concepts/roles.md has no place for the table")
	}
	if *rewrite {
		if err := os.WriteFile(file, []byte(before+"<!-- rights -->\n"+table.String()+"<!-- /rights -->"+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if d := cmp.Diff(documented, table.String()); d != "" {
		t.Errorf("the documentation says another thing (-documented +real); if the change is right: go test ./internal/door/console -run TestEveryRight -update\n%s", d)
	}
}
