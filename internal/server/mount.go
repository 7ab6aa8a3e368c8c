package server

import (
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/door/console"
	"github.com/gatehouse-dev/gatehouse/internal/door/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/door/route"
	"github.com/gatehouse-dev/gatehouse/internal/id"
)

// OpenRoutes is every pattern that is served without a credential, and why it
// may be. A route that is not here and does not ask for a credential fails a
// test. Patterns without a method are not listed: they answer 404 or 405 and
// nothing else, which is tested too.
var OpenRoutes = map[string]string{
	"GET /healthz": "load balancers have no credential, and it tells nothing",
	"GET /readyz":  "load balancers have no credential, and it tells nothing",
	"GET /metrics": "only in the demo; elsewhere it has an address or a token of its own",

	"GET /.well-known/oauth-authorization-server":               "RFC 8414: how to sign in",
	"GET /.well-known/jwks.json":                                "RFC 7517: public keys",
	"GET /oidc/{organization}/.well-known/openid-configuration": "OpenID Connect Discovery: clouds look here for keys",
	"GET /oidc/{organization}/jwks.json":                        "RFC 7517: public keys",
	"POST /oauth/device_authorization":                          "RFC 8628: the beginning of a sign-in; limited by address",
	"POST /oauth/token":                                         "RFC 6749: the code or refresh token is the credential",
	"POST /v1/oauth/token":                                      "the same for SDKs: the refresh token is the credential",
	"POST /oauth/revoke":                                        "RFC 7009: the token is the credential",

	"POST /setup-report": "a machine that is not signed in yet reports with a set-up code, which can do nothing else; limited by address and member",

	"HEAD /{$}":                          "a client's warm-up, before it has a credential",
	"HEAD /api/hello":                    "a client's warm-up, before it has a credential",
	"HEAD /bedrock/{$}":                  "a client's warm-up, before it has a credential",
	"HEAD /vertex/v1/{$}":                "a client's warm-up, before it has a credential",
	"HEAD /foundry/anthropic/{$}":        "a client's warm-up, before it has a credential",
	"GET /v1/organizations/openapi.json": "the description of the Admin API, the same for everybody",

	"GET /protocol":    "the description of what is served here",
	"POST /v1/metrics": "telemetry is taken and thrown away, within a bound",
	"POST /v1/logs":    "telemetry is taken and thrown away, within a bound",
	"POST /v1/traces":  "telemetry is taken and thrown away, within a bound",

	"GET /assets/{name}":           "style sheet and scripts, the same for everybody",
	"GET /setup/{token}":           "the one-time link is the credential",
	"POST /setup/{token}":          "the one-time link is the credential",
	"GET /link/{token}":            "the one-time link is the credential",
	"POST /link/{token}":           "the one-time link is the credential",
	"GET /sign-in":                 "where people show who they are",
	"POST /sign-in":                "where people show who they are; limited by account and address",
	"POST /sign-in/passkey":        "asks a browser for a passkey; limited by address, and kept for minutes",
	"POST /sign-in/passkey/answer": "where people show who they are; limited by address",
	"GET /sign-in/step":            "the token of the first step is the credential",
	"POST /sign-in/step":           "the token of the first step is the credential; limited by account and address",
	"POST /sign-in/step/passkey":   "the token of the first step is the credential; limited by account and address",
	"GET /forgot":                  "for whoever cannot sign in",
	"POST /forgot":                 "for whoever cannot sign in; limited by address typed and network, and answers the same to all",
	"GET /reset/{token}":           "the one-time link is the credential",
	"POST /reset/{token}":          "the one-time link is the credential",
	"GET /undo/{token}":            "the one-time link is the credential",
	"POST /undo/{token}":           "the one-time link is the credential",
	"GET /sign-up":                 "for whoever has no account, where the operator allows it",
	"POST /sign-up":                "for whoever has no account, where the operator allows it; limited by address typed and network, and answers the same to all",
	"GET /sign-up/{token}":         "the one-time link is the credential",
	"POST /sign-up/{token}":        "the one-time link is the credential",
	"GET /invite/{token}":          "the invitation's link is the credential; guesses are limited by network",
	"POST /invite/{token}":         "the invitation's link is the credential; guesses are limited by network",
	"GET /join/{token}":            "the invite link is the credential; guesses are limited by network",
	"POST /join/{token}":           "the invite link is the credential; limited by network and link, and answers the same to all addresses",
	"POST /sign-out":               "ends the session that it is sent with, and nothing else",
	"POST /theme":                  "remembers light or dark in a cookie",
}

// mount puts every door's routes on one mux and returns them. This is the only
// place where routes are wired in.
func (s *Server) mount() (*http.ServeMux, []route.Route) {
	mux := http.NewServeMux()
	all := slices.Concat(s.healthRoutes(), s.metrics.routes(s.cfg), s.doors.oauth.Routes(), s.doors.admin.Routes(), s.doors.setup.Routes())
	for _, r := range all {
		mux.Handle(r.Pattern, withRequestID(r.Handler))
	}
	// These two give their answers ids themselves: the first is in a hurry, and
	// the second shows them to people.
	s.doors.gateway.Mount(mux)
	for _, r := range gateway.Routes() {
		all = append(all, route.Route{Pattern: r.Pattern, Open: !r.Credential})
	}
	s.doors.console.Mount(mux)
	for _, r := range console.Routes() {
		all = append(all, route.Route{Pattern: r.Pattern, Open: !r.Credential})
	}
	return mux, all
}

// withRequestID gives every answer an id and the headers that all should have.
func withRequestID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Request-Id", string(id.NewRequest()))
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

// bodyWithin is how long a request's body may take to arrive, unless the door
// that reads it says otherwise.
const bodyWithin = 30 * time.Second

// survive is around everything: a body must arrive in time, and a handler that
// panics is written down and its connection cut, so that half an answer never
// looks like a whole one.
func (s *Server) survive(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			if cause != http.ErrAbortHandler {
				s.cfg.Log.LogAttrs(r.Context(), slog.LevelError, "a handler panicked", slog.String("route", r.Pattern),
					slog.String("request_id", w.Header().Get("Request-Id")), slog.Any("panic", cause), slog.String("stack", string(debug.Stack())))
			}
			panic(http.ErrAbortHandler)
		}()
		if r.ContentLength != 0 {
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyWithin))
		}
		next.ServeHTTP(w, r)
	})
}
