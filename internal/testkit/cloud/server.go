package cloud

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/testkit/upstream"
)

// What gets in. None is real.
const (
	AccessKey    = "AKIAGATEHOUSETEST000"
	SecretKey    = "test/secret+access/key/000000000000000000"
	BearerKey    = "bedrock-api-key-test-000000"
	FoundryKey   = "foundry-test-key-0000000000"
	ClientSecret = "entra~test~secret"
	Tenant       = "11111111-2222-3333-4444-555555555555"
	Client       = "66666666-7777-8888-9999-000000000000"
	Region       = "eu-central-1"
	Project      = "test-project"
	RoleARN      = "arn:aws:iam::123456789012:role/gatehouse"
	ExternalID   = "org-external"
	Account      = "gatehouse@test-project.iam.gserviceaccount.com"
	Workspace    = "wrkspc_test"
)

// Seen is a request for a model as it arrived, before it was turned.
type Seen struct {
	Path   string // as escaped on the wire
	Header http.Header
	Body   []byte
	// Session is the name of the role's session it was signed in; "": none.
	Session string
}

// Server is all clouds at one address: the path tells which.
type Server struct {
	URL   string
	Model *upstream.Server // answers, and counts

	Now func() time.Time // nil: time.Now
	// Lifetime is that of credentials that are handed out; 0: an hour.
	Lifetime time.Duration
	// Refused are names of betas that no cloud takes.
	Refused []string
	// Trusted is whose identity tokens let people in.
	Trusted Trust

	http *httptest.Server
	rsa  *rsa.PrivateKey

	mu       sync.Mutex
	seen     []Seen
	sessions map[string]session // :: access key → session of a role
	tokens   map[string]time.Time
	asked    map[string]int // :: service → how often a credential was asked for
	assumed  []url.Values
	broken   string
	refused  map[string]int // :: service of AWS → signatures that were refused
	used     []string       // ids of identity tokens that may be used once
}

type session struct {
	secret, token, name string
	ends                time.Time
}

// New starts the clouds, until the test ends.
func New(t testing.TB) *Server {
	t.Helper()
	s := Start()
	t.Cleanup(s.Close)
	return s
}

// Start starts them for a program, which closes them.
func Start() *Server {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	s := &Server{Model: upstream.Start(), rsa: key, sessions: map[string]session{}, tokens: map[string]time.Time{}, asked: map[string]int{}, refused: map[string]int{}}
	s.http = httptest.NewServer(s)
	s.URL = s.http.URL
	return s
}

// Close ends them.
func (s *Server) Close() {
	s.http.CloseClientConnections()
	s.http.Close()
	s.Model.Close()
}

// Key is the JSON file of a service account's key.
func (s *Server) Key() string {
	raw, err := x509.MarshalPKCS8PrivateKey(s.rsa)
	if err != nil {
		panic(err)
	}
	file, err := json.Marshal(map[string]string{"type": "service_account", "project_id": Project, "private_key_id": "k1", "client_email": Account,
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})), "token_uri": "https://evil.example.com/token"})
	if err != nil {
		panic(err)
	}
	return string(file)
}

// Seen are the requests for models so far.
func (s *Server) Seen() []Seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.seen)
}

// Asked is how often a credential was asked for at "sts", "google", "iam" or "entra".
func (s *Server) Asked(service string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[service]
}

// Assumed are the calls of AssumeRole so far.
func (s *Server) Assumed() []url.Values {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.assumed)
}

// Break makes a service that hands out credentials fail; "" mends it.
func (s *Server) Break(service string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = service
}

// ExpireAll ends every credential that was handed out.
func (s *Server) ExpireAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.sessions)
	clear(s.tokens)
}

func (s *Server) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

