package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/checkup"
)

// authServer is a small authorization server with the rules that matter here:
// PKCE, device codes, rotation with a grace window in which the same successor
// comes back, and the end of a family when a retired token is used later.
type authServer struct {
	URL   string
	http  *http.Server
	clock func() time.Time

	mu       sync.Mutex
	closers  []func()
	down     bool
	ttl      time.Duration // of access tokens
	grace    time.Duration
	decision string // what the owner says at the device and authorize pages: approve, deny or wait
	slow     int    // so many slow_down answers first
	wrongIss bool
	instance string // which server it says it is
	odd      string // what answers in its place: a "portal" that redirects, a "page", a "refusal"
	// onRefresh is called before a refresh token is looked at, without the lock.
	onRefresh func()
	// onRotated is called when a token has its successor, before anybody is told.
	onRotated func()
	denial    string        // what it says to requests of the model API, where it denies them
	late      time.Duration // its clock is ahead by so much
	counts    map[string]int
	codes     map[string]*grantCode
	tokens    map[string]*link // by refresh token
	families  map[string]*family
	access    map[string]bool // access tokens that were issued
	seen      []string        // device_name and device_system, user agents
}

type grantCode struct{ challenge, redirect, state string }

type link struct {
	family    *family
	used      time.Time
	successor string
}

type family struct {
	id      string
	revoked bool
}

func newAuthServer() *authServer {
	s := &authServer{clock: time.Now, ttl: time.Hour, grace: time.Minute, decision: "approve", instance: "inst_one", counts: map[string]int{},
		codes: map[string]*grantCode{}, tokens: map[string]*link{}, families: map[string]*family{}, access: map[string]bool{}}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	s.URL = "http://" + l.Addr().String()
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: 5 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = s.http.Serve(l) }()
	return s
}

// overTLS serves the same at another address with a certificate for
// gate.example.test and 127.0.0.1, made by an authority of that name, whose own
// certificate it returns in PEM. Its issuer is the address by that host.
func (s *authServer) overTLS(authority pkix.Name, host string) (address string, root []byte) {
	now := time.Now()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: authority, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: host}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		DNSNames: []string{"gate.example.test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	var made, signed []byte
	if err == nil {
		made, err = x509.CreateCertificate(rand.Reader, ca, ca, key.Public(), key)
	}
	if err == nil {
		signed, err = x509.CreateCertificate(rand.Reader, leaf, ca, key.Public(), key)
	}
	l, listenErr := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil || listenErr != nil {
		panic(errors.Join(err, listenErr))
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	s.set(func() { s.URL = "https://" + net.JoinHostPort(host, port) })
	config := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{signed, made}, PrivateKey: key}}}
	go func() { _ = s.http.Serve(tls.NewListener(l, config)) }()
	return s.URL, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: made})
}

func (s *authServer) Close() {
	_ = s.http.Close()
	for _, end := range s.closers {
		end()
	}
}

func (s *authServer) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

func (s *authServer) count(what string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts[what]
}

