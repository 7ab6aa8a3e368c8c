package binding

import (
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/google/go-cmp/cmp"
)

func TestNormalise(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"https://github.com/acme/app.git":            "github.com/acme/app",
		"https://GitHub.com/Acme/App":                "github.com/acme/app",
		"https://ada:secret@github.com/acme/app/":    "github.com/acme/app",
		"https://github.com:443/acme/app.git/":       "github.com/acme/app",
		"https://github.com/acme/../evil/app":        "github.com/evil/app",
		"https://github.com//acme///app":             "github.com/acme/app",
		"https://github.com/acme/%61pp":              "github.com/acme/app",
		"https://git.example.com:8443/acme/app":      "git.example.com:8443/acme/app",
		"git@github.com:acme/app.git":                "github.com/acme/app",
		"github.com:acme/app":                        "github.com/acme/app",
		"git@GITHUB.com:/acme/app":                   "github.com/acme/app",
		"ssh://git@github.com/acme/app.git":          "github.com/acme/app",
		"ssh://git@github.com:22/acme/app":           "github.com/acme/app",
		"ssh://git@github.com:2222/acme/app":         "github.com:2222/acme/app",
		"git+ssh://git@github.com/acme/app":          "github.com/acme/app",
		"git://github.com/acme/app":                  "github.com/acme/app",
		"https://github.com./acme/app":               "github.com/acme/app",
		"git@gitlab.example.com:group/sub/app.git":   "gitlab.example.com/group/sub/app",
		"ssh://git@[2001:db8::1]/acme/app":           "[2001:db8::1]/acme/app",
		"/home/ada/app":                              "",
		"../app":                                     "",
		`C:\work\app`:                                "",
		"file:///home/ada/app":                       "",
		"ext::sh -c whoami":                          "",
		"https://github.com":                         "",
		"https://github.com/":                        "",
		"https://evil.example.com\n/github.com/acme": "",
		"":  "",
		":": "",
	} {
		if got, ok := Normalise(address); got != want || ok != (want != "") {
			t.Errorf("Normalise(%q) = %q, %v; want %q", address, got, ok, want)
		}
	}
}

func TestPatterns(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		pattern, kept string // kept is "" for what is none
		yes, no       []string
	}{
		{"github.com/acme/*", "github.com/acme/*", []string{"github.com/acme/app", "github.com/acme/a/b"}, []string{"github.com/acme", "github.com/acmeco/app", "gitlab.com/acme/app", "github.com.evil.example/acme/app"}},
		{"GitHub.com/Acme/App.git", "github.com/acme/app", []string{"github.com/acme/app"}, []string{"github.com/acme/app2", "github.com/acme/app/x"}},
		{"git@github.com:acme/app.git", "github.com/acme/app", []string{"github.com/acme/app"}, nil},
		{"https://github.com/acme/*", "github.com/acme/*", []string{"github.com/acme/app"}, nil},
		{"github.com/acme/client-*", "github.com/acme/client-*", []string{"github.com/acme/client-a", "github.com/acme/client-"}, []string{"github.com/acme/client-a/b", "github.com/acme/x-client-a"}},
		{"github.com/*/app", "github.com/*/app", []string{"github.com/acme/app"}, []string{"github.com/acme/b/app", "github.com/app"}},
		{"*.example.com/*", "*.example.com/*", []string{"git.example.com/a/b", "a.b.example.com/x"}, []string{"example.com/a", "badexample.com/a"}},
		{"git.example.com:8443/*", "git.example.com:8443/*", []string{"git.example.com:8443/a"}, []string{"git.example.com/a"}},
		{"*", "", nil, nil}, {"*/*", "", nil, nil}, {"github.com", "", nil, nil}, {"github.com/", "", nil, nil}, {"acme/*", "", nil, nil},
		{"github.com/acme/../evil/*", "", nil, nil}, {"git*.com/acme/*", "", nil, nil}, {"github.com/a b", "", nil, nil}, {"*.*.com/x", "", nil, nil},
		{"", "", nil, nil}, {"github.com/[ab]/x", "", nil, nil}, {strings.Repeat("a.", 2000) + "/x", "", nil, nil},
	} {
		got, err := ParsePattern(tt.pattern)
		if got != tt.kept || (err == nil) != (tt.kept != "") {
			t.Errorf("ParsePattern(%q) = %q, %v", tt.pattern, got, err)
		}
		for _, address := range tt.yes {
			if !matches(got, address) {
				t.Errorf("%s does not match %s", got, address)
			}
		}
		for _, address := range tt.no {
			if matches(got, address) {
				t.Errorf("%s matches %s", got, address)
			}
		}
	}
}

