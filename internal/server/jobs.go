package server

import (
	"context"
	"errors"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/apikey"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/feed"
	"github.com/gatehouse-dev/gatehouse/internal/id"
)

// changed is the feed's listener: what other parts remember is brought up to date.
func (s *Server) changed(ctx context.Context, changes []feed.Change) error {
	var ids []string
	for _, c := range changes {
		if c.Reset {
			s.routes.dropAll()
			return errors.Join(s.keys.Reload(ctx), s.identities.Reload(ctx), s.keeper.ChangedAll(ctx))
		}
		ids = append(ids, c.Affects...)
		switch c.Type {
		case audit.UpstreamConnected, audit.UpstreamChanged, audit.UpstreamMoved, audit.UpstreamRemoved, audit.OrganizationUpdated, audit.GroupCreated, audit.GroupUpdated, audit.GroupDeleted, audit.WorkspaceUpdated, audit.WorkspaceArchived:
			s.routes.drop(c.Organization)
		case audit.SigningKeyRotated:
			if err := errors.Join(s.keys.Reload(ctx), s.identities.Reload(ctx)); err != nil {
				return err
			}
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return s.keeper.Changed(ctx, ids...)
}

const (
	touchEvery = 30 * time.Second
	tidyEvery  = time.Hour

	indexAtOnce = 2000 // entries of the record; they wait for nothing
)

// housekeeping notes when credentials were last used, makes entries findable that
// are older than the search, forgets expired codes and replaces old signing keys.
// Nothing depends on its being on time.
func (s *Server) housekeeping(ctx context.Context) {
	touch, tidy := time.NewTicker(touchEvery), time.NewTicker(tidyEvery)
	defer touch.Stop()
	defer tidy.Stop()
	since := s.cfg.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-touch.C:
			next := s.cfg.Now()
			s.report("noting the last use of credentials", s.touch(ctx, since))
			s.report("telling of unfinished sign-ins", s.rooms.Accounts.TellUnfinished(ctx, caller.OfSystem("")))
			since = next
			_, err := s.db.Activities().IndexOlder(ctx, indexAtOnce)
			s.report("making older entries findable", err)
		case <-tidy.C:
			system := caller.OfSystem("")
			s.report("marking invitations that have run out", s.rooms.Invites.Tidy(ctx, system))
			s.report("forgetting expired codes", s.rooms.OAuth.Prune(ctx, system))
			s.report("forgetting old letters", s.rooms.Outbox.Prune(ctx, system))
			s.report("telling whose keys expire", s.rooms.Keys.RemindOwners(ctx, system))
			s.report("forgetting spent links", s.rooms.Accounts.Prune(ctx, system))
			s.report("measuring the database", s.db.Measure(ctx))
			s.report("replacing the signing keys", errors.Join(s.keys.RotateIfOld(ctx, system), s.identities.RotateIfOld(ctx, system)))
		}
	}
}

func (s *Server) report(doing string, err error) {
	if err != nil {
		s.cfg.Log.Error("a job failed and will be tried again", "job", doing, "error", err)
	}
}

func (s *Server) touch(ctx context.Context, since time.Time) error {
	keys, sessions := map[id.APIKey]apikey.Use{}, map[id.DeviceSession]time.Time{}
	for who, at := range s.keeper.Used(since) {
		switch {
		case who.Key != "":
			keys[who.Key] = apikey.Use{At: at, Address: who.Address}
		case who.Session != "":
			sessions[who.Session] = at
		}
	}
	if err := s.rooms.Keys.Touch(ctx, keys); err != nil {
		return err
	}
	return s.rooms.Sessions.Touch(ctx, sessions)
}
