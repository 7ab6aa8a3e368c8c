package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/bearer"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// Limits bound what requests may take. Zero fields take the defaults.
type Limits struct {
	Body         int64         // of one request, in bytes: 32 MiB
	BodyMemory   int64         // of all requests being read or sent, in bytes: 512 MiB; of one credential's, a quarter
	BodyWithin   time.Duration // for a body to arrive: 2 minutes
	Concurrent   int           // requests under way per credential: 64
	PerMinute    int           // requests per minute and credential: 1,000
	PingAfter    time.Duration // of silence: 15 seconds
	UpstreamIdle time.Duration // of silence before a stream is given up: 5 minutes
	ClientStall  time.Duration // that a client may leave an answer unread: 1 minute
}

func (l Limits) withDefaults() Limits {
	setZero(&l.Body, 32<<20)
	setZero(&l.BodyMemory, 512<<20)
	setZero(&l.BodyWithin, 2*time.Minute)
	setZero(&l.Concurrent, 64)
	setZero(&l.PerMinute, 1000)
	setZero(&l.PingAfter, 15*time.Second)
	setZero(&l.UpstreamIdle, 5*time.Minute)
	setZero(&l.ClientStall, time.Minute)
	return l
}

func setZero[T int | int64 | time.Duration](field *T, value T) {
	if *field == 0 {
		*field = value
	}
}

// Wire says how clients of the door read an error.
type Wire interface {
	// Status is the HTTP status that an error is answered with.
	Status(err error) int
	// Body is the error as one line of JSON, for a stream that has begun.
	Body(requestID string, err error) []byte
}

// Config is what a Gateway needs. Observer, Log, Now and Limits may be left out.
type Config struct {
	Authenticator Authenticator
	Directory     Directory
	Ledger        Ledger
	Observer      Observer
	Wire          Wire
	Log           *slog.Logger
	Now           func() time.Time
	Limits        Limits
	// Address tells where a request came from; without it that is not noted.
	Address func(*http.Request) string
}

// Gateway relays model requests. Use New; its methods may be called
// concurrently.
type Gateway struct {
	cfg    Config
	limits Limits
	bodies bodies
	rates  *limiter
	open   atomic.Int64
}

// New returns a Gateway.
func New(cfg Config) *Gateway {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Observer == nil {
		cfg.Observer = unobserved{}
	}
	limits := cfg.Limits.withDefaults()
	return &Gateway{
		cfg: cfg, limits: limits,
		bodies: bodies{max: limits.Body, room: limits.BodyMemory, share: shareOf(limits.BodyMemory, limits.Body), within: limits.BodyWithin},
		rates:  newLimiter(limits.Concurrent, limits.PerMinute, cfg.Now),
	}
}

// Limits are the limits that hold for every credential.
func (g *Gateway) Limits() Limits { return g.limits }

// Open is how many exchanges are under way. A server that ends waits until it
// is zero, for as long as it likes, and then cancels the context its requests
// come from, with ErrShutdown as the cause.
func (g *Gateway) Open() int { return int(g.open.Load()) }

// Admit says who presents a credential, if they may use models. It fails as
// Authenticator does, and with fault.Denied.
func (g *Gateway) Admit(ctx context.Context, presented secret.Text) (caller.Caller, error) {
	_, who, err := g.admit(ctx, presented)
	return who, err
}

func (g *Gateway) admit(ctx context.Context, presented secret.Text) (*bearer.Grant, caller.Caller, error) {
	grant, err := g.cfg.Authenticator.Authenticate(ctx, presented)
	if err != nil {
		return nil, caller.Caller{}, err
	}
	who := grant.Caller()
	if err := access.Check(who, caller.UseModels, who.Organization); err != nil {
		return nil, caller.Caller{}, err
	}
	return grant, who, nil
}

// Models lists the models a caller may ask for.
func (g *Gateway) Models(ctx context.Context, who caller.Caller) ([]Model, error) {
	route, err := g.cfg.Directory.Route(ctx, who, "")
	if err != nil {
		return nil, err
	}
	if len(route.Allowed) == 0 && !route.Nothing {
		return route.Models, nil
	}
	var allowed []Model
	for _, m := range route.Models {
		if route.allows(m.ID) {
			allowed = append(allowed, m)
		}
	}
	return allowed, nil
}
