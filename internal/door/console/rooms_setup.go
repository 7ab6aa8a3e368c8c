package console

import (
	"context"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/onboarding"
)

// Onboarding leads members to their first answer; *onboarding.Service does.
type Onboarding interface {
	Mine(ctx context.Context, who caller.Caller) (onboarding.Progress, error)
	Code(ctx context.Context, who caller.Caller) (onboarding.Code, error)
	Of(ctx context.Context, who caller.Caller, o id.Organization, m id.Member) (onboarding.Progress, error)
	Funnel(ctx context.Context, who caller.Caller, o id.Organization) ([]onboarding.Count, error)
	List(ctx context.Context, who caller.Caller, o id.Organization, f onboarding.Filter) (page []onboarding.Progress, more bool, err error)
	Waiting(ctx context.Context, who caller.Caller, o id.Organization, f onboarding.Filter) (int, error)
	Nudge(ctx context.Context, who caller.Caller, o id.Organization, m id.Member) error
	NudgeAll(ctx context.Context, who caller.Caller, o id.Organization, f onboarding.Filter) (int, error)
}
