package server

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/door/route"
)

// healthRoutes are for load balancers: healthz says that the process answers,
// readyz that it should be sent requests. They tell nothing else.
func (s *Server) healthRoutes() []route.Route {
	return []route.Route{
		{Pattern: "GET /healthz", Open: true, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { say(w, http.StatusOK, "ok") })},
		{Pattern: "GET /readyz", Open: true, Handler: http.HandlerFunc(s.ready)},
	}
}

func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	switch {
	case s.draining.Load():
		say(w, http.StatusServiceUnavailable, "shutting down")
	case s.db.Ping(ctx) != nil:
		say(w, http.StatusServiceUnavailable, "the database does not answer")
	default:
		say(w, http.StatusOK, "ready")
	}
}

func say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if status >= 500 {
		w.Header().Set("Retry-After", "2")
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text+"\n")
}
