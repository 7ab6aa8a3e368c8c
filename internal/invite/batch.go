package invite

import (
	"context"
	"errors"
	"fmt"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/roster"
)

const maxDrafts = 20 // of an organization: older ones are forgotten

// Check reads a list and says of each line whether it can be sent, and why not.
// Nothing is sent: what it found is kept as a draft.
func (s *Service) Check(ctx context.Context, who caller.Caller, o id.Organization, in List) (Batch, error) {
	if err := access.Check(who, caller.ManageMembers, o); err != nil {
		return Batch{}, err
	}
	if who.Kind != caller.Member && who.Kind != caller.Operator {
		return Batch{}, fault.New(fault.Unsupported, "a list is sent by a person").WithHint("invite one by one")
	}
	read, err := in.read()
	if err != nil {
		return Batch{}, err
	}
	r, err := s.rules(ctx, who, o)
	if err != nil {
		return Batch{}, err
	}
	if err := r.place(in.Place); err != nil {
		return Batch{}, err
	}
	lines, err := s.judge(ctx, r, read, in.Place, 0)
	if err != nil {
		return Batch{}, err
	}
	b := Batch{ID: id.NewInviteBatch(), Organization: o, State: Draft, By: who.Principal(), ByKind: who.Kind, ByName: called(who), Address: who.Address,
		Place: in.Place, CreatedAt: s.Now(), Counts: counted(lines)}
	return b, s.Store.SaveBatch(ctx, b, lines, maxDrafts)
}

// read reads what was pasted and what came in a file, one after the other.
func (in List) read() ([]roster.Line, error) {
	lines, err := roster.Read(in.Text)
	if err != nil {
		return nil, err
	}
	further, err := roster.ReadTable(in.Table)
	if err != nil {
		return nil, err
	}
	if len(lines)+len(further) == 0 {
		return nil, fault.New(fault.Invalid, "the list names nobody").At("list").WithHint("paste addresses or choose a file")
	}
	if len(lines)+len(further) > roster.MaxLines {
		return nil, fault.New(fault.TooLarge, "the list names more than %d people", roster.MaxLines).At("list").WithHint("split it into several")
	}
	if len(lines) == 0 || len(further) == 0 {
		return append(lines, further...), nil
	}
	first := map[string]int{}
	for _, l := range lines {
		if l.Problem == "" {
			first[l.Email] = l.Number
		}
	}
	shift := lines[len(lines)-1].Number
	for i := range further {
		l := &further[i]
		l.Number += shift
		if l.Repeats > 0 {
			l.Repeats += shift
		}
		if at := first[l.Email]; at > 0 && l.Problem == "" {
			l.Repeats = at
		}
	}
	return append(lines, further...), nil
}

// place checks the standing that is given to lines that name none.
func (r *rules) place(p Place) error {
	if p.Role != "" {
		if err := r.mayGive(p.Role); err != nil {
			return err
		}
	}
	if _, err := r.groupsOf(texts(p.Groups)); err != nil {
		return err
	}
	_, err := r.workspacesOf(texts(p.Workspaces))
	return err
}

// judge decides on each line that was read. Reserved seats are those of other
// lines of the same batch.
func (s *Service) judge(ctx context.Context, r *rules, read []roster.Line, otherwise Place, reserved int) ([]Line, error) {
	var emails []string
	for _, l := range read {
		if l.Problem == "" {
			emails = append(emails, l.Email)
		}
	}
	standings, err := s.Store.Standings(ctx, r.org.ID, emails, s.Now())
	if err != nil {
		return nil, err
	}
	free := r.seats.Free() - reserved
	lines := make([]Line, 0, len(read))
	for _, l := range read {
		one := r.judge(l, otherwise, standings)
		if one.State == LineReady {
			if free--; free < 0 {
				one.State, one.Note = LineWrong, NoSeat(r.seats)
			}
		}
		lines = append(lines, one)
	}
	return lines, nil
}

// NoSeat says that no seat is free, and who has them.
func NoSeat(s Seats) string {
	return fmt.Sprintf("no seat is free: %d of %d are taken (%s, %s)", s.Members+s.Pending, s.Limit, many(s.Members, "member"), many(s.Pending, "invitation"))
}

