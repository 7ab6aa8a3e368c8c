package session

import (
	"context"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
)

// List returns a page of sessions, the latest begun first: everybody's for who
// may see all, a member's own otherwise.
func (s *Service) List(ctx context.Context, who caller.Caller, o id.Organization, f Filter) (page []Session, more bool, err error) {
	if err := access.CheckOwner(who, caller.OwnSessions, caller.AllSessions, f.Member, o); err != nil {
		return nil, false, err
	}
	if f.Limit <= 0 {
		f.Limit = 20
	}
	for _, cursor := range []id.DeviceSession{f.After, f.Before} {
		if cursor == "" {
			continue
		}
		if of, ok, err := s.cfg.Store.Session(ctx, cursor); err != nil {
			return nil, false, err
		} else if !ok || of.Organization != o {
			return nil, false, fault.New(fault.Invalid, "there is no session %q to page from", cursor)
		}
	}
	return s.cfg.Store.List(ctx, o, f)
}

// Count is how many sessions of a member go on, or of everybody if none is named.
func (s *Service) Count(ctx context.Context, who caller.Caller, o id.Organization, m id.Member) (int, error) {
	if err := access.CheckOwner(who, caller.OwnSessions, caller.AllSessions, m, o); err != nil {
		return 0, err
	}
	return s.cfg.Store.Count(ctx, o, m)
}

// Get returns one session: one's own, or anybody's for who may see all.
func (s *Service) Get(ctx context.Context, who caller.Caller, o id.Organization, d id.DeviceSession) (Session, error) {
	if err := access.Check(who, caller.ReadOrganization, o); err != nil {
		return Session{}, err
	}
	session, ok, err := s.cfg.Store.Session(ctx, d)
	if err != nil {
		return Session{}, err
	}
	if !ok || session.Organization != o {
		return Session{}, fault.New(fault.NotFound, "there is no such session in your organization")
	}
	return session, access.CheckOwner(who, caller.OwnSessions, caller.AllSessions, session.Member, o)
}

// Alarms lists the caller's sessions of the last thirty days that ended because
// a used refresh token was presented again: the member has to be told.
func (s *Service) Alarms(ctx context.Context, who caller.Caller) ([]Session, error) {
	if err := access.Check(who, caller.OwnSessions, who.Organization); err != nil || who.Member == "" {
		return nil, err
	}
	return s.cfg.Store.EndedFor(ctx, who.Organization, who.Member, whyReplayed, s.cfg.Now().Add(-30*24*time.Hour))
}

// End ends a session of the caller's own, or anybody's for who may.
func (s *Service) End(ctx context.Context, who caller.Caller, o id.Organization, d id.DeviceSession) error {
	if err := access.Check(who, caller.ReadOrganization, o); err != nil {
		return err
	}
	session, err := s.Get(ctx, who, o, d)
	if err != nil {
		return err
	}
	return s.end(ctx, who, session, "ended by "+who.Principal())
}

// EndAll ends every session of a member, of the caller's own or anybody's for
// who may, and returns how many there were.
func (s *Service) EndAll(ctx context.Context, who caller.Caller, o id.Organization, m id.Member) (int, error) {
	if err := access.CheckOwner(who, caller.OwnSessions, caller.AllSessions, m, o); err != nil {
		return 0, err
	}
	found, ok, err := s.cfg.Members.Member(ctx, o, m)
	if err != nil {
		return 0, err
	}
	if !ok {
		return 0, fault.New(fault.NotFound, "there is no such member in your organization")
	}
	now := s.cfg.Now()
	return s.cfg.Store.EndAll(ctx, o, m, "ended by "+who.Principal(), now, audit.New(who, now, audit.SessionsRevoked, string(m), audit.Detail{"of": found.Email}).
		In(o).Affecting(string(m)))
}

// Proof shows what became of a member's sessions: how many there are, or were
// until they were suspended or removed, when one was last accepted, and first
// refused.
func (s *Service) Proof(ctx context.Context, who caller.Caller, o id.Organization, m id.Member) (Proof, error) {
	if err := access.CheckOwner(who, caller.OwnSessions, caller.AllSessions, m, o); err != nil {
		return Proof{}, err
	}
	found, ok, err := s.cfg.Members.Member(ctx, o, m)
	if err != nil {
		return Proof{}, err
	}
	if !ok {
		return Proof{}, fault.New(fault.NotFound, "there is no such member in your organization")
	}
	return s.cfg.Store.Proof(ctx, o, m, found.EndedAt)
}

// Refuse notes when sessions that ended were first refused.
func (s *Service) Refuse(ctx context.Context, refused map[id.DeviceSession]time.Time) error {
	return s.cfg.Store.Refuse(ctx, refused)
}
