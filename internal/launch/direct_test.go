package launch_test

import (
	"slices"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/launch"
)

func TestDirectLeavesNoRival(t *testing.T) {
	t.Parallel()
	d := launch.Direct{Variables: []launch.Variable{{Name: "CLAUDE_CODE_USE_BEDROCK", Value: "1"}, {Name: "AWS_REGION", Value: "eu-central-1"}}}
	for entry, goes := range map[string]bool{
		"AWS_ACCESS_KEY_ID=AKIA1": true, "AWS_BEARER_TOKEN_BEDROCK=x": true, "CLAUDE_CODE_USE_VERTEX=1": true, "CLAUDE_CODE_USE_VERTEX=0": false,
		"ANTHROPIC_BEDROCK_BASE_URL=http://127.0.0.1": true, "CLAUDE_CODE_SKIP_BEDROCK_AUTH=1": true, "GOOGLE_CLOUD_PROJECT=mine": true,
		"ANTHROPIC_API_KEY=x": false, "PATH=/bin": false, "AWS_ACCESS_KEY_ID=": false,
	} {
		env, taken := d.Clean("linux", []string{entry, "CLAUDE_CODE_USE_BEDROCK=0", "AWS_REGION=us-east-1"})
		if slices.Contains(env, entry) == goes || (len(taken) == 1) != goes {
			t.Errorf("%s: %v, %v", entry, env, taken)
		}
		if got := env[len(env)-2:]; !slices.Equal(got, []string{"CLAUDE_CODE_USE_BEDROCK=1", "AWS_REGION=eu-central-1"}) {
			t.Errorf("%s: %v", entry, env)
		}
	}
	names := d.Unset("linux", nil)
	if slices.Contains(names, "CLAUDE_CODE_USE_BEDROCK") || !slices.Contains(names, "AWS_SESSION_TOKEN") || !slices.Contains(names, "CLAUDE_CODE_USE_FOUNDRY") {
		t.Errorf("%v", names)
	}
}
