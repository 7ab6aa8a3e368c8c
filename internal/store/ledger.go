package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/usage"
)

// Ledger keeps what requests used and cost.
type Ledger struct{ db *DB }

// Ledger returns the ledger.
func (db *DB) Ledger() Ledger { return Ledger{db} }

const ledgerColumns = `organization_id, sequence, request_id, kind, at, member_id, api_key_id, device_session_id,
	client_session, client_agent, client_parent_agent, upstream, model, stream, status, ending, estimated,
	input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
	cost_nanos, reserved_nanos, first_byte_us, latency_us, upstream_request_id, price_version`

// ledgerChunk is how many entries go into one statement.
const ledgerChunk = 64

var ledgerWidth = strings.Count(ledgerColumns, ",") + 1

// insertLedger is the statement for a number of entries. SQLite finds a named
// parameter, and "$1" is a name, by going through all of them: there, and only
// there, they have none.
func (db *DB) insertLedger(rows int) string {
	var b strings.Builder
	b.WriteString(`INSERT INTO ledger_entry (` + ledgerColumns + `) VALUES `)
	for n := range rows * ledgerWidth {
		switch {
		case n == 0:
			b.WriteByte('(')
		case n%ledgerWidth == 0:
			b.WriteString("), (")
		default:
			b.WriteString(", ")
		}
		if db.Kind() == "sqlite" {
			b.WriteByte('?')
		} else {
			fmt.Fprintf(&b, "$%d", n+1)
		}
	}
	b.WriteString(`) ON CONFLICT (organization_id, at, request_id, kind) DO NOTHING`)
	return b.String()
}

// Append adds entries in one transaction, in order. An entry whose organization,
// request and kind are there already is passed over: whoever is not sure that a
// transaction was committed repeats it.
func (l Ledger) Append(ctx context.Context, entries []usage.Entry) error {
	fresh := l.db.answered.unknown(entries)
	organizations := map[id.Organization]bool{}
	for i := range entries {
		organizations[entries[i].Organization] = true
	}
	err := l.db.upkeep(ctx, func(t tx) error {
		for _, a := range fresh {
			if err := t.noteSetup(`answered_at`, a.member, a.at); err != nil {
				return err
			}
		}
		var size int64
		err := t.row([]any{&size}, `UPDATE ledger_head SET size = size + $1 WHERE id = 1 RETURNING size`, len(entries))
		if err != nil {
			return err
		}
		count := int64(len(entries))
		sequence := size - count
		for _, rows := range []int{ledgerChunk, 1} {
			n := len(entries) / rows * rows
			if sequence, err = t.appendLedger(l.db.insertLedger(rows), entries[:n], rows, sequence); err != nil {
				return err
			}
			entries = entries[n:]
		}
		for o := range organizations {
			if err := t.sumDays(o, size-count); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		l.db.answered.add(fresh)
	}
	return err
}

// appendLedger adds entries, whose number is a multiple of rows, with a
// statement for that many.
func (t tx) appendLedger(query string, entries []usage.Entry, rows int, sequence int64) (int64, error) {
	if len(entries) == 0 {
		return sequence, nil
	}
	insert, err := t.PrepareContext(t.ctx, query)
	if err != nil {
		return sequence, fmt.Errorf("preparing to add to the ledger: %w", err)
	}
	defer insert.Close()
	args := make([]any, 0, rows*ledgerWidth)
	for i := range entries {
		sequence++
		args = appendLedgerArgs(args, &entries[i], sequence)
		if len(args) == cap(args) {
			if _, err := insert.ExecContext(t.ctx, args...); err != nil {
				return sequence, fmt.Errorf("adding to the ledger: %w", err)
			}
			args = args[:0]
		}
	}
	return sequence, nil
}

func appendLedgerArgs(args []any, e *usage.Entry, sequence int64) []any {
	return append(args, string(e.Organization), sequence, string(e.Request), string(e.Kind), micros(e.At), string(e.Member), string(e.Key), string(e.Session),
		e.Client.Session, e.Client.Agent, e.Client.ParentAgent, e.Upstream, e.Model, e.Stream, int64(e.Status), string(e.Ending), e.Estimated,
		e.Tokens.Input, e.Tokens.Output, e.Tokens.CacheRead, e.Tokens.CacheWrite5m, e.Tokens.CacheWrite1h,
		e.CostNanos, e.ReservedNanos, e.FirstByte.Microseconds(), e.Latency.Microseconds(), e.UpstreamRequestID, e.PriceVersion)
}

// ledgerWhere is the condition of a filter on the entries e.
func ledgerWhere(org id.Organization, f usage.Filter) (where string, args []any) {
	where, args = `e.organization_id = $1`, []any{string(org)}
	add := func(condition string, arg any) {
		args = append(args, arg)
		where += fmt.Sprintf(` AND e.%s $%d`, condition, len(args))
	}
	if f.Member != "" {
		add(`member_id =`, string(f.Member))
	}
	if f.Key != "" {
		add(`api_key_id =`, string(f.Key))
	}
	if f.Session != "" {
		add(`device_session_id =`, string(f.Session))
	}
	if f.Model != "" {
		add(`model =`, f.Model)
	}
	if !f.From.IsZero() {
		add(`at >=`, micros(f.From))
	}
	if !f.To.IsZero() {
		add(`at <`, micros(f.To))
	}
	return where, args
}

// Entries returns up to limit entries before a sequence (0: from the end), the
// newest first.
func (l Ledger) Entries(ctx context.Context, org id.Organization, f usage.Filter, before int64, limit int) ([]usage.Entry, error) {
	where, args := ledgerWhere(org, f)
	if before > 0 {
		args = append(args, before)
		where += fmt.Sprintf(` AND e.sequence < $%d`, len(args))
	}
	args = append(args, limit)
	return queryAll(ctx, l.db.read, scanLedger, `SELECT `+ledgerColumns+` FROM ledger_entry e WHERE `+where+
		fmt.Sprintf(` ORDER BY e.sequence DESC LIMIT $%d`, len(args)), args...)
}

func scanLedger(s scanner) (e usage.Entry, err error) {
	var at, firstByte, latency int64
	err = s.Scan(&e.Organization, &e.Sequence, &e.Request, &e.Kind, &at, &e.Member, &e.Key, &e.Session,
		&e.Client.Session, &e.Client.Agent, &e.Client.ParentAgent, &e.Upstream, &e.Model, &e.Stream, &e.Status, &e.Ending, &e.Estimated,
		&e.Tokens.Input, &e.Tokens.Output, &e.Tokens.CacheRead, &e.Tokens.CacheWrite5m, &e.Tokens.CacheWrite1h,
		&e.CostNanos, &e.ReservedNanos, &firstByte, &latency, &e.UpstreamRequestID, &e.PriceVersion)
	e.At = fromMicros(at)
	e.FirstByte, e.Latency = time.Duration(firstByte)*time.Microsecond, time.Duration(latency)*time.Microsecond
	return e, err
}
