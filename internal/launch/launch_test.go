package launch_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/claudecode"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/launch"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

var door = launch.Door{Profile: "gatehouse", Origin: "https://gate.example.com"}

// Whatever Claude Code prefers to the profile is taken out.
func TestCleanLeavesNoRival(t *testing.T) {
	t.Parallel()
	rivals := claudecode.Profile.InEnvironment(func(string) string { return "1" })
	if len(rivals) < 7 {
		t.Fatalf("%v", rivals)
	}
	for _, r := range rivals {
		env, taken := door.Clean("linux", []string{"A=b", r.Name + "=1"})
		if !slices.Equal(env, []string{"A=b", "ANTHROPIC_PROFILE=gatehouse"}) || len(taken) != 1 || taken[0].Name != r.Name || taken[0].Why == "" {
			t.Errorf("%s: %v, %v", r.Name, env, taken)
		}
	}
}

func TestClean(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		system, entry string
		taken         string // the name, or "" if the entry stays
	}{
		{"linux", "ANTHROPIC_BASE_URL=https://gate.example.com", ""},
		{"linux", "ANTHROPIC_BASE_URL=https://gate.example.com/", ""},
		{"linux", "ANTHROPIC_BASE_URL=https://gate.example.com.evil.example", "ANTHROPIC_BASE_URL"},
		{"linux", "ANTHROPIC_BASE_URL=https://gate.example.com/v1", "ANTHROPIC_BASE_URL"},
		{"linux", "ANTHROPIC_API_KEY=", ""},
		{"linux", "CLAUDE_CODE_USE_VERTEX=false", ""},
		{"linux", "CLAUDE_CODE_USE_VERTEX=true", "CLAUDE_CODE_USE_VERTEX"},
		{"linux", "anthropic_api_key=x", ""},
		{"windows", "Anthropic_Api_Key=x", "ANTHROPIC_API_KEY"},
		{"windows", `=C:=C:\Users\ada`, ""},
		{"linux", "ANTHROPIC_CUSTOM_HEADERS=X-A: 1\nX-B: authorization: x", ""},
		{"linux", "ANTHROPIC_CUSTOM_HEADERS=X-A: 1\r\n AUTHORIZATION : Bearer x", "ANTHROPIC_CUSTOM_HEADERS"},
		{"linux", `ANTHROPIC_CUSTOM_HEADERS=X-A: 1\nx-api-key: x`, "ANTHROPIC_CUSTOM_HEADERS"},
		{"linux", "NOT_AN_ENTRY", ""},
		{"linux", "", ""},
	} {
		env, taken := door.Clean(tt.system, []string{tt.entry, tt.entry})
		stays := slices.Contains(env, tt.entry)
		if tt.taken == "" && (len(taken) != 0 || !stays) {
			t.Errorf("%q was taken: %v, %v", tt.entry, taken, env)
		}
		if tt.taken != "" && (len(taken) != 1 || taken[0].Name != tt.taken || stays) {
			t.Errorf("%q stayed: %v, %v", tt.entry, taken, env)
		}
	}
}

// The door's own variables are there once, also on a system without case.
func TestCleanSetsOnce(t *testing.T) {
	t.Parallel()
	d := door
	d.Folder = `C:\profiles`
	env, taken := d.Clean("windows", []string{"Anthropic_Profile=gatehouse", `anthropic_config_dir=C:\profiles`})
	if want := []string{"ANTHROPIC_PROFILE=gatehouse", `ANTHROPIC_CONFIG_DIR=C:\profiles`}; !slices.Equal(env, want) || taken != nil {
		t.Errorf("%q, %v", env, taken)
	}
}

// values are nasty ones, then random ones of the characters that shells mind.
func values() []string {
	list := []string{"", "plain", "a b", "'", `\`, `\'`, "''", "$(echo x)", "`echo x`", "a\nb\n", "\r\n", "-n", "~", "*", "!", "#", "\xff\xfe", "ü", "\x1b[2J", "x'; echo y; '"}
	const letters = "ab '\"\\$`\n\r\t!*?[]{}()<>|&;#~=%^-\x01\x7f\xffü"
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		var b []byte
		for range random.IntN(24) {
			b = append(b, letters[random.IntN(len(letters))])
		}
		list = append(list, string(b))
	}
	return list
}

func variables(values []string) (set []launch.Variable) {
	for i, v := range values {
		set = append(set, launch.Variable{Name: fmt.Sprintf("V%d", i), Value: v})
	}
	return set
}

