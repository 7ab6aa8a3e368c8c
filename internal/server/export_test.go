package server

import (
	"context"
	"fmt"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// Count is how many events of a type an organization has, for tests.
func (s *Server) Count(ctx context.Context, o id.Organization, what audit.Type) int {
	events, _, _ := s.db.Activities().List(ctx, o, []audit.Type{what}, 0, 1000)
	return len(events)
}

// AddressOf is addressOf, for tests.
var AddressOf = addressOf

// Sign signs claims with the server's own key, for tests.
func (s *Server) Sign(claims any) (string, error) { return s.keys.Sign(claims) }

// SetStatus sets a member's status without asking anybody, for tests: what is
// remembered of the member is asked for again.
func (s *Server) SetStatus(ctx context.Context, o id.Organization, m id.Member, status org.Status, what audit.Type) error {
	found, ok, err := s.db.Orgs().Member(ctx, o, m)
	if err != nil || !ok {
		return fmt.Errorf("member %s (there: %v): %w", m, ok, err)
	}
	found.Status, found.Version, found.EndedAt = status, 0, time.Time{}
	_, err = s.db.Orgs().SaveMember(ctx, found, audit.New(caller.OfSystem(o), s.cfg.Now(), what, string(m), nil).In(o).Affecting(string(m)))
	return err
}

// Housekeep does at once what housekeeping does now and then, for tests.
func (s *Server) Housekeep(ctx context.Context, since time.Time) error { return s.touch(ctx, since) }

// LentIdentity is the identity token of the server's own environment.
func (s *Server) LentIdentity(ctx context.Context) (secret.Text, error) {
	return s.routes.lentIdentity(ctx)
}
