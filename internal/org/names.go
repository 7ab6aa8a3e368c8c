package org

import (
	"context"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
)

// maxNames is how many names can be asked for at once.
const maxNames = 1000

// Names are the names of members by their id. One who is not there has none.
func (s *Service) Names(ctx context.Context, who caller.Caller, org id.Organization, members []id.Member) (map[id.Member]string, error) {
	if err := access.Check(who, caller.ReadMembers, org); err != nil {
		return nil, err
	}
	if len(members) > maxNames {
		return nil, fault.New(fault.Invalid, "at most %d names can be asked for at once", maxNames)
	}
	return s.Store.Names(ctx, org, members)
}
