package envelope

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

func TestWrite(t *testing.T) {
	t.Parallel()
	cause := errors.New("canary: dial tcp 10.0.0.1")
	for _, c := range []struct {
		name   string
		err    error
		status int
		body   string
		header map[string]string
	}{
		{"invalid", fault.New(fault.Invalid, "model is required"), 400, `{"type":"error","error":{"type":"invalid_request_error","message":"model is required"},"request_id":"req_1"}`, nil},
		{"with a hint", fault.New(fault.Denied, "no").WithHint("ask"), 403, `{"type":"error","error":{"type":"permission_error","message":"no: ask"},"request_id":"req_1"}`, nil},
		{"with a code", fault.New(fault.NotFound, "no").Coded("gone"), 404, `{"type":"error","error":{"type":"not_found_error","message":"no","details":{"error_code":"gone"}},"request_id":"req_1"}`, nil},
		{"no fault at all", cause, 503, `{"type":"error","error":{"type":"api_error","message":"something went wrong on this server; its log knows more under the request id"},"request_id":"req_1"}`, nil},
		{"unavailable", fault.Wrap(fault.Unavailable, cause, "not now").After(1500 * time.Millisecond), 503, `{"type":"error","error":{"type":"api_error","message":"not now"},"request_id":"req_1"}`, map[string]string{"Retry-After": "2"}},
		{"wrapped in more", fmt.Errorf("doing it: %w", fault.New(fault.Overloaded, "busy")), 529, `{"type":"error","error":{"type":"overloaded_error","message":"busy"},"request_id":"req_1"}`, nil},
		{"billing", fault.New(fault.Billing, "spent"), 429, `{"type":"error","error":{"type":"billing_error","message":"spent"},"request_id":"req_1"}`, map[string]string{"X-Should-Retry": "false"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			Write(w, "req_1", c.err)
			if w.Code != c.status || w.Body.String() != c.body || w.Header().Get("Request-Id") != "req_1" || strings.Contains(w.Body.String(), "canary") {
				t.Errorf("answered %d %s", w.Code, w.Body)
			}
			for name, value := range c.header {
				if got := w.Header().Get(name); got != value {
					t.Errorf("%s: %q", name, got)
				}
			}
		})
	}
}

// TestEveryKind goes through all kinds there are: each has a wire form, and only
// a credential's own faults are answered with 401 and 403.
func TestEveryKind(t *testing.T) {
	t.Parallel()
	for kind := fault.Internal; kind <= fault.Timeout; kind++ {
		status := Status(fault.New(kind, "x"))
		if status < 400 || wires[kind].kind == "" {
			t.Errorf("%v has no wire form", kind)
		}
		if (status == http.StatusUnauthorized) != (kind == fault.Unauthenticated) || (status == http.StatusForbidden) != (kind == fault.Denied) {
			t.Errorf("%v is answered with %d", kind, status)
		}
	}
	if len(wires) != int(fault.Timeout)+1 {
		t.Errorf("%d wire forms", len(wires))
	}
}
