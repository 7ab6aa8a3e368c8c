package gateway

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/door/envelope"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/id"
)

// Sessions is told what client a device session belongs to; *session.Service is.
type Sessions interface {
	NoteClient(ctx context.Context, who caller.Caller, version string) error
}

// Door serves the gateway's routes. Make it with New.
type Door struct {
	gateway  *gateway.Gateway
	sessions Sessions
	log      *slog.Logger
}

// New returns a Door to g. Without sessions nobody is told of clients' versions.
func New(g *gateway.Gateway, sessions Sessions, log *slog.Logger) *Door {
	return &Door{gateway: g, sessions: sessions, log: log}
}

// Wire is how this door writes errors; the gateway's Config wants it.
type Wire struct{}

// Status is the HTTP status of an error.
func (Wire) Status(err error) int { return envelope.Status(err) }

// Body is an error as one line of JSON.
func (Wire) Body(requestID string, err error) []byte { return envelope.Body(requestID, err) }

// Route is one pattern of the door.
type Route struct {
	Pattern    string // as http.ServeMux understands it
	Credential bool   // whether a request without a good credential is refused
}

type handler func(d *Door, w http.ResponseWriter, r *http.Request, request id.Request)

type route struct {
	Route
	serve handler
}

// routes is all there is. Patterns without a method answer every other one.
func routes() []route {
	open := func(pattern string, serve handler) route { return route{Route{pattern, false}, serve} }
	exchange := func(pattern string, op gateway.Operation) route {
		return route{Route{pattern, true}, func(d *Door, w http.ResponseWriter, r *http.Request, request id.Request) {
			d.exchange(w, r, request, op, nil)
		}}
	}
	admitted := func(pattern string, serve func(*Door, http.ResponseWriter, *http.Request, id.Request, caller.Caller)) route {
		return route{Route{pattern, true}, admit(serve)}
	}
	return append(cloudRoutes(), []route{
		exchange("POST /v1/messages", gateway.Messages),
		exchange("POST /v1/messages/count_tokens", gateway.CountTokens),
		admitted("GET /v1/models", (*Door).models),
		admitted("GET /v1/models/{id}", (*Door).model),
		admitted("GET /managed/settings", (*Door).settings),
		open("HEAD /{$}", (*Door).hello),
		open("HEAD /api/hello", (*Door).hello),
		open("POST /v1/metrics", (*Door).telemetry),
		open("POST /v1/logs", (*Door).telemetry),
		open("POST /v1/traces", (*Door).telemetry),
		open("GET /protocol", (*Door).protocol),
		open("/v1/messages", notAllowed("POST")),
		open("/v1/messages/count_tokens", notAllowed("POST")),
		open("/v1/models", notAllowed("GET, HEAD")),
		open("/v1/models/{id}", notAllowed("GET, HEAD")),
		open("/managed/settings", notAllowed("GET, HEAD")),
		open("/api/hello", notAllowed("HEAD")),
		open("/v1/metrics", notAllowed("POST")),
		open("/v1/logs", notAllowed("POST")),
		open("/v1/traces", notAllowed("POST")),
		open("/protocol", notAllowed("GET, HEAD")),
		open("/v1/", (*Door).unknown),
	}...)
}

// Routes lists the door's patterns, for a test that compares them with the mux.
func Routes() []Route {
	var all []Route
	for _, r := range routes() {
		all = append(all, r.Route)
	}
	return all
}

// Mount adds the door's routes to a mux.
func (d *Door) Mount(mux *http.ServeMux) {
	for _, r := range routes() {
		mux.HandleFunc(r.Pattern, func(w http.ResponseWriter, req *http.Request) {
			request := id.NewRequest()
			greet(w.Header(), request)
			r.serve(d, w, req, request)
		})
	}
}

var (
	nosniff    = []string{"nosniff"}
	noReferrer = []string{"no-referrer"}
)

// greet sets what every answer of the door carries.
func greet(h http.Header, request id.Request) {
	h["Request-Id"] = []string{string(request)}
	h["X-Content-Type-Options"] = nosniff
	h["Referrer-Policy"] = noReferrer
}

// exchange serves a model request, which turn makes one of the Messages API if it
// is none.
func (d *Door) exchange(w http.ResponseWriter, r *http.Request, request id.Request, op gateway.Operation, turn gateway.Turn) {
	presented, err := credential(r.Header)
	if err == nil {
		err = d.gateway.Exchange(w, r, gateway.Ask{ID: request, Operation: op, Credential: presented, Turn: turn})
	}
	switch {
	case err == nil:
	case errors.Is(err, gateway.ErrCut):
		panic(http.ErrAbortHandler)
	default:
		d.fail(w, r, request, err)
	}
}

// admit is the step before every other route that needs a credential.
func admit(serve func(*Door, http.ResponseWriter, *http.Request, id.Request, caller.Caller)) handler {
	return func(d *Door, w http.ResponseWriter, r *http.Request, request id.Request) {
		presented, err := credential(r.Header)
		var who caller.Caller
		if err == nil {
			who, err = d.gateway.Admit(r.Context(), presented)
		}
		if err != nil {
			d.fail(w, r, request, err)
			return
		}
		w.Header()["Anthropic-Organization-Id"] = []string{string(who.Organization)}
		serve(d, w, r, request, who)
	}
}

// fail answers with an error, and writes down what the client is not told.
func (d *Door) fail(w http.ResponseWriter, r *http.Request, request id.Request, err error) {
	if kind := fault.KindOf(err); r.Context().Err() == nil && (kind == fault.Internal || (kind == fault.Unavailable && errors.Unwrap(err) != nil)) {
		d.log.LogAttrs(context.WithoutCancel(r.Context()), slog.LevelError, "a request failed",
			slog.String("request_id", string(request)), slog.String("route", r.Pattern), slog.String("error", err.Error()))
	}
	if fault.Is(err, fault.Unauthenticated) && !renewable(r.Header, time.Now()) {
		w.Header()["X-Should-Retry"] = []string{"false"}
	}
	envelope.Write(w, string(request), err)
}

// renewable reports whether a client could have a better credential for its next
// try: if what it sent is an access token that has expired. A key that was
// refused will be refused again, and so will a token that was taken back before
// its time; Claude Code would go on asking with it for minutes. The token is not
// verified, as nothing but the client's patience depends on it.
func renewable(h http.Header, now time.Time) bool {
	presented, _ := credential(h)
	parts := strings.Split(presented.Reveal(), ".")
	if len(parts) != 3 {
		return false
	}
	var claims struct {
		Expires int64 `json:"exp"`
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	return err == nil && json.Unmarshal(raw, &claims) == nil && claims.Expires > 0 && claims.Expires <= now.Unix()
}

func notAllowed(allowed string) handler {
	return func(d *Door, w http.ResponseWriter, r *http.Request, request id.Request) {
		w.Header().Set("Allow", allowed)
		envelope.WriteStatus(w, string(request), http.StatusMethodNotAllowed,
			fault.New(fault.Invalid, "this path does not take the method %s, only %s", r.Method, allowed))
	}
}

func (d *Door) unknown(w http.ResponseWriter, _ *http.Request, request id.Request) {
	envelope.Write(w, string(request), fault.New(fault.NotFound, "there is nothing at this path").WithHint("what this server speaks is described at /protocol"))
}
