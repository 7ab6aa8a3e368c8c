package cloud

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// google trades an assertion for a token: RFC 7523.
func (s *Server) google(w http.ResponseWriter, body []byte) {
	failed := s.count("google")
	form, err := url.ParseQuery(string(body))
	if failed || err != nil || form.Get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" || !s.asserted(form.Get("assertion")) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":"invalid_grant","error_description":"Invalid JWT Signature for gatehouse@test-project.iam.gserviceaccount.com."}`))
		return
	}
	s.answerToken(w)
}

func (s *Server) answerToken(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"access_token":%q,"token_type":"Bearer","expires_in":%d}`, s.issue(), int(s.lifetime().Seconds()))
}

// asserted checks a service account's assertion, signature and all.
func (s *Server) asserted(assertion string) bool {
	parts := strings.Split(assertion, ".")
	if len(parts) != 3 {
		return false
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err != nil || rsa.VerifyPKCS1v15(&s.rsa.PublicKey, crypto.SHA256, sum[:], signature) != nil {
		return false
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	var claims struct {
		Issuer   string `json:"iss"`
		Audience string `json:"aud"`
		Scope    string `json:"scope"`
		Expires  int64  `json:"exp"`
	}
	if err != nil || json.Unmarshal(raw, &claims) != nil {
		return false
	}
	return claims.Issuer == Account && claims.Audience == s.URL+"/token" && strings.Contains(claims.Scope, "cloud-platform") && claims.Expires > s.now().Unix()
}

// iam is generateAccessToken.
func (s *Server) iam(w http.ResponseWriter, r *http.Request) {
	failed := s.count("iam")
	if failed || !s.good(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")) || !strings.HasSuffix(r.URL.Path, ":generateAccessToken") {
		googleFail(w, http.StatusForbidden, "PERMISSION_DENIED", "Permission 'iam.serviceAccounts.getAccessToken' denied on resource")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"accessToken":%q,"expireTime":%q}`, s.issue(), s.now().Add(s.lifetime()).UTC().Format(time.RFC3339))
}

// entra is the client credentials grant.
func (s *Server) entra(w http.ResponseWriter, r *http.Request, body []byte) {
	failed := s.count("entra")
	form, err := url.ParseQuery(string(body))
	known := form.Get("client_secret") == ClientSecret
	if form.Get("client_assertion_type") == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
		known = s.vouched(form.Get("client_assertion"))
	}
	if failed || err != nil || r.URL.Path != "/"+Tenant+"/oauth2/v2.0/token" || form.Get("grant_type") != "client_credentials" || form.Get("client_id") != Client ||
		!known || !slices.Contains(strings.Fields(form.Get("scope")), "https://ai.azure.com/.default") {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(`{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided for tenant ` + Tenant + `"}`))
		return
	}
	s.answerToken(w)
}
