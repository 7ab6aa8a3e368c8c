package oauth

import (
	"errors"
	"net/http"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/limit"
	"github.com/gatehouse-dev/gatehouse/internal/oauth"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/session"
)

const (
	grantDevice  = "urn:ietf:params:oauth:grant-type:device_code"
	grantRefresh = "refresh_token"
	grantCode    = "authorization_code"
)

type tokens struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int    `json:"expires_in"` // seconds
	RefreshToken string `json:"refresh_token"`
	Scope        string `json:"scope"`
}

func (d *Door) token(w http.ResponseWriter, r *http.Request) {
	if !d.admit(w, r) {
		return
	}
	form, err := readForm(w, r)
	if err != nil {
		d.fail(w, r, err)
		return
	}
	if form.get("grant_type") == grantExchange {
		d.exchange(w, r, form)
		return
	}
	d.grant(w, r, form, grantDevice, grantRefresh, grantCode)
}

// admit answers whoever asks too often.
func (d *Door) admit(w http.ResponseWriter, r *http.Request) bool {
	ok, wait := d.cfg.Tokens.Allow(limit.Network(d.cfg.Address(r)))
	if !ok {
		writeRetry(w, http.StatusTooManyRequests, "slow_down", "too many requests for tokens come from this address", wait)
	}
	return ok
}

func (d *Door) tokenJSON(w http.ResponseWriter, r *http.Request) {
	if !d.admit(w, r) {
		return
	}
	body, err := readObject(w, r)
	if err != nil {
		d.fail(w, r, err)
		return
	}
	d.grant(w, r, body, grantRefresh)
}

// grant answers a token request with one of the grant types the endpoint takes.
func (d *Door) grant(w http.ResponseWriter, r *http.Request, p params, takes ...string) {
	asked, label := p.get("grant_type"), "unsupported"
	var given session.Tokens
	var err error = &oauth.Error{Code: "unsupported_grant_type", Description: "this endpoint does not take that grant_type"}
	if asked == "" {
		err = &oauth.Error{Code: "invalid_request", Description: "grant_type is missing"}
	}
	for _, t := range takes {
		if t == asked {
			label = asked
			given, err = d.give(r, asked, p)
		}
	}
	d.cfg.Granted(label, outcome(err))
	if err != nil {
		d.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, tokens{AccessToken: given.Access.Reveal(), TokenType: "Bearer", ExpiresIn: int(given.ExpiresIn.Seconds()),
		RefreshToken: given.Refresh.Reveal(), Scope: session.Scope})
}

func (d *Door) give(r *http.Request, grantType string, p params) (session.Tokens, error) {
	switch grantType {
	case grantDevice:
		return d.cfg.OAuth.Poll(r.Context(), secret.New(p.get("device_code")))
	case grantRefresh:
		return d.cfg.Sessions.Refresh(r.Context(), secret.New(p.get("refresh_token")), d.cfg.Address(r))
	default:
		return d.cfg.OAuth.Redeem(r.Context(), oauth.Exchange{Code: secret.New(p.get("code")), Verifier: secret.New(p.get("code_verifier")),
			RedirectURI: p.get("redirect_uri"), ClientID: p.get("client_id")})
	}
}

func outcome(err error) string {
	if err == nil {
		return "ok"
	}
	_, code, _ := wire(err)
	return code
}

// wire is how an error travels: status, code and sentence.
func wire(err error) (status int, code, description string) {
	if e, ok := errors.AsType[*oauth.Error](err); ok {
		return http.StatusBadRequest, e.Code, e.Description
	}
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		f = fault.New(fault.Internal, "something went wrong on this server")
	}
	description = f.Message
	if f.Hint != "" {
		description += ": " + f.Hint
	}
	switch f.Kind {
	case fault.Unauthenticated:
		return http.StatusUnauthorized, "invalid_grant", description
	case fault.Invalid:
		return http.StatusBadRequest, "invalid_request", description
	case fault.TooLarge:
		return http.StatusRequestEntityTooLarge, "invalid_request", description
	case fault.NotFound:
		if f.Code != "" {
			return http.StatusBadRequest, f.Code, description
		}
		return http.StatusBadRequest, "access_denied", description
	case fault.Denied:
		return http.StatusBadRequest, "access_denied", description
	case fault.RateLimited:
		return http.StatusTooManyRequests, "slow_down", description
	}
	return http.StatusServiceUnavailable, "temporarily_unavailable", "the server cannot answer just now: try again in a moment"
}
