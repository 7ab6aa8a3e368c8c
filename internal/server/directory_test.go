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

// TestOwnersSeeHowUpstreamsDo has the only upstream fail until it is passed over.
func TestOwnersSeeHowUpstreamsDo(t *testing.T) {
	t.Parallel()
	up := upstream.New(t)
	w := nodes.Start(t, nodes.Options{UpstreamURL: up.URL})
	owner := w.SignIn(t, w.Sample.Owner)
	page := func() string {
		status, body := owner.Get(t, "/upstreams")
		if status != http.StatusOK {
			t.Fatalf("the list: %d %s", status, body)
		}
		return body
	}
	if body := page(); !strings.Contains(body, "Not used yet") {
		t.Errorf("before any request:\n%s", body)
	}
	ask(t, w.URL, w.Sample.APIKey.Reveal())
	if body := page(); !strings.Contains(body, ">Active<") || strings.Contains(body, "Not used yet") {
		t.Errorf("after a good answer:\n%s", body)
	}
	up.Always(upstream.Plan{Status: http.StatusServiceUnavailable})
	for range 10 {
		ask(t, w.URL, w.Sample.APIKey.Reveal())
	}
	if body := page(); !strings.Contains(body, "Passed over") || !strings.Contains(body, "Tried again") {
		t.Errorf("after ten failures:\n%s", body)
	}
	status, body := w.SignIn(t, w.Sample.Member).Get(t, "/upstreams")
	if status != http.StatusForbidden || strings.Contains(body, "Passed over") {
		t.Errorf("to a member: %d", status)
	}
}
