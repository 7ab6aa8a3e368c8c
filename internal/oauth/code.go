package oauth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/netip"
	"net/url"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/session"
)

// ClientID is the one client that may use authorization codes.
const ClientID = "gatehouse"

// CodeRequest is what a client asks of the authorization endpoint.
type CodeRequest struct {
	ClientID        string
	RedirectURI     string
	Challenge       string
	ChallengeMethod string
	ResponseType    string
	Device          session.Device
}

// CheckRedirect says whether a code may be sent to a redirect URI. Until it has
// passed nothing may be sent there, not even an error.
func (r CodeRequest) CheckRedirect() error {
	if r.ClientID != ClientID {
		return fault.New(fault.Invalid, "client_id must be %q", ClientID).At("client_id")
	}
	u, err := url.Parse(r.RedirectURI)
	if err != nil || u.Scheme != "http" || u.Host == "" || u.Fragment != "" || u.User != nil || len(r.RedirectURI) > 512 || !isLoopback(u.Hostname()) || u.Path != "/callback" || u.RawQuery != "" {
		return fault.New(fault.Invalid, "redirect_uri must be http://127.0.0.1:PORT/callback").At("redirect_uri")
	}
	return nil
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

// Check says whether the rest of the request is as RFC 7636 asks.
func (r CodeRequest) Check() error {
	if r.ResponseType != "code" {
		return &Error{"unsupported_response_type", "response_type must be code"}
	}
	raw, err := base64.RawURLEncoding.DecodeString(r.Challenge)
	if r.ChallengeMethod != "S256" || err != nil || len(raw) != sha256.Size {
		return &Error{"invalid_request", "code_challenge must be the S256 challenge of a code_verifier"}
	}
	return nil
}

// Issue makes a code for the caller, who has approved the request.
func (s *Service) Issue(ctx context.Context, who caller.Caller, r CodeRequest) (secret.Text, error) {
	if err := access.Check(who, caller.OwnSessions, who.Organization); err != nil {
		return secret.Text{}, err
	}
	if err := r.CheckRedirect(); err != nil {
		return secret.Text{}, err
	}
	if err := r.Check(); err != nil {
		return secret.Text{}, err
	}
	now, code := s.Now(), secret.Mint(secret.AuthCode)
	return code, s.Store.AddCode(ctx, Code{Hash: code.Hash(), RedirectURI: r.RedirectURI, Challenge: r.Challenge, Device: r.Device.Clean(),
		Organization: who.Organization, Member: who.Member, CreatedAt: now, ExpiresAt: now.Add(codeLife)})
}

// Exchange is what a client presents at the token endpoint.
type Exchange struct {
	Code        secret.Text
	Verifier    secret.Text
	RedirectURI string
	ClientID    string
}

// Redeem exchanges a code for tokens. It fails with an *Error.
func (s *Service) Redeem(ctx context.Context, x Exchange) (session.Tokens, error) {
	if !secret.Is(secret.AuthCode, x.Code.Reveal()) {
		return session.Tokens{}, ErrInvalidGrant
	}
	c, ok, err := s.Store.Code(ctx, x.Code.Hash())
	switch {
	case err != nil:
		return session.Tokens{}, err
	case !ok:
		return session.Tokens{}, ErrInvalidGrant
	case x.ClientID != ClientID || x.RedirectURI != c.RedirectURI || !c.verifies(x.Verifier):
		return session.Tokens{}, ErrVerifier
	}
	who, err := s.approver(ctx, c.Organization, c.Member)
	if err != nil {
		return session.Tokens{}, err
	}
	now := s.Now()
	if !now.Before(c.ExpiresAt) && c.UsedAt.IsZero() {
		return session.Tokens{}, ErrInvalidGrant
	}
	if !c.UsedAt.IsZero() {
		return session.Tokens{}, s.replayed(ctx, who, c)
	}
	tokens, err := s.Sessions.Start(ctx, who, c.Device)
	if err != nil {
		return session.Tokens{}, err
	}
	ok, err = s.Store.UseCode(ctx, c.Hash, tokens.Session.ID, now)
	if err != nil || !ok {
		return session.Tokens{}, s.usedTwice(ctx, who, c, tokens.Session.ID, err)
	}
	return tokens, nil
}

// usedTwice ends what the code's first use began and what this use did: one of
// the two is a thief, and nobody can tell which.
func (s *Service) usedTwice(ctx context.Context, who caller.Caller, c Code, second id.DeviceSession, err error) error {
	if ended := s.Sessions.End(ctx, who, c.Organization, second); ended != nil || err != nil {
		return errors.Join(err, ended)
	}
	if c, _, err = s.Store.Code(ctx, c.Hash); err != nil {
		return err
	}
	return s.replayed(ctx, who, c)
}

// replayed ends the session that a used code began.
func (s *Service) replayed(ctx context.Context, who caller.Caller, c Code) error {
	return orInvalid(s.Sessions.End(ctx, who, c.Organization, c.Session))
}

func (c Code) verifies(verifier secret.Text) bool {
	v := verifier.Reveal()
	if len(v) < 43 || len(v) > 128 {
		return false
	}
	sum := sha256.Sum256([]byte(v))
	return subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(c.Challenge)) == 1
}

// approver is the member who approved, as of now.
func (s *Service) approver(ctx context.Context, o id.Organization, m id.Member) (caller.Caller, error) {
	found, ok, err := s.Members.Member(ctx, o, m)
	if err != nil {
		return caller.Caller{}, err
	}
	if !ok {
		return caller.Caller{}, ErrInvalidGrant
	}
	who := found.Caller(caller.Session)
	if !who.Rights.Has(caller.OwnSessions) {
		return caller.Caller{}, ErrDenied
	}
	return who, nil
}

// Prune forgets codes that expired a day ago.
func (s *Service) Prune(ctx context.Context, who caller.Caller) error {
	if err := access.CheckInstance(who); err != nil {
		return err
	}
	return s.Store.Prune(ctx, s.Now().Add(-24*time.Hour))
}
