//go:build unix

package settingsfile_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/jsontext"
	"github.com/gatehouse-dev/gatehouse/internal/settingsfile"
	"github.com/google/go-cmp/cmp"
)

// Two sets of changes that replace each other, and one in a list.
var doors = map[string][]settingsfile.Change{
	"helper":  {settingsfile.Text("https://gate.example.com", "env", "ANTHROPIC_BASE_URL"), settingsfile.Text("/usr/bin/gatehouse token <&>", "apiKeyHelper")},
	"profile": {settingsfile.Text("gatehouse", "env", "ANTHROPIC_PROFILE")},
	"list":    {{Path: []string{"vars", jsontext.Named("A")}, Value: json.RawMessage(`{ "name": "A", "value": "1" }`)}},
}

func file(t *testing.T, content string) settingsfile.File {
	t.Helper()
	dir := t.TempDir()
	f := settingsfile.File{Path: filepath.Join(dir, "settings.json"), Records: filepath.Join(dir, "records"), Dialect: jsontext.Comments,
		Now: func() time.Time { return time.Unix(1795352810, 0) }}
	if content != "" {
		if err := os.WriteFile(f.Path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

// apply commits a plan, and wants the file to be what the plan showed.
func apply(t *testing.T, p settingsfile.Plan, err error) (settingsfile.Plan, string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	backup, err := p.Commit()
	if err != nil {
		t.Fatal(err)
	}
	checkFile(t, p.Path, string(p.After))
	return p, backup
}

func checkFile(t *testing.T, path, want string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil && want != "" {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(b)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", filepath.Base(path), diff)
	}
}

// Whatever was set up in which order, undoing gives back the first bytes, and
// the file's mode never changes.
func TestUndoGivesBackTheSameBytes(t *testing.T) {
	t.Parallel()
	for _, content := range []string{"", "{}", "{ }\n", "\n", `{"apiKeyHelper":"old","env":{"ANTHROPIC_BASE_URL":"https://old"}}`, "{\r\n\t\"env\": {},\r\n\t\"a\": 1.0\r\n}", "\xef\xbb\xbf{}",
		"{\n  // mine\n  \"vars\": [ /* none */ ], // none\n}\n"} {
		for _, order := range [][]string{{"helper"}, {"profile"}, {"list"}, {"helper", "helper"}, {"helper", "profile"}, {"list", "helper"}, {"profile", "helper", "profile"}} {
			f := file(t, content)
			for _, door := range order {
				p, err := f.Plan(doors[door]...)
				apply(t, p, err)
			}
			if info, err := os.Stat(f.Path); err != nil || content != "" && info.Mode() != 0o644 || content == "" && info.Mode() != 0o600 {
				t.Errorf("mode %v, %v", info.Mode(), err)
			}
			p, err := f.PlanUndo()
			if p, _ := apply(t, p, err); !p.Changed() || p.Edited {
				t.Errorf("%q after %v: %+v", content, order, p)
			}
			checkFile(t, f.Path, content)
			if _, err := os.Stat(f.Path); (err == nil) != (content != "") {
				t.Errorf("%q after %v: %v", content, order, err)
			}
			if left, err := filepath.Glob(f.Records + "/*"); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		}
	}
}

// What is there already is not written again.
func TestASecondTimeChangesNothing(t *testing.T) {
	t.Parallel()
	for _, content := range []string{"", "{\n  \"a\": 1 // x\n}\n"} {
		f := file(t, content)
		for door := range doors {
			p, err := f.Plan(doors[door]...)
			apply(t, p, err)
			if p, err = f.Plan(doors[door]...); err != nil || p.Changed() {
				t.Errorf("%s over %q: %v, %v", door, content, p.Changed(), err)
			}
		}
	}
}

func TestEditsBetweenAreKept(t *testing.T) {
	t.Parallel()
	f := file(t, "{\n  \"apiKeyHelper\": \"old\"\n}\n")
	p, err := f.Plan(doors["helper"]...)
	apply(t, p, err)
	edited := "{\n  \"apiKeyHelper\": \"mine now\",\n  \"env\": {\n    \"ANTHROPIC_BASE_URL\": \"https://gate.example.com\",\n    \"NEW\": \"1\"\n  }\n}\n"
	if err := os.WriteFile(f.Path, []byte(edited), 0o644); err != nil {
		t.Fatal(err)
	}
	p, err = f.PlanUndo()
	p, backup := apply(t, p, err)
	if !p.Edited {
		t.Error("nothing says that it was edited")
	}
	checkFile(t, backup, edited)
	checkFile(t, f.Path, "{\n  \"apiKeyHelper\": \"mine now\",\n  \"env\": {\n    \"NEW\": \"1\"\n  }\n}\n")
	if p, err := f.PlanUndo(); err != nil || p.Changed() {
		t.Errorf("again: %+v, %v", p, err)
	}
}

// A value that was replaced comes back as it was written, in a file that was edited.
func TestAReplacedValueComesBackAsItWas(t *testing.T) {
	t.Parallel()
	f := file(t, `{"apiKeyHelper": [ 1,2 /* <&> */ ], "z": 1}`)
	p, err := f.Plan(doors["helper"]...)
	p, _ = apply(t, p, err)
	if err := os.WriteFile(f.Path, []byte(strings.Replace(string(p.After), `"z": 1`, `"z": 2`, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	p, err = f.PlanUndo()
	apply(t, p, err)
	checkFile(t, f.Path, `{"apiKeyHelper": [ 1,2 /* <&> */ ], "z": 2}`)
}

func TestEveryChangeHasItsCopy(t *testing.T) {
	t.Parallel()
	f := file(t, "{}")
	p, err := f.Plan(doors["helper"]...)
	first, one := apply(t, p, err)
	p, err = f.Plan(doors["profile"]...)
	_, two := apply(t, p, err)
	if one == two {
		t.Error("a copy was overwritten")
	}
	checkFile(t, one, "{}")
	checkFile(t, two, string(first.After))
}

// Somebody takes a long look at a plan.
func TestAPlanThatIsOldDoesNothing(t *testing.T) {
	t.Parallel()
	for _, content := range []string{"", "{}"} {
		f := file(t, content)
		p, err := f.Plan(doors["helper"]...)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(f.Path, []byte(`{"a":1}`), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Commit(); !fault.Is(err, fault.Conflict) {
			t.Errorf("Commit: %v", err)
		}
		checkFile(t, f.Path, `{"a":1}`)
	}
}

func TestBrokenFilesAreNotTouched(t *testing.T) {
	t.Parallel()
	for _, content := range []string{"{", "[]", `{"env":1}`, `{"env":{"A":"1","A":"2"}}`, `{"env":[]}`, "{} /*", "\x00", strings.Repeat(" ", settingsfile.MaxSize) + "{}"} {
		f := file(t, content)
		if _, err := f.Plan(doors["helper"]...); !fault.Is(err, fault.Conflict) {
			t.Errorf("Plan(%.20q): %v", content, err)
		}
		checkFile(t, f.Path, content)
		if entries, err := os.ReadDir(filepath.Dir(f.Path)); err != nil || len(entries) != 1 {
			t.Errorf("%.20q: left behind %v, %v", content, entries, err)
		}
	}
}

func TestWholeFiles(t *testing.T) {
	t.Parallel()
	content := []byte("name: not JSON\n")
	f := file(t, "")
	p, err := f.PlanWhole(content)
	apply(t, p, err)
	if p, err = f.PlanWhole(content); err != nil || p.Changed() {
		t.Errorf("again: %+v, %v", p, err)
	}
	if _, err := f.PlanWhole([]byte("other")); !fault.Is(err, fault.Conflict) {
		t.Errorf("over another: %v", err)
	}
	p, err = f.PlanUndo()
	apply(t, p, err)
	if _, err := os.Stat(f.Path); err == nil {
		t.Error("it is still there")
	}
	p, err = f.PlanWhole(content)
	apply(t, p, err)
	if err := os.WriteFile(f.Path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if p, err := f.PlanUndo(); err != nil || p.Changed() {
		t.Errorf("an edited file: %+v, %v", p, err)
	}
}

// What is no file is neither opened nor replaced.
func TestWhatIsNoFile(t *testing.T) {
	t.Parallel()
	for name, put := range map[string]func(path string) error{
		"a folder":       func(path string) error { return os.Mkdir(path, 0o700) },
		"a pipe":         func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"a link":         func(path string) error { return os.Symlink("nowhere", path) },
		"a link to self": func(path string) error { return os.Symlink("settings.json", path) },
	} {
		f := file(t, "")
		if err := put(f.Path); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Plan(doors["helper"]...); err == nil {
			t.Errorf("%s: planned", name)
		}
		if _, err := settingsfile.Read(f.Path, jsontext.Strict); err == nil {
			t.Errorf("%s: read", name)
		}
	}
}

func TestAForeignFileIsLeftAlone(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file away")
	}
	f := file(t, "{}")
	if err := os.Chown(f.Path, 12345, -1); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Plan(doors["helper"]...); !fault.Is(err, fault.Conflict) {
		t.Errorf("Plan: %v", err)
	}
}
