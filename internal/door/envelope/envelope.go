package envelope

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

type wire struct {
	status int
	kind   string
}

var wires = map[fault.Kind]wire{
	fault.Internal:        {http.StatusServiceUnavailable, "api_error"},
	fault.Invalid:         {http.StatusBadRequest, "invalid_request_error"},
	fault.Unauthenticated: {http.StatusUnauthorized, "authentication_error"},
	fault.Denied:          {http.StatusForbidden, "permission_error"},
	fault.NotFound:        {http.StatusNotFound, "not_found_error"},
	fault.Conflict:        {http.StatusConflict, "conflict_error"},
	fault.TooLarge:        {http.StatusRequestEntityTooLarge, "request_too_large"},
	fault.RateLimited:     {http.StatusTooManyRequests, "rate_limit_error"},
	fault.Billing:         {http.StatusTooManyRequests, "billing_error"},
	fault.Unsupported:     {http.StatusNotImplemented, "not_supported"},
	fault.Unavailable:     {http.StatusServiceUnavailable, "api_error"},
	fault.Overloaded:      {529, "overloaded_error"},
	fault.Timeout:         {http.StatusGatewayTimeout, "timeout_error"},
}

// Envelope is the error as it travels.
type Envelope struct {
	Type      string `json:"type"` // "error"
	Error     Detail `json:"error"`
	RequestID string `json:"request_id,omitempty"`
}

// Detail is what an Envelope carries.
type Detail struct {
	Type    string `json:"type"`
	Message string `json:"message"`
	Details *Coded `json:"details,omitempty"` // of a fault that has a code
}

// Coded names a fault's cause, so that programs need not read its message.
type Coded struct {
	ErrorCode string `json:"error_code"`
}

// Status is the HTTP status of an error: 503 for one that is not a fault, as
// what went wrong here may go right in a moment.
func Status(err error) int { return wires[fault.KindOf(err)].status }

// Of makes the envelope of an error. An error that is not a fault is shown as
// an internal one, without its text.
func Of(requestID string, err error) Envelope {
	detail := Detail{Type: wires[fault.KindOf(err)].kind, Message: message(err)}
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Code != "" {
		detail.Details = &Coded{f.Code}
	}
	return Envelope{Type: "error", Error: detail, RequestID: requestID}
}

func message(err error) string {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Kind == fault.Internal {
		return "something went wrong on this server; its log knows more under the request id"
	}
	if f.Hint == "" {
		return f.Message
	}
	return f.Message + ": " + f.Hint
}

// Body is an error as one line of JSON, without a line break at its end.
func Body(requestID string, err error) []byte {
	body, _ := json.Marshal(Of(requestID, err)) // strings alone: cannot fail
	return body
}

// Write answers with an error. Headers that are set already stay, but for those
// that describe a body.
func Write(w http.ResponseWriter, requestID string, err error) {
	WriteStatus(w, requestID, Status(err), err)
}

// WriteStatus is Write with a status of the caller's choice, for what HTTP has
// a status of its own: 405, 414.
func WriteStatus(w http.ResponseWriter, requestID string, status int, err error) {
	body := Body(requestID, err)
	h := w.Header()
	h.Del("Content-Encoding")
	h.Del("Etag")
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if requestID != "" {
		h.Set("Request-Id", requestID)
	}
	if fault.KindOf(err) == fault.Internal {
		h.Set("Retry-After", "2")
	}
	if f, ok := errors.AsType[*fault.Error](err); ok {
		if f.RetryAfter > 0 {
			h.Set("Retry-After", strconv.FormatInt(int64((f.RetryAfter+time.Second-1)/time.Second), 10))
		}
		if f.Kind == fault.Billing || f.Lasting {
			h.Set("X-Should-Retry", "false")
		}
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
