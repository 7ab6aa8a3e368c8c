package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/account"
	"github.com/gatehouse-dev/gatehouse/internal/activity"
	"github.com/gatehouse-dev/gatehouse/internal/apikey"
	"github.com/gatehouse-dev/gatehouse/internal/bearer"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/cloudaccess"
	"github.com/gatehouse-dev/gatehouse/internal/dial"
	"github.com/gatehouse-dev/gatehouse/internal/door/admin"
	"github.com/gatehouse-dev/gatehouse/internal/door/console"
	gatewaydoor "github.com/gatehouse-dev/gatehouse/internal/door/gateway"
	oauthdoor "github.com/gatehouse-dev/gatehouse/internal/door/oauth"
	"github.com/gatehouse-dev/gatehouse/internal/door/route"
	"github.com/gatehouse-dev/gatehouse/internal/door/setup"
	"github.com/gatehouse-dev/gatehouse/internal/feed"
	"github.com/gatehouse-dev/gatehouse/internal/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/invite"
	"github.com/gatehouse-dev/gatehouse/internal/jwks"
	"github.com/gatehouse-dev/gatehouse/internal/kms"
	"github.com/gatehouse-dev/gatehouse/internal/oauth"
	"github.com/gatehouse-dev/gatehouse/internal/onboarding"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/outbox"
	"github.com/gatehouse-dev/gatehouse/internal/price"
	"github.com/gatehouse-dev/gatehouse/internal/serviceaccount"
	"github.com/gatehouse-dev/gatehouse/internal/session"
	"github.com/gatehouse-dev/gatehouse/internal/store"
	"github.com/gatehouse-dev/gatehouse/internal/upstream"
	"github.com/gatehouse-dev/gatehouse/internal/usage"
	"github.com/gatehouse-dev/gatehouse/internal/workspace"
)

// Server is an opened server. Make it with Open.
type Server struct {
	cfg        Config
	db         *store.DB
	ledger     *usage.Ledger
	feed       *feed.Feed
	letters    *outbox.Job // nil without a mail server
	keeper     *bearer.Keeper
	keys       *jwks.Set // of access tokens
	identities *jwks.Set // of identity tokens for clouds
	routes     *directory
	gateway    *gateway.Gateway
	metrics    *metrics
	witness    *witness
	rooms      Rooms
	secrets    store.Instance
	doors      doors
	listener   net.Listener
	mounted    []route.Route
	handler    http.Handler
	draining   atomic.Bool
}

// Rooms are the services, for commands of the server's own shell.
type Rooms struct {
	Orgs            *org.Service
	Accounts        *account.Service
	Invites         *invite.Service
	Keys            *apikey.Service
	Sessions        *session.Service
	OAuth           *oauth.Service
	Upstreams       *upstream.Service
	CloudAccess     *cloudaccess.Service
	Usage           *usage.Service
	Outbox          *outbox.Service
	Onboarding      *onboarding.Service
	Workspaces      *workspace.Service
	ServiceAccounts *serviceaccount.Service
	Activity        *activity.Service
}

type doors struct {
	oauth   *oauthdoor.Door
	admin   *admin.Door
	console *console.Console
	gateway *gatewaydoor.Door
	setup   *setup.Door
}

// Open makes the data folder and its keys if need be, opens and migrates the
// database, takes the listening address and builds everything. Nothing is
// served before Run.
func Open(ctx context.Context, cfg Config) (_ *Server, err error) {
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, metrics: newMetrics()}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("making the data folder: %w", err)
	}
	if err := s.listen(); err != nil {
		return nil, err
	}
	secrets, err := s.openStore(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.openRooms(ctx, secrets); err != nil {
		return nil, err
	}
	if err := s.openGateway(ctx); err != nil {
		return nil, err
	}
	s.openDoors()
	return s, nil
}

// listen takes the address first, as the public URL may follow from it.
func (s *Server) listen() (err error) {
	if s.listener, err = net.Listen("tcp", s.cfg.Listen); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if s.cfg.PublicURL == "" {
		scheme := "http"
		if s.cfg.TLSCert != "" {
			scheme = "https"
		}
		s.cfg.PublicURL = scheme + "://" + s.listener.Addr().String()
		if err := s.cfg.check(); err != nil {
			return fmt.Errorf("%w: say how clients reach this server", err)
		}
	}
	return nil
}

func (s *Server) openStore(ctx context.Context) (store.Instance, error) {
	ring, err := MasterKey(s.cfg)
	if err != nil {
		return store.Instance{}, err
	}
	if s.db, err = store.Open(ctx, s.cfg.database()); err != nil {
		return store.Instance{}, err
	}
	return s.db.Unlock(ctx, ring, s.cfg.Now())
}