func many(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

func (r *rules) judge(l roster.Line, otherwise Place, standings map[string]Standing) Line {
	one := Line{Number: l.Number, Raw: l.Raw, Typed: l.Typed, State: LineWrong, New: New{Email: l.Email, Name: l.Name, Place: otherwise}}
	if l.Problem != "" {
		one.Note = l.Problem
		return one
	}
	if l.Repeats > 0 {
		one.State, one.Note = LineUnchanged, fmt.Sprintf("it repeats line %d", l.Repeats)
		return one
	}
	if err := r.fill(&one, l); err != nil {
		one.Note = said(err)
		return one
	}
	one.State, one.Note = r.stands(one.New, standings[one.Email])
	return one
}

// fill puts into a line what its words stand for.
func (r *rules) fill(one *Line, l roster.Line) (err error) {
	if one.Email, err = org.CleanEmail(l.Email); err != nil {
		return err
	}
	if one.Name, err = cleanName(l.Name); err != nil {
		return err
	}
	if err := r.allowed(one.Email); err != nil {
		return err
	}
	if l.Role != "" {
		one.Role = roleNamed(l.Role)
		if !one.Role.Valid() {
			return fault.New(fault.Invalid, "there is no role %q", short(l.Role))
		}
	}
	if one.Role == "" {
		return fault.New(fault.Invalid, "it names no role")
	}
	if err := r.mayGive(one.Role); err != nil {
		return err
	}
	if len(l.Groups) > 0 {
		if one.Groups, err = r.groupsOf(l.Groups); err != nil {
			return err
		}
	}
	if len(l.Workspaces) > 0 {
		one.Workspaces, err = r.workspacesOf(l.Workspaces)
	}
	return err
}

// stands says what an invitation would change for somebody who may be invited.
func (r *rules) stands(in New, s Standing) (LineState, string) {
	switch {
	case s.Member == org.Active:
		return LineUnchanged, "they are a member already, " + As(access.Role(s.Role))
	case s.Member == org.Suspended:
		return LineWrong, "they are a suspended member: reinstate them instead"
	case s.Pending != nil && s.Pending.same(in.Place):
		return LineUnchanged, "they are invited already"
	case s.Pending != nil && s.Pending.Role != in.Role:
		return LineWrong, "they are invited already, " + As(s.Pending.Role) + ": withdraw that invitation first"
	case s.Pending != nil:
		return LineWrong, "they are invited already, with other groups or workspaces: withdraw that invitation first"
	}
	return LineReady, ""
}

// said is what an error says to whoever looks at a line.
func said(err error) string {
	if e, ok := errors.AsType[*fault.Error](err); ok && e.Kind != fault.Internal {
		return e.Message
	}
	return "it could not be looked at"
}

func counted(lines []Line) (c Counts) {
	for _, l := range lines {
		switch l.State {
		case LineReady:
			c.Ready++
		case LineSent:
			c.Sent++
		case LineUnchanged:
			c.Unchanged++
		case LineFailed:
			c.Failed++
		default:
			c.Wrong++
		}
	}
	return c
}

// Batch returns a batch.
func (s *Service) Batch(ctx context.Context, who caller.Caller, o id.Organization, b id.InviteBatch) (Batch, error) {
	if err := access.Check(who, caller.ManageMembers, o); err != nil {
		return Batch{}, err
	}
	return s.batch(ctx, o, b)
}

func (s *Service) batch(ctx context.Context, o id.Organization, b id.InviteBatch) (Batch, error) {
	found, ok, err := s.Store.Batch(ctx, o, b)
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "there is no such list in your organization")
	}
	return found, err
}

// Batches lists the latest batches.
func (s *Service) Batches(ctx context.Context, who caller.Caller, o id.Organization) ([]Batch, error) {
	if err := access.Check(who, caller.ManageMembers, o); err != nil {
		return nil, err
	}
	return s.Store.Batches(ctx, o, 10)
}

// Lines lists lines of a batch.
func (s *Service) Lines(ctx context.Context, who caller.Caller, o id.Organization, b id.InviteBatch, f LineFilter) ([]Line, error) {
	if err := access.Check(who, caller.ManageMembers, o); err != nil {
		return nil, err
	}
	if _, err := s.batch(ctx, o, b); err != nil {
		return nil, err
	}
	if f.Limit <= 0 || f.Limit > roster.MaxLines {
		f.Limit = roster.MaxLines
	}
	f.Offset = max(0, f.Offset)
	return s.Store.Lines(ctx, b, f)
}

// Mend reads lines of a draft anew, as somebody changed them, and checks them
// again together with all others that were wrong. An empty text takes its line
// out.
func (s *Service) Mend(ctx context.Context, who caller.Caller, o id.Organization, b id.InviteBatch, typed map[int]string) (Batch, error) {
	if err := access.Check(who, caller.ManageMembers, o); err != nil {
		return Batch{}, err
	}
	batch, err := s.batch(ctx, o, b)
	if err != nil {
		return Batch{}, err
	}
	if batch.State != Draft {
		return Batch{}, fault.New(fault.Conflict, "the list was sent already")
	}
	all, err := s.Store.Lines(ctx, b, LineFilter{Limit: roster.MaxLines})
	if err != nil {
		return Batch{}, err
	}
	r, err := s.rules(ctx, who, o)
	if err != nil {
		return Batch{}, err
	}
	first := map[string]int{}
	for _, l := range all {
		if l.State == LineReady {
			first[l.Email] = l.Number
		}
	}
	var read []roster.Line
	var gone []int
	for _, l := range all {
		text, mended := typed[l.Number]
		switch {
		case l.State != LineWrong:
		case mended && text == "":
			gone = append(gone, l.Number)
		case mended || l.Note != "":
			if !mended {
				text = l.Typed
			}
			again := roster.ReadLine(l.Number, text)
			if first[again.Email] > 0 && again.Problem == "" {
				again.Repeats = first[again.Email]
			} else if again.Problem == "" {
				first[again.Email] = l.Number
			}
			read = append(read, again)
		}
	}
	lines, err := s.judge(ctx, r, read, batch.Place, batch.Counts.Ready)
	if err != nil {
		return Batch{}, err
	}
	if err := s.Store.MendLines(ctx, batch, lines, gone); err != nil {
		return Batch{}, err
	}
	return s.batch(ctx, o, b)
}
