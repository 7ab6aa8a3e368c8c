package server_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/server"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/nodes"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/upstream"
)

// TestUpstreamsOnThisMachine connects upstreams that only somebody on the
// server's own machine could mean. They are asked only if whoever runs the
// server allows that.
func TestUpstreamsOnThisMachine(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, host string
		allow      bool
	}{
		{"by address", "127.0.0.1", false}, {"by name", "localhost", false}, {"mapped", "[::ffff:127.0.0.1]", false},
		{"by address, allowed", "127.0.0.1", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			up := upstream.New(t)
			w := nodes.Start(t, nodes.Options{UpstreamURL: strings.Replace(up.URL, "127.0.0.1", c.host, 1), Change: func(cfg *server.Config) { cfg.AllowLocal = c.allow }})
			request, _ := http.NewRequestWithContext(t.Context(), "POST", w.URL+"/v1/messages", strings.NewReader(`{"model":"claude-sonnet-4-6","max_tokens":5,"messages":[]}`))
			request.Header.Set("x-api-key", w.Sample.APIKey.Reveal())
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			body, _ := io.ReadAll(response.Body)
			asked := up.Count(upstream.Messages) > 0
			if c.allow && (!asked || response.StatusCode != http.StatusOK) {
				t.Errorf("answered %d %s", response.StatusCode, body)
			}
			if !c.allow && (asked || response.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(body), "does not connect to") || strings.Contains(string(body), "127.0.0.1")) {
				t.Errorf("asked: %v, answered %d %s", asked, response.StatusCode, body)
			}
		})
	}
}
