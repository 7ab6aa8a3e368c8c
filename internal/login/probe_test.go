package login_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/login"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// A probe asks the least costly model once, sends the token to this server
// alone, and says what the server says.
func TestProbe(t *testing.T) {
	t.Parallel()
	const models, answer = `{"data":[{"id":"claude-opus-5"},{"id":"claude-haiku-4-5"},{"id":"claude-sonnet-5"}]}`, `{"type":"message"}`
	stranger := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the token went to a stranger") }))
	t.Cleanup(stranger.Close)
	for name, tt := range map[string]struct {
		models, answer string
		status         int // of the answer
		redirect       bool
		kind           fault.Kind
		says           string
	}{
		"answered":         {models: models, answer: answer, status: 200},
		"no model":         {models: `{"data":[]}`, kind: fault.Unsupported},
		"signed out":       {models: models, answer: `{"error":{"message":"the session has ended"}}`, status: 401, kind: fault.Unauthenticated, says: "the session has ended"},
		"denied":           {models: models, answer: `{"error":{"message":"not \u001b[31myou"}}`, status: 403, kind: fault.Denied, says: "not [31myou"},
		"spent":            {models: models, answer: `{}`, status: 402, kind: fault.Billing, says: "answered 402"},
		"too many":         {models: models, answer: ``, status: 429, kind: fault.RateLimited, says: "answered 429"},
		"broken":           {models: models, answer: `<html>`, status: 502, kind: fault.Unavailable, says: "answered 502"},
		"HTML":             {models: models, answer: `<html>`, status: 200, kind: fault.Invalid, says: "not JSON"},
		"something else":   {models: models, answer: `{"type":"completion"}`, status: 200, kind: fault.Invalid, says: "none of a model"},
		"HTML for models":  {models: `<html>`, kind: fault.Invalid, says: "not JSON"},
		"redirects":        {models: models, redirect: true, kind: fault.Invalid, says: "answered 307"},
		"too many, models": {models: strings.Repeat(" ", 2<<20), kind: fault.Unavailable},
	} {
		for _, twice := range []bool{false, true} {
			asked := 0
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") != "Bearer canary" || (r.Header.Get("X-Api-Key") == "canary") != twice {
					t.Errorf("%s: %v", name, r.Header)
				}
				if r.URL.Path == "/v1/models" {
					_, _ = io.WriteString(w, tt.models)
					return
				}
				asked++
				if body, _ := io.ReadAll(r.Body); !strings.Contains(string(body), `"claude-haiku-4-5"`) || !strings.Contains(string(body), `"max_tokens":1`) {
					t.Errorf("%s: asked %s", name, body)
				}
				if tt.redirect {
					http.Redirect(w, r, stranger.URL, http.StatusTemporaryRedirect)
					return
				}
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.answer)
			}))
			c := &login.Client{Agent: "gatehouse/test", Now: time.Now}
			model, err := c.Probe(t.Context(), s.URL, secret.New("canary"), twice)
			s.Close()
			switch {
			case tt.answer == answer && (err != nil || model != "claude-haiku-4-5"):
				t.Errorf("%s: %q, %v", name, model, err)
			case tt.answer != answer && (err == nil || fault.KindOf(err) != tt.kind || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "canary")):
				t.Errorf("%s: %q, %v", name, model, err)
			}
			if asked > 1 {
				t.Errorf("%s: asked %d times", name, asked)
			}
		}
	}
}
