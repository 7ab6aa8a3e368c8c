package diff_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/diff"
)

var texts = []string{"", "a\n", "a", "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n", "a\nb\nc\nd\nX\nf\ng\nh\ni\nj\n", "b\na\n", "x\nb\nc\nd\ne\nf\ng\nh\ni\nj\ny", "a\r\nb\r\n", "\n\n\n", "a\nb\nc\nb\nc\nd\n"}

// The real patch makes b of a with it, and a of b with it backwards.
func TestPatchUnderstandsIt(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("patch")
	if err != nil {
		t.Fatal("patch is missing: run scripts/test-deps")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	for _, a := range texts {
		for _, b := range texts {
			if strings.Contains(a+b, "\r") { // shown without it
				continue
			}
			got := diff.Unified("file", a, b, nil)
			if (got == "") != (a == b) {
				t.Fatalf("%q to %q: %q", a, b, got)
			}
			for _, way := range [][3]string{{a, b, "-f"}, {b, a, "-R"}} {
				if a == b || way[0] == "" || way[1] == "" { // patch makes and removes files by other rules
					continue
				}
				if err := os.WriteFile(file, []byte(way[0]), 0o600); err != nil {
					t.Fatal(err)
				}
				cmd := exec.Command(program, "-s", "-f", way[2], file)
				cmd.Stdin = strings.NewReader(got)
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("patch %s %q: %v\n%s\n%s", way[2], way[0], err, out, got)
				}
				if now, err := os.ReadFile(file); err != nil || string(now) != way[1] {
					t.Errorf("patch %s %q: %q, want %q\n%s", way[2], way[0], now, way[1], got)
				}
			}
		}
	}
}

func TestShow(t *testing.T) {
	t.Parallel()
	got := diff.Unified("f", "a\nsecret\nb\n", "a\nsecret\nc\n", func(line string) string { return strings.ReplaceAll(line, "secret", "…") })
	if want := "--- f\n+++ f\n@@ -1,3 +1,3 @@\n a\n …\n-b\n+c\n"; got != want {
		t.Errorf("%q", got)
	}
}

func TestLargeTextsAreBounded(t *testing.T) {
	t.Parallel()
	a, b := strings.Repeat("a\nb\n", 20_000), strings.Repeat("b\nc\n", 20_000)
	if got := diff.Unified("f", a, b, nil); strings.Count(got, "\n") != 80_003 {
		t.Errorf("%d lines", strings.Count(got, "\n"))
	}
}
