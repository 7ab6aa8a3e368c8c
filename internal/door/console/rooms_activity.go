package console

import (
	"context"

	"github.com/gatehouse-dev/gatehouse/internal/activity"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/id"
)

// Record reads the record; *activity.Service does.
type Record interface {
	List(ctx context.Context, who caller.Caller, o id.Organization, f activity.Filter, p activity.Page) (activity.Found, error)
	Get(ctx context.Context, who caller.Caller, o id.Organization, a id.Activity) (activity.Place, error)
	Export(ctx context.Context, who caller.Caller, o id.Organization, f activity.Filter, as string, each func([]activity.Entry) error) error
}
