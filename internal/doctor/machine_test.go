package doctor_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/checkup"
	"github.com/gatehouse-dev/gatehouse/internal/claudecode"
	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/doctor"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/login"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// machine is a patient on which nothing is installed and nobody signed in.
func machine(t *testing.T, system string, files map[string]string) doctor.Patient {
	t.Helper()
	root := t.TempDir()
	for path, content := range files {
		write(t, filepath.Join(root, path), content, 0o644)
	}
	return doctor.Patient{
		System: system, Arch: "amd64", Root: root, Home: filepath.Join(root, "home"), Folder: filepath.Join(root, "work"),
		Getenv:   func(string) string { return "" },
		LookPath: func(name string) (string, error) { return "", errors.New("none") },
		Output:   func(context.Context, string, ...string) (string, error) { return "", errors.New("none") },
		Now:      func() time.Time { return time.Unix(1795352810, 0) },
		Profile:  credential.DefaultProfile, Client: &login.Client{Now: time.Now},
		Recall: func() (login.Enrolment, error) { return login.Enrolment{}, fault.New(fault.NotFound, "none") },
		Load: func(context.Context) (credential.Pair, error) {
			return credential.Pair{}, fault.New(fault.NotFound, "none")
		},
		Token:        func(context.Context) (secret.Text, error) { return secret.Text{}, fault.New(fault.NotFound, "none") },
		UserSettings: filepath.Join(root, "home/.claude/settings.json"), Managed: filepath.Join(root, "etc/claude-code"),
		Target: func() (claudecode.Target, error) {
			return claudecode.Target{Server: "https://gate.example.com", Command: "/usr/bin/gatehouse token", Profile: "gatehouse"}, nil
		},
	}
}

func write(t *testing.T, path, content string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask
		t.Fatal(err)
	}
}

func examine(t *testing.T, p doctor.Patient) map[string]doctor.Finding {
	t.Helper()
	all := map[string]doctor.Finding{}
	for _, f := range doctor.Examine(t.Context(), doctor.New(p).Checks()) {
		all[f.Name] = f
		if f.State != checkup.OK && f.State != doctor.Skip && f.Mend == "" {
			t.Errorf("nothing mends %+v", f)
		}
		if strings.Contains(f.Says+f.Mend+strings.Join(f.Items, " "), "canary") {
			t.Errorf("%s tells a value: %+v", f.Name, f)
		}
	}
	return all
}

const (
	ubuntu = "ID=ubuntu\nVERSION_ID=\"24.04\"\nPRETTY_NAME=\"Ubuntu 24.04 LTS\"\n"
	alpine = "ID=alpine\nVERSION_ID=3.20.1\nPRETTY_NAME=\"Alpine Linux v3.20\"\n"
	memory = "MemTotal:       16384000 kB\n"
)

