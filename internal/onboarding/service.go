package onboarding

import (
	"context"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/limit"
	"github.com/gatehouse-dev/gatehouse/internal/org"
)

const (
	maxLimit = 1000
	// reportsPer is how often one member's machines may report: each report that
	// says something new is recorded for good.
	reportsPer = 30
	reportsIn  = time.Hour
)

// Config is what a Service needs.
type Config struct {
	Store     Store
	Members   Members
	PublicURL string // letters lead there
	Now       func() time.Time
}

// Members finds members; org.Store does.
type Members interface {
	Member(ctx context.Context, o id.Organization, m id.Member) (member org.Member, ok bool, err error)
}

// Service keeps set-ups. Use New; it is safe for concurrent use.
type Service struct {
	cfg     Config
	reports *limit.Limiter // by member
}

// New returns a Service.
func New(cfg Config) *Service {
	return &Service{cfg: cfg, reports: limit.New(reportsPer, reportsIn, cfg.Now)}
}

// Mine is how far the caller's own set-up is.
func (s *Service) Mine(ctx context.Context, who caller.Caller) (Progress, error) {
	if err := access.Check(who, caller.OwnSessions, who.Organization); err != nil {
		return Progress{}, err
	}
	return s.progress(ctx, who.Organization, who.Member)
}

// Of is how far a member's set-up is.
func (s *Service) Of(ctx context.Context, who caller.Caller, o id.Organization, m id.Member) (Progress, error) {
	if err := access.Check(who, caller.ReadMembers, o); err != nil {
		return Progress{}, err
	}
	return s.progress(ctx, o, m)
}

func (s *Service) progress(ctx context.Context, o id.Organization, m id.Member) (Progress, error) {
	p, ok, err := s.cfg.Store.Progress(ctx, o, m)
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "there is no such member in your organization")
	}
	return p, err
}

// Funnel counts the members at each step, in the steps' order. Who has a role
// without models and has not begun is not counted: there is nothing to set up.
func (s *Service) Funnel(ctx context.Context, who caller.Caller, o id.Organization) ([]Count, error) {
	if err := access.Check(who, caller.ReadMembers, o); err != nil {
		return nil, err
	}
	found, err := s.cfg.Store.Counts(ctx, o, Filter{Without: idle()})
	if err != nil {
		return nil, err
	}
	var all []Count
	for _, step := range Steps() {
		c := Count{Step: step}
		for _, f := range found {
			if f.Step == step {
				c = f
			}
		}
		all = append(all, c)
	}
	return all, nil
}

// List returns a page of the members whose set-up is not done, who has waited
// longest first.
func (s *Service) List(ctx context.Context, who caller.Caller, o id.Organization, f Filter) (page []Progress, more bool, err error) {
	if err := access.Check(who, caller.ReadMembers, o); err != nil {
		return nil, false, err
	}
	if f.Limit < 1 || f.Limit > maxLimit {
		return nil, false, fault.New(fault.Invalid, "a page has from 1 to %d members", maxLimit)
	}
	if f, err = f.clean(); err != nil {
		return nil, false, err
	}
	return s.cfg.Store.List(ctx, o, f)
}

func (f Filter) clean() (Filter, error) {
	if f.Step != 0 && (f.Step < Check || f.Step >= Done) {
		return f, fault.New(fault.Invalid, "there is no such step to be at")
	}
	f.Sought = org.CleanText(f.Sought, 200)
	f.Without = idle()
	return f, nil
}

// idle are the roles whose members cannot use models. What groups add to a role
// is not known here, so who is managed by groups counts, and so does everybody
// who has begun.
func idle() []string {
	var all []string
	for _, r := range access.Roles() {
		if r != access.Managed && !r.Rights().Has(caller.UseModels) {
			all = append(all, string(r))
		}
	}
	return all
}
