package usage

import (
	"log/slog"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/id"
)

// collector turns records into entries and knows which reservations are open.
type collector struct {
	log      *slog.Logger
	open     map[id.Request]*reservation
	rows     []Entry
	live     bool // the run goes on: what is carried and not open has been settled
	last     record
	borrowed []id.Request
	lost     *atomic.Int64 // stretches of a journal that could not be read
}

// reservation is one that is open.
type reservation struct {
	payload string
	at      time.Time
	segment uint64
	stored  bool // its entry is in the database, or among the rows
	owned   bool // payload is a copy of its own
}

// take reads one record of a segment.
func (c *collector) take(payload string, segment uint64) {
	r := &c.last
	if err := r.decode(payload); err != nil {
		c.lost.Add(1)
		c.log.Error("a record of the ledger checks but cannot be understood; a newer gatehoused may have written it",
			"segment", segment, "kind", payload[0], "bytes", len(payload))
		return
	}
	request := r.entry.Request
	switch r.kind {
	case kindSettle:
		delete(c.open, request)
		c.rows = append(c.rows, r.entry)
	case kindReserve:
		c.open[request] = &reservation{payload: payload, at: r.entry.At, segment: segment}
	case kindCarry:
		if o := c.open[request]; o != nil {
			o.segment = segment
		} else if !c.live {
			c.open[request] = &reservation{payload: payload, at: r.entry.At, segment: segment}
		}
	}
}

// damage reports what could not be read, and keeps it.
func (c *collector) damage(segment string, data string, s span) {
	c.lost.Add(1)
	path, err := aside(segment, s.from+segmentHeader, data[s.from:s.to])
	c.log.Error("the ledger's journal is damaged: what it held there may be missing, and reservations may end as lost",
		"segment", segment, "offset", s.from+segmentHeader, "bytes", s.to-s.from, "kept", filepath.Base(path), "error", err)
}

// keep lets go of the memory of the block that records were read from.
func (c *collector) keep() {
	c.borrowed = c.borrowed[:0]
	for request, o := range c.open {
		if !o.owned {
			c.borrowed = append(c.borrowed, request)
		}
	}
	for _, request := range c.borrowed {
		o := c.open[request]
		delete(c.open, request)
		o.payload, o.owned = strings.Clone(o.payload), true
		c.open[id.Request(strings.Clone(string(request)))] = o
	}
	clear(c.borrowed)
}

// old adds an entry for each reservation that has been open since before a time
// and has none yet.
func (c *collector) old(before time.Time, most int) {
	for _, o := range c.open {
		if o.stored || len(c.rows) >= most || !o.at.Before(before) {
			continue
		}
		o.stored = true
		if c.last.decode(o.payload) == nil {
			c.rows = append(c.rows, c.last.entry)
		}
	}
}