// MasterKey is the key that the configuration gives, or the one in the data
// folder, which is made if there is none.
func MasterKey(cfg Config) (*kms.Keyring, error) {
	if !cfg.MasterKey.Empty() {
		return kms.New(cfg.MasterKey)
	}
	if cfg.MasterKeyFile != "" {
		return kms.FromFile(cfg.MasterKeyFile)
	}
	return kms.FromFileOrNew(filepath.Join(cfg.DataDir, "master.key"))
}

// OpenShell opens the database and the services alone, for the commands of the
// server's own shell. It takes no address and may run beside a server.
func OpenShell(ctx context.Context, cfg Config) (_ *Server, err error) {
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if cfg.PublicURL == "" { // as serve would have it
		cfg.PublicURL = "http://" + cfg.Listen
		if cfg.TLSCert != "" {
			cfg.PublicURL = "https://" + cfg.Listen
		}
	}
	if _, err := os.Stat(cfg.database()); cfg.Database == "" && err != nil {
		return nil, fmt.Errorf("no server has kept its data in %s: name its folder or database, or start gatehoused serve first", cfg.DataDir)
	}
	s := &Server{cfg: cfg}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	secrets, err := s.openStore(ctx)
	if err != nil {
		return nil, err
	}
	return s, s.openRooms(ctx, secrets)
}

func (s *Server) openRooms(ctx context.Context, secrets store.Instance) (err error) {
	now := s.cfg.Now
	if s.keys, err = jwks.Load(ctx, s.db.SigningKeys(), jwks.EdDSA, now); err != nil {
		return err
	}
	s.identities = jwks.New(s.db.SigningKeys(), jwks.RS256, now)
	s.secrets = secrets
	orgs, workspaces := s.db.Orgs(), s.db.Workspaces()
	s.witness = newWitness()
	s.rooms.Workspaces = &workspace.Service{Store: workspaces, Now: now}
	s.rooms.ServiceAccounts = &serviceaccount.Service{Store: s.db.ServiceAccounts(), Now: now}
	s.rooms.Orgs = &org.Service{Store: orgs, Now: now, Closed: s.cfg.ClosedOrganizations}
	mailed := s.cfg.Mail.Server() != ""
	s.rooms.Accounts = account.New(s.db.Accounts(), orgs, now).At(s.cfg.PublicURL).Opening(account.Doors{Strangers: s.cfg.OpenToStrangers, Mailed: mailed})
	s.rooms.Invites = invite.NewService(invite.Config{Store: s.db.Invites(), Accounts: s.rooms.Accounts, Key: secrets.RefreshKey, PublicURL: s.cfg.PublicURL,
		Mailed: mailed, Now: now})
	s.rooms.Keys = &apikey.Service{Store: s.db.APIKeys(), Members: orgs, Workspaces: workspaces, Services: s.db.ServiceAccounts(), ClaudeCode: s.rooms.Workspaces,
		Witness: s.witness, PublicURL: s.cfg.PublicURL, Now: now}
	s.rooms.Sessions = session.New(session.Config{Store: s.db.Sessions(), Members: orgs, Workspaces: workspaces, ClaudeCode: s.rooms.Workspaces,
		Witness: s.witness, Keys: s.keys, Issuer: s.cfg.PublicURL,
		RefreshKey: secrets.RefreshKey, AccessTTL: s.cfg.AccessTTL, RefreshTTL: s.cfg.RefreshTTL, Now: now})
	s.rooms.OAuth = &oauth.Service{Store: s.db.OAuth(), Sessions: s.rooms.Sessions, Members: orgs, Now: now}
	s.rooms.Upstreams = &upstream.Service{Store: s.db.Upstreams(), Now: now, Ambient: s.cfg.AmbientClouds}
	s.rooms.CloudAccess = &cloudaccess.Service{Store: s.db.CloudAccess(), Keys: s.identities, PublicURL: s.cfg.PublicURL, Now: now}
	s.rooms.Outbox = &outbox.Service{Store: s.db.Outbox(), Now: now, Server: s.cfg.Mail.Server()}
	s.rooms.Usage = usage.NewService(s.db.Ledger())
	s.rooms.Onboarding = onboarding.New(onboarding.Config{Store: s.db.Setups(), Members: orgs, PublicURL: s.cfg.PublicURL, Now: now})
	s.rooms.Activity = &activity.Service{Store: s.db.Activities(), Now: s.cfg.Now}
	return nil
}

