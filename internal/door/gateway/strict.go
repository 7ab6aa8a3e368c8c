package gateway

import (
	"net/http"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/door/envelope"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
)

// Strict refuses requests whose path has more than one reading (an empty
// segment, a dot segment, a slash or backslash written as an escape) before a
// mux tidies them up or redirects: a client that is redirected may send its
// credential along. It goes around the whole server's mux.
func Strict(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !oneReading(r) {
			request := id.NewRequest()
			greet(w.Header(), request)
			envelope.Write(w, string(request), fault.New(fault.NotFound, "there is nothing at this path"))
			return
		}
		next.ServeHTTP(w, r)
	})
}

func oneReading(r *http.Request) bool {
	path := r.URL.Path
	if path == "" || path[0] != '/' {
		return path == "*" && r.Method == http.MethodOptions
	}
	if strings.Contains(path, "//") || strings.IndexByte(path, '\\') >= 0 || strings.IndexByte(path, 0) >= 0 {
		return false
	}
	if strings.Contains(path, "/.") {
		for segment := range strings.SplitSeq(path, "/") {
			if segment == "." || segment == ".." {
				return false
			}
		}
	}
	if raw := r.URL.RawPath; raw != "" {
		return !strings.Contains(strings.ToLower(withoutARN(raw)), "%2f")
	}
	return true
}

// withoutARN is an escaped path without the ARN that Bedrock's clients name a model by:
// there a slash is an escape, and has one reading.
func withoutARN(raw string) string {
	for _, before := range []string{"/bedrock/model/", "/model/"} {
		if rest, ok := strings.CutPrefix(raw, before); ok && (strings.HasPrefix(rest, "arn:") || strings.HasPrefix(rest, "arn%3A") || strings.HasPrefix(rest, "arn%3a")) {
			_, after, _ := strings.Cut(rest, "/")
			return after
		}
	}
	return raw
}
