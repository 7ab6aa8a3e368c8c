package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/server"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/nodes"
)

// TestOpenRoutesAreTheListed compares what the doors mounted with the one list
// of what may be served without a credential.
func TestOpenRoutesAreTheListed(t *testing.T) {
	t.Parallel()
	w := nodes.Start(t, nodes.Options{})
	open := map[string]bool{}
	for _, r := range w.Server.Mounted() {
		if r.Open && strings.Contains(r.Pattern, " ") {
			open[r.Pattern] = true
			if server.OpenRoutes[r.Pattern] == "" {
				t.Errorf("%s is open and not in the list", r.Pattern)
			}
		}
	}
	for pattern := range server.OpenRoutes {
		if !open[pattern] {
			t.Errorf("%s is in the list of open routes and not served openly", pattern)
		}
	}
}

// TestEveryOtherRouteAsksWhoItIs sends a request without a credential to every
// route that is not open.
func TestEveryOtherRouteAsksWhoItIs(t *testing.T) {
	t.Parallel()
	w := nodes.Start(t, nodes.Options{})
	consent := url.Values{"response_type": {"code"}, "client_id": {"gatehouse"}, "redirect_uri": {"http://127.0.0.1:1/callback"},
		"code_challenge": {strings.Repeat("A", 43)}, "code_challenge_method": {"S256"}}.Encode()
	for _, r := range w.Server.Mounted() {
		method, path, ok := strings.Cut(r.Pattern, " ")
		if !ok {
			method, path = "PROPFIND", r.Pattern
		}
		if r.Open && ok {
			continue
		}
		path = strings.NewReplacer("{$}", "", "{id}", "x", "{token}", "x", "{name}", "x").Replace(path)
		req, err := http.NewRequest(method, w.URL+path+"?"+consent, strings.NewReader(consent))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		answer, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		signIn := answer.StatusCode == http.StatusSeeOther && strings.HasPrefix(answer.Header.Get("Location"), "/sign-in")
		nothing := r.Open && (answer.StatusCode == http.StatusNotFound || answer.StatusCode == http.StatusMethodNotAllowed)
		if answer.StatusCode != http.StatusUnauthorized && !signIn && !nothing {
			t.Errorf("%s answers %d %s to a stranger", r.Pattern, answer.StatusCode, answer.Header.Get("Location"))
		}
		if answer.Header.Get("Request-Id") == "" {
			t.Errorf("%s answers without a request-id", r.Pattern)
		}
	}
}
