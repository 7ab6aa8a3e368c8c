package activity

import (
	"context"
	"strconv"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
)

// Service reads the record. Its fields must be set before use.
type Service struct {
	Store Store
	Now   func() time.Time
}

// maxText is the length of what can be sought, in bytes.
const maxText = 400

// List returns a page of the entries that a filter chooses. Who may not read the
// record may ask for what they did themselves, with Filter.Actor.
func (s *Service) List(ctx context.Context, who caller.Caller, o id.Organization, f Filter, p Page) (Found, error) {
	if err := access.CheckOwner(who, caller.OwnSessions, caller.ReadActivity, id.Member(f.Actor), o); err != nil {
		return Found{}, err
	}
	if err := f.check(); err != nil {
		return Found{}, err
	}
	if p.Limit < 1 || p.Limit > maxLimit {
		p.Limit = defaultLimit
	}
	p.Before, p.From = max(p.Before, 0), max(p.From, 0)
	return s.Store.Search(ctx, o, f, p)
}

func (f Filter) check() error {
	switch {
	case len(f.Text) > maxText:
		return fault.New(fault.Invalid, "what is sought has at most %d bytes", maxText).At("q")
	case len(f.Person) > maxText:
		return fault.New(fault.Invalid, "a name or address has at most %d bytes", maxText).At("who")
	case !f.From.IsZero() && !f.To.IsZero() && !f.From.Before(f.To):
		return fault.New(fault.Invalid, "the time ends before it begins").At("from")
	}
	return nil
}

// Get returns an entry with its place in the log. Who may not read the record
// sees their own.
func (s *Service) Get(ctx context.Context, who caller.Caller, o id.Organization, a id.Activity) (Place, error) {
	if err := access.CheckOwner(who, caller.OwnSessions, caller.ReadActivity, who.Member, o); err != nil {
		return Place{}, err
	}
	p, ok, err := s.Store.Place(ctx, o, a)
	if err != nil {
		return Place{}, err
	}
	if !ok || (access.Check(who, caller.ReadActivity, o) != nil && p.Actor != string(who.Member)) {
		return Place{}, fault.New(fault.NotFound, "there is no such entry in your organization's record")
	}
	return p, nil
}

// Export calls each with all entries that a filter chooses, in the order of the
// log, a batch at a time: as many as there were when it was called, which is
// recorded before the first of them is handed out. It ends with the context, or
// with the first error of each. As says in what form, for the record.
func (s *Service) Export(ctx context.Context, who caller.Caller, o id.Organization, f Filter, as string, each func([]Entry) error) error {
	if err := access.Check(who, caller.ReadActivity, o); err != nil {
		return err
	}
	if err := f.check(); err != nil {
		return err
	}
	size, _, err := s.Store.Head(ctx)
	if err != nil {
		return err
	}
	detail := f.described()
	detail["what"], detail["format"], detail["entries_before"] = "activity", as, strconv.FormatInt(size, 10)
	if err := s.Store.Note(ctx, audit.New(who, s.Now(), audit.OrganizationExported, string(o), detail).In(o)); err != nil {
		return err
	}
	return s.Store.Walk(ctx, o, f, size, each)
}

// described is what a filter chooses, for the record.
func (f Filter) described() audit.Detail {
	d := audit.Detail{"done_by": f.Actor + f.Person, "done_to": f.Target, "text": f.Text}
	if len(f.Types) > 0 {
		d["types"] = strconv.Itoa(len(f.Types)) + " from " + string(f.Types[0])
	}
	if !f.From.IsZero() {
		d["from"] = f.From.UTC().Format(time.RFC3339)
	}
	if !f.To.IsZero() {
		d["to"] = f.To.UTC().Format(time.RFC3339)
	}
	return d
}
