package upstream

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// answer serves one request by its plan.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, req *Request, p Plan) {
	for name, value := range p.Header {
		w.Header().Set(name, value)
	}
	if p.Hold != nil {
		select {
		case <-p.Hold:
		case <-r.Context().Done():
			return
		}
	}
	out, end := body(w, r, p)
	defer end()
	switch {
	case p.Status != 0:
		fail(out, w, p.Status, p.Body)
	case req.Kind == Models:
		models(out, w, req)
	case req.Kind == Other:
		fail(out, w, http.StatusNotFound, "")
	case req.Asked.Model == "":
		fail(out, w, http.StatusBadRequest, errorBody("invalid_request_error", "model: Field required"))
	case req.Kind == CountTokens:
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(out, `{"input_tokens":%d}`, UsageOf(req.Body, 0).Input)
	case req.Asked.Stream:
		s.stream(out, w, r, req, p)
	default:
		s.whole(out, w, req, p)
	}
}

// body is where an answer is written, and what ends it.
func body(w http.ResponseWriter, r *http.Request, p Plan) (io.Writer, func()) {
	if !p.Gzip || !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		return w, func() {}
	}
	w.Header().Set("Content-Encoding", "gzip")
	z := gzip.NewWriter(w)
	return z, func() { _ = z.Close() }
}

// flush sends what was written on its way.
func flush(out io.Writer, w http.ResponseWriter) {
	if z, ok := out.(*gzip.Writer); ok {
		_ = z.Flush()
	}
	_ = http.NewResponseController(w).Flush()
}

var errorTypes = map[int]string{
	400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 404: "not_found_error",
	413: "request_too_large", 429: "rate_limit_error", 500: "api_error", 529: "overloaded_error",
}

func errorBody(kind, message string) string {
	quoted, _ := json.Marshal(message)
	return fmt.Sprintf(`{"type":"error","error":{"type":%q,"message":%s}}`, kind, quoted)
}

func fail(out io.Writer, w http.ResponseWriter, status int, body string) {
	if body == "" {
		kind := errorTypes[status]
		if kind == "" {
			kind = "api_error"
		}
		body = errorBody(kind, http.StatusText(status))
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(out, body)
}

// ModelIDs are the models the stand-in lists; it answers for any.
var ModelIDs = []string{"claude-opus-4-7", "claude-sonnet-4-6", "claude-haiku-4-5"}

func models(out io.Writer, w http.ResponseWriter, req *Request) {
	describe := func(id string) string {
		return fmt.Sprintf(`{"type":"model","id":%q,"display_name":%q,"created_at":"2026-01-01T00:00:00Z"}`, id, "Test "+id)
	}
	w.Header().Set("Content-Type", "application/json")
	one := strings.TrimPrefix(strings.TrimPrefix(req.Path, "/v1/models"), "/")
	if one != "" {
		_, _ = io.WriteString(out, describe(one))
		return
	}
	rows := make([]string, 0, len(ModelIDs))
	for _, id := range ModelIDs {
		rows = append(rows, describe(id))
	}
	_, _ = fmt.Fprintf(out, `{"data":[%s],"has_more":false,"first_id":%q,"last_id":%q}`,
		strings.Join(rows, ","), ModelIDs[0], ModelIDs[len(ModelIDs)-1])
}

// Word is the text of the n-th word of every answer, from 1.
func Word(n int) string { return fmt.Sprintf("word%d ", n) }

// Text is the text of an answer of so many words.
func Text(words int) string {
	var b strings.Builder
	for n := range words {
		b.WriteString(Word(n + 1))
	}
	return b.String()
}

func (u Usage) inputJSON() string {
	return fmt.Sprintf(`"input_tokens":%d,"cache_creation_input_tokens":%d,"cache_read_input_tokens":%d,`+
		`"cache_creation":{"ephemeral_5m_input_tokens":%d,"ephemeral_1h_input_tokens":%d}`,
		u.Input, u.CacheWrite5m+u.CacheWrite1h, u.CacheRead, u.CacheWrite5m, u.CacheWrite1h)
}

func (s *Server) whole(out io.Writer, w http.ResponseWriter, req *Request, p Plan) {
	words := p.words(req.Asked)
	usage := UsageOf(req.Body, words)
	text, _ := json.Marshal(Text(words))
	answer := fmt.Sprintf(`{"id":"msg_%s","type":"message","role":"assistant","model":%q,`+
		`"content":[{"type":"text","text":%s}],"stop_reason":"end_turn","stop_sequence":null,`+
		`"usage":{%s,"output_tokens":%d,"service_tier":"standard"}}`,
		strings.TrimPrefix(req.ID, "req_"), req.Asked.Model, text, usage.inputJSON(), usage.Output)
	w.Header().Set("Content-Type", "application/json")
	if p.BreakAfter > 0 {
		_, _ = io.WriteString(out, answer[:len(answer)/2])
		flush(out, w)
		panic(http.ErrAbortHandler)
	}
	s.charge(req, usage)
	_, _ = io.WriteString(out, answer)
}