func TestRequirements(t *testing.T) {
	t.Parallel()
	musl := map[string]string{"/lib/ld-musl-x86_64.so.1": "", "/usr/lib/libgcc_s.so.1": "", "/usr/lib/libstdc++.so.6": ""}
	for name, tt := range map[string]struct {
		system, release string
		files           map[string]string
		env, programs   string
		output          map[string]string
		want            checkup.State
		code            string
	}{
		"Ubuntu":           {system: "linux", release: ubuntu, programs: "bash", want: checkup.OK},
		"old Ubuntu":       {system: "linux", release: "ID=ubuntu\nVERSION_ID=\"18.04\"\n", programs: "bash", want: checkup.Fail, code: checkup.Unsupported},
		"old Debian":       {system: "linux", release: "ID=debian\nVERSION_ID=9\n", programs: "bash", want: checkup.Fail, code: checkup.Unsupported},
		"rolling":          {system: "linux", release: "ID=arch\n", programs: "zsh", want: checkup.OK},
		"nameless":         {system: "linux", release: "", programs: "sh", want: checkup.OK},
		"no shell":         {system: "linux", release: ubuntu, want: checkup.Fail, code: "no_shell"},
		"little memory":    {system: "linux", release: ubuntu, programs: "bash", files: map[string]string{"/proc/meminfo": "MemTotal: 2048000 kB\n"}, want: checkup.Warn, code: "little_memory"},
		"sold as 4 GB":     {system: "linux", release: ubuntu, programs: "bash", files: map[string]string{"/proc/meminfo": "MemTotal: 3900000 kB\n"}, want: checkup.OK},
		"bare Alpine":      {system: "linux", release: alpine, programs: "sh", files: map[string]string{"/lib/ld-musl-x86_64.so.1": ""}, want: checkup.Fail, code: "missing_libraries"},
		"Alpine, unset":    {system: "linux", release: alpine, programs: "sh rg", files: musl, want: checkup.Warn, code: "builtin_ripgrep"},
		"Alpine":           {system: "linux", release: alpine, programs: "sh rg", files: musl, env: "USE_BUILTIN_RIPGREP=0", want: checkup.OK},
		"old Alpine":       {system: "linux", release: "ID=alpine\nVERSION_ID=3.18.0\n", programs: "sh rg", files: musl, want: checkup.Fail, code: checkup.Unsupported},
		"macOS":            {system: "darwin", programs: "zsh", output: map[string]string{"sw_vers": "15.1\n", "sysctl": "17179869184\n"}, want: checkup.OK},
		"old macOS":        {system: "darwin", programs: "zsh", output: map[string]string{"sw_vers": "12.7.6\n"}, want: checkup.Fail, code: checkup.Unsupported},
		"small Mac":        {system: "darwin", programs: "zsh", output: map[string]string{"sw_vers": "13.0\n", "sysctl": "2147483648\n"}, want: checkup.Warn, code: "little_memory"},
		"Windows 11":       {system: "windows", output: map[string]string{"cmd": "\r\nMicrosoft Windows [Version 10.0.22631.4460]\r\n"}, want: checkup.OK},
		"old Windows":      {system: "windows", output: map[string]string{"cmd": "\r\nMicrosoft Windows [Version 10.0.16299.15]\r\n"}, want: checkup.Fail, code: checkup.Unsupported},
		"Windows in words": {system: "windows", output: map[string]string{"cmd": "canary"}, want: checkup.OK},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := map[string]string{"/etc/os-release": tt.release, "/proc/meminfo": memory}
			for path, content := range tt.files {
				files[path] = content
			}
			p := machine(t, tt.system, files)
			p.LookPath = func(name string) (string, error) {
				if slices.Contains(strings.Fields(tt.programs), name) {
					return "/bin/" + name, nil
				}
				return "", errors.New("none")
			}
			p.Output = func(_ context.Context, name string, _ ...string) (string, error) {
				if out, ok := tt.output[name]; ok {
					return out, nil
				}
				return "", errors.New("none")
			}
			p.Getenv = func(name string) string {
				if key, value, _ := strings.Cut(tt.env, "="); key == name {
					return value
				}
				return ""
			}
			e := doctor.New(p)
			for _, f := range doctor.Examine(t.Context(), e.Checks())[:2] {
				if f.Name == doctor.Requirements && (f.State != tt.want || f.Code != tt.code) {
					t.Errorf("%+v", f)
				}
			}
		})
	}
}

func TestInstallation(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		at         []string // the first is what runs
		mode       os.FileMode
		want, says string
	}{
		"one":              {[]string{"usr/bin/claude"}, 0o755, "", "the only one"},
		"native":           {[]string{"home/.local/share/claude/versions/2.1.200"}, 0o755, "", "(native)"},
		"npm and native":   {[]string{"usr/lib/node_modules/@anthropic-ai/claude-code/cli.js", "home/.local/bin/claude"}, 0o755, "several", "(npm) runs"},
		"shadowed in PATH": {[]string{"usr/bin/claude", "opt/bin/claude"}, 0o755, "several", "opt/bin/claude (other)"},
		"others may write": {[]string{"usr/bin/claude"}, 0o777, checkup.Exposed, "Others can replace"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := machine(t, "linux", map[string]string{"/etc/os-release": ubuntu})
			for _, path := range tt.at {
				write(t, filepath.Join(p.Root, path), "#!/bin/sh\n", tt.mode)
			}
			p.LookPath = func(string) (string, error) { return filepath.Join(p.Root, tt.at[0]), nil }
			p.Output = func(context.Context, string, ...string) (string, error) { return "2.1.200 (Claude Code)", nil }
			p.Getenv = func(name string) string {
				if name == "PATH" {
					return filepath.Join(p.Root, "usr/bin") + ":.:" + filepath.Join(p.Root, "opt/bin") + ":/nowhere"
				}
				return ""
			}
			if f := examine(t, p)[doctor.Installation]; f.Code != tt.want || !strings.Contains(f.Says, tt.says) {
				t.Errorf("%+v", f)
			}
		})
	}
}