func TestTheFile(t *testing.T) {
	t.Parallel()
	f := In(filepath.Join(t.TempDir(), "gatehouse"))
	if r, err := f.Load(); err != nil || !r.Empty() {
		t.Fatalf("%v, %v", r, err)
	}
	r := Rules{}.Bind("/a", "one").BindRemote("github.com/acme/*", "two").Bind("/a", "three")
	if err := f.Save(r); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(string(f)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	want := Rules{Folders: []Folder{{"/a", "three"}}, Remotes: []Remote{{"github.com/acme/*", "two"}}}
	got, err := f.Load()
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	got, _ = got.Forget("/a")
	got, found := got.ForgetRemote("github.com/acme/*")
	if _, again := got.ForgetRemote("github.com/acme/*"); again || !found {
		t.Error("forgetting is not told")
	}
	if err := f.Save(got); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(string(f)); !os.IsNotExist(err) {
		t.Errorf("%v", err)
	}
	for name, text := range map[string]string{
		"no JSON":          `{`,
		"a newer version":  `{"version":2}`,
		"no version":       `{}`,
		"an unknown rule":  `{"version":1,"hosts":[]}`,
		"more":             `{"version":1}{}`,
		"a relative path":  `{"version":1,"folders":[{"path":"a","profile":"x"}]}`,
		"a crooked path":   `{"version":1,"folders":[{"path":"/a/../b","profile":"x"}]}`,
		"a profile's path": `{"version":1,"folders":[{"path":"/a","profile":"../x"}]}`,
		"no profile":       `{"version":1,"folders":[{"path":"/a"}]}`,
		"twice":            `{"version":1,"folders":[{"path":"/a","profile":"x"},{"path":"/a","profile":"y"}]}`,
		"no pattern":       `{"version":1,"remotes":[{"pattern":"*","profile":"x"}]}`,
		"large letters":    `{"version":1,"remotes":[{"pattern":"GitHub.com/a","profile":"x"}]}`,
	} {
		if err := os.WriteFile(string(f), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Load(); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, change := range []func() error{
		func() error { return os.Chmod(string(f), 0o644) },
		func() error { return os.Rename(string(f), string(f)+"2") },
	} {
		if err := change(); err != nil {
			t.Fatal(err)
		}
		_ = os.Symlink(string(f)+"2", string(f))
		if _, err := f.Load(); !fault.Is(err, fault.Invalid) {
			t.Errorf("%v", err)
		}
	}
}

// run runs the real git, which looks at nothing of this machine's.
func git(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com"}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

func mkdir(t *testing.T, path string) string {
	t.Helper()
	if err := os.MkdirAll(path, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func write(t *testing.T, path, text string) {
	t.Helper()
	mkdir(t, filepath.Dir(path))
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Repositories that git itself made: plain, worktrees, submodules, bare ones
// with a pointer.
func TestRemotesOfRealRepositories(t *testing.T) {
	t.Parallel()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	main := mkdir(t, filepath.Join(root, "main"))
	git(t, main, "init", "-q")
	git(t, main, "remote", "add", "origin", "git@github.com:acme/main.git")
	git(t, main, "remote", "add", "up.stream/b", "https://example.com/with;and#signs")
	git(t, main, "commit", "-q", "--allow-empty", "-m", "x")
	git(t, main, "worktree", "add", "-q", filepath.Join(root, "tree"))
	other := mkdir(t, filepath.Join(root, "other"))
	git(t, other, "init", "-q")
	git(t, other, "commit", "-q", "--allow-empty", "-m", "x")
	git(t, main, "-c", "protocol.file.allow=always", "submodule", "-q", "add", other, "sub")
	git(t, filepath.Join(main, "sub"), "remote", "set-url", "origin", "https://github.com/acme/sub")
	for folder, want := range map[string][]string{
		"main":           {"git@github.com:acme/main.git", "https://example.com/with;and#signs"},
		"tree":           {"git@github.com:acme/main.git", "https://example.com/with;and#signs"},
		"main/sub":       {"https://github.com/acme/sub"},
		"main/sub/.git/": nil, // a file
		"other":          nil,
	} {
		if strings.HasSuffix(folder, "/") {
			continue
		}
		deep := mkdir(t, filepath.Join(root, folder, "a/b"))
		got, err := Remotes(deep)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", folder, err, diff)
		}
	}
}

func TestConfigurations(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"":                                     nil,
		"[remote \"o\"]\nurl=a":                {"a"},
		"[REMOTE \"o\"] URL = a ; comment":     {"a"},
		"[remote.o]\n\turl = a b  \n":          {"a b"},
		"[remote \"o]\\\"\"]\r\nurl = a\r\n":   {"a"},
		"[remote \"o\"]\nurl = a\\\nb\n":       {"ab"},
		"[remote \"o\"]\nurl = \"a # b\" #c":   {"a # b"},
		"[remote \"o\"]\nurl = a\\\\b\\t":      {"a\\b\t"},
		"[remote \"o\"]\n# url = b\nurl\n":     {""},
		"[remote]\nurl = a\n[branch]\nurl=b":   {"a"},
		"[remotes \"o\"]\nurl = a":             nil,
		"[remote \"o\"]\nurl = a\npushurl = b": {"a", "b"},
		"\ufeff[remote \"o\"]\nurl = a":        {"a"},
	} {
		got, err := parseConfig(text)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%q: %v (-want +got):\n%s", text, err, diff)
		}
	}
}

func TestFor(t *testing.T) {
	t.Parallel()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	at := func(p string) string { return filepath.Join(root, p) }
	write(t, at("work/acme/app/.git/config"), "[remote \"origin\"]\n\turl = git@github.com:acme/app\n")
	write(t, at("forks/app/.git/config"), "[remote \"origin\"]\n\turl = git@github.com:ada/app\n[remote \"upstream\"]\n\turl = https://GITHUB.com/Acme/app.git\n")
	write(t, at("both/.git/config"), "[remote \"origin\"]\n\turl = git@github.com:acme/app\n[remote \"upstream\"]\n\turl = git@github.com:wile/app\n")
	mkdir(t, at("work/acme/app/deep"))
	mkdir(t, at("workshop"))
	if err := os.Symlink(at("work"), at("link")); err != nil {
		t.Fatal(err)
	}
	rules := Rules{}.Bind(at("work"), "work").Bind(at("work/acme/app/deep"), "deep").Bind(at("link/acme"), "linked").
		BindRemote("github.com/acme/*", "acme").BindRemote("github.com/wile/*", "wile").BindRemote("github.com/*/app-2", "two")
	for folder, want := range map[string]string{
		"work": "work", "work/acme/app/deep": "deep", "work/acme/app": "linked", "link": "work", "link/acme/app/deep": "deep",
		"workshop": "", "forks/app": "acme", "": "",
	} {
		got, err := rules.For(at(folder))
		name := ""
		if got != nil {
			name = string(got.Profile)
			if got.Why() == "" {
				t.Error("it does not say why")
			}
		}
		if err != nil || name != want {
			t.Errorf("%s: %q, %v; want %q", folder, name, err, want)
		}
	}
	if _, err := rules.For(at("both")); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "acme and wile") {
		t.Errorf("%v", err)
	}
	if _, err := rules.For(at("missing")); !fault.Is(err, fault.Invalid) {
		t.Errorf("%v", err)
	}
	if got, err := (Rules{}).For(at("missing")); got != nil || err != nil {
		t.Errorf("%v, %v", got, err)
	}
}

func FuzzFile(f *testing.F) {
	f.Add([]byte(`{"version":1,"folders":[{"path":"/a","profile":"x"}],"remotes":[{"pattern":"github.com/acme/*","profile":"y"}]}`))
	f.Add([]byte(`{"version":1}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := parse(b)
		if err != nil || r.Empty() {
			return
		}
		file := In(t.TempDir())
		if err := file.Save(r); err != nil {
			t.Fatal(err)
		}
		again, err := file.Load()
		if err != nil && len(b) < maxFile/8 || err == nil && (!slices.Equal(r.Folders, again.Folders) || !slices.Equal(r.Remotes, again.Remotes)) {
			t.Errorf("%s: %v", b, err)
		}
	})
}

func FuzzRemote(f *testing.F) {
	for _, s := range []string{"git@github.com:acme/app.git", "https://a:b@c:1/d/../e", "ssh://[::1]:22/x", "::", "a:b"} {
		f.Add(s, "github.com/acme/*")
	}
	f.Fuzz(func(t *testing.T, address, pattern string) {
		normal, ok := Normalise(address)
		if host, rest, found := strings.Cut(normal, "/"); ok && (!found || !isHost(host) || rest == "" || normal != strings.ToLower(normal) || !plain(normal) || path.Clean(normal) != normal) {
			t.Errorf("%q → %q", address, normal)
		}
		kept, err := ParsePattern(pattern)
		if err != nil {
			return
		}
		if again, err := ParsePattern(kept); err != nil || again != kept {
			t.Errorf("%q → %q → %q, %v", pattern, kept, again, err)
		}
		matches(kept, normal)
	})
}

func FuzzConfig(f *testing.F) {
	f.Add("[remote \"o\"]\nurl = \"a\\\"b\" # c\n")
	f.Add("[remote.x]\\\n url=\\")
	f.Fuzz(func(t *testing.T, text string) {
		found, err := parseConfig(text)
		if err == nil && len(found) > maxRemotes {
			t.Error("too many")
		}
	})
}
