package session

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/jwks"
	"github.com/gatehouse-dev/gatehouse/internal/limit"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

const (
	// Grace is how long a used refresh token still gives its successor.
	Grace = 60 * time.Second
	// MaxAccessTTL bounds the life of an access token.
	MaxAccessTTL = time.Hour
)

// Config is what a Service needs.
type Config struct {
	Store      Store
	Members    Members
	Workspaces Workspaces
	ClaudeCode ClaudeCode
	Witness    Witness // may be left out
	Keys       *jwks.Set
	Issuer     string // the server's public URL: iss and aud of every token
	RefreshKey []byte // successors are derived with it; the same on all nodes
	AccessTTL  time.Duration
	RefreshTTL time.Duration // from its last use
	Now        func() time.Time
}

// Service keeps sessions. Use New; it is safe for concurrent use.
type Service struct {
	cfg       Config
	rotations *limit.Limiter // each is recorded for good: a session must not fill the record
}

// New returns a Service. Zero lifetimes become an hour and thirty days.
func New(cfg Config) *Service {
	if cfg.AccessTTL <= 0 || cfg.AccessTTL > MaxAccessTTL {
		cfg.AccessTTL = MaxAccessTTL
	}
	if cfg.RefreshTTL <= 0 {
		cfg.RefreshTTL = 30 * 24 * time.Hour
	}
	return &Service{cfg: cfg, rotations: limit.New(600, time.Minute, cfg.Now)}
}

// Start begins a session of a member who has approved it.
func (s *Service) Start(ctx context.Context, who caller.Caller, device Device) (Tokens, error) {
	if err := access.Check(who, caller.OwnSessions, who.Organization); err != nil {
		return Tokens{}, err
	}
	m, ok, err := s.cfg.Members.Member(ctx, who.Organization, who.Member)
	if err != nil {
		return Tokens{}, err
	}
	if !ok || m.Status != org.Active {
		return Tokens{}, fault.New(fault.Denied, "your membership of this organization is not active")
	}
	w, err := s.cfg.ClaudeCode.EnterClaudeCode(ctx, who.From(device.Address))
	if err != nil {
		return Tokens{}, err
	}
	now := s.cfg.Now()
	session := Session{ID: id.NewDeviceSession(), Organization: m.Organization, Member: m.ID, Email: m.Email, Name: m.Name, Workspace: w.ID, Device: device.Clean(), CreatedAt: now, UsedAt: now}
	token := secret.Mint(secret.RefreshToken)
	first := Refresh{Hash: token.Hash(), Session: session.ID, CreatedAt: now, ExpiresAt: now.Add(s.cfg.RefreshTTL)}
	e := audit.New(who.From(device.Address), now, audit.SessionStarted, string(session.ID), audit.Detail{"client": session.Device.ClientID,
		"name": session.Device.Name, "system": session.Device.System, "version": session.Device.ClientVersion})
	if err := s.cfg.Store.Start(ctx, session, first, e); err != nil {
		return Tokens{}, err
	}
	return s.tokens(ctx, m, session, token)
}

// invalidGrant is the one answer to a refresh token that is not good.
func invalidGrant() *fault.Error {
	return fault.New(fault.Unauthenticated, "the refresh token is unknown, expired or revoked").WithHint("sign in again with: gatehouse login")
}

