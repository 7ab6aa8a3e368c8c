package gateway

import (
	"context"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/bearer"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/gateway/breaker"
	"github.com/gatehouse-dev/gatehouse/internal/gateway/quota"
	"github.com/gatehouse-dev/gatehouse/internal/price"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/usage"
)

// Authenticator turns a presented credential into a grant. It fails with
// fault.Unauthenticated if the credential is not good and with
// fault.Unavailable if nobody can tell. *bearer.Keeper is one.
type Authenticator interface {
	Authenticate(ctx context.Context, presented secret.Text) (*bearer.Grant, error)
}

// Directory knows where a caller's requests go. It is asked once for every
// request, so it answers from memory; the Route is shared and read-only.
type Directory interface {
	// Route returns the way, by the caller's organization and workspace, for a
	// model, which is named without its "[1m]" suffix; "" asks for what does not
	// depend on the model alone. It fails with fault.Unavailable if it cannot
	// tell. A Route without upstreams is none yet connected.
	Route(ctx context.Context, who caller.Caller, model string) (*Route, error)
}

// Route is where an organization's requests go and what they may ask for.
type Route struct {
	Upstreams []Upstream // in the order of preference; their names differ
	// Weights are the shares of the upstreams, in the same order. Neighbours that have
	// one share the load by it; 0, or none: what comes before is preferred.
	Weights []int
	Fences  map[string]string // :: upstream → fence, which nothing that fails there may cross
	Health  *breaker.Set      // nil: nobody keeps track
	Pools   map[string]string // :: upstream → pool whose quota it draws from, where there is one
	Quotas  *quota.Pools      // nil: nobody draws from any

	Allowed  []string // the models that may be asked for; empty: all
	Nothing  bool     // no model may be asked for, whatever Allowed says
	Narrowed []string // by what else Allowed is narrowed than the organization, in words
	Models   []Model  // what /v1/models lists, in order

	// What each credential in the workspace may do; 0: what the gateway's limits
	// say. Nothing here raises these.
	PerMinute, Concurrent int
}

// Model is one entry of /v1/models.
type Model struct {
	ID          string
	DisplayName string
	CreatedAt   time.Time
}

// Ledger records what requests cost.
type Ledger interface {
	// Reserve books the worst plausible cost of a request and returns at once,
	// before that is on disk. It fails with fault.Unavailable if the ledger
	// cannot take it and with fault.Billing if a limit is reached; then nothing
	// is sent upstream.
	Reserve(request usage.Request) (Hold, error)
}

// Hold is a reservation. It is settled exactly once.
type Hold interface {
	// Durable waits until the reservation is on disk. No byte of an answer
	// reaches the client before.
	Durable(ctx context.Context) error
	// Progress notes what a stream has used so far. It only writes to memory,
	// but to memory that outlives the process: a request that the server's death
	// cuts off is settled by it.
	Progress(used price.Tokens)
	// Settle replaces the reservation with what happened. It is called before
	// the answer's last bytes are handed over, so that whoever has an answer
	// whole is in the ledger, even if the server dies in the next instant.
	Settle(outcome usage.Outcome) error
}
