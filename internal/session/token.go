package session

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/bearer"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/jwks"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// Scope is what an access token is for.
const Scope = "models"

// Claims are what an access token says. Claude Code reads the identity out of
// it; we believe only the session id, and ask the database for the rest.
type Claims struct {
	Issuer       string   `json:"iss"`
	Subject      string   `json:"sub"` // the member's id
	Audience     string   `json:"aud"`
	Expires      int64    `json:"exp"` // seconds since 1970
	Issued       int64    `json:"iat"`
	ID           string   `json:"jti"`
	Session      string   `json:"sid"`
	Organization string   `json:"org"`
	Email        string   `json:"email"`
	Name         string   `json:"name"`
	Groups       []string `json:"groups"`
	Scope        string   `json:"scope"`
}

func (s *Service) tokens(ctx context.Context, m org.Member, session Session, refresh secret.Text) (Tokens, error) {
	groups, err := s.cfg.Store.GroupNames(ctx, m.ID)
	if err != nil {
		return Tokens{}, err
	}
	now := s.cfg.Now()
	signed, err := s.cfg.Keys.Sign(Claims{Issuer: s.cfg.Issuer, Subject: string(m.ID), Audience: s.cfg.Issuer, Expires: now.Add(s.cfg.AccessTTL).Unix(),
		Issued: now.Unix(), ID: string(id.NewRequest())[4:], Session: string(session.ID), Organization: string(m.Organization),
		Email: m.Email, Name: m.Name, Groups: bounded(groups), Scope: Scope})
	if err != nil {
		return Tokens{}, err
	}
	return Tokens{Access: secret.New(signed), Refresh: refresh, ExpiresIn: s.cfg.AccessTTL, Session: session}, nil
}

// mostGroups is how many bytes of group names a token says. It travels in a
// header, with every request.
const mostGroups = 1024

// bounded are the names as far as there is room for them; never nil.
func bounded(names []string) []string {
	some, room := []string{}, mostGroups
	for _, n := range names {
		if room -= len(n) + 3; room < 0 {
			break
		}
		some = append(some, n)
	}
	return some
}

var _ bearer.Source = (*Service)(nil)

// Accepts makes the Service a bearer.Source of access tokens.
func (s *Service) Accepts(presented string) bool {
	return strings.HasPrefix(presented, "eyJ") && strings.Count(presented, ".") == 2 && len(presented) < 8192
}

// Resolve says whose access token it is.
func (s *Service) Resolve(ctx context.Context, presented secret.Text) (caller.Caller, time.Time, error) {
	claims, err := s.claims(ctx, presented)
	if err != nil {
		return caller.Caller{}, time.Time{}, err
	}
	who, session, until, err := s.callerOf(ctx, caller.Caller{Organization: id.Organization(claims.Organization), Member: id.Member(claims.Subject), Session: id.DeviceSession(claims.Session)})
	s.refused(session, err)
	expires := time.Unix(claims.Expires, 0)
	if !until.IsZero() && until.Before(expires) {
		expires = until
	}
	return who, expires, err
}

func (s *Service) claims(ctx context.Context, presented secret.Text) (Claims, error) {
	var c Claims
	err := s.cfg.Keys.Verify(ctx, presented.Reveal(), &c)
	switch now := s.cfg.Now().Unix(); {
	case errors.Is(err, jwks.ErrToken):
		return Claims{}, bearer.Refused()
	case err != nil:
		return Claims{}, err
	// Only nodes of this server have the key, whatever URL each is reached at; what
	// they sign for somebody else has another audience than its issuer.
	case c.Audience != c.Issuer, c.Session == "", now >= c.Expires, c.Issued > now+60,
		!slices.Contains(strings.Fields(c.Scope), Scope):
		return Claims{}, bearer.Refused()
	}
	return c, nil
}

// Recheck says whether the session is still good.
func (s *Service) Recheck(ctx context.Context, who caller.Caller) (caller.Caller, error) {
	now, _, _, err := s.callerOf(ctx, who)
	return now, err
}

func (s *Service) callerOf(ctx context.Context, who caller.Caller) (caller.Caller, Session, time.Time, error) {
	session, m, until, err := s.living(ctx, who.Session)
	if fault.Is(err, fault.Unauthenticated) || (err == nil && (session.Organization != who.Organization || session.Member != who.Member)) {
		err = bearer.Refused()
	}
	if err != nil {
		return caller.Caller{}, session, until, err
	}
	now := m.Caller(caller.Session)
	now.Session, now.Workspace, now.Rights = session.ID, session.Workspace, access.SessionRights(now.Rights)
	return now, session, until, nil
}

// Introspection is what RFC 7662 has to say of a token.
type Introspection struct {
	Active bool
	Claims Claims
}

// Introspect tells who may see an organization's sessions, or the token's own
// member, about an access token. A token of another organization is not active.
func (s *Service) Introspect(ctx context.Context, who caller.Caller, presented secret.Text) (Introspection, error) {
	if err := access.Check(who, caller.ReadOrganization, who.Organization); err != nil {
		return Introspection{}, err
	}
	if !s.Accepts(presented.Reveal()) {
		return Introspection{}, nil
	}
	of, _, err := s.Resolve(ctx, presented)
	if err != nil {
		return Introspection{}, ignoreUnauthenticated(err)
	}
	if of.Organization != who.Organization || access.CheckOwner(who, caller.OwnSessions, caller.AllSessions, of.Member, of.Organization) != nil {
		return Introspection{}, nil
	}
	claims, err := s.claims(ctx, presented)
	return Introspection{Active: err == nil, Claims: claims}, err
}
