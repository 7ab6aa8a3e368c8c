package oauth

import (
	"net/http"
	"regexp"
	"strings"
	"sync"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/cloudaccess"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/oauth"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

const (
	grantExchange = "urn:ietf:params:oauth:grant-type:token-exchange"
	typeAccess    = "urn:ietf:params:oauth:token-type:access_token"
	typeIdentity  = "urn:ietf:params:oauth:token-type:id_token"
	typeJWT       = "urn:ietf:params:oauth:token-type:jwt"
)

var organizationForm = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
})

func (d *Door) discovery(w http.ResponseWriter, r *http.Request) {
	o := r.PathValue("organization")
	if !organizationForm().MatchString(o) {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=300")
	writeJSON(w, http.StatusOK, d.cfg.Clouds.Discover(id.Organization(o)))
}

func (d *Door) identityKeys(w http.ResponseWriter, r *http.Request) {
	if !organizationForm().MatchString(r.PathValue("organization")) {
		http.NotFound(w, r)
		return
	}
	keys, err := d.cfg.Clouds.PublicKeys(r.Context())
	if err != nil {
		d.fail(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=300")
	writeJSON(w, http.StatusOK, keys)
}

// exchanged is the answer of RFC 8693 section 2.2.1. The token is no access token of
// ours: its type says so.
type exchanged struct {
	AccessToken     string `json:"access_token"`
	IssuedTokenType string `json:"issued_token_type"`
	TokenType       string `json:"token_type"`
	ExpiresIn       int    `json:"expires_in"` // seconds
}

// exchange gives an identity token for an access token.
func (d *Door) exchange(w http.ResponseWriter, r *http.Request, p params) {
	wanted := p.get("requested_token_type")
	if wanted == "" {
		wanted = typeIdentity
	}
	token, err := d.identity(r, p, wanted)
	d.cfg.Granted(grantExchange, outcome(err))
	if err != nil {
		d.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, exchanged{AccessToken: token.Value.Reveal(), IssuedTokenType: wanted, TokenType: "N_A", ExpiresIn: int(cloudaccess.TokenLife.Seconds())})
}

func (d *Door) identity(r *http.Request, p params, wanted string) (cloudaccess.Token, error) {
	for _, want := range []struct {
		ok  bool
		say string
	}{
		{p.get("subject_token") != "", "subject_token is missing"},
		{p.get("subject_token_type") == typeAccess, "subject_token_type must be " + typeAccess},
		{wanted == typeIdentity || wanted == typeJWT, "requested_token_type must be " + typeIdentity},
		{p.get("audience") != "", "audience is missing"},
		{p.get("actor_token") == "" && p.get("resource") == "", "actor_token and resource are not taken"},
	} {
		if !want.ok {
			return cloudaccess.Token{}, &oauth.Error{Code: "invalid_request", Description: want.say}
		}
	}
	grant, err := d.cfg.Authenticator.Authenticate(r.Context(), secret.New(p.get("subject_token")))
	if err != nil {
		return cloudaccess.Token{}, err
	}
	return d.cfg.Clouds.Issue(r.Context(), grant.Caller().From(d.cfg.Address(r)), p.get("audience"))
}

// cloud is one that a member may reach, as /user/clouds tells it.
type cloud struct {
	Cloud    cloudaccess.Cloud `json:"cloud"`
	Audience string            `json:"audience"`
	cloudaccess.Settings
	SessionName string `json:"session_name,omitempty"` // at AWS
}

// clouds says which clouds the member may reach, the preferred one first.
func (d *Door) clouds(w http.ResponseWriter, r *http.Request) {
	who, err := d.who(r)
	if fault.Is(err, fault.Unauthenticated) {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	var mine []cloudaccess.Access
	if err == nil {
		mine, err = d.cfg.Clouds.Mine(r.Context(), who)
	}
	if err != nil {
		d.fail(w, r, err)
		return
	}
	answer := struct {
		Clouds []cloud `json:"clouds"`
	}{[]cloud{}}
	for _, a := range mine {
		one := cloud{Cloud: a.Cloud, Audience: a.Audience(), Settings: a.Settings}
		if a.Cloud == cloudaccess.AWS {
			one.SessionName = cloudaccess.SessionName(who)
		}
		answer.Clouds = append(answer.Clouds, one)
	}
	writeJSON(w, http.StatusOK, answer)
}

// who is whoever presents a credential in the header.
func (d *Door) who(r *http.Request) (caller.Caller, error) {
	presented, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		presented = r.Header.Get("X-Api-Key")
	}
	grant, err := d.cfg.Authenticator.Authenticate(r.Context(), secret.New(presented))
	if err != nil {
		return caller.Caller{}, err
	}
	return grant.Caller(), nil
}
