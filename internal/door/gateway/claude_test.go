package gateway_test

import (
	"strings"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/claude"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/cloud"
	testupstream "github.com/gatehouse-dev/gatehouse/internal/testkit/upstream"
)

// The real Claude Code, set to each cloud, is answered by the upstream of another,
// and streams: it does not fall back to answers that come whole.
func TestClaudeCodeSetToACloud(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		upstream string
		env      map[string]string // URL stands for the server's address
	}{
		"bedrock": {"vertex", map[string]string{"CLAUDE_CODE_USE_BEDROCK": "1", "CLAUDE_CODE_SKIP_BEDROCK_AUTH": "1", "AWS_REGION": "us-east-1",
			"AWS_EC2_METADATA_DISABLED": "true", "ANTHROPIC_BEDROCK_BASE_URL": "URL/bedrock", "ANTHROPIC_AUTH_TOKEN": key}},
		"bedrock by bearer": {"bedrock", map[string]string{"CLAUDE_CODE_USE_BEDROCK": "1", "AWS_REGION": "us-east-1",
			"AWS_EC2_METADATA_DISABLED": "true", "ANTHROPIC_BEDROCK_BASE_URL": "URL/bedrock", "AWS_BEARER_TOKEN_BEDROCK": key}},
		"vertex": {"foundry", map[string]string{"CLAUDE_CODE_USE_VERTEX": "1", "CLAUDE_CODE_SKIP_VERTEX_AUTH": "1", "CLOUD_ML_REGION": "us-east5",
			"ANTHROPIC_VERTEX_PROJECT_ID": "p", "ANTHROPIC_VERTEX_BASE_URL": "URL/vertex/v1", "ANTHROPIC_AUTH_TOKEN": key}},
		"foundry":  {"bedrock", map[string]string{"CLAUDE_CODE_USE_FOUNDRY": "1", "ANTHROPIC_FOUNDRY_BASE_URL": "URL/foundry/anthropic", "ANTHROPIC_FOUNDRY_API_KEY": key}},
		"messages": {"bedrock", map[string]string{"ANTHROPIC_BASE_URL": "URL", "ANTHROPIC_AUTH_TOKEN": key}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := cloud.New(t)
			f := newFront(t)
			f.route = &gateway.Route{Upstreams: []gateway.Upstream{clouds(t, s)[tt.upstream]}}
			env := map[string]string{}
			for k, v := range tt.env {
				env[k] = strings.Replace(v, "URL", f.url, 1)
			}
			// Once each: what fails is seen, and not tried again.
			env["CLAUDE_CODE_MAX_RETRIES"], env["ANTHROPIC_MODEL"] = "0", "claude-sonnet-4-5-20250929"
			if strings.HasPrefix(name, "bedrock") {
				env["ANTHROPIC_MODEL"] = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
			}
			got := claude.Run(t, claude.Options{Env: env})
			if got.Exit != 0 || !strings.Contains(got.Stdout, "word1") {
				t.Fatalf("exit %d, %s %s", got.Exit, got.Stdout, got.Stderr)
			}
			streamed := 0
			for _, r := range s.Model.Requests() {
				if r.Kind == testupstream.Messages && r.Asked.Stream {
					streamed++
				} else if len(r.Body) > 10<<10 {
					t.Errorf("a whole conversation was sent without streaming: %.200s", r.Body)
				}
			}
			if streamed == 0 {
				t.Error("nothing was streamed")
			}
		})
	}
}
