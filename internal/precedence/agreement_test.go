package precedence_test

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/precedence"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/claude"
)

// measured is what the real Claude Code did in every scene. It is written anew
// with GATEHOUSE_MEASURE=all, which takes some minutes.
const measured = "testdata/measured.txt"

// outcome is what left the machine: the two headers, and where they went.
type outcome struct{ authorization, key, at string }

func (o outcome) String() string {
	if o.at == "" {
		return "nothing"
	}
	return strings.TrimSpace(fmt.Sprintf("%s authorization=%s key=%s", o.at, o.authorization, o.key))
}

// api stands in for every endpoint. It keeps the first request for a model, and
// refuses it so that nobody tries again.
type api struct {
	*httptest.Server
	mu    sync.Mutex
	first *outcome
}

func listen(t testing.TB) *api {
	a := &api{}
	a.Server = httptest.NewServer(a)
	t.Cleanup(a.Close)
	return a
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/json")
	switch path := r.URL.Path; {
	case strings.HasSuffix(path, "/oauth/token"):
		_, _ = io.WriteString(w, `{"access_token":"EXCHANGED-token","token_type":"Bearer","expires_in":3600}`)
	case strings.Contains(path, "/managed/settings"):
		_, _ = io.WriteString(w, `{"uuid":"sha256:a","checksum":"sha256:a","settings":{}}`)
	case strings.Contains(path, "/messages"), strings.Contains(path, "invoke"), strings.Contains(path, "Predict"):
		a.mu.Lock()
		if a.first == nil {
			place, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
			a.first = &outcome{strings.TrimSpace(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer")), r.Header.Get("X-Api-Key"), place}
		}
		a.mu.Unlock()
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"type":"error","error":{"type":"invalid_request_error","message":"no"}}`)
	default:
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{}`)
	}
}

// measure runs Claude Code in a scene.
func (s scene) measure(t testing.TB) outcome {
	t.Helper()
	server, home := listen(t), claude.Home(t)
	all := s.lay(t, home, server.URL)
	maps.Copy(all, map[string]string{"NO_PROXY": "*", "CLAUDE_CODE_MAX_RETRIES": "0", "AWS_EC2_METADATA_DISABLED": "true"})
	o := claude.Options{Home: home, Env: all, DropIns: map[string]string{}}
	if raw, err := os.ReadFile(filepath.Join(home, "managed", "managed-settings.json")); err == nil {
		claude.NeedManaged(t)
		o.Managed = string(raw)
		if more, err := os.ReadFile(filepath.Join(home, "managed", "managed-settings.d", "10-more.json")); err == nil {
			o.DropIns["10-more.json"] = string(more)
		}
	}
	claude.Run(t, o)
	server.mu.Lock()
	defer server.mu.Unlock()
	if server.first == nil {
		return outcome{}
	}
	return *server.first
}

// predict is what we say would leave the machine.
func (s scene) predict(t testing.TB) outcome {
	t.Helper()
	home := t.TempDir()
	all := s.lay(t, home, "http://127.0.0.1:1")
	m := s.machine(home, all)
	f := precedence.Read(t.Context(), m)
	c := precedence.Decide(f)
	if c.Winner == "" || c.Refused != "" || stops(f, c.Winner) {
		return outcome{}
	}
	place := strings.TrimPrefix(c.Endpoint, "http://127.0.0.1:1/")
	place, _, _ = strings.Cut(place, "/")
	if strings.HasPrefix(c.Endpoint, "https:") { // where no request of a test can go
		return outcome{}
	}
	return outcome{s.header(m, f, c.Authorization), s.header(m, f, c.Key), place}
}

// stops says that Claude Code chooses a profile which it then cannot use.
func stops(f precedence.Facts, winner precedence.Name) bool {
	return winner == precedence.Profile && f.Found[winner].Problem != ""
}

// header is the value that a source sends in this scene.
func (s scene) header(m precedence.Machine, f precedence.Facts, n precedence.Name) string {
	switch n {
	case precedence.Gateway:
		if f.Found[n].Problem != "" {
			return "undefined" // there is no token to send
		}
		return "GATEWAY-token"
	case precedence.Bedrock, precedence.Mantle:
		return "BEDROCK-key"
	case precedence.Foundry:
		return "FOUNDRY-key"
	case precedence.AWS:
		return "AWS-key"
	case precedence.Federation:
		return "EXCHANGED-token"
	case precedence.Profile:
		if f.Federates {
			return "EXCHANGED-token"
		}
		return "PROFILE-" + strings.TrimSuffix(filepath.Base(f.Found[n].Where), ".json")
	case precedence.Login:
		return "LOGIN-token"
	case precedence.StoredKey:
		return "STORED-key"
	case precedence.Headers:
		_, value, _ := strings.Cut(s.env["ANTHROPIC_CUSTOM_HEADERS"], ":")
		return strings.TrimPrefix(strings.TrimSpace(value), "Bearer ")
	case precedence.Helper:
		line := precedence.HelperLine(m)
		return strings.TrimPrefix(line, "echo ")
	case precedence.AuthToken:
		return precedence.Effective(m, "ANTHROPIC_AUTH_TOKEN")
	case precedence.APIKey:
		return precedence.Effective(m, "ANTHROPIC_API_KEY")
	case precedence.OAuthToken:
		return precedence.Effective(m, "CLAUDE_CODE_OAUTH_TOKEN")
	}
	return ""
}

func recorded(t testing.TB) map[string]string {
	t.Helper()
	f, err := os.Open(measured)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all := map[string]string{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if name, what, ok := strings.Cut(lines.Text(), "\t"); ok {
			all[name] = what
		}
	}
	return all
}

// Every pair of sources, and every trap: what we say is what Claude Code did.
func TestEveryScene(t *testing.T) {
	t.Parallel()
	if os.Getenv("GATEHOUSE_MEASURE") == "all" {
		t.Skip("being measured")
	}
	want, seen := recorded(t), map[string]bool{}
	for _, s := range scenes() {
		if seen[s.name] {
			t.Errorf("%s is there twice", s.name)
		}
		seen[s.name] = true
		if got := s.predict(t).String(); got != want[s.name] {
			t.Errorf("%s\n  we say           %s\n  Claude Code did  %s", s.name, got, want[s.name])
		}
	}
	if len(want) != len(seen) {
		t.Errorf("%d scenes were measured, there are %d", len(want), len(seen))
	}
}

// The real Claude Code still does what was measured.
func TestClaudeCodeAgrees(t *testing.T) {
	t.Parallel()
	all := os.Getenv("GATEHOUSE_MEASURE") == "all"
	var mu sync.Mutex
	var lines []string
	t.Run("scenes", func(t *testing.T) {
		want := map[string]string{}
		if !all {
			want = recorded(t)
		}
		for _, s := range scenes() {
			if !s.live && !all {
				continue
			}
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				got := s.measure(t).String()
				if !all && got != want[s.name] {
					t.Errorf("Claude Code did %s, and not %s", got, want[s.name])
				}
				mu.Lock()
				defer mu.Unlock()
				lines = append(lines, s.name+"\t"+got+"\n")
			})
		}
	})
	if all {
		slices.Sort(lines)
		if err := os.WriteFile(measured, []byte(strings.Join(lines, "")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