// A native install that PATH does not know is said to be there.
func TestInstalledAndNotInPath(t *testing.T) {
	t.Parallel()
	p := machine(t, "linux", map[string]string{"/etc/os-release": ubuntu, "home/.local/bin/claude": ""})
	if f := examine(t, p)[checkup.Claude]; f.Code != checkup.NotFound || !strings.Contains(f.Says, "which is not in PATH") || !strings.Contains(f.Mend, "PATH") {
		t.Errorf("%+v", f)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		file, content string
		mode          os.FileMode
		state         checkup.State
		code          string
	}{
		"nothing":        {"other", "", 0o644, checkup.OK, ""},
		"good":           {"home/.claude/settings.json", `{"env":{"A":"canary"}}`, 0o600, checkup.OK, ""},
		"half written":   {"home/.claude/settings.json", `{"env":{"A":"canary`, 0o600, checkup.Warn, checkup.Unreadable},
		"open to others": {"home/.claude/settings.json", `{}`, 0o666, checkup.Fail, checkup.Exposed},
		"forced":         {"etc/claude-code/managed-settings.json", `{"forceLoginMethod":"claudeai"}`, 0o644, checkup.Warn, "forced_login"},
		"forced drop-in": {"etc/claude-code/managed-settings.d/10.json", `{"forceLoginOrgUUID":"canary"}`, 0o644, checkup.Warn, "forced_login"},
		"our gateway":    {"etc/claude-code/managed-settings.json", `{"forceLoginMethod":"gateway"}`, 0o644, checkup.OK, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := machine(t, "linux", nil)
			write(t, filepath.Join(p.Root, tt.file), tt.content, tt.mode)
			f := examine(t, p)[doctor.Settings]
			if f.State != tt.state || f.Code != tt.code {
				t.Errorf("%+v", f)
			}
			if f.Fix == nil {
				return
			}
			if err := f.Fix.Do(t.Context()); err != nil {
				t.Fatal(err)
			}
			if f := examine(t, p)[doctor.Settings]; f.State != checkup.OK {
				t.Errorf("mended: %+v", f)
			}
		})
	}
}

// What came with a repository, in its folder and at its top, is the word of
// whoever wrote it.
func TestRepository(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		file, content string
		state         checkup.State
		items         []string
	}{
		"nothing":           {"work/README", "", checkup.OK, nil},
		"harmless":          {"work/.claude/settings.json", `{"permissions":{"allow":["Bash(ls)"]},"env":{"FOO":"canary"}}`, checkup.OK, nil},
		"our own address":   {"work/.claude/settings.json", `{"env":{"ANTHROPIC_BASE_URL":"https://gate.example.com"}}`, checkup.Fail, []string{"ANTHROPIC_BASE_URL"}}, // no server is known here
		"another address":   {"work/.claude/settings.json", `{"env":{"ANTHROPIC_BASE_URL":"https://canary"}}`, checkup.Fail, []string{"ANTHROPIC_BASE_URL"}},
		"a cloud's address": {"work/.claude/settings.local.json", `{"env":{"ANTHROPIC_BEDROCK_BASE_URL":"canary","CLAUDE_CODE_USE_BEDROCK":"1"}}`, checkup.Fail, []string{"ANTHROPIC_BEDROCK_BASE_URL", "CLAUDE_CODE_USE_BEDROCK"}},
		"a helper":          {"work/.claude/settings.json", `{"apiKeyHelper":"canary"}`, checkup.Fail, []string{"apiKeyHelper"}},
		"a helper for otel": {"work/.claude/settings.json", `{"otelHeadersHelper":"canary"}`, checkup.Fail, []string{"otelHeadersHelper"}},
		"a root":            {"work/.claude/settings.json", `{"env":{"NODE_EXTRA_CA_CERTS":"canary"}}`, checkup.Fail, []string{"NODE_EXTRA_CA_CERTS"}},
		"at the top":        {".claude/settings.json", `{"apiKeyHelper":"canary"}`, checkup.Fail, []string{"apiKeyHelper"}},
		"not JSON":          {"work/.claude/settings.json", `{"apiKeyHelper`, checkup.Warn, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := machine(t, "linux", map[string]string{".git/HEAD": "", "work/x": ""})
			write(t, filepath.Join(p.Root, tt.file), tt.content, 0o644)
			if f := examine(t, p)[doctor.Repository]; f.State != tt.state || !slices.Equal(f.Items, tt.items) {
				t.Errorf("%+v", f)
			}
		})
	}
	// Outside a repository, what is above is not looked at.
	p := machine(t, "linux", map[string]string{"work/x": "", ".claude/settings.json": `{"apiKeyHelper":"canary"}`})
	if f := examine(t, p)[doctor.Repository]; f.State != checkup.OK {
		t.Errorf("%+v", f)
	}
}

// On a Mac, services see what launchd has; recorded from launchctl getenv.
func TestBackgroundOnAMac(t *testing.T) {
	t.Parallel()
	p := machine(t, "darwin", nil)
	p.Output = func(_ context.Context, name string, args ...string) (string, error) {
		if name == "launchctl" && slices.Equal(args, []string{"getenv", "ANTHROPIC_API_KEY"}) {
			return "canary\n", nil
		}
		return "\n", nil
	}
	if f := examine(t, p)[doctor.Background]; f.Code != checkup.Outranked || !slices.Equal(f.Items, []string{"ANTHROPIC_API_KEY"}) || !strings.Contains(f.Says, "in launchd") {
		t.Errorf("%+v", f)
	}
}
