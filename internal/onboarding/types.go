package onboarding

import (
	"context"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/checkup"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/letter"
)

// Step is what a member does next.
type Step int

const (
	Check   Step = iota + 1 // look at the machine
	Install                 // install Claude Code
	SignIn                  // sign a device in
	Request                 // ask something
	Done
)

// Steps lists the steps in their order.
func Steps() []Step { return []Step{Check, Install, SignIn, Request, Done} }

var stepNames = map[Step]string{Check: "check", Install: "install", SignIn: "sign_in", Request: "request", Done: "done"}

// String is the step's stable name; empty for what is no step.
func (s Step) String() string { return stepNames[s] }

// StepNamed returns the step of a name.
func StepNamed(name string) (Step, bool) {
	for s, n := range stepNames {
		if n == name {
			return s, true
		}
	}
	return 0, false
}

// Progress is how far a member's set-up is. A time that is zero has not come.
type Progress struct {
	Organization id.Organization
	Member       id.Member
	Email        string
	Name         string
	Step         Step      // what is next
	Since        time.Time // that it is

	AcceptedAt  time.Time
	CheckedAt   time.Time // the machine passed
	InstalledAt time.Time
	SignedInAt  time.Time
	AnsweredAt  time.Time
	NudgedAt    time.Time

	Claude     string // the version that was found last; may be empty
	ReportedAt time.Time
	Report     checkup.Report // the last one
}

// Filter chooses members of an organization. Its zero value is everybody whose
// set-up is not done, who has waited longest first.
type Filter struct {
	Step   Step   // only those at it
	Sought string // in name or address
	// Without are roles whose members have nothing to set up, as long as they
	// have not begun.
	Without []string
	After   Place // the last of the page before
	Before  Place // the first of the page after
	Limit   int
}

// Place is where a member stands in a list. The zero Place is none.
type Place struct {
	Since  time.Time
	Member id.Member
}

// Place is where the member stands.
func (p Progress) Place() Place { return Place{p.Since, p.Member} }

// Count is how many members are at a step, and since when the first of them is.
type Count struct {
	Step    Step
	Members int
	Oldest  time.Time
}

// Code is a set-up code.
type Code struct {
	Text      string // eight letters
	ExpiresAt time.Time
}

// Finding is a report on its way to the store.
type Finding struct {
	Organization id.Organization
	Member       id.Member
	At           time.Time
	Report       checkup.Report
}

// Nudge is a reminder on its way to the store.
type Nudge struct {
	Member id.Member
	Letter letter.Letter
	Event  audit.Event
}

// Store is what the package needs stored. ok is false for what does not exist.
type Store interface {
	Progress(ctx context.Context, o id.Organization, m id.Member) (p Progress, ok bool, err error)
	// Counts counts active members by step. It heeds the filter's Without alone.
	Counts(ctx context.Context, o id.Organization, f Filter) ([]Count, error)
	List(ctx context.Context, o id.Organization, f Filter) (page []Progress, more bool, err error)
	// Waiting counts the members of a filter who were not nudged since a moment.
	Waiting(ctx context.Context, o id.Organization, f Filter, notSince time.Time) (int, error)
	// ToNudge lists up to limit of them.
	ToNudge(ctx context.Context, o id.Organization, f Filter, notSince time.Time, limit int) ([]Progress, error)

	Code(ctx context.Context, o id.Organization, m id.Member) (Code, error)
	// SaveCode replaces a member's code. It fails with Conflict if the new one is
	// somebody's.
	SaveCode(ctx context.Context, o id.Organization, m id.Member, c Code) error
	// MemberOfCode finds an active member by a code that has not expired.
	MemberOfCode(ctx context.Context, code string, at time.Time) (o id.Organization, m id.Member, ok bool, err error)

	// SaveReport keeps a report and what follows from it. Without an event it is
	// the same as the last one, in all but its time.
	SaveReport(ctx context.Context, f Finding, events ...audit.Event) error
	// Nudge queues the letters, all or none: it fails with Conflict if one of the
	// members was nudged since the moment, or is done.
	Nudge(ctx context.Context, o id.Organization, at, notSince time.Time, all []Nudge) error
}
