package server

import (
	"net/http"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/door/admin"
	"github.com/gatehouse-dev/gatehouse/internal/door/console"
	gatewaydoor "github.com/gatehouse-dev/gatehouse/internal/door/gateway"
	oauthdoor "github.com/gatehouse-dev/gatehouse/internal/door/oauth"
	"github.com/gatehouse-dev/gatehouse/internal/door/setup"
	"github.com/gatehouse-dev/gatehouse/internal/limit"
)

func (s *Server) openDoors() {
	address := addressOf(s.cfg.TrustedProxies)
	s.doors.gateway = gatewaydoor.New(s.gateway, s.rooms.Sessions, s.cfg.Log)
	s.doors.oauth = oauthdoor.New(oauthdoor.Config{OAuth: s.rooms.OAuth, Sessions: s.rooms.Sessions, Keys: s.keys, Clouds: s.rooms.CloudAccess, Authenticator: s.keeper,
		Issuer: s.cfg.PublicURL, Instance: s.secrets.ID, Devices: limit.New(s.cfg.DeviceAuthorizations, 10*time.Minute, s.cfg.Now),
		Tokens: limit.New(3000, time.Minute, s.cfg.Now), Address: address,
		Granted: s.metrics.granted, Log: s.cfg.Log})
	s.doors.admin = admin.New(admin.Config{Authenticator: s.keeper, Orgs: s.rooms.Orgs, Invites: s.rooms.Invites, Keys: s.rooms.Keys,
		Workspaces: s.rooms.Workspaces, ServiceAccounts: s.rooms.ServiceAccounts, Upstreams: s.rooms.Upstreams, PerMinute: s.gateway.Limits().PerMinute, Concurrent: s.gateway.Limits().Concurrent,
		Requests: limit.New(100, time.Minute, s.cfg.Now), Invitations: limit.New(1200, time.Hour, s.cfg.Now), Address: address, Now: s.cfg.Now, Log: s.cfg.Log})
	s.doors.setup = setup.New(setup.Config{Authenticator: s.keeper, Onboarding: s.rooms.Onboarding, Codes: limit.NewTries(10, 10*time.Minute, s.cfg.Now),
		Address: address, Log: s.cfg.Log})
	s.doors.console = s.newConsole(address)
	mux, mounted := s.mount()
	s.handler, s.mounted = s.survive(gatewaydoor.Strict(mux)), mounted
}

func (s *Server) newConsole(address func(*http.Request) string) *console.Console {
	return console.New(console.Config{
		Accounts:        s.rooms.Accounts,
		Organizations:   s.rooms.Orgs,
		Keys:            s.rooms.Keys,
		Sessions:        s.rooms.Sessions,
		Workspaces:      s.rooms.Workspaces,
		ServiceAccounts: s.rooms.ServiceAccounts,
		Devices:         s.rooms.OAuth,
		Upstreams:       s.rooms.Upstreams,
		CloudAccess:     s.rooms.CloudAccess,
		Usage:           s.rooms.Usage,
		Outbox:          s.rooms.Outbox,
		Invitations:     s.rooms.Invites,
		Onboarding:      s.rooms.Onboarding,
		Joining:         s.rooms.Invites,
		Record:          s.rooms.Activity,
		PublicURL:       s.cfg.PublicURL,
		Secure:          s.cfg.secure(),
		Demo:            s.cfg.Demo,
		SelfService:     !s.cfg.ClosedOrganizations,
		Strangers:       s.cfg.OpenToStrangers,
		Now:             s.cfg.Now,
		ClientAddress:   address,
		Logger:          s.cfg.Log,
	})
}
