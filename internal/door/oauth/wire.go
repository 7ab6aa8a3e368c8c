package oauth

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/oauth"
)

// maxBody is far more than any request of these endpoints needs.
const maxBody = 64 << 10

// params are a request's parameters, each once.
type params map[string]string

func (p params) get(name string) string { return p[name] }

// readForm reads a form body. An empty body is an empty form: Claude Code begins
// its sign-in with one.
func readForm(w http.ResponseWriter, r *http.Request) (params, error) {
	raw, err := readBody(w, r)
	if err != nil || len(raw) == 0 {
		return params{}, err
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, invalid("the body must be a form, application/x-www-form-urlencoded")
	}
	return parseForm(raw)
}

func parseForm(raw []byte) (params, error) {
	values, err := url.ParseQuery(string(raw))
	if err != nil {
		return nil, invalid("the body is not a well-formed form")
	}
	form := params{}
	for name, all := range values {
		if len(all) > 1 {
			return nil, invalid("a parameter is there more than once")
		}
		if !utf8.ValidString(name) || !utf8.ValidString(all[0]) {
			return nil, invalid("the form is not UTF-8")
		}
		form[name] = all[0]
	}
	return form, nil
}

// readObject reads a JSON object and keeps its string members.
func readObject(w http.ResponseWriter, r *http.Request) (params, error) {
	raw, err := readBody(w, r)
	if err != nil {
		return nil, err
	}
	return parseObject(raw)
}

func parseObject(raw []byte) (params, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, invalid("the body must be a JSON object")
	}
	object := params{}
	seen := map[string]bool{}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, invalid("the body is not well-formed JSON")
		}
		if seen[name.(string)] { // the decoder gives nothing but strings as names
			return nil, invalid("a member is there more than once")
		}
		seen[name.(string)] = true
		var value any
		if err := dec.Decode(&value); err != nil {
			return nil, invalid("the body is not well-formed JSON")
		}
		if s, ok := value.(string); ok {
			object[name.(string)] = s
		}
	}
	if _, err := dec.Token(); err != nil {
		return nil, invalid("the body is not well-formed JSON")
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, invalid("there is something after the JSON object")
	}
	return object, nil
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, fault.New(fault.TooLarge, "the body is larger than %d bytes", maxBody)
	}
	if err != nil {
		return nil, invalid("the body did not arrive whole")
	}
	return raw, nil
}

func invalid(description string) error {
	return &oauth.Error{Code: "invalid_request", Description: description}
}

type wireError struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

func (d *Door) fail(w http.ResponseWriter, r *http.Request, err error) {
	status, code, description := wire(err)
	if status >= 500 {
		d.cfg.Log.LogAttrs(r.Context(), slog.LevelError, "a request failed", slog.String("route", r.Pattern),
			slog.String("request_id", w.Header().Get("Request-Id")), slog.String("error", err.Error()))
		writeRetry(w, status, code, description, 2*time.Second)
		return
	}
	if f, ok := errors.AsType[*fault.Error](err); ok && f.RetryAfter > 0 {
		writeRetry(w, status, code, description, f.RetryAfter)
		return
	}
	writeJSON(w, status, wireError{code, description})
}

func writeRetry(w http.ResponseWriter, status int, code, description string, wait time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	writeJSON(w, status, wireError{code, description})
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // the client has gone: nobody to tell
}
