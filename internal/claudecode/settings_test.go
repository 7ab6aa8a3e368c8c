package claudecode_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/claudecode"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/google/go-cmp/cmp"
)

var to = claudecode.Target{Server: "https://gate.example.com", Command: "/usr/bin/gatehouse token", Profile: "gatehouse"}

func settings(t *testing.T, content string) claudecode.Settings {
	t.Helper()
	dir := t.TempDir()
	s := claudecode.Settings{File: filepath.Join(dir, "settings.json"), Records: filepath.Join(dir, "records"),
		Getenv: func(string) string { return "" }, Now: func() time.Time { return time.Unix(1795352810, 0) }}
	if content != "" {
		if err := os.WriteFile(s.File, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return s
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

// Whatever doors were set up in which order, undoing gives back the first bytes,
// and the file's mode never changes.
func TestUndoGivesBackTheSameBytes(t *testing.T) {
	t.Parallel()
	for _, content := range []string{"", "{}", "{ }\n", "\n", `{"apiKeyHelper":"old","env":{"ANTHROPIC_BASE_URL":"https://old"}}`, "{\r\n\t\"env\": {},\r\n\t\"a\": 1.0\r\n}", "\xef\xbb\xbf{}"} {
		for _, doors := range [][]claudecode.Door{{"helper"}, {"profile"}, {"helper", "helper"}, {"helper", "profile"}, {"profile", "helper", "profile"}} {
			s := settings(t, content)
			for _, door := range doors {
				if _, err := s.Apply(door, to); err != nil {
					t.Fatal(err)
				}
			}
			if info, err := os.Stat(s.File); err != nil || content != "" && info.Mode() != 0o644 || content == "" && info.Mode() != 0o600 {
				t.Errorf("mode %v, %v", info.Mode(), err)
			}
			if done, err := s.Undo(); err != nil || !done.Changed {
				t.Errorf("%q after %v: %+v, %v", content, doors, done, err)
			}
			checkFile(t, s.File, content)
			if _, err := os.Stat(s.File); (err == nil) != (content != "") {
				t.Errorf("%q after %v: %v", content, doors, err)
			}
		}
	}
}

func TestEditsBetweenAreKept(t *testing.T) {
	t.Parallel()
	s := settings(t, "{\n  \"apiKeyHelper\": \"old\"\n}\n")
	if _, err := s.Apply(claudecode.Helper, to); err != nil {
		t.Fatal(err)
	}
	edited := "{\n  \"apiKeyHelper\": \"mine now\",\n  \"env\": {\n    \"ANTHROPIC_BASE_URL\": \"https://gate.example.com\",\n    \"NEW\": \"1\"\n  }\n}\n"
	if err := os.WriteFile(s.File, []byte(edited), 0o644); err != nil {
		t.Fatal(err)
	}
	done, err := s.Undo()
	if err != nil || done.Backup == "" {
		t.Fatalf("%+v, %v", done, err)
	}
	checkFile(t, done.Backup, edited)
	checkFile(t, s.File, "{\n  \"apiKeyHelper\": \"mine now\",\n  \"env\": {\n    \"NEW\": \"1\"\n  }\n}\n")
	if done, err := s.Undo(); err != nil || done.Changed {
		t.Errorf("again: %+v, %v", done, err)
	}
}

func TestEveryChangeHasItsCopy(t *testing.T) {
	t.Parallel()
	s := settings(t, "{}")
	first, err := s.Apply(claudecode.Helper, to)
	if err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(s.File)
	if err != nil {
		t.Fatal(err)
	}
	second, err := s.Apply(claudecode.Profile, to)
	if err != nil {
		t.Fatal(err)
	}
	if first.Backup == second.Backup {
		t.Error("a copy was overwritten")
	}
	checkFile(t, first.Backup, "{}")
	checkFile(t, second.Backup, string(before))
}

func TestBrokenFilesAreNotTouched(t *testing.T) {
	t.Parallel()
	for _, content := range []string{"{", "[]", `{"env":1}`, `{"env":{"A":"1","A":"2"}}`} {
		s := settings(t, content)
		if _, err := s.Apply(claudecode.Helper, to); !fault.Is(err, fault.Conflict) {
			t.Errorf("Apply(%q): %v", content, err)
		}
		if _, err := s.Undo(); !fault.Is(err, fault.Conflict) {
			t.Errorf("Undo(%q): %v", content, err)
		}
		checkFile(t, s.File, content)
		if entries, err := os.ReadDir(filepath.Dir(s.File)); err != nil || len(entries) != 1 {
			t.Errorf("%q: left behind %v, %v", content, entries, err)
		}
	}
}

func TestConflicts(t *testing.T) {
	t.Parallel()
	s := settings(t, `{"env":{"ANTHROPIC_API_KEY":"x","CLAUDE_CODE_USE_VERTEX":"0"},"apiKeyHelper":"mine"}`)
	s.Getenv = func(name string) string {
		return map[string]string{"ANTHROPIC_AUTH_TOKEN": "t", "CLAUDE_CODE_USE_BEDROCK": "1", "ANTHROPIC_BASE_URL": "https://x"}[name]
	}
	for door, want := range map[claudecode.Door][]claudecode.Conflict{
		claudecode.Helper: {{Name: "CLAUDE_CODE_USE_BEDROCK"}, {Name: "ANTHROPIC_AUTH_TOKEN"}, {Name: "ANTHROPIC_API_KEY", In: s.File}},
		claudecode.Profile: {{Name: "CLAUDE_CODE_USE_BEDROCK"}, {Name: "ANTHROPIC_AUTH_TOKEN"}, {Name: "ANTHROPIC_API_KEY", In: s.File},
			{Name: "ANTHROPIC_BASE_URL"}, {Name: "apiKeyHelper", In: s.File}},
	} {
		done, err := s.Apply(door, to)
		if diff := cmp.Diff(want, done.Conflicts); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", door, err, diff)
		}
	}
}
