package simulated_test

import (
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/claude"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/simulated"
)

// Claude Code takes it for a model: it shows what the model says, and the error
// that the model was asked for.
func TestClaudeCode(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var all []simulated.Served
	server := httptest.NewServer(simulated.New("simulated").Handler(func(s simulated.Served) {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, s)
	}))
	t.Cleanup(server.Close)
	ask := func(text string) claude.Result {
		return claude.Run(t, claude.Options{Args: []string{"-p", text}, Env: map[string]string{"ANTHROPIC_BASE_URL": server.URL, "ANTHROPIC_API_KEY": "any"}})
	}
	if got := ask("Hello simulated friend"); got.Exit != 0 || !strings.Contains(got.Stdout, "You wrote: “Hello simulated friend”") {
		t.Errorf("%+v", got)
	}
	if got := ask("[simulate: words=5]"); got.Exit != 0 || strings.TrimSpace(got.Stdout) != "Nobody thought of these words," {
		t.Errorf("%+v", got)
	}
	if got := ask("[simulate: error=400]"); got.Exit != 1 || !strings.Contains(got.Stdout, "The message asked for this error.") {
		t.Errorf("%+v", got)
	}
	mu.Lock()
	defer mu.Unlock()
	for _, s := range all {
		if s.Operation == gateway.Messages && s.Status == 200 && (!s.Whole || s.Tokens.Input+s.Tokens.CacheWrite5m+s.Tokens.CacheWrite1h < 10_000 || s.Tokens.Output == 0) {
			t.Errorf("counted %+v", s.Tokens)
		}
	}
	if len(all) < 3 {
		t.Errorf("%d requests were counted", len(all))
	}
}