func (s *Server) lifetime() time.Duration {
	if s.Lifetime != 0 {
		return s.Lifetime
	}
	return time.Hour
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 64<<20))
	if err != nil {
		return
	}
	w.Header().Set("Date", s.now().UTC().Format(http.TimeFormat))
	switch path := r.URL.Path; {
	case strings.HasPrefix(path, "/model/"):
		s.bedrock(w, r, body)
	case strings.HasPrefix(path, "/sts"):
		s.sts(w, r, body)
	case strings.HasPrefix(path, "/v1/projects/-/serviceAccounts/"):
		s.iam(w, r)
	case strings.HasPrefix(path, "/v1/projects/"):
		s.vertex(w, r, body)
	case path == "/v1/token":
		s.federate(w, r, body)
	case path == "/v1/oauth/token":
		s.anthropicToken(w, r, body)
	case path == "/token":
		s.google(w, body)
	case strings.HasSuffix(path, "/oauth2/v2.0/token"):
		s.entra(w, r, body)
	case strings.HasPrefix(path, "/mantle/anthropic/v1/"):
		s.mantle(w, r, body)
	case strings.HasPrefix(path, "/anthropic/v1/"):
		s.foundry(w, r, body)
	case strings.HasPrefix(path, "/v1/messages"):
		s.platform(w, r, body)
	default:
		http.NotFound(w, r)
	}
}

func (s *Server) note(r *http.Request, body []byte, session string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, Seen{Path: r.URL.EscapedPath(), Header: r.Header.Clone(), Body: body, Session: session})
}

// count counts a request for a credential and reports whether it is to fail.
func (s *Server) count(service string) (fails bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked[service]++
	return s.broken == service
}

func (s *Server) issue() string {
	token := "token-" + rand.Text()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens[token] = s.now().Add(s.lifetime())
	return token
}

func (s *Server) good(token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	ends, ok := s.tokens[token]
	return ok && s.now().Before(ends)
}

