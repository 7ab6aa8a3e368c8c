package usage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/price"
)

// replay brings what a dead run left into the database and removes it. What was
// open ends as Lost. It may be repeated from the start as often as need be.
func (l *Ledger) replay(ctx context.Context, r *run) error {
	progress, err := readProgress(r.slots)
	if err != nil {
		return err
	}
	c := &collector{log: l.log, open: map[id.Request]*reservation{}, lost: &l.damaged}
	settled := 0
	for i, path := range r.segments {
		err := l.replaySegment(c, r, i, path)
		if errors.Is(err, errNewer) {
			l.damaged.Add(1)
			l.log.Error("what an earlier process left in the ledger was written by a newer gatehoused: start that one to take it over", "folder", r.folder, "run", r.number)
			return nil
		}
		if err != nil {
			return err
		}
		settled += len(c.rows)
		if err := l.storeAll(ctx, c); err != nil {
			return err
		}
		c.keep()
	}
	lost := len(c.open)
	for request, o := range c.open {
		var rec record
		if rec.decode(o.payload) == nil {
			c.rows = append(c.rows, l.lose(&rec, progress))
		}
		delete(c.open, request)
	}
	if err := l.storeAll(ctx, c); err != nil {
		return err
	}
	if settled+lost > 0 {
		l.log.Info("the ledger took over what an earlier process left", "folder", filepath.Base(r.folder), "settled", settled, "lost", lost)
	}
	if err := r.remove(); err != nil {
		return fmt.Errorf("removing what an earlier process left: %w", err)
	}
	return nil
}

func (l *Ledger) replaySegment(c *collector, r *run, i int, path string) error {
	data, _, err := readSegment(path)
	if errors.Is(err, errForeign) {
		l.damaged.Add(1)
		l.log.Error("a file among the ledger's segments is none: it is put aside", "segment", path, "error", err)
		return os.Rename(path, path+".damaged")
	}
	if err != nil {
		return fmt.Errorf("reading the ledger's journal: %w", err)
	}
	_, damaged, torn := frames(data, true, func(payload string) { c.take(payload, uint64(i)) })
	for _, s := range damaged {
		c.damage(path, data, s)
	}
	if torn.to == torn.from {
		return nil
	}
	if mayBeTorn(r, i) {
		l.log.Info("the last write before an earlier process died was cut off; nobody was told that it had happened",
			"segment", filepath.Base(path), "bytes", torn.to-torn.from)
		return nil
	}
	c.damage(path, data, torn)
	return nil
}

// mayBeTorn says whether a segment may end in a write that was cut off: it is
// the last one that was written to, or writing to it failed.
func mayBeTorn(r *run, i int) bool {
	for _, later := range r.segments[i+1:] {
		data, flags, err := readSegment(later)
		if err != nil || flags&flagAfterFailure != 0 {
			return err == nil
		}
		if _, size := nextFrame(data); size > 0 {
			return false
		}
	}
	return true
}

// lose settles a reservation whose process died: by its last progress; where
// there is none, by an input of a quarter of its bytes, as the upstream may have
// read it.
func (l *Ledger) lose(r *record, p progress) Entry {
	e := r.entry
	e.Kind, e.Ending, e.Estimated = Settled, Lost, true
	tokens, ok := p.of(e.Request, r.slot)
	if !ok {
		tokens = price.Tokens{Input: (max(r.bodyBytes, 0) + 3) / 4}
	}
	e.Tokens = tokens
	e.CostNanos, _ = l.config.Book.Cost(e.Model, e.At, tokens, price.TermsOf(e.PriceVersion))
	return e
}