// Real shells get every value byte by byte, and pass it to their children.
func TestShellsReadWhatWasMeant(t *testing.T) {
	t.Parallel()
	want := values()
	text, err := launch.Shell.Render(variables(want), []string{"GONE", "NEVER"})
	if err != nil {
		t.Fatal(err)
	}
	script := "GONE=1; export GONE\n" + text + `test -z "${GONE+x}" || exit 9` + "\n"
	for i := range want {
		script += fmt.Sprintf("printf '%%s\\0' \"$V%d\"\n", i)
	}
	for _, shell := range []string{"sh", "bash"} {
		cmd := exec.Command(shell, "-eu")
		cmd.Stdin = strings.NewReader(script)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v", shell, err)
		}
		if got := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00"); !slices.Equal(got, want) {
			for i := range min(len(got), len(want)) {
				if got[i] != want[i] {
					t.Fatalf("%s: %q became %q", shell, want[i], got[i])
				}
			}
			t.Fatalf("%s: %d values of %d", shell, len(got), len(want))
		}
	}
}

// Node's reader of .env files stands for all of them: what we do not refuse, it
// reads as it was meant.
func TestNodeReadsDotenv(t *testing.T) {
	t.Parallel()
	want, file := map[string]string{}, ""
	for _, v := range variables(values()) {
		line, err := launch.Dotenv.Render([]launch.Variable{v}, nil)
		if fault.Is(err, fault.Unsupported) || !isText(v.Value) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		want[v.Name], file = v.Value, file+line
	}
	if len(want) < 20 {
		t.Fatalf("only %d values could be written", len(want))
	}
	cmd := exec.Command("node", "-e", `const fs=require("fs");console.log(JSON.stringify(require("util").parseEnv(fs.readFileSync(0,"utf8"))))`)
	cmd.Stdin = strings.NewReader(file)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%q became %q", value, got[name])
		}
	}
}

func isText(s string) bool { return bytes.Equal([]byte(strings.ToValidUTF8(s, "")), []byte(s)) }

// fish and PowerShell are held to their documented rules of quoting.
func TestOtherFormats(t *testing.T) {
	t.Parallel()
	set := []launch.Variable{{Name: "V", Value: "it's \\ \u2019$x"}}
	for _, tt := range []struct {
		format launch.Format
		want   string
	}{
		{launch.Fish, "set -e GONE\nset -gx V 'it\\'s \\\\ \u2019$x'\n"},
		{launch.PowerShell, "Remove-Item -ErrorAction Ignore Env:GONE\n$env:V = 'it''s \\ \u2019\u2019$x'\n"},
		{launch.GitHub, "V=it's \\ \u2019$x\n"},
		{launch.JSON, "{\n  \"set\": {\n    \"V\": \"it's \\\\ \u2019$x\"\n  },\n  \"unset\": [\n    \"GONE\"\n  ]\n}\n"},
	} {
		if got, err := tt.format.Render(set, []string{"GONE"}); err != nil || got != tt.want {
			t.Errorf("%s: %q, %v", tt.format, got, err)
		}
	}
	if _, err := launch.GitHub.Render([]launch.Variable{{Name: "V", Value: "a\nB=c"}}, nil); !fault.Is(err, fault.Unsupported) {
		t.Errorf("a second variable was smuggled in: %v", err)
	}
	if _, err := launch.Format("csh").Render(set, nil); !fault.Is(err, fault.Invalid) {
		t.Errorf("%v", err)
	}
}

// A private program sees the endpoint and nothing else that leads anywhere, and no
// proxy comes between.
func TestPrivateEnvironment(t *testing.T) {
	t.Parallel()
	door := launch.Private{Address: "http://127.0.0.1:40123", Token: secret.New("one-run-token")}
	for _, tt := range []struct {
		system string
		give   []string
		want   []string
		taken  int
	}{
		{"linux", []string{"A=b"}, []string{"A=b", "NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1"}, 0},
		{"linux", []string{"no_proxy=.x", "HTTP_PROXY=p"}, []string{"HTTP_PROXY=p", "NO_PROXY=.x,127.0.0.1", "no_proxy=.x,127.0.0.1"}, 0},
		{"linux", []string{"NO_PROXY=*", "no_proxy=.y"}, []string{"NO_PROXY=*", "no_proxy=.y,127.0.0.1"}, 0},
		{"windows", []string{"No_Proxy=.x"}, []string{"NO_PROXY=.x,127.0.0.1"}, 0},
		{"linux", []string{"ANTHROPIC_BASE_URL=https://gate", "ANTHROPIC_PROFILE=gatehouse", "ANTHROPIC_API_KEY=x", "CLAUDE_CODE_USE_BEDROCK=1", "ANTHROPIC_CUSTOM_HEADERS=x-api-key: y"},
			[]string{"NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1"}, 5},
	} {
		env, taken := door.Clean(tt.system, tt.give)
		var rest []string
		for _, e := range env {
			if e != "ANTHROPIC_BASE_URL="+door.Address && e != "ANTHROPIC_AUTH_TOKEN=one-run-token" {
				rest = append(rest, e)
			}
		}
		slices.Sort(rest)
		if !slices.Equal(rest, tt.want) || len(env) != len(rest)+2 || len(taken) != tt.taken {
			t.Errorf("%v became %v, without %v", tt.give, env, taken)
		}
	}
}