// awsCaller checks a signature or a key and says in whose session it was made.
func (s *Server) awsCaller(r *http.Request, body []byte, service string) (sessionName, exception string) {
	if r.Header.Get("Authorization") == "Bearer "+BearerKey || r.Header.Get("X-Api-Key") == BearerKey {
		return "", ""
	}
	key, exception := verify(r, body, service, func(accessKey string) (string, string, bool) {
		if accessKey == AccessKey {
			return SecretKey, "", true
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		held, ok := s.sessions[accessKey]
		return held.secret, held.token, ok && s.now().Before(held.ends)
	}, s.now())
	s.mu.Lock()
	defer s.mu.Unlock()
	if exception != "" {
		s.refused[service]++
	}
	return s.sessions[key].name, exception
}

// Refusals is how many signatures for a service of AWS were refused.
func (s *Server) Refusals(service string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refused[service]
}

func awsFail(w http.ResponseWriter, status int, exception, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Amzn-Errortype", exception+":http://internal.amazon.com/coral/com.amazon.bedrock/")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"message": message})
}

func (s *Server) sts(w http.ResponseWriter, r *http.Request, body []byte) {
	failed := s.count("sts")
	form, err := url.ParseQuery(string(body))
	if !failed && err == nil && form.Get("Action") == "AssumeRoleWithWebIdentity" {
		s.webIdentity(w, r, form)
		return
	}
	_, exception := s.awsCaller(r, body, "sts")
	if failed || exception != "" || err != nil || form.Get("Action") != "AssumeRole" || form.Get("RoleArn") != RoleARN || form.Get("ExternalId") != ExternalID {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>User: arn:aws:iam::123456789012:user/x is not authorized</Message></Error></ErrorResponse>`)
		return
	}
	s.hand(w, "AssumeRole", form, s.lifetime())
}

// inner asks the model behind, as the Messages API.
func (s *Server) inner(w http.ResponseWriter, r *http.Request, path string, body []byte) {
	in := r.Clone(r.Context())
	in.URL, in.RequestURI, in.Body, in.ContentLength = &url.URL{Path: path}, path, io.NopCloser(bytes.NewReader(body)), int64(len(body))
	s.Model.ServeHTTP(w, in)
}

// members decodes a body one level deep.
func members(body []byte) (map[string]json.RawMessage, bool) {
	var all map[string]json.RawMessage
	return all, json.Unmarshal(body, &all) == nil && all != nil
}

func (s *Server) refusedBeta(raw json.RawMessage) bool {
	var list []string
	_ = json.Unmarshal(raw, &list)
	return slices.ContainsFunc(list, func(b string) bool { return slices.Contains(s.Refused, b) })
}

func (s *Server) bedrock(w http.ResponseWriter, r *http.Request, body []byte) {
	session, exception := s.awsCaller(r, body, "bedrock")
	if exception != "" {
		awsFail(w, http.StatusForbidden, exception, "The security token included in the request is expired")
		return
	}
	s.note(r, body, session)
	escaped, action, _ := strings.Cut(strings.TrimPrefix(r.URL.EscapedPath(), "/model/"), "/")
	model, _ := url.PathUnescape(escaped)
	w.Header().Set("X-Amzn-Requestid", "aws-"+rand.Text())
	if action == "count-tokens" {
		s.bedrockCount(w, r, model, body)
		return
	}
	all, ok := members(body)
	for _, name := range []string{"model", "stream"} {
		if _, has := all[name]; has {
			awsFail(w, http.StatusBadRequest, "ValidationException", "Malformed input request: extraneous key ["+name+"] is not permitted, please reformat your input and try again.")
			return
		}
	}
	if !ok || string(all["anthropic_version"]) != `"bedrock-2023-05-31"` || all["max_tokens"] == nil || all["messages"] == nil {
		awsFail(w, http.StatusBadRequest, "ValidationException", "Malformed input request: #: required key [messages] not found in arn:aws:bedrock:eu-central-1:123456789012:x")
		return
	}
	if s.refusedBeta(all["anthropic_beta"]) {
		awsFail(w, http.StatusBadRequest, "ValidationException", "invalid beta flag")
		return
	}
	if !strings.Contains(model, "anthropic.") && !strings.HasPrefix(model, "arn:") {
		awsFail(w, http.StatusNotFound, "ResourceNotFoundException", "The provided model identifier is invalid.")
		return
	}
	delete(all, "anthropic_version")
	delete(all, "anthropic_beta")
	all["model"], _ = json.Marshal(model)
	if action == "invoke-with-response-stream" {
		all["stream"] = json.RawMessage("true")
	}
	turned, _ := json.Marshal(all)
	s.inner(&awsWriter{ResponseWriter: w}, r, "/v1/messages", turned)
}

func (s *Server) bedrockCount(w http.ResponseWriter, r *http.Request, model string, body []byte) {
	var in struct {
		Input struct{ InvokeModel struct{ Body string } }
	}
	err := json.Unmarshal(body, &in)
	raw, err2 := base64.StdEncoding.DecodeString(in.Input.InvokeModel.Body)
	all, ok := members(raw)
	if err != nil || err2 != nil || !ok || all["max_tokens"] == nil || all["anthropic_version"] == nil {
		awsFail(w, http.StatusBadRequest, "ValidationException", "Malformed input request")
		return
	}
	all["model"], _ = json.Marshal(model)
	turned, _ := json.Marshal(all)
	counted := httptest.NewRecorder()
	s.inner(counted, r, "/v1/messages/count_tokens", turned)
	var n struct {
		InputTokens int `json:"input_tokens"`
	}
	_ = json.Unmarshal(counted.Body.Bytes(), &n)
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"inputTokens":%d}`, n.InputTokens)
}

func (s *Server) vertex(w http.ResponseWriter, r *http.Request, body []byte) {
	if !s.good(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")) {
		googleFail(w, http.StatusUnauthorized, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
		return
	}
	s.note(r, body, "")
	rest, ok := strings.CutPrefix(r.URL.Path, "/v1/projects/"+Project+"/locations/"+Region+"/publishers/anthropic/models/")
	model, method, _ := strings.Cut(rest, ":")
	all, isObject := members(body)
	if !ok || !isObject || string(all["anthropic_version"]) != `"vertex-2023-10-16"` {
		googleFail(w, http.StatusBadRequest, "INVALID_ARGUMENT", "Invalid request for projects/"+Project+"/locations/x")
		return
	}
	delete(all, "anthropic_version")
	path := "/v1/messages"
	if model == "count-tokens" {
		path = "/v1/messages/count_tokens"
	} else if _, has := all["model"]; has {
		s.envelope(w, http.StatusBadRequest, "model: Extra inputs are not permitted")
		return
	} else {
		all["model"], _ = json.Marshal(model)
	}
	if model != "count-tokens" && (all["max_tokens"] == nil || all["messages"] == nil) {
		s.envelope(w, http.StatusBadRequest, "messages: Field required")
		return
	}
	if stream := string(all["stream"]) == "true"; stream != (method == "streamRawPredict") {
		googleFail(w, http.StatusBadRequest, "INVALID_ARGUMENT", "stream and method do not match")
		return
	}
	if s.refusedHeader(r) {
		s.envelope(w, http.StatusBadRequest, "Unexpected value(s) for the `anthropic-beta` header.")
		return
	}
	turned, _ := json.Marshal(all)
	s.inner(w, r, path, turned)
}

func (s *Server) refusedHeader(r *http.Request) bool {
	for _, line := range r.Header["Anthropic-Beta"] {
		for value := range strings.SplitSeq(line, ",") {
			if slices.Contains(s.Refused, strings.TrimSpace(value)) {
				return true
			}
		}
	}
	return false
}

func (s *Server) envelope(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"type": "error", "error": map[string]string{"type": "invalid_request_error", "message": message}})
}

