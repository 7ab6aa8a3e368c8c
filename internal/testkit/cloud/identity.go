package cloud

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"crypto/rand"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// What an administrator set up at the clouds for an issuer that they trust.
const (
	ProjectNumber = "123456789012"
	GooglePool    = "//iam.googleapis.com/projects/" + ProjectNumber + "/locations/global/workloadIdentityPools/gatehouse/providers/gatehouse"
	AWSAudience   = "sts.amazonaws.com"
	EntraAudience = "api://AzureADTokenExchange"
)

// Trust is an issuer of identity tokens that the clouds trust. Its keys are fetched
// from where its own discovery document says, as clouds do.
type Trust struct {
	Issuer  string
	Subject string // that Entra's federated credential names
	Server  string // the subject of the federation rule at Anthropic
}

// identity is what a token says that was verified.
type identity struct {
	jwt.Claims
	Tags   json.RawMessage `json:"https://aws.amazon.com/tags"`
	Source string          `json:"https://aws.amazon.com/source_identity"`
}

func fetch(address string, into any) error {
	got, err := http.Get(address)
	if err != nil {
		return err
	}
	defer got.Body.Close()
	if got.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %d", address, got.StatusCode)
	}
	return json.NewDecoder(io.LimitReader(got.Body, 1<<20)).Decode(into)
}

// identify verifies an identity token as the clouds do: RS256, a key of the issuer's
// set, the issuer to the letter, the audience, and the time.
func (s *Server) identify(raw, audience string) (who identity, err error) {
	token, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return who, err
	}
	var document struct {
		Issuer  string `json:"issuer"`
		JWKSURI string `json:"jwks_uri"`
	}
	if err := fetch(s.Trusted.Issuer+"/.well-known/openid-configuration", &document); err != nil {
		return who, err
	}
	if document.Issuer != s.Trusted.Issuer {
		return who, fmt.Errorf("the issuer calls itself %q", document.Issuer)
	}
	var keys jose.JSONWebKeySet
	if err := fetch(document.JWKSURI, &keys); err != nil {
		return who, err
	}
	if err := token.Claims(keys, &who); err != nil {
		return who, err
	}
	if err := who.ValidateWithLeeway(jwt.Expected{Issuer: s.Trusted.Issuer, AnyAudience: jwt.Audience{audience}, Time: s.now()}, 0); err != nil {
		return who, err
	}
	if who.Subject == "" || who.Expiry == nil || who.IssuedAt == nil {
		return who, fmt.Errorf("sub, exp or iat is missing")
	}
	return who, nil
}

// webIdentity is AssumeRoleWithWebIdentity, which nobody signs.
func (s *Server) webIdentity(w http.ResponseWriter, r *http.Request, form url.Values) {
	who, err := s.identify(form.Get("WebIdentityToken"), AWSAudience)
	var tags struct {
		Principal  map[string][]string `json:"principal_tags"`
		Transitive []string            `json:"transitive_tag_keys"`
	}
	if err == nil && who.Tags != nil {
		err = json.Unmarshal(who.Tags, &tags)
	}
	lasts, bad := time.Hour, error(nil)
	if text := form.Get("DurationSeconds"); text != "" {
		var n int
		n, bad = strconv.Atoi(text)
		lasts = time.Duration(n) * time.Second
	}
	name := form.Get("RoleSessionName")
	if err != nil || bad != nil || lasts < 15*time.Minute || lasts > 12*time.Hour || len(name) < 2 || r.Header.Get("Authorization") != "" || form.Get("RoleArn") != RoleARN {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>InvalidIdentityToken</Code><Message>Incorrect token audience for arn:aws:iam::123456789012:role/gatehouse</Message></Error><RequestId>x</RequestId></ErrorResponse>`)
		return
	}
	form.Set("SourceIdentity", who.Source)
	for key, values := range tags.Principal {
		form.Set("Tag."+key, strings.Join(values, ","))
	}
	form.Del("WebIdentityToken")
	s.hand(w, "AssumeRoleWithWebIdentity", form, min(lasts, s.lifetime()))
}

// hand gives a session of the role away.
func (s *Server) hand(w http.ResponseWriter, action string, form url.Values, lasts time.Duration) {
	made := session{secret: rand.Text(), token: rand.Text(), name: form.Get("RoleSessionName"), ends: s.now().Add(lasts)}
	key := "ASIA" + rand.Text()[:16]
	s.mu.Lock()
	s.sessions[key] = made
	s.assumed = append(s.assumed, form)
	s.mu.Unlock()
	w.Header().Set("Content-Type", "text/xml")
	fmt.Fprintf(w, `<%[1]sResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><%[1]sResult><Credentials><AccessKeyId>%[2]s</AccessKeyId><SecretAccessKey>%[3]s</SecretAccessKey><SessionToken>%[4]s</SessionToken><Expiration>%[5]s</Expiration></Credentials></%[1]sResult></%[1]sResponse>`,
		action, key, made.secret, made.token, made.ends.UTC().Format(time.RFC3339))
}

// federate is Google's token service (RFC 8693), which takes a form or JSON.
func (s *Server) federate(w http.ResponseWriter, r *http.Request, body []byte) {
	failed := s.count("google")
	get := map[string]string{}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		var in map[string]string
		_ = json.Unmarshal(body, &in)
		for theirs, ours := range map[string]string{"grantType": "grant_type", "audience": "audience", "scope": "scope", "subjectToken": "subject_token", "subjectTokenType": "subject_token_type"} {
			get[ours] = in[theirs]
		}
	} else if form, err := url.ParseQuery(string(body)); err == nil {
		for name := range form {
			get[name] = form.Get(name)
		}
	}
	_, err := s.identify(get["subject_token"], GooglePool)
	if failed || err != nil || get["grant_type"] != "urn:ietf:params:oauth:grant-type:token-exchange" || get["audience"] != GooglePool ||
		get["scope"] != "https://www.googleapis.com/auth/cloud-platform" ||
		get["subject_token_type"] != "urn:ietf:params:oauth:token-type:id_token" && get["subject_token_type"] != "urn:ietf:params:oauth:token-type:jwt" {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"error":"invalid_grant","error_description":"The audience in ID Token does not match the expected audience of projects/`+ProjectNumber+`"}`)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"access_token":%q,"issued_token_type":"urn:ietf:params:oauth:token-type:access_token","token_type":"Bearer","expires_in":%d}`, s.issue(), int(s.lifetime().Seconds()))
}

// vouched reports whether an assertion is what Entra's federated credential names.
func (s *Server) vouched(assertion string) bool {
	who, err := s.identify(assertion, EntraAudience)
	return err == nil && who.Subject == s.Trusted.Subject
}
