package upstream

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Key is the only credential the stand-in takes, in x-api-key. It looks like a
// real one and is none.
const Key = "sk-ant-api03-test-upstream-key-0000000000"

// Server is one stand-in.
type Server struct {
	// URL is its base URL, such as http://127.0.0.1:40123.
	URL string

	http *httptest.Server

	mu       sync.Mutex
	plan     func(*Request) Plan
	requests []*Request
	forget   bool
	locked   bool
	count    int
	total    Usage
	byKind   map[Kind]int
	arrivals chan *Request
}

// New starts a stand-in that is closed when the test ends. It takes any
// credential in x-api-key or Authorization unless RequireKey was called.
func New(t testing.TB) *Server {
	t.Helper()
	s := Start()
	t.Cleanup(s.Close)
	return s
}

// Start starts a stand-in that the caller closes: for programs, such as a bench.
func Start() *Server {
	s := &Server{byKind: map[Kind]int{}, arrivals: make(chan *Request, 1<<14)}
	s.http = httptest.NewServer(s)
	s.URL = s.http.URL
	return s
}

// Close breaks what is still open and ends the stand-in.
func (s *Server) Close() {
	s.http.CloseClientConnections()
	s.http.Close()
}

// Respond sets how the requests from now on are answered; nil is the plain
// answer for all. The function is called from many goroutines at once.
func (s *Server) Respond(plan func(*Request) Plan) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.plan = plan
}

// Always answers every request from now on by one plan.
func (s *Server) Always(p Plan) { s.Respond(func(*Request) Plan { return p }) }

// KeepNothing makes the stand-in count but not keep requests, for load.
func (s *Server) KeepNothing() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget = true
}

// RequireKey refuses requests from now on that do not carry Key in x-api-key.
func (s *Server) RequireKey() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.locked = true
}

// Requests returns what arrived so far, in order.
func (s *Server) Requests() []*Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Count is the number of requests of a kind so far.
func (s *Server) Count(kind Kind) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byKind[kind]
}

// Total is the usage handed out so far, over all message requests. Of a stream
// that ended early only what had been sent is counted.
func (s *Server) Total() Usage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.total
}

// Next waits for the next request that nobody has waited for yet, and fails
// the test when ctx ends first.
func (s *Server) Next(ctx context.Context, t testing.TB) *Request {
	t.Helper()
	select {
	case r := <-s.arrivals:
		return r
	case <-ctx.Done():
		t.Fatalf("no request reached the upstream: %v", ctx.Err())
		return nil
	}
}

const mostBody = 64 << 20

// ServeHTTP answers as the stand-in, for one that stands before it.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, mostBody))
	if err != nil {
		return
	}
	req := &Request{
		Method: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery, Host: r.Host,
		Header: r.Header.Clone(), Body: body, Kind: kindOf(r), done: make(chan struct{}),
	}
	// What cannot be read keeps its zero values; the answer says so where it matters.
	_ = json.Unmarshal(body, &req.Asked)
	plan := s.record(req)
	defer close(req.done)
	w.Header().Set("request-id", req.ID)
	s.answer(w, r, req, plan)
}

func (s *Server) record(req *Request) Plan {
	s.mu.Lock()
	s.count++
	req.ID = fmt.Sprintf("req_upstream%08d", s.count)
	s.byKind[req.Kind]++
	if !s.forget {
		s.requests = append(s.requests, req)
	}
	choose, locked := s.plan, s.locked
	s.mu.Unlock()
	select {
	case s.arrivals <- req:
	default: // nobody waits for so many
	}
	if locked && req.Header.Get("x-api-key") != Key {
		return Plan{Status: http.StatusUnauthorized}
	}
	if choose == nil {
		return Plan{}
	}
	return choose(req)
}

// charge counts what was sent of a request's usage.
func (s *Server) charge(req *Request, u Usage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	req.usage = req.usage.Plus(u)
	s.total = s.total.Plus(u)
}

// UsageSent is the usage that was handed out for a request so far.
func (s *Server) UsageSent(req *Request) Usage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return req.usage
}

func kindOf(r *http.Request) Kind {
	switch path := r.URL.Path; {
	case path == "/v1/messages" && r.Method == http.MethodPost:
		return Messages
	case path == "/v1/messages/count_tokens" && r.Method == http.MethodPost:
		return CountTokens
	case (path == "/v1/models" || strings.HasPrefix(path, "/v1/models/")) && r.Method == http.MethodGet:
		return Models
	}
	return Other
}
