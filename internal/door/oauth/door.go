package oauth

import (
	"context"
	"log/slog"
	"net/http"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/bearer"
	"github.com/gatehouse-dev/gatehouse/internal/cloudaccess"
	"github.com/gatehouse-dev/gatehouse/internal/door/route"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/jwks"
	"github.com/gatehouse-dev/gatehouse/internal/limit"
	"github.com/gatehouse-dev/gatehouse/internal/oauth"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/session"
)

// Authenticator turns a presented credential into a grant. *bearer.Keeper is one.
type Authenticator interface {
	Authenticate(ctx context.Context, presented secret.Text) (*bearer.Grant, error)
}

// Config is what a Door needs.
type Config struct {
	OAuth         *oauth.Service
	Sessions      *session.Service
	Keys          *jwks.Set
	Clouds        *cloudaccess.Service
	Authenticator Authenticator
	Issuer        string         // the public URL
	Instance      string         // this database and no other, whatever its URL
	Devices       *limit.Limiter // device authorizations by network
	Tokens        *limit.Limiter // token requests by network
	Address       func(*http.Request) string
	// Granted counts the token endpoint's answers by grant type and outcome
	// ("ok" or the error's code).
	Granted func(grantType, outcome string)
	Log     *slog.Logger
}

// Door serves the authorization server's endpoints. Make it with New.
type Door struct{ cfg Config }

// New returns a Door.
func New(cfg Config) *Door { return &Door{cfg} }

func (d *Door) routes() []route.Route {
	open := func(pattern string, h http.HandlerFunc) route.Route {
		return route.Route{Pattern: pattern, Open: true, Handler: h}
	}
	return []route.Route{
		open("GET /.well-known/oauth-authorization-server", d.metadata),
		open("GET /.well-known/jwks.json", d.keys),
		open("POST /oauth/device_authorization", d.deviceAuthorization),
		open("POST /oauth/token", d.token),
		open("POST /v1/oauth/token", d.tokenJSON),
		open("POST /oauth/revoke", d.revoke),
		open("GET /oidc/{organization}/.well-known/openid-configuration", d.discovery),
		open("GET /oidc/{organization}/jwks.json", d.identityKeys),
		{Pattern: "POST /oauth/introspect", Handler: http.HandlerFunc(d.introspect)},
		{Pattern: "GET /user/clouds", Handler: http.HandlerFunc(d.clouds)},
	}
}

// Routes lists the door's patterns and which need no credential.
func (d *Door) Routes() []route.Route { return d.routes() }

// metadata is what RFC 8414 section 2 asks for, the version of the gateway protocol
// that Claude Code looks for, and which server this is: the member's command sends
// no refresh token to another one under the same name.
type metadata struct {
	Issuer                      string   `json:"issuer"`
	AuthorizationEndpoint       string   `json:"authorization_endpoint"`
	DeviceAuthorizationEndpoint string   `json:"device_authorization_endpoint"`
	TokenEndpoint               string   `json:"token_endpoint"`
	RevocationEndpoint          string   `json:"revocation_endpoint"`
	IntrospectionEndpoint       string   `json:"introspection_endpoint"`
	JWKSURI                     string   `json:"jwks_uri"`
	ResponseTypes               []string `json:"response_types_supported"`
	GrantTypes                  []string `json:"grant_types_supported"`
	Scopes                      []string `json:"scopes_supported"`
	ChallengeMethods            []string `json:"code_challenge_methods_supported"`
	TokenAuthMethods            []string `json:"token_endpoint_auth_methods_supported"`
	IssInResponse               bool     `json:"authorization_response_iss_parameter_supported"`
	GatewayProtocolVersion      int      `json:"gateway_protocol_version"`
	Instance                    string   `json:"instance_id"`
}

func (d *Door) metadata(w http.ResponseWriter, r *http.Request) {
	base := d.cfg.Issuer
	w.Header().Set("Cache-Control", "public, max-age=300")
	writeJSON(w, http.StatusOK, metadata{
		Issuer: base, AuthorizationEndpoint: base + "/oauth/authorize", DeviceAuthorizationEndpoint: base + "/oauth/device_authorization",
		TokenEndpoint: base + "/oauth/token", RevocationEndpoint: base + "/oauth/revoke", IntrospectionEndpoint: base + "/oauth/introspect",
		JWKSURI: base + "/.well-known/jwks.json", ResponseTypes: []string{"code"}, GrantTypes: []string{grantDevice, grantRefresh, grantCode, grantExchange},
		Scopes: []string{session.Scope}, ChallengeMethods: []string{"S256"}, TokenAuthMethods: []string{"none"}, IssInResponse: true, GatewayProtocolVersion: 1, Instance: d.cfg.Instance,
	})
}

