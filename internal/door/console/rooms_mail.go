package console

import (
	"context"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/outbox"
)

// Outbox shows the letters; *outbox.Service does.
type Outbox interface {
	Configured() (server string, ok bool)
	Counts(ctx context.Context, who caller.Caller, o id.Organization) (outbox.Counts, error)
	List(ctx context.Context, who caller.Caller, o id.Organization, f outbox.Filter) (page []outbox.Message, more bool, err error)
	Get(ctx context.Context, who caller.Caller, o id.Organization, m id.Message) (outbox.Message, error)
	Retry(ctx context.Context, who caller.Caller, o id.Organization, m id.Message) error
}
