package session

import (
	"context"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/bearer"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
)

// living returns a session that is good for something, with its member and the
// moment at which it ends by itself (zero: never). It fails with Unauthenticated
// for one that has ended or become too old, and for one whose member is not
// active, came to the organization after it began, or was taken out of the
// workspace that it is in.
func (s *Service) living(ctx context.Context, d id.DeviceSession) (session Session, m org.Member, until time.Time, err error) {
	session, ok, err := s.cfg.Store.Session(ctx, d)
	if err != nil {
		return session, m, until, err
	}
	if !ok || !session.EndedAt.IsZero() {
		return session, m, until, invalidGrant()
	}
	m, ok, err = s.cfg.Members.Member(ctx, session.Organization, session.Member)
	if err != nil {
		return session, m, until, err
	}
	if !ok || m.Status != org.Active || session.CreatedAt.Before(m.JoinedAt) {
		return session, m, until, invalidGrant()
	}
	if until, err = s.until(ctx, session); err != nil {
		return session, m, until, err
	}
	if !until.IsZero() && !s.cfg.Now().Before(until) {
		return session, m, until, errOld
	}
	return session, m, until, s.inWorkspace(ctx, session, m)
}

// errOld is invalidGrant for a session that has lived for as long as its
// organization lets one.
var errOld = invalidGrant()

// until is when a session has lived for as long as its organization lets one.
func (s *Service) until(ctx context.Context, session Session) (time.Time, error) {
	o, ok, err := s.cfg.Members.Organization(ctx, session.Organization)
	if err != nil {
		return time.Time{}, err
	}
	if !ok {
		return time.Time{}, invalidGrant()
	}
	if o.Settings.SessionDays == 0 {
		return time.Time{}, nil
	}
	return session.CreatedAt.Add(time.Duration(o.Settings.SessionDays) * 24 * time.Hour), nil
}

func (s *Service) inWorkspace(ctx context.Context, session Session, m org.Member) error {
	if session.Workspace == "" {
		return nil
	}
	at, ok, err := s.cfg.Workspaces.Standing(ctx, session.Organization, session.Workspace, string(session.Member))
	if err != nil {
		return err
	}
	if !ok || at.Workspace.Archived() || !access.InWorkspace(m.Rights(), at.Role).Has(access.HoldCredentials) {
		return invalidGrant()
	}
	return nil
}

// whyOld is the reason of a session that became too old.
const whyOld = "it was as old as the organization lets a session be"

// presented is living, for a session whose credential somebody has just
// presented: the first refusal of one that ended is proof, and is kept, and one
// that has become too old ends for good.
func (s *Service) presented(ctx context.Context, d id.DeviceSession) (Session, org.Member, error) {
	session, m, _, err := s.living(ctx, d)
	s.refused(session, err)
	if err == error(errOld) {
		if ended := s.end(ctx, caller.OfSystem(session.Organization), session, whyOld); ended != nil {
			return Session{}, org.Member{}, ended
		}
	}
	return session, m, err
}

// refused keeps that a credential of a session was refused, if it was.
func (s *Service) refused(session Session, err error) {
	now := s.cfg.Now()
	if session.ID != "" && fault.Is(err, fault.Unauthenticated) && s.cfg.Witness != nil && !bearer.Proven(session.RefusedAt, session.UsedAt, now) {
		s.cfg.Witness.Refused(string(session.ID), now)
	}
}
