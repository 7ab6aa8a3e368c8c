package onboarding

import (
	"context"
	"reflect"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/checkup"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/oauth"
)

const (
	codeLife = 7 * 24 * time.Hour
	// codeRenew is how much of its life a code has left when it is replaced by a
	// fresh one: nobody is to be shown one that ends while they type it.
	codeRenew = 24 * time.Hour
)

// Code is the set-up code of the caller's own. It is made when it is first
// asked for, and anew when it is about to end: there is one a member, and it
// can do nothing but report.
func (s *Service) Code(ctx context.Context, who caller.Caller) (Code, error) {
	if err := access.Check(who, caller.OwnSessions, who.Organization); err != nil {
		return Code{}, err
	}
	now := s.cfg.Now()
	c, err := s.cfg.Store.Code(ctx, who.Organization, who.Member)
	if err != nil || now.Before(c.ExpiresAt.Add(-codeRenew)) {
		return c, err
	}
	for {
		c = Code{Text: oauth.NewUserCode(), ExpiresAt: now.Add(codeLife)}
		if err = s.cfg.Store.SaveCode(ctx, who.Organization, who.Member, c); !fault.Is(err, fault.Conflict) {
			return c, err // one in 25 billion is somebody's: draw again
		}
	}
}

// errCode is the one answer to a code that is not good, whatever is wrong with it.
func errCode() error {
	return fault.New(fault.NotFound, "this set-up code is unknown or has ended").At("code").
		WithHint("copy the command anew from your Get started page")
}

// ReportByCode takes a report from a machine that has nothing but a set-up code.
func (s *Service) ReportByCode(ctx context.Context, typed, address string, r checkup.Report) (Step, error) {
	code := oauth.CleanUserCode(typed)
	if code == "" {
		return 0, errCode()
	}
	o, m, ok, err := s.cfg.Store.MemberOfCode(ctx, code, s.cfg.Now())
	if err != nil {
		return 0, err
	}
	if !ok {
		return 0, errCode()
	}
	member, ok, err := s.cfg.Members.Member(ctx, o, m)
	if err != nil || !ok {
		return 0, err
	}
	return s.report(ctx, member.Caller(caller.Anonymous).From(address), "set-up code", r)
}

// Report takes a report from a machine that is signed in.
func (s *Service) Report(ctx context.Context, who caller.Caller, r checkup.Report) (Step, error) {
	if err := access.Check(who, caller.OwnSessions, who.Organization); err != nil {
		return 0, err
	}
	return s.report(ctx, who, "session", r)
}

func (s *Service) report(ctx context.Context, who caller.Caller, by string, r checkup.Report) (Step, error) {
	if ok, wait := s.reports.Allow(string(who.Member)); !ok {
		return 0, fault.New(fault.RateLimited, "your machines reported too often").After(wait)
	}
	before, err := s.progress(ctx, who.Organization, who.Member)
	if err != nil {
		return 0, err
	}
	found := Finding{Organization: who.Organization, Member: who.Member, At: s.cfg.Now(), Report: r}
	var events []audit.Event
	if !reflect.DeepEqual(before.Report, r) {
		events = append(events, audit.New(who, found.At, audit.SetupReported, string(who.Member), audit.Detail{
			"with": by, "system": r.System, "claude_version": r.Claude, "problems": summary(r)}))
	}
	if err := s.cfg.Store.SaveReport(ctx, found, events...); err != nil {
		return 0, err
	}
	after, err := s.progress(ctx, who.Organization, who.Member)
	return after.Step, err
}

// summary is what is wrong, for the record: "claude:not_found proxy:unreadable".
func summary(r checkup.Report) string {
	var all []string
	for _, c := range r.Problems() {
		all = append(all, c.Name+":"+c.Code)
	}
	return strings.Join(all, " ")
}