func (d *Door) keys(w http.ResponseWriter, r *http.Request) {
	// Short, or a rotation would be seen too late.
	w.Header().Set("Cache-Control", "public, max-age=60")
	writeJSON(w, http.StatusOK, d.cfg.Keys.Public())
}

type deviceAuthorization struct {
	DeviceCode              string `json:"device_code"`
	UserCode                string `json:"user_code"`
	VerificationURI         string `json:"verification_uri"`
	VerificationURIComplete string `json:"verification_uri_complete"`
	ExpiresIn               int    `json:"expires_in"`
	Interval                int    `json:"interval"`
}

func (d *Door) deviceAuthorization(w http.ResponseWriter, r *http.Request) {
	address := d.cfg.Address(r)
	if ok, wait := d.cfg.Devices.Allow(limit.Network(address)); !ok {
		writeRetry(w, http.StatusTooManyRequests, "slow_down", "too many sign-ins were begun from this address", wait)
		return
	}
	form, err := readForm(w, r)
	if err != nil {
		d.fail(w, r, err)
		return
	}
	started, err := d.cfg.OAuth.Authorize(r.Context(), deviceOf(r, form, address))
	if err != nil {
		d.fail(w, r, err)
		return
	}
	page := d.cfg.Issuer + "/device"
	writeJSON(w, http.StatusOK, deviceAuthorization{DeviceCode: started.DeviceCode.Reveal(), UserCode: started.UserCode, VerificationURI: page,
		VerificationURIComplete: page + "?user_code=" + started.UserCode, ExpiresIn: int(started.ExpiresIn.Seconds()), Interval: int(started.Interval.Seconds())})
}

// deviceOf is what the client says of itself and what we see of it. Claude Code
// says nothing at all here, and its user agent is that of its HTTP library: its
// version is learnt when it fetches its settings.
func deviceOf(r *http.Request, form params, address string) session.Device {
	d := session.Device{ClientID: form.get("client_id"), Name: form.get("device_name"), System: form.get("device_system"), Address: address}
	if d.ClientID == "" {
		d.ClientID = "claude-code"
	}
	product, _, _ := strings.Cut(r.UserAgent(), " ")
	if name, version, _ := strings.Cut(product, "/"); name == d.ClientID {
		d.ClientVersion = version
	}
	return d
}

// revoke answers 200 whatever the token is (RFC 7009 section 2.2): presenting it
// is all the proof there is, and who asks learns nothing.
func (d *Door) revoke(w http.ResponseWriter, r *http.Request) {
	form, err := readForm(w, r)
	if err == nil && form.get("token") == "" {
		err = &oauth.Error{Code: "invalid_request", Description: "token is missing"}
	}
	if err == nil {
		err = d.cfg.Sessions.EndByToken(r.Context(), secret.New(form.get("token")), d.cfg.Address(r))
	}
	if err != nil {
		d.fail(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
}

type introspection struct {
	Active       bool   `json:"active"`
	Scope        string `json:"scope,omitempty"`
	TokenType    string `json:"token_type,omitempty"`
	Expires      int64  `json:"exp,omitempty"`
	Issued       int64  `json:"iat,omitempty"`
	Subject      string `json:"sub,omitempty"`
	Audience     string `json:"aud,omitempty"`
	Issuer       string `json:"iss,omitempty"`
	ID           string `json:"jti,omitempty"`
	Session      string `json:"sid,omitempty"`
	Organization string `json:"org,omitempty"`
	Username     string `json:"username,omitempty"`
}

func (d *Door) introspect(w http.ResponseWriter, r *http.Request) {
	who, err := d.who(r)
	if fault.Is(err, fault.Unauthenticated) { // RFC 7662 section 2.3
		w.Header().Set("WWW-Authenticate", "Bearer")
		writeJSON(w, http.StatusUnauthorized, wireError{"invalid_client", "an admin key or an access token is needed"})
		return
	}
	if err != nil {
		d.fail(w, r, err)
		return
	}
	form, err := readForm(w, r)
	if err != nil {
		d.fail(w, r, err)
		return
	}
	found, err := d.cfg.Sessions.Introspect(r.Context(), who, secret.New(form.get("token")))
	switch {
	case err != nil:
		d.fail(w, r, err)
	case !found.Active:
		writeJSON(w, http.StatusOK, introspection{})
	default:
		c := found.Claims
		writeJSON(w, http.StatusOK, introspection{Active: true, Scope: c.Scope, TokenType: "Bearer", Expires: c.Expires, Issued: c.Issued, Subject: c.Subject,
			Audience: c.Audience, Issuer: c.Issuer, ID: c.ID, Session: c.Session, Organization: c.Organization, Username: c.Email})
	}
}
