package server

import (
	"context"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/id"
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
