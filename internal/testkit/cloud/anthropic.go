package cloud

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// What an administrator set up at Anthropic for an issuer that it trusts.
const (
	FederationRule = "fdrl_test"
	AnthropicOrg   = "99999999-8888-7777-6666-555555555555"
	ServiceAccount = "svac_test"
)

// anthropicToken exchanges an identity token for one of a service account, once:
// https://platform.claude.com/docs/en/manage-claude/wif-reference
func (s *Server) anthropicToken(w http.ResponseWriter, r *http.Request, body []byte) {
	failed := s.count("anthropic")
	var in map[string]string
	err := json.Unmarshal(body, &in)
	who, wrong := s.identify(in["assertion"], s.URL)
	if failed || err != nil || wrong != nil || !s.once(who.ID) || who.Subject != s.Trusted.Server || in["grant_type"] != "urn:ietf:params:oauth:grant-type:jwt-bearer" ||
		in["federation_rule_id"] != FederationRule || in["organization_id"] != AnthropicOrg || in["service_account_id"] != ServiceAccount ||
		!strings.Contains(r.Header.Get("Anthropic-Beta"), "oidc-federation-2026-04-01") {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(`{"type":"error","error":{"type":"authentication_error","message":"Authentication failed"}}`))
		return
	}
	s.answerToken(w)
}

// once reports whether an identity token has not been seen before.
func (s *Server) once(token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if token == "" || slices.Contains(s.used, token) {
		return false
	}
	s.used = append(s.used, token)
	return true
}

// anthropic is the Messages API for an access token.
func (s *Server) anthropic(w http.ResponseWriter, r *http.Request, token string, body []byte) {
	if !s.good(token) || r.Header.Get("X-Api-Key") != "" || !strings.Contains(strings.Join(r.Header["Anthropic-Beta"], ","), "oauth-2025-04-20") {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(`{"type":"error","error":{"type":"authentication_error","message":"Invalid bearer token"}}`))
		return
	}
	s.note(r, body, "")
	s.messages(w, r, r.URL.Path, body)
}
