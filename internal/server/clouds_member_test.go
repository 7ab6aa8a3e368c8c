package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	azurecloud "github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/aws/aws-sdk-go-v2/credentials/processcreds"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/cloudaccess"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/claude"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/cloud"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/gatehoused"
)

// laptop is a member's machine that is signed in with the member's program, and on
// which the clouds are our stand-ins.
type laptop struct {
	*sky
	home string
	env  map[string]string
}

var shownCode = regexp.MustCompile(`\b[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4}\b`)

func newLaptop(t *testing.T) *laptop {
	t.Helper()
	s := newSky(t, "")
	run := t.TempDir()
	l := &laptop{sky: s, home: claude.Home(t), env: map[string]string{"XDG_RUNTIME_DIR": run, "GATEHOUSE_AGENT": "off",
		"AWS_ENDPOINT_URL_STS": s.cloud.URL + "/sts", "CLOUDSDK_API_ENDPOINT_OVERRIDES_STS": s.cloud.URL, "AZURE_AUTHORITY_HOST": s.cloud.URL}}
	cmd := exec.Command(gatehoused.Command(t), "login", "--server", s.URL, "--no-browser", "--no-qr")
	cmd.Dir, cmd.Env = l.home, gatehoused.Environment(l.home, l.env)
	said, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	stop := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	defer stop.Stop()
	for lines := bufio.NewScanner(said); lines.Scan(); {
		if code := shownCode.FindString(lines.Text()); code != "" {
			if status, body := s.SignIn(t, s.Sample.Member).Decide(t, code, "approve"); status != http.StatusOK {
				t.Fatalf("approving: %d %s", status, body)
			}
			break
		}
	}
	_, _ = io.Copy(io.Discard, said)
	if err := cmd.Wait(); err != nil {
		t.Fatalf("gatehouse login: %v", err)
	}
	return l
}

func (l *laptop) run(t *testing.T, args ...string) gatehoused.Ran {
	t.Helper()
	return gatehoused.Run(t, l.home, l.env, args...)
}

// prints runs a verb that must succeed.
func (l *laptop) prints(t *testing.T, args ...string) string {
	t.Helper()
	got := l.run(t, args...)
	if got.Exit != 0 || got.Stdout == "" {
		t.Fatalf("gatehouse %s: exit %d\n%s", strings.Join(args, " "), got.Exit, got.Stderr)
	}
	return got.Stdout
}

// variables are what "env --direct" sets, and the machine's own.
func (l *laptop) variables(t *testing.T, name string) map[string]string {
	t.Helper()
	var printed struct {
		Set map[string]string `json:"set"`
	}
	if err := json.Unmarshal([]byte(l.prints(t, "env", "--direct="+name, "--format", "json")), &printed); err != nil {
		t.Fatal(err)
	}
	all := maps.Clone(l.env)
	maps.Copy(all, printed.Set)
	return all
}