// Refresh exchanges a refresh token for fresh tokens. It fails with
// Unauthenticated if the token, its session or its member is no longer good.
func (s *Service) Refresh(ctx context.Context, presented secret.Text, address string) (Tokens, error) {
	if !secret.Is(secret.RefreshToken, presented.Reveal()) {
		return Tokens{}, invalidGrant()
	}
	used, ok, err := s.cfg.Store.Refresh(ctx, presented.Hash())
	if err != nil {
		return Tokens{}, err
	}
	now := s.cfg.Now()
	if !ok || !now.Before(used.ExpiresAt) {
		return Tokens{}, invalidGrant()
	}
	session, m, err := s.presented(ctx, used.Session)
	if err != nil {
		return Tokens{}, err
	}
	who := m.Caller(caller.Session).From(address)
	who.Session = session.ID
	next := s.successor(presented)
	if used.UsedAt.IsZero() {
		if ok, wait := s.rotations.Allow(string(session.ID)); !ok {
			return Tokens{}, fault.New(fault.RateLimited, "this session is refreshed too often").After(wait)
		}
		used.UsedAt = now
		won, err := s.cfg.Store.Rotate(ctx, used, Refresh{Hash: next.Hash(), Session: session.ID, Generation: used.Generation + 1,
			CreatedAt: now, ExpiresAt: now.Add(s.cfg.RefreshTTL)}, audit.New(who, now, audit.SessionRefreshed, string(session.ID), nil))
		if err != nil || won {
			return s.orTokens(ctx, m, session, next, err)
		}
		// Somebody presented the same token a moment before us: see what they left.
		if used, _, err = s.cfg.Store.Refresh(ctx, presented.Hash()); err != nil {
			return Tokens{}, err
		}
		if session, m, err = s.presented(ctx, used.Session); err != nil {
			return Tokens{}, err
		}
	}
	if used.Generation == session.Generation-1 && now.Sub(used.UsedAt) <= Grace {
		return s.tokens(ctx, m, session, next)
	}
	e := audit.New(who, now, audit.TokenReplayed, string(session.ID), audit.Detail{"session": session.Device.Name}).Affecting(string(session.ID))
	if err := s.cfg.Store.End(ctx, session.ID, whyReplayed, now, e); err != nil {
		return Tokens{}, err
	}
	return Tokens{}, invalidGrant()
}

func (s *Service) orTokens(ctx context.Context, m org.Member, session Session, refresh secret.Text, err error) (Tokens, error) {
	if err != nil {
		return Tokens{}, err
	}
	return s.tokens(ctx, m, session, refresh)
}

// successor derives the token that follows another.
func (s *Service) successor(of secret.Text) secret.Text {
	mac := hmac.New(sha256.New, s.cfg.RefreshKey)
	mac.Write([]byte("refresh successor\x00" + of.Reveal()))
	return secret.FromBytes(secret.RefreshToken, [32]byte(mac.Sum(nil)))
}

// EndByToken ends the session that an access or refresh token belongs to, as
// RFC 7009 asks: a token that is not ours, or not good any more, is no error.
func (s *Service) EndByToken(ctx context.Context, presented secret.Text, address string) error {
	var d id.DeviceSession
	if s.Accepts(presented.Reveal()) {
		who, _, err := s.Resolve(ctx, presented)
		if err != nil {
			return ignoreUnauthenticated(err)
		}
		d = who.Session
	} else {
		r, ok, err := s.cfg.Store.Refresh(ctx, presented.Hash())
		if err != nil || !ok {
			return err
		}
		d = r.Session
	}
	session, m, _, err := s.living(ctx, d)
	if err != nil {
		return ignoreUnauthenticated(err)
	}
	who := m.Caller(caller.Session).From(address)
	who.Session = d
	return s.end(ctx, who, session, "signed out")
}

func ignoreUnauthenticated(err error) error {
	if fault.Is(err, fault.Unauthenticated) {
		return nil
	}
	return err
}

// whyReplayed is the reason of a session that ended because somebody else seems
// to have its refresh token.
const whyReplayed = "a used refresh token was presented again"

func (s *Service) end(ctx context.Context, who caller.Caller, session Session, why string) error {
	now := s.cfg.Now()
	e := audit.New(who, now, audit.SessionRevoked, string(session.ID), audit.Detail{"session": session.Device.Name, "of": session.Email, "why": why}).
		In(session.Organization).Affecting(string(session.ID))
	return s.cfg.Store.End(ctx, session.ID, why, now, e)
}

// NoteClient notes the version that the client of the caller's own session says
// it has. Callers without a session have none to note.
func (s *Service) NoteClient(ctx context.Context, who caller.Caller, version string) error {
	if err := access.Check(who, caller.OwnSessions, who.Organization); err != nil || who.Session == "" {
		return err
	}
	return s.cfg.Store.NoteClient(ctx, who.Session, org.CleanText(version, maxDeviceField))
}

// Touch notes when sessions were last used.
func (s *Service) Touch(ctx context.Context, used map[id.DeviceSession]time.Time) error {
	return s.cfg.Store.Touch(ctx, used)
}
