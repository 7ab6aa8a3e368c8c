package invite

import (
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// Life is how long an invitation can be accepted.
const Life = 21 * 24 * time.Hour

// Status is where an invitation stands. The names are those of the Admin API.
type Status string

const (
	Pending  Status = "pending"
	Accepted Status = "accepted"
	Expired  Status = "expired"
	Deleted  Status = "deleted" // withdrawn
)

// Invite is an address that is asked to join an organization.
type Invite struct {
	ID           id.Invite
	Organization id.Organization
	Email        string
	Name         string // as the inviter knows it; may be empty
	Role         access.Role
	Groups       []id.Group
	Workspaces   []id.Workspace
	Status       Status
	Batch        id.InviteBatch // empty: it was made alone
	Link         id.InviteLink  // that it came from; empty: none
	By           string         // the principal's id
	ByName       string         // for people to read
	CreatedAt    time.Time
	ExpiresAt    time.Time
	SentAt       time.Time // the last letter
	EndedAt      time.Time // accepted or withdrawn; zero: neither
	Member       id.Member // once accepted
}

// At returns the invitation as it stands at a moment.
func (i Invite) At(now time.Time) Invite {
	if i.Status == Pending && !now.Before(i.ExpiresAt) {
		i.Status = Expired
	}
	return i
}

// same reports whether another asks for the same standing.
func (i Invite) same(p Place) bool {
	return i.Role == p.Role && join(i.Groups) == join(p.Groups) && join(i.Workspaces) == join(p.Workspaces)
}

// Place is the standing that an invitation gives.
type Place struct {
	Role       access.Role
	Groups     []id.Group
	Workspaces []id.Workspace
}

// New is what is asked when somebody is invited.
type New struct {
	Email string
	Name  string
	Place
}

// Filter chooses invitations. Empty fields choose all.
type Filter struct {
	Statuses []Status
	Roles    []access.Role
	Text     string // in the name or address
	Email    string // the whole address, whatever its case; a part after + may be missing
	Batch    id.InviteBatch
	After    id.Invite
	Before   id.Invite
	Limit    int // 20 if not positive, 1000 at most
}

// Offer is what an invitation's page is told.
type Offer struct {
	Invite
	OrganizationName    string
	OrganizationColor   string // of its mark; empty: it has chosen none
	OrganizationDeleted bool
	Account             id.Account // that has the address; empty: none yet
}

// BatchState is where a batch stands.
type BatchState string

const (
	Draft   BatchState = "draft"   // read and checked, nothing sent
	Sending BatchState = "sending" // under way, on whichever node
	Done    BatchState = "done"
)

// Batch is many invitations made in one go.
type Batch struct {
	ID           id.InviteBatch
	Organization id.Organization
	State        BatchState
	By           string
	ByKind       caller.Kind
	ByName       string
	Address      string // where the sender's request came from
	Place        Place  // of lines that name none of it
	CreatedAt    time.Time
	StartedAt    time.Time
	DoneAt       time.Time
	Counts       Counts
}

// Counts are the lines of a batch by where they stand.
type Counts struct{ Ready, Sent, Unchanged, Wrong, Failed int }

// All is how many lines there are.
func (c Counts) All() int { return c.Ready + c.Sent + c.Unchanged + c.Wrong + c.Failed }

// Percent is how much of what was to be sent is dealt with.
func (c Counts) Percent() int {
	if whole := c.Ready + c.Sent + c.Failed; whole > 0 {
		return 100 * (c.Sent + c.Failed) / whole
	}
	return 100
}

// LineState is where a line of a batch stands.
type LineState string

const (
	LineReady     LineState = "ready"     // can be sent
	LineSent      LineState = "sent"      // an invitation was made
	LineUnchanged LineState = "unchanged" // there is nothing to do
	LineWrong     LineState = "wrong"     // cannot be sent as it is
	LineFailed    LineState = "failed"    // could not be sent when its turn came
)

// Line is one line of a batch.
type Line struct {
	Number int
	Raw    string // as it was written
	Typed  string // as it can be mended: a line of a table
	New
	State  LineState
	Note   string // why, as the end of a sentence
	Invite id.Invite
}

// LineFilter chooses lines of a batch, in their order, the wrong ones first.
type LineFilter struct {
	State  LineState // empty: all
	Offset int
	Limit  int
}

// List is a list of people to be invited, before it is read.
type List struct {
	Text  string // as it was pasted
	Table string // as it came in a file
	Place Place  // for lines that name none of it
}

// Choices are what an inviter can choose from.
type Choices struct {
	Roles      []access.Role
	Groups     []Named
	Workspaces []Named
	Domains    []string // that addresses must be of; empty: any
	Seats      Seats
}

// Named is a group or a workspace.
type Named struct {
	ID     string
	Name   string
	Rights caller.Rights // that it gives
}

// Seats are how many there are, and who has them.
type Seats struct {
	Limit   int // 0: any number
	Members int
	Pending int
}

// Free is how many are left; a very large number if there is no limit.
func (s Seats) Free() int {
	if s.Limit == 0 {
		return 1 << 30
	}
	return max(0, s.Limit-s.Members-s.Pending)
}

// Link is a link with which people invite themselves.
type Link struct {
	ID           id.InviteLink
	Organization id.Organization
	Role         access.Role
	Domains      []string
	Round        int // counts regenerations: the token is derived from it
	By           string
	ByName       string
	CreatedAt    time.Time
	ExpiresAt    time.Time
	DisabledAt   time.Time // zero: it works
	Token        secret.Text
	Used         int // invitations that came from it
}

// Works reports whether the link can be used at a moment.
func (l Link) Works(now time.Time) bool { return l.DisabledAt.IsZero() && now.Before(l.ExpiresAt) }

// NewLink is what is asked for a link.
type NewLink struct {
	Role    access.Role
	Domains []string
	Days    int
}

// Opened is what a link's page is told.
type Opened struct {
	Link
	OrganizationName  string
	OrganizationColor string // of its mark; empty: it has chosen none
}

// Fits reports whether an address is of one of the link's domains.
func (o Opened) Fits(email string) bool { return inDomains(email, o.Domains) }

// Proposal is a person that a member would like to have in.
type Proposal struct {
	ID           string
	Organization id.Organization
	Email        string
	Name         string
	Why          string
	By           id.Member
	ByName       string
	State        string // waiting, approved, declined
	DecidedBy    string
	CreatedAt    time.Time
	DecidedAt    time.Time
}

// Joined is somebody who has just joined.
type Joined struct {
	Member    org.Member
	Withdrawn []string
}

func join[T ~string](all []T) string {
	texts := make([]string, len(all))
	for i, one := range all {
		texts[i] = string(one)
	}
	return strings.Join(texts, " ")
}

// Split reads a list of ids that was kept with spaces.
func Split[T ~string](ids string) []T {
	var all []T
	for one := range strings.FieldsSeq(ids) {
		all = append(all, T(one))
	}
	return all
}