func (s *authServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, r.UserAgent())
	if s.down {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	switch s.odd {
	case "portal":
		http.Redirect(w, r, "https://portal.example.com/hello?from="+url.QueryEscape(r.URL.Path), http.StatusFound)
		return
	case "page":
		_, _ = io.WriteString(w, "<!DOCTYPE html><title>Welcome to our guests</title>")
		return
	case "refusal":
		w.WriteHeader(http.StatusForbidden)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	switch r.URL.Path {
	case "/.well-known/oauth-authorization-server":
		reply(w, 200, map[string]any{"issuer": s.URL, "authorization_endpoint": s.URL + "/oauth/authorize",
			"token_endpoint": s.URL + "/oauth/token", "revocation_endpoint": s.URL + "/oauth/revoke",
			"device_authorization_endpoint":                  s.URL + "/oauth/device_authorization",
			"authorization_response_iss_parameter_supported": true, "gateway_protocol_version": 1, "instance_id": s.instance})
	case "/protocol":
		w.Header().Set("Date", s.clock().Add(s.late).UTC().Format(http.TimeFormat))
		_, _ = io.WriteString(w, "# What this server speaks")
	case "/setup-report":
		s.report(w, r)
	case "/oauth/device_authorization":
		s.device(w, r)
	case "/oauth/authorize":
		s.authorize(w, r)
	case "/oauth/token":
		s.counts["token"]++
		form := map[string]string{}
		_ = r.ParseForm()
		for k := range r.PostForm {
			form[k] = r.PostForm.Get(k)
		}
		s.token(w, form)
	case "/v1/oauth/token":
		s.counts["sdk token"]++
		form := map[string]string{}
		_ = json.NewDecoder(r.Body).Decode(&form)
		s.token(w, form)
	case "/oauth/revoke":
		_ = r.ParseForm()
		s.counts["revoke"]++
		if l := s.tokens[r.PostForm.Get("token")]; l != nil {
			l.family.revoked = true
		}
	case "/v1/models":
		reply(w, 200, map[string]any{"data": []map[string]string{{"id": "claude-opus-5"}, {"id": "claude-haiku-4-5"}}})
	case "/v1/messages":
		s.messages(w, r)
	default:
		http.NotFound(w, r)
	}
}

// report takes a report for the code WDJB-MJHT, or for an access token of ours.
func (s *authServer) report(w http.ResponseWriter, r *http.Request) {
	raw, _ := io.ReadAll(r.Body)
	var body struct {
		Code   string
		Report json.RawMessage
	}
	_ = json.Unmarshal(raw, &body)
	if _, err := checkup.Decode(body.Report); err != nil {
		reply(w, 400, map[string]any{"error": map[string]string{"message": err.Error()}})
		return
	}
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if body.Code != "WDJB-MJHT" && !s.access[token] {
		reply(w, 404, map[string]any{"error": map[string]string{"message": "this set-up code is unknown or has ended"}})
		return
	}
	s.counts["report"]++
	s.seen = append(s.seen, string(raw))
	reply(w, 200, map[string]any{"next": "install"})
}

func (s *authServer) device(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	s.counts["device"]++
	s.seen = append(s.seen, r.PostForm.Get("device_name"), r.PostForm.Get("device_system"))
	code := "dc-" + rand.Text()
	s.codes[code] = &grantCode{}
	reply(w, 200, map[string]any{"device_code": code, "user_code": "WDJB-MJHT", "verification_uri": s.URL + "/device",
		"verification_uri_complete": s.URL + "/device?user_code=WDJB-MJHT", "expires_in": 600, "interval": 0.01})
}

func (s *authServer) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	s.counts["authorize"]++
	s.seen = append(s.seen, q.Get("device_name"), q.Get("device_system"))
	if q.Get("response_type") != "code" || q.Get("client_id") != "gatehouse" || q.Get("code_challenge_method") != "S256" || q.Get("code_challenge") == "" {
		http.Error(w, "bad authorization request", 400)
		return
	}
	answer := url.Values{"state": {q.Get("state")}, "iss": {s.URL}}
	if s.wrongIss {
		answer.Set("iss", "https://evil.example.com")
	}
	if s.decision == "deny" {
		answer.Set("error", "access_denied")
	} else {
		code := "ac-" + rand.Text()
		s.codes[code] = &grantCode{challenge: q.Get("code_challenge"), redirect: q.Get("redirect_uri")}
		answer.Set("code", code)
	}
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+answer.Encode(), http.StatusFound)
}

func (s *authServer) token(w http.ResponseWriter, form map[string]string) {
	s.counts[form["grant_type"]]++
	if form["client_id"] != "gatehouse" {
		refuse(w, 401, "invalid_client", "unknown client")
		return
	}
	switch form["grant_type"] {
	case "authorization_code":
		code := s.codes[form["code"]]
		delete(s.codes, form["code"])
		sum := sha256.Sum256([]byte(form["code_verifier"]))
		if code == nil || code.redirect != form["redirect_uri"] || code.challenge != base64.RawURLEncoding.EncodeToString(sum[:]) {
			refuse(w, 401, "invalid_grant", "the code is not good")
			return
		}
		s.issue(w, &family{id: "devs_" + rand.Text()[:22]})
	case "urn:ietf:params:oauth:grant-type:device_code":
		s.poll(w, form["device_code"])
	case "refresh_token":
		s.refresh(w, form["refresh_token"])
	default:
		refuse(w, 400, "unsupported_grant_type", "")
	}
}

