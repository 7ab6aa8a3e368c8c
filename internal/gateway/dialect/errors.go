package dialect

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
)

// Types of errors of the Anthropic API.
const (
	kindInvalid     = "invalid_request_error"
	kindAuth        = "authentication_error"
	kindPermission  = "permission_error"
	kindNotFound    = "not_found_error"
	kindTooLarge    = "request_too_large"
	kindRateLimit   = "rate_limit_error"
	kindAPI         = "api_error"
	kindTimeout     = "timeout_error"
	kindOverloaded  = "overloaded_error"
	statusOverload  = 529
	maxErrorMessage = 4 << 10
)

// Error is an error of a provider in Anthropic's envelope.
type Error struct {
	Status int
	Body   []byte
}

// FromProvider puts a provider's answer with an error status into Anthropic's
// envelope. One that has it already is left as it is, but for what Clean takes
// out. The status keeps its meaning for retries: a client tries again after 408,
// 409, 429 and from 500 on.
//
// header is the answer's, with AWS's X-Amzn-Errortype if it is from there.
func FromProvider(status int, header http.Header, body []byte) Error {
	if said, ok := enveloped(body); ok {
		return Error{status, said}
	}
	said := readError(body)
	kind := kindOf(status)
	name, _, _ := strings.Cut(header.Get("X-Amzn-Errortype"), ":")
	if name == "" {
		name = said.name
	}
	if name != "" {
		if s, k := awsKind(name); s != 0 {
			status, kind = s, k
		}
	}
	message := Clean(said.message)
	if message == "" {
		message = fmt.Sprintf("the provider answered with status %d", status)
	}
	if kind == kindInvalid && tooLong(message) {
		message = "prompt is too long (capability_rejected: prompt_too_long): " + message
	}
	return Error{status, envelope(kind, message)}
}

// enveloped returns a body that is in the envelope, cleaned.
func enveloped(body []byte) ([]byte, bool) {
	var e struct {
		Type  string
		Error struct{ Type, Message string }
	}
	if json.Unmarshal(body, &e) != nil || e.Type != "error" || e.Error.Type == "" {
		return nil, false
	}
	if clean := Clean(e.Error.Message); clean != e.Error.Message {
		return envelope(e.Error.Type, clean), true
	}
	return body, true
}

type providerError struct{ name, message string }

// readError reads the forms of AWS, Google and Azure. What is none of them, such
// as a page of a proxy, says nothing.
func readError(body []byte) providerError {
	body = bytes.TrimSpace(body)
	if inner, ok := bytes.CutPrefix(body, []byte("[")); ok { // Google's, of a stream
		if json.Valid(body) {
			var list []json.RawMessage
			if json.Unmarshal(body, &list) == nil && len(list) > 0 {
				body = list[0]
			}
		} else {
			body = inner
		}
	}
	var e struct {
		Message string          `json:"message"` // encoding/json takes AWS's "Message" too
		Type    string          `json:"__type"`
		Error   json.RawMessage `json:"error"`
	}
	if json.Unmarshal(body, &e) != nil {
		return providerError{}
	}
	if e.Message == "" && len(e.Error) > 0 {
		var inner struct{ Message string }
		if json.Unmarshal(e.Error, &inner) == nil {
			e.Message = inner.Message
		}
	}
	name := e.Type
	if cut := strings.LastIndexByte(name, '#'); cut >= 0 {
		name = name[cut+1:]
	}
	return providerError{name: name, message: e.Message}
}

// tooLong reports whether a provider says in its words that a prompt is too long.
// Claude Code makes room and tries again if it reads its own.
func tooLong(message string) bool {
	m := strings.ToLower(message)
	return !strings.Contains(m, "prompt is too long") &&
		(strings.Contains(m, "input is too long") || strings.Contains(m, "too many input tokens") || strings.Contains(m, "exceeds the maximum number of tokens"))
}

// awsKind is what an exception of AWS means, with status 0 for one that is not
// known.
func awsKind(name string) (status int, kind string) {
	switch strings.ToLower(strings.TrimSuffix(name, "Exception")) {
	case "validation", "malformedhttprequest", "serialization":
		return http.StatusBadRequest, kindInvalid
	case "accessdenied", "unrecognizedclient", "expiredtoken", "invalidsignature", "missingauthenticationtoken", "incompletesignature":
		return http.StatusForbidden, kindPermission
	case "resourcenotfound":
		return http.StatusNotFound, kindNotFound
	case "throttling", "toomanyrequests", "servicequotaexceeded", "modelnotready":
		return http.StatusTooManyRequests, kindRateLimit
	case "modeltimeout":
		return http.StatusRequestTimeout, kindTimeout
	case "serviceunavailable":
		return statusOverload, kindOverloaded
	case "modelerror", "modelstreamerror", "internalserver":
		return http.StatusInternalServerError, kindAPI
	}
	return 0, kindAPI
}

func kindOf(status int) string {
	switch {
	case status == http.StatusUnauthorized:
		return kindAuth
	case status == http.StatusForbidden:
		return kindPermission
	case status == http.StatusNotFound:
		return kindNotFound
	case status == http.StatusRequestEntityTooLarge:
		return kindTooLarge
	case status == http.StatusTooManyRequests:
		return kindRateLimit
	case status == http.StatusRequestTimeout || status == http.StatusGatewayTimeout:
		return kindTimeout
	case status == statusOverload || status == http.StatusServiceUnavailable:
		return kindOverloaded
	case status >= 400 && status < 500:
		return kindInvalid
	}
	return kindAPI
}

func envelope(kind, message string) []byte {
	body, _ := json.Marshal(struct { // strings only: it cannot fail
		Type  string `json:"type"`
		Error struct {
			Type    string `json:"type"`
			Message string `json:"message"`
		} `json:"error"`
	}{"error", struct {
		Type    string `json:"type"`
		Message string `json:"message"`
	}{kind, message}})
	return body
}

// accounts are the names that a provider's messages give away of who pays it.
var accounts = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`arn:aws[a-z-]*:[^\s"',)\]]+` +
		`|\b\d{12}\b` +
		`|[\w.+-]+@[\w-]+\.iam\.gserviceaccount\.com` +
		`|\bprojects?/[^\s"',)\]]+` +
		`|/?subscriptions/[^\s"',)\]]+` +
		`|\bhttps?://[^\s"',)\]]+`)
})

// Clean takes account ids, ARNs, projects and addresses out of a provider's
// message, and bounds it.
func Clean(message string) string {
	if len(message) > maxErrorMessage {
		message = strings.ToValidUTF8(message[:maxErrorMessage], "")
	}
	return accounts().ReplaceAllString(message, "(removed)")
}