func googleFail(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"code": status, "message": message, "status": code}})
}

func (s *Server) foundry(w http.ResponseWriter, r *http.Request, body []byte) {
	if r.Header.Get("X-Api-Key") != FoundryKey && !s.good(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")) {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"error":{"code":"401","message":"Access denied due to invalid subscription key or wrong API endpoint."}}`)
		return
	}
	s.note(r, body, "")
	if s.refusedHeader(r) {
		s.envelope(w, http.StatusBadRequest, "Unexpected value(s) for the `anthropic-beta` header.")
		return
	}
	s.messages(w, r, strings.TrimPrefix(r.URL.Path, "/anthropic"), body)
}

// mantle is Bedrock's Messages endpoint.
func (s *Server) mantle(w http.ResponseWriter, r *http.Request, body []byte) {
	session, exception := s.awsCaller(r, body, "bedrock-mantle")
	if exception != "" {
		awsFail(w, http.StatusForbidden, exception, "The security token included in the request is expired")
		return
	}
	s.note(r, body, session)
	var asked struct{ Model string }
	if json.Unmarshal(body, &asked) == nil && asked.Model != "" && !strings.HasPrefix(asked.Model, "anthropic.") {
		s.envelope(w, http.StatusNotFound, "model: "+asked.Model)
		return
	}
	s.messages(w, r, strings.TrimPrefix(r.URL.Path, "/mantle/anthropic"), body)
}

func (s *Server) platform(w http.ResponseWriter, r *http.Request, body []byte) {
	if token, isToken := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer token-"); isToken {
		s.anthropic(w, r, "token-"+token, body)
		return
	}
	session, exception := s.awsCaller(r, body, "aws-external-anthropic")
	if exception != "" || r.Header.Get("Anthropic-Workspace-Id") != Workspace {
		awsFail(w, http.StatusForbidden, exception, "The security token included in the request is expired")
		return
	}
	s.note(r, body, session)
	s.messages(w, r, r.URL.Path, body)
}

// messages asks the model for a request that is one of the Messages API.
func (s *Server) messages(w http.ResponseWriter, r *http.Request, path string, body []byte) {
	if all, _ := members(body); all["messages"] == nil {
		s.envelope(w, http.StatusBadRequest, "messages: Field required")
		return
	}
	s.inner(w, r, path, body)
}