func (s *authServer) poll(w http.ResponseWriter, code string) {
	switch {
	case s.codes[code] == nil:
		refuse(w, 400, "expired_token", "")
	case s.slow > 0:
		s.slow--
		refuse(w, 400, "slow_down", "")
	case s.decision == "wait":
		refuse(w, 400, "authorization_pending", "")
	case s.decision == "deny":
		refuse(w, 400, "access_denied", "")
	default:
		delete(s.codes, code)
		s.issue(w, &family{id: "devs_" + rand.Text()[:22]})
	}
}

func (s *authServer) refresh(w http.ResponseWriter, token string) {
	if then := s.onRefresh; then != nil {
		s.mu.Unlock()
		then()
		s.mu.Lock()
	}
	l := s.tokens[token]
	switch {
	case l == nil || l.family.revoked:
		s.counts["refused"]++
		refuse(w, 401, "invalid_grant", "the session was ended")
	case l.successor == "":
		l.used = s.clock()
		l.successor = s.issue(w, l.family)
		s.counts["rotated"]++
		if then := s.onRotated; then != nil {
			s.mu.Unlock()
			then()
			s.mu.Lock()
		}
	case s.clock().Sub(l.used) <= s.grace:
		s.counts["grace"]++
		s.answer(w, l.family, l.successor)
	default:
		l.family.revoked = true
		s.counts["reuse"]++
		refuse(w, 401, "invalid_grant", "the refresh token was used before")
	}
}

func (s *authServer) issue(w http.ResponseWriter, f *family) string {
	refresh := "sk-gate-rt01-" + rand.Text()
	s.families[f.id] = f
	s.tokens[refresh] = &link{family: f}
	s.answer(w, f, refresh)
	return refresh
}

func (s *authServer) answer(w http.ResponseWriter, f *family, refresh string) {
	access := fakeJWT(map[string]any{"iss": s.URL, "sub": "user_ada", "sid": f.id, "org": "5f0c8e1e-0f0e-4c1e-9d8e-3b9f6a1c2d3e",
		"email": "ada@example.com", "name": "Ada Lovelace", "jti": rand.Text(), "iat": s.clock().Unix(), "exp": s.clock().Add(s.ttl).Unix()})
	s.access[access] = true
	reply(w, 200, map[string]any{"access_token": access, "token_type": "Bearer", "expires_in": int(s.ttl.Seconds()),
		"refresh_token": refresh, "scope": "inference"})
}

// messages answers an SDK: it only wants to see a token that was issued.
func (s *authServer) messages(w http.ResponseWriter, r *http.Request) {
	token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if key := r.Header.Get("X-Api-Key"); !bearer || !s.access[token] || key != "" && key != token { // a helper's token comes twice
		reply(w, 401, map[string]any{"type": "error", "error": map[string]string{"type": "authentication_error", "message": "no"}})
		return
	}
	if s.denial != "" {
		reply(w, 403, map[string]any{"type": "error", "error": map[string]string{"type": "permission_error", "message": s.denial}})
		return
	}
	s.counts["messages"]++
	reply(w, 200, map[string]any{"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_reason": "end_turn",
		"content": []any{map[string]string{"type": "text", "text": "hello"}}, "usage": map[string]int{"input_tokens": 1, "output_tokens": 1}})
}

func fakeJWT(claims map[string]any) string {
	b, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf("%s.%s.%s", base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"EdDSA"}`)),
		base64.RawURLEncoding.EncodeToString(b), base64.RawURLEncoding.EncodeToString([]byte("signature")))
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func refuse(w http.ResponseWriter, status int, code, description string) {
	reply(w, status, map[string]string{"error": code, "error_description": description})
}
