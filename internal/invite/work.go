package invite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
)

const (
	chunk     = 250             // lines that are sent in one transaction
	workEvery = 3 * time.Second // how often other nodes' batches are looked for
)

// Send starts sending the lines of a draft that are ready. It returns at once:
// Work does the rest. Whoever sends a batch a second time changes nothing.
func (s *Service) Send(ctx context.Context, who caller.Caller, o id.Organization, b id.InviteBatch) (Batch, error) {
	if err := access.Check(who, caller.ManageMembers, o); err != nil {
		return Batch{}, err
	}
	return s.start(ctx, who, o, b, Draft)
}

// RetryFailed tries the lines again that failed.
func (s *Service) RetryFailed(ctx context.Context, who caller.Caller, o id.Organization, b id.InviteBatch) (Batch, error) {
	if err := access.Check(who, caller.ManageMembers, o); err != nil {
		return Batch{}, err
	}
	return s.start(ctx, who, o, b, Done)
}

// start makes a batch that stands somewhere go on from there. Its sender is
// whoever says so: what they may give is what is sent.
func (s *Service) start(ctx context.Context, who caller.Caller, o id.Organization, b id.InviteBatch, from BatchState) (Batch, error) {
	if who.Kind != caller.Member && who.Kind != caller.Operator {
		return Batch{}, fault.New(fault.Unsupported, "a list is sent by a person").WithHint("invite one by one")
	}
	batch, err := s.batch(ctx, o, b)
	if err != nil || batch.State != from {
		return batch, err
	}
	batch.By, batch.ByKind, batch.ByName, batch.Address = who.Principal(), who.Kind, called(who), who.Address
	started, err := s.Store.StartBatch(ctx, batch, s.Now())
	if err != nil {
		return Batch{}, err
	}
	if started {
		select {
		case s.started <- struct{}{}:
		default: // it is looking already
		}
	}
	return s.batch(ctx, o, b)
}

// Work sends what was started, here or elsewhere, until the context ends. It may
// run on every node at once: a line is sent by the first that comes to it.
// Report is told of what went wrong; it is tried again.
func (s *Service) Work(ctx context.Context, report func(error)) {
	tick := time.NewTicker(workEvery)
	defer tick.Stop()
	for {
		if err := s.SendAll(ctx); err != nil && ctx.Err() == nil {
			report(err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-s.started:
		}
	}
}

// SendAll sends what was started and is not done.
func (s *Service) SendAll(ctx context.Context) error {
	batches, err := s.Store.UnderWay(ctx)
	if err != nil {
		return err
	}
	var failed []error
	for _, b := range batches {
		if err := s.sendBatch(ctx, b); err != nil {
			failed = append(failed, fmt.Errorf("sending the invitations of %s: %w", b.ID, err))
		}
	}
	return errors.Join(failed...)
}

func (s *Service) sendBatch(ctx context.Context, b Batch) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		lines, err := s.Store.Lines(ctx, b.ID, LineFilter{State: LineReady, Limit: chunk})
		if err != nil {
			return err
		}
		results, err := s.results(ctx, b, lines)
		if err != nil {
			return err
		}
		if err := s.Store.FinishLines(ctx, b, results, s.Now()); err != nil {
			return err
		}
		if len(lines) < chunk {
			return nil
		}
	}
}

// results decides on each line once more: rights and roles may have changed
// since the list was checked.
func (s *Service) results(ctx context.Context, b Batch, lines []Line) ([]Result, error) {
	who, err := s.sender(ctx, b)
	if err != nil {
		return nil, err
	}
	r, err := s.rules(ctx, who, b.Organization)
	if fault.Is(err, fault.NotFound) { // the organization was deleted
		return failAll(lines, "the organization is not there any more"), nil
	}
	if err != nil {
		return nil, err
	}
	if err := access.Check(who, caller.ManageMembers, b.Organization); err != nil {
		return failAll(lines, b.ByName+" may not invite people any more"), nil
	}
	results := make([]Result, len(lines))
	for i, l := range lines {
		in, err := r.admit(l.New)
		if err != nil {
			results[i] = Result{Number: l.Number, State: LineFailed, Note: said(err)}
			continue
		}
		out := s.sending(who, r.org, in, Invite{Batch: b.ID})
		results[i] = Result{Number: l.Number, State: LineSent, Outgoing: &out}
	}
	return results, nil
}

func failAll(lines []Line, why string) []Result {
	results := make([]Result, len(lines))
	for i, l := range lines {
		results[i] = Result{Number: l.Number, State: LineFailed, Note: why}
	}
	return results
}

// sender is whoever started a batch, as they stand now. One who has left is a
// caller who may do nothing.
func (s *Service) sender(ctx context.Context, b Batch) (caller.Caller, error) {
	if b.ByKind == caller.Operator {
		return caller.OfOperator(b.Organization), nil
	}
	m, ok, err := s.Store.Member(ctx, b.Organization, id.Member(b.By))
	if err != nil {
		return caller.Caller{}, err
	}
	if !ok {
		m = org.Member{ID: id.Member(b.By), Organization: b.Organization}
	}
	return m.Caller(caller.Web).From(b.Address), nil
}

// Tidy marks invitations that have run out and forgets old lists.
func (s *Service) Tidy(ctx context.Context, who caller.Caller) error {
	if err := access.CheckInstance(who); err != nil {
		return err
	}
	now := s.Now()
	return s.Store.Expire(ctx, now, now.Add(-batchLife))
}