// TestASignInBecomesCloudCredentials goes from "gatehouse login" to the clouds, with
// the clouds' own libraries and the real Claude Code.
func TestASignInBecomesCloudCredentials(t *testing.T) {
	t.Parallel()
	l := newLaptop(t)

	t.Run("aws's SDK", func(t *testing.T) {
		provider := processcreds.NewProviderCommand(processcreds.NewCommandBuilderFunc(func(ctx context.Context) (*exec.Cmd, error) {
			cmd := exec.CommandContext(ctx, gatehoused.Command(t), "credential", "aws")
			cmd.Dir, cmd.Env = l.home, gatehoused.Environment(l.home, l.env)
			return cmd, nil
		}))
		got, err := provider.Retrieve(t.Context())
		if err != nil || !strings.HasPrefix(got.AccessKeyID, "ASIA") || !got.CanExpire || got.Expires.Before(l.Clock.Now().Add(50*time.Minute)) {
			t.Fatalf("AWS's SDK got %q until %s: %v", got.AccessKeyID, got.Expires, err)
		}
		again, err := provider.Retrieve(t.Context())
		if err != nil || again.AccessKeyID != got.AccessKeyID || len(l.cloud.Assumed()) != 1 {
			t.Errorf("what is kept was not used: %d roles were assumed, %v", len(l.cloud.Assumed()), err)
		}
	})
	for name, mode := range map[string]struct{ variable, path string }{
		"aws": {"ANTHROPIC_BEDROCK_BASE_URL", ""}, "gcp": {"ANTHROPIC_VERTEX_BASE_URL", "/v1"},
	} {
		t.Run("Claude Code asks for "+name, func(t *testing.T) {
			env := l.variables(t, name)
			env[mode.variable] = l.cloud.URL + mode.path
			l.reaches(t, claude.Run(t, claude.Options{Home: l.home, Env: env}))
		})
	}
	t.Run("a program is started for azure", func(t *testing.T) {
		got := l.run(t, "run", "--direct=azure", "--", "env")
		if got.Exit != 0 || !strings.Contains(got.Stdout, "ANTHROPIC_FOUNDRY_AUTH_TOKEN=token-") || !strings.Contains(got.Stdout, "ANTHROPIC_FOUNDRY_RESOURCE=claude\n") {
			t.Fatalf("%+v", got)
		}
		req, err := http.NewRequest(http.MethodPost, l.cloud.URL+"/anthropic/v1/messages", strings.NewReader(`{"model":"claude-sonnet-4-6","max_tokens":8,"messages":[{"role":"user","content":"hi"}]}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(l.prints(t, "credential", "azure")))
		req.Header.Set("Anthropic-Version", "2023-06-01")
		answer, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			t.Errorf("Foundry takes the token with %s", answer.Status)
		}
	})
	t.Run("azure's SDK", func(t *testing.T) {
		options := azcore.ClientOptions{Cloud: azurecloud.Configuration{ActiveDirectoryAuthorityHost: "https://entra.test/"}, Transport: detour(l.cloud.URL)}
		entra, err := azidentity.NewClientAssertionCredential(cloud.Tenant, cloud.Client, func(context.Context) (string, error) {
			return strings.TrimSpace(l.prints(t, "credential", "azure", "--format", "assertion")), nil
		}, &azidentity.ClientAssertionCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: true})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := entra.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://ai.azure.com/.default"}}); err != nil || got.Token == "" {
			t.Errorf("Azure's SDK got %v", err)
		}
	})
	t.Run("settings ask for keys", func(t *testing.T) {
		l.prints(t, "setup", "claude-code", "--door", "direct", "--cloud", "aws", "--print")
		if got := l.run(t, "setup", "claude-code", "--door", "direct", "--yes"); got.Exit != 0 {
			t.Fatal(got.Stderr)
		}
		env := maps.Clone(l.env)
		env["ANTHROPIC_BEDROCK_BASE_URL"] = l.cloud.URL
		l.reaches(t, claude.Run(t, claude.Options{Home: l.home, Env: env}))
		raw, err := os.ReadFile(filepath.Join(l.home, ".claude", "settings.json"))
		if err != nil || !strings.Contains(string(raw), "credential aws --format export") || !strings.Contains(string(raw), "login --if-needed") {
			t.Errorf("the settings are %s, %v", raw, err)
		}
		if got := l.run(t, "login", "--if-needed"); got.Exit != 0 || !strings.Contains(got.Stderr, "nothing to do") {
			t.Errorf("%+v", got)
		}
		if got := l.run(t, "setup", "claude-code", "--undo", "--yes"); got.Exit != 0 {
			t.Error(got.Stderr)
		}
	})
	t.Run("nothing is stored", func(t *testing.T) { l.holdsNothing(t) })
}

// reaches checks that an answer came straight from a cloud.
func (l *laptop) reaches(t *testing.T, got claude.Result) {
	t.Helper()
	if got.Exit != 0 || strings.TrimSpace(got.Stdout) == "" {
		t.Errorf("Claude Code: exit %d\n%s\n%s", got.Exit, got.Stdout, got.Stderr)
	}
}

// holdsNothing looks at every file of the home folder for what the clouds gave.
func (l *laptop) holdsNothing(t *testing.T) {
	t.Helper()
	keys := l.prints(t, "credential", "aws")
	var printed struct{ SecretAccessKey, SessionToken string }
	if err := json.Unmarshal([]byte(keys), &printed); err != nil || printed.SecretAccessKey == "" {
		t.Fatal(err)
	}
	token := strings.TrimSpace(l.prints(t, "credential", "gcp", "--format", "token"))
	err := filepath.WalkDir(l.home, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil // Claude Code removes its own while it ends
		}
		raw, err := os.ReadFile(path)
		for _, s := range []string{printed.SecretAccessKey, printed.SessionToken, token} {
			if strings.Contains(string(raw), s) {
				t.Errorf("%s holds a cloud's credential", path)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if got := l.run(t, "logout"); got.Exit != 0 {
		t.Fatal(got.Stderr)
	}
	left, err := filepath.Glob(filepath.Join(l.env["XDG_RUNTIME_DIR"], "gatehouse", "cloud-*"))
	if err != nil || len(left) != 0 {
		t.Errorf("after signing out there are %v, %v", left, err)
	}
	if got := l.run(t, "credential", "aws"); got.Exit != 3 || got.Stdout != "" {
		t.Errorf("after signing out: %+v", got)
	}
	if got := l.run(t, "credential", "gcp"); got.Exit != 0 || !strings.Contains(got.Stdout, `"success":false`) {
		t.Errorf("after signing out Google's library is told %+v", got)
	}
}

// TestNoWayIntoAnotherCloud tries what members are told where there is no way.
func TestNoWayIntoAnotherCloud(t *testing.T) {
	t.Parallel()
	l := newLaptop(t)
	o := l.Sample.Organization
	for _, name := range cloudaccess.Clouds() {
		if name != cloudaccess.AWS {
			if err := l.Server.Rooms().CloudAccess.Remove(t.Context(), caller.OfSystem(o), o, name); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, tt := range []struct {
		args string
		exit int
		says string
	}{
		{"credential azure", 5, "no way straight into azure"},
		{"credential aws --format csv", 2, "choose one of process, export"},
		{"env --direct=oracle", 2, "choose aws, gcp or azure"},
		{"run --direct --private -- true", 2, "past it"},
		{"setup claude-code --door direct --scope managed --server https://gate.example.com", 2, "user's settings"},
		{"setup claude-code --cloud aws", 2, "--door direct"},
		{"setup claude-code --door direct --cloud gcp --yes", 5, "no way straight into gcp"},
	} {
		if got := l.run(t, strings.Fields(tt.args)...); got.Exit != tt.exit || !strings.Contains(got.Stderr, tt.says) || got.Stdout != "" {
			t.Errorf("gatehouse %s: %+v", tt.args, got)
		}
	}
	l.env["AWS_ENDPOINT_URL_STS"] = "http://127.0.0.1:1"
	if got := l.run(t, "credential", "aws"); got.Exit != 4 || strings.Contains(got.Stderr, "eyJ") {
		t.Errorf("a token service that is down: %+v", got)
	}
}
