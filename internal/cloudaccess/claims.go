package cloudaccess

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/go-jose/go-jose/v4"
)

// claims are what an identity token says. The last two are AWS's own: tags of the
// session, which its bill can be split by, and who is behind it, which stands in
// CloudTrail and which nobody can choose for themselves.
type claims struct {
	Issuer         string  `json:"iss"`
	Subject        string  `json:"sub"`
	Audience       string  `json:"aud"`
	Expires        int64   `json:"exp"` // seconds since 1970
	Issued         int64   `json:"iat"`
	NotBefore      int64   `json:"nbf"`
	ID             string  `json:"jti"`
	Organization   string  `json:"org"`
	Member         string  `json:"member"`
	Email          string  `json:"email,omitempty"`
	Tags           *tagged `json:"https://aws.amazon.com/tags,omitempty"`
	SourceIdentity string  `json:"https://aws.amazon.com/source_identity,omitempty"`
}

type tagged struct {
	Principal  map[string][]string `json:"principal_tags"`
	Transitive []string            `json:"transitive_tag_keys"`
}

// skew is how far a cloud's clock may be behind ours.
const skew = time.Minute

func (s *Service) sign(a Access, who caller.Caller, now time.Time) (Token, error) {
	c := claims{Issuer: Issuer(s.PublicURL, a.Organization), Subject: a.Subject(who.Member), Audience: a.Audience(), Expires: now.Add(TokenLife).Unix(), Issued: now.Unix(),
		NotBefore: now.Add(-skew).Unix(), ID: string(id.NewRequest())[4:], Organization: string(a.Organization), Member: string(who.Member), Email: who.Email}
	if a.Cloud == AWS {
		c.SourceIdentity = SessionName(who)
		c.Tags = &tagged{Transitive: []string{}, Principal: map[string][]string{"gatehouse-member": {string(who.Member)}, "gatehouse-organization": {string(a.Organization)}}}
	}
	signed, err := s.Keys.Sign(c)
	return Token{Value: secret.New(signed), Expires: time.Unix(c.Expires, 0)}, err
}

// Vouch makes an identity token for the server itself: that the requests of the
// caller's organization come from here. The audience is the origin of who is to
// believe it, which no audience of a member's cloud looks like. It is for the server
// alone, and fails with Denied for anybody else.
func (s *Service) Vouch(ctx context.Context, who caller.Caller, audience string) (Token, error) {
	if err := access.Check(who, caller.UseModels, who.Organization); err != nil {
		return Token{}, err
	}
	if who.Kind != caller.System {
		return Token{}, fault.New(fault.Denied, "the server vouches for itself alone")
	}
	if err := s.Keys.Ensure(ctx); err != nil {
		return Token{}, err
	}
	now := s.Now()
	expires := now.Add(TokenLife)
	signed, err := s.Keys.Sign(vouched{Issuer: Issuer(s.PublicURL, who.Organization), Subject: ServerSubject(who.Organization), Audience: audience, Expires: expires.Unix(),
		Issued: now.Unix(), NotBefore: now.Add(-skew).Unix(), ID: string(id.NewRequest())[4:], Organization: string(who.Organization)})
	return Token{Value: secret.New(signed), Expires: expires}, err
}

// ServerSubject is the "sub" of the server's own tokens for an organization.
func ServerSubject(o id.Organization) string { return "server:" + string(o) }

// vouched is what a token of the server says.
type vouched struct {
	Issuer       string `json:"iss"`
	Subject      string `json:"sub"`
	Audience     string `json:"aud"`
	Expires      int64  `json:"exp"` // seconds since 1970
	Issued       int64  `json:"iat"`
	NotBefore    int64  `json:"nbf"`
	ID           string `json:"jti"`
	Organization string `json:"org"`
}

// SessionName is what AWS calls a member's session and the identity behind it: the
// address, as far as its characters are allowed there ([\w+=,.@-]{2,64}).
func SessionName(who caller.Caller) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_+=,.@-", r) {
			return r
		}
		return '-'
	}, cmp.Or(who.Email, string(who.Member)))
	return (name + "--")[:min(max(len(name), 2), 64)]
}

// Discovery is what an issuer says of itself (OpenID Connect Discovery 1.0, section
// 3), as far as there is something to say: nobody signs in there.
type Discovery struct {
	Issuer        string   `json:"issuer"`
	JWKSURI       string   `json:"jwks_uri"`
	Authorization string   `json:"authorization_endpoint"`
	ResponseTypes []string `json:"response_types_supported"`
	SubjectTypes  []string `json:"subject_types_supported"`
	Algorithms    []string `json:"id_token_signing_alg_values_supported"`
	Claims        []string `json:"claims_supported"`
}

// Discover describes an organization's issuer. It says nothing that the address does
// not say, and is the same for organizations that are not there.
func (s *Service) Discover(o id.Organization) Discovery {
	issuer := Issuer(s.PublicURL, o)
	return Discovery{Issuer: issuer, JWKSURI: issuer + "/jwks.json", Authorization: s.PublicURL + "/oauth/authorize", ResponseTypes: []string{"id_token"}, SubjectTypes: []string{"public"},
		Algorithms: []string{string(jose.RS256)}, Claims: []string{"iss", "sub", "aud", "exp", "iat", "jti", "org", "member", "email"}}
}

// PublicKeys are the keys that verify identity tokens.
func (s *Service) PublicKeys(ctx context.Context) (jose.JSONWebKeySet, error) {
	if err := s.Keys.Ensure(ctx); err != nil {
		return jose.JSONWebKeySet{}, err
	}
	return s.Keys.Public(), nil
}
