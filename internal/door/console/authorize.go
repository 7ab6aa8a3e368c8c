package console

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/oauth"
	"github.com/gatehouse-dev/gatehouse/internal/session"
)

// authorizeFields are the parameters of an authorization request that travel
// through sign-in and through the consent form.
var authorizeFields = []string{"response_type", "client_id", "redirect_uri", "code_challenge", "code_challenge_method", "state",
	"device_name", "device_system", "client_version"}

// authorization is one request to the authorization endpoint (RFC 6749, section 4.1.1).
type authorization struct {
	oauth.CodeRequest
	state  string
	params url.Values
}

// readAuthorization reads a request and checks where its answer would go. Until
// that is sure nothing may be sent there, not even an error.
func (v *visit) readAuthorization(in url.Values) (authorization, error) {
	a := authorization{params: url.Values{}}
	for _, name := range authorizeFields {
		if in.Has(name) {
			a.params.Set(name, in.Get(name))
		}
	}
	get := a.params.Get
	a.state = get("state")
	a.CodeRequest = oauth.CodeRequest{ClientID: get("client_id"), RedirectURI: get("redirect_uri"), Challenge: get("code_challenge"),
		ChallengeMethod: get("code_challenge_method"), ResponseType: get("response_type"),
		Device: session.Device{ClientID: get("client_id"), Name: get("device_name"), System: get("device_system"),
			ClientVersion: get("client_version"), Address: v.origin().Address}}
	if err := a.CheckRedirect(); err != nil {
		return a, err
	}
	if len(in["client_id"]) > 1 || len(in["redirect_uri"]) > 1 {
		return a, fault.New(fault.Invalid, "client_id and redirect_uri may be there once each")
	}
	return a, nil
}

// check says whether the rest of the request is good.
func (a authorization) check(in url.Values) error {
	for _, name := range authorizeFields {
		if len(in[name]) > 1 {
			return &oauth.Error{Code: "invalid_request", Description: name + " is there more than once"}
		}
	}
	if len(a.state) > 1024 {
		return &oauth.Error{Code: "invalid_request", Description: "state is longer than 1024 bytes"}
	}
	return a.Check()
}

// answer leads back to the client. The issuer goes along, so that a client that
// talks to several servers cannot be led to confuse them (RFC 9207).
func (v *visit) answer(a authorization, params url.Values) error {
	if a.state != "" && len(a.state) <= 1024 {
		params.Set("state", a.state)
	}
	params.Set("iss", v.c.publicURL)
	return v.redirect(a.RedirectURI + "?" + params.Encode())
}

func (v *visit) answerError(a authorization, err error) error {
	e, ok := errors.AsType[*oauth.Error](err)
	if !ok {
		return err
	}
	return v.answer(a, url.Values{"error": {e.Code}, "error_description": {e.Description}})
}

// enter makes sure of somebody who acts in an organization. It is asked after
// the request was checked, as a bad one needs no sign-in to be refused.
func (v *visit) enter(a authorization) error {
	here := "/oauth/authorize?" + a.params.Encode()
	switch v.who.Kind {
	case caller.Nobody:
		return v.goTo("/sign-in", here)
	case caller.Member:
		var err error
		v.memberships, err = v.c.cfg.Accounts.Memberships(v.r.Context(), v.who)
		return err
	}
	return v.goTo(v.before(), here)
}

func (c *Console) authorizeForm(v *visit) error {
	in := v.r.URL.Query()
	a, err := v.readAuthorization(in)
	if err != nil {
		return err
	}
	if err := a.check(in); err != nil {
		return v.answerError(a, err)
	}
	if err := v.enter(a); err != nil {
		return err
	}
	v.formAction = formAction(a.RedirectURI)
	var hide []hidden
	for _, name := range authorizeFields {
		if a.params.Has(name) {
			hide = append(hide, hidden{name, a.params.Get(name)})
		}
	}
	ask := v.asking(a.Device)
	return v.show(http.StatusOK, "authorize", view{Card: true, Title: "Sign this computer in?", Body: struct {
		asking
		Hidden []hidden
	}{ask, hide}})
}

// formAction is the source that lets a form lead to a loopback address. A policy
// cannot name an IPv6 address, so for one it allows the scheme.
func formAction(redirect string) string {
	u, err := url.Parse(redirect)
	if err != nil || strings.Contains(u.Hostname(), ":") {
		return "http:"
	}
	return "http://" + u.Host
}

func (c *Console) authorize(v *visit) error {
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	a, err := v.readAuthorization(typed)
	if err != nil {
		return err
	}
	if err := a.check(typed); err != nil {
		return v.answerError(a, err)
	}
	if err := v.enter(a); err != nil {
		return err
	}
	switch typed.Get("decision") {
	case "approve":
	case "deny":
		return v.answerError(a, &oauth.Error{Code: "access_denied", Description: "the person denied it"})
	default:
		return fault.New(fault.Invalid, "decision must be approve or deny")
	}
	code, err := c.cfg.Devices.Issue(v.r.Context(), v.who, a.CodeRequest)
	if err != nil {
		return err
	}
	return v.answer(a, url.Values{"code": {code.Reveal()}})
}
