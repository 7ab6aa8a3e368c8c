package onboarding

import (
	"context"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/letter"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// Letter is the kind of the letters that remind somebody of their set-up.
const Letter letter.Kind = "nudge"

const (
	// NudgeEvery is how long a member is left in peace after a reminder.
	NudgeEvery = 24 * time.Hour
	// MaxNudges is how many are reminded in one go, those who have waited longest.
	MaxNudges  = 500
	letterLife = 3 * 24 * time.Hour
)

// Nudge reminds a member of what is next.
func (s *Service) Nudge(ctx context.Context, who caller.Caller, o id.Organization, m id.Member) error {
	if err := access.Check(who, caller.ManageMembers, o); err != nil {
		return err
	}
	p, err := s.progress(ctx, o, m)
	if err != nil {
		return err
	}
	found, _, err := s.cfg.Members.Member(ctx, o, m)
	now := s.cfg.Now()
	switch {
	case err != nil:
		return err
	case found.Status != org.Active:
		return fault.New(fault.Conflict, "%s is not an active member", p.Email)
	case p.Step == Done:
		return fault.New(fault.Conflict, "%s has finished their set-up already", p.Email)
	case now.Sub(p.NudgedAt) < NudgeEvery:
		return fault.New(fault.Conflict, "%s was reminded within the last day", p.Email).
			WithHint("once a day is often enough: talk to them, or try again tomorrow")
	}
	return s.cfg.Store.Nudge(ctx, o, now, now.Add(-NudgeEvery), []Nudge{s.nudge(who, p, found.OrganizationName, now)})
}

// Waiting counts whom NudgeAll would remind of all that the filter chooses.
func (s *Service) Waiting(ctx context.Context, who caller.Caller, o id.Organization, f Filter) (int, error) {
	if err := access.Check(who, caller.ManageMembers, o); err != nil {
		return 0, err
	}
	f, err := f.clean()
	if err != nil {
		return 0, err
	}
	return s.cfg.Store.Waiting(ctx, o, f, s.cfg.Now().Add(-NudgeEvery))
}

// NudgeAll reminds up to MaxNudges of the members that the filter chooses and
// who were left in peace for a day. It returns how many.
func (s *Service) NudgeAll(ctx context.Context, who caller.Caller, o id.Organization, f Filter) (int, error) {
	if err := access.Check(who, caller.ManageMembers, o); err != nil {
		return 0, err
	}
	f, err := f.clean()
	if err != nil {
		return 0, err
	}
	for try := 0; ; try++ {
		now := s.cfg.Now()
		all, err := s.cfg.Store.ToNudge(ctx, o, f, now.Add(-NudgeEvery), MaxNudges)
		if err != nil || len(all) == 0 {
			return 0, err
		}
		first, _, err := s.cfg.Members.Member(ctx, o, all[0].Member)
		if err != nil {
			return 0, err
		}
		var nudges []Nudge
		for _, p := range all {
			nudges = append(nudges, s.nudge(who, p, first.OrganizationName, now))
		}
		err = s.cfg.Store.Nudge(ctx, o, now, now.Add(-NudgeEvery), nudges)
		if !fault.Is(err, fault.Conflict) || try == 2 {
			return len(nudges), err
		}
		// Somebody else reminded one of them, or one got on: look again.
	}
}

func (s *Service) nudge(who caller.Caller, p Progress, organization string, at time.Time) Nudge {
	return Nudge{Member: p.Member, Letter: s.letter(p, organization, at),
		Event: audit.New(who, at, audit.MemberNudged, string(p.Member), audit.Detail{"email": p.Email, "step": p.Step.String()}).In(p.Organization)}
}

// nexts say in a letter what is next.
var nexts = map[Step]string{
	Check:   "Next, a short check of your computer: one command that you copy from the page below.",
	Install: "Next, install Claude Code: the command for your system is on the page below.",
	SignIn:  "Claude Code is installed. Next, sign your computer in.",
	Request: "Your computer is signed in. All that is left is to ask Claude Code something.",
}

func (s *Service) letter(p Progress, organization string, at time.Time) letter.Letter {
	link := secret.New(strings.TrimRight(s.cfg.PublicURL, "/") + "/start")
	return letter.Write(Letter, p.Email, p.Name, "Your access to Claude at "+organization+" is waiting", organization, link, letter.Parts{
		Greeting: "Hello " + p.Name + ",",
		Lines:    []string{"your set-up for Claude Code at " + organization + " is not finished.", nexts[p.Step]},
		Button:   "Go on with the set-up",
		After:    []string{"The page shows each step with its commands, and notices by itself when one is done."},
		Why:      "You get this because somebody who runs " + organization + " asked Gatehouse to remind you.",
	}, at).In(p.Organization, string(p.Member)).Until(at.Add(letterLife))
}
