package claude_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/testkit/claude"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/terminal"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/upstream"
)

// gateway is the least that the client's own sign-in needs.
func gateway(t *testing.T, api *upstream.Server, approved *atomic.Bool) string {
	t.Helper()
	target, err := url.Parse(api.URL)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	answer := func(pattern string, make func(r *http.Request) (int, any)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			status, body := make(r)
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(body)
		})
	}
	answer("GET /.well-known/oauth-authorization-server", func(*http.Request) (int, any) {
		return 200, map[string]any{"issuer": server.URL, "device_authorization_endpoint": server.URL + "/oauth/device_authorization",
			"token_endpoint": server.URL + "/oauth/token", "gateway_protocol_version": 1,
			"grant_types_supported": []string{"urn:ietf:params:oauth:grant-type:device_code", "refresh_token"}}
	})
	answer("POST /oauth/device_authorization", func(*http.Request) (int, any) {
		return 200, map[string]any{"device_code": "dev", "user_code": "WDJB-MJHT", "verification_uri": server.URL + "/device",
			"verification_uri_complete": server.URL + "/device?user_code=WDJB-MJHT", "expires_in": 600, "interval": 1}
	})
	answer("POST /oauth/token", func(r *http.Request) (int, any) {
		if !approved.Load() || r.FormValue("device_code") != "dev" {
			return 400, map[string]any{"error": "authorization_pending"}
		}
		return 200, map[string]any{"access_token": "gateway-token", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "r"}
	})
	answer("GET /managed/settings", func(*http.Request) (int, any) { return 404, map[string]any{} })
	mux.Handle("/v1/messages", httputil.NewSingleHostReverseProxy(target))
	return server.URL
}

func TestSignInOnAScreen(t *testing.T) {
	t.Parallel()
	claude.NeedManaged(t)
	api := upstream.New(t)
	var approved atomic.Bool
	o := claude.Options{Home: claude.Home(t), Managed: claude.GatewayOnly(gateway(t, api, &approved))}
	x := claude.Interactive(t, o)
	claude.SignIn(t, x, func(code string) {
		if code != "WDJB-MJHT" {
			t.Errorf("the code on the screen is %q", code)
		}
		approved.Store(true)
	})
	x.Type("hello")
	x.Expect(`❯ hello`)
	x.Type(terminal.Enter)
	x.Expect(strings.TrimSpace(upstream.Text(12)))
	if got := lastCredential(api); got != "Bearer gateway-token" {
		t.Errorf("the credential is %q", got)
	}
	// The session lasts: the next run needs no screen.
	if got := claude.Run(t, o); got.Exit != 0 {
		t.Errorf("%+v", got)
	}
}