// openGateway builds the way of a request.
func (s *Server) openGateway(ctx context.Context) (err error) {
	now := s.cfg.Now
	if s.feed, err = feed.Open(ctx, s.db.Activities(), feedInterval, now, s.cfg.Log); err != nil {
		return err
	}
	if err := s.openMail(); err != nil {
		return err
	}
	s.db.OnChange(s.woken)
	s.keeper = bearer.New(bearer.Config{Sources: []bearer.Source{s.rooms.Keys, s.rooms.Sessions}, Now: now, Heard: s.feed.Heard, Ended: s.witness.ended, Late: s.witness.late})
	s.routes = &directory{orgs: s.db.Orgs(), workspaces: s.db.Workspaces(), upstreams: s.rooms.Upstreams, book: price.Default(), catalogue: s.cfg.Catalogue, clouds: s.cfg.Clouds, guard: dial.Guard{Local: s.cfg.AllowLocal}, now: now, routes: map[id.Organization]*ways{},
		issuer: s.rooms.CloudAccess, identityFile: s.cfg.IdentityTokenFile}
	s.routes.guarded = s.routes.guardedClient()
	s.rooms.Upstreams.Prober, s.rooms.Upstreams.Watcher = s.routes, s.routes
	if err := s.openLedger(ctx); err != nil {
		return err
	}
	s.gateway = gateway.New(gateway.Config{Authenticator: s.keeper, Directory: s.routes, Ledger: ledger{s.ledger}, Observer: s.metrics,
		Wire: gatewaydoor.Wire{}, Log: s.cfg.Log, Now: now, Limits: s.cfg.Limits, Address: addressOf(s.cfg.TrustedProxies)})
	return nil
}

// feedInterval is how often another node's changes are looked for: well within
// the second in which they must be known.
const feedInterval = 200 * time.Millisecond

// URL is how clients reach the server.
func (s *Server) URL() string { return s.cfg.PublicURL }

// Addr is the address that the server listens on.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Rooms returns the services.
func (s *Server) Rooms() Rooms { return s.rooms }

// RotateSigningKey makes a new key for access tokens.
func (s *Server) RotateSigningKey(ctx context.Context, who caller.Caller) error {
	return s.keys.Rotate(ctx, who)
}

// Run serves until the context ends, then lets streams finish for as long as
// the configuration says, and returns. It returns an error only if it could not
// serve.
func (s *Server) Run(ctx context.Context) error {
	jobs, stopJobs := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	defer running.Wait()
	defer stopJobs()
	running.Go(func() { s.feed.Run(jobs, s.changed) })
	running.Go(func() { s.housekeeping(jobs) })
	running.Go(func() { s.keepHeads(jobs) })
	running.Go(func() { s.rooms.Invites.Work(jobs, func(err error) { s.report("sending invitations", err) }) })
	if s.letters != nil {
		running.Go(func() { s.letters.Run(jobs) })
	}
	running.Go(func() { s.testify(jobs) })

	requests, endRequests := context.WithCancelCause(context.Background())
	defer endRequests(nil)
	failed := make(chan error, 2)
	main := s.httpServer(s.handler, requests)
	go func() { failed <- s.serve(main) }()
	defer main.Close()
	if s.cfg.MetricsListen != "" {
		listener, err := net.Listen("tcp", s.cfg.MetricsListen)
		if err != nil {
			return fmt.Errorf("metrics.listen: %w", err)
		}
		mux := http.NewServeMux()
		mux.Handle("GET /metrics", s.metrics.handler(s.cfg.MetricsToken))
		own := s.httpServer(mux, requests)
		go func() { failed <- own.Serve(listener) }()
		defer own.Close()
	}
	select {
	case err := <-failed:
		return fmt.Errorf("serving: %w", err)
	case <-ctx.Done():
	}
	s.drain(main, endRequests)
	return nil
}

func (s *Server) httpServer(h http.Handler, requests context.Context) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		BaseContext:       func(net.Listener) context.Context { return requests },
		ErrorLog:          slog.NewLogLogger(s.cfg.Log.Handler(), slog.LevelDebug),
	}
}

func (s *Server) serve(h *http.Server) error {
	if s.cfg.TLSCert != "" {
		return h.ServeTLS(s.listener, s.cfg.TLSCert, s.cfg.TLSKey)
	}
	return h.Serve(s.listener)
}

// drain stops taking requests, waits for those under way, and ends what is left
// when the time is up.
func (s *Server) drain(h *http.Server, endRequests context.CancelCauseFunc) {
	s.draining.Store(true)
	s.cfg.Log.Info("shutting down", "open", s.gateway.Open(), "within", s.cfg.Drain)
	ctx, cancel := context.WithTimeout(context.Background(), s.cfg.Drain)
	defer cancel()
	if h.Shutdown(ctx) == nil {
		return
	}
	s.cfg.Log.Warn("ending what is still under way", "open", s.gateway.Open())
	endRequests(gateway.ErrShutdown)
	last, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	_ = h.Shutdown(last)
}

// Close lets go of everything. It may be called after a failed Open.
func (s *Server) Close() error {
	var errs []error
	if s.listener != nil {
		if err := s.listener.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	if s.ledger != nil {
		errs = append(errs, s.closeLedger())
	}
	if s.routes != nil {
		s.routes.close()
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	return errors.Join(errs...)
}

// Heard is when the database last told what changed.
func (s *Server) Heard() time.Time { return s.feed.Heard() }

// Mounted lists every route that is served.
func (s *Server) Mounted() []route.Route { return s.mounted }
