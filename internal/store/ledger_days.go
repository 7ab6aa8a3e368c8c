package store

import (
	"context"
	"fmt"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/usage"
)

const (
	day = 24 * time.Hour

	// daySums are the sums of entries, in the order of ledger_day's columns.
	daySums = `CAST(SUM(CASE WHEN e.kind = 'settle' THEN 1 ELSE 0 END) AS BIGINT), CAST(SUM(CASE WHEN e.estimated THEN 1 ELSE 0 END) AS BIGINT),
		CAST(SUM(e.input_tokens) AS BIGINT), CAST(SUM(e.output_tokens) AS BIGINT), CAST(SUM(e.cache_read_tokens) AS BIGINT),
		CAST(SUM(e.cache_write_5m_tokens) AS BIGINT), CAST(SUM(e.cache_write_1h_tokens) AS BIGINT), CAST(SUM(e.cost_nanos) AS BIGINT)`
	// dayOf is the day of an entry.
	dayOf = `e.at / 86400000000`
)

// sumDays adds the entries of an organization behind a sequence number to its
// days. The numbers are those of this transaction, so nothing that was there
// already is counted twice.
func (t tx) sumDays(o id.Organization, behind int64) error {
	for _, whose := range []struct{ member, also string }{{`''`, ``}, {`e.member_id`, ` AND e.member_id <> ''`}} {
		if _, err := t.exec(`INSERT INTO ledger_day (organization_id, member_id, day, requests, estimated, input_tokens, output_tokens, cache_read_tokens,
				cache_write_5m_tokens, cache_write_1h_tokens, cost_nanos)
			SELECT e.organization_id, `+whose.member+`, `+dayOf+`, `+daySums+` FROM ledger_entry e
			WHERE e.organization_id = $1 AND e.sequence > $2 AND e.kind <> 'reserve'`+whose.also+` GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
			ON CONFLICT (organization_id, member_id, day) DO UPDATE SET requests = ledger_day.requests + excluded.requests, estimated = ledger_day.estimated + excluded.estimated,
				input_tokens = ledger_day.input_tokens + excluded.input_tokens, output_tokens = ledger_day.output_tokens + excluded.output_tokens,
				cache_read_tokens = ledger_day.cache_read_tokens + excluded.cache_read_tokens,
				cache_write_5m_tokens = ledger_day.cache_write_5m_tokens + excluded.cache_write_5m_tokens,
				cache_write_1h_tokens = ledger_day.cache_write_1h_tokens + excluded.cache_write_1h_tokens, cost_nanos = ledger_day.cost_nanos + excluded.cost_nanos`, o, behind); err != nil {
			return fmt.Errorf("summing up days: %w", err)
		}
	}
	return nil
}

// inDays reports whether a filter chooses whole days of a member or of all.
func inDays(f usage.Filter) bool {
	whole := func(at time.Time) bool { return at.IsZero() || at.Equal(at.UTC().Truncate(day)) }
	return f.Key == "" && f.Session == "" && f.Model == "" && whole(f.From) && whole(f.To)
}

// daysOf is the condition of such a filter on ledger_day.
func daysOf(q *query, f usage.Filter) {
	q.and(`member_id = %s`, f.Member)
	if !f.From.IsZero() {
		q.and(`day >= %s`, f.From.Unix()/int64(day/time.Second))
	}
	if !f.To.IsZero() {
		q.and(`day < %s`, f.To.Unix()/int64(day/time.Second))
	}
}

// settled returns the sums of what is settled.
func (l Ledger) settled(ctx context.Context, o id.Organization, f usage.Filter) (s usage.Totals, err error) {
	const columns = `CAST(COALESCE(SUM(requests), 0) AS BIGINT), CAST(COALESCE(SUM(estimated), 0) AS BIGINT), CAST(COALESCE(SUM(input_tokens), 0) AS BIGINT),
		CAST(COALESCE(SUM(output_tokens), 0) AS BIGINT), CAST(COALESCE(SUM(cache_read_tokens), 0) AS BIGINT), CAST(COALESCE(SUM(cache_write_5m_tokens), 0) AS BIGINT),
		CAST(COALESCE(SUM(cache_write_1h_tokens), 0) AS BIGINT), CAST(COALESCE(SUM(cost_nanos), 0) AS BIGINT)`
	q := selects(`SELECT `+columns+` FROM ledger_day WHERE organization_id = $1`, o)
	if inDays(f) {
		daysOf(q, f)
	} else {
		where, args := ledgerWhere(o, f)
		q = selects(`SELECT `+columns+` FROM (SELECT CASE WHEN e.kind = 'settle' THEN 1 ELSE 0 END AS requests, CASE WHEN e.estimated THEN 1 ELSE 0 END AS estimated,
			e.input_tokens, e.output_tokens, e.cache_read_tokens, e.cache_write_5m_tokens, e.cache_write_1h_tokens, e.cost_nanos
			FROM ledger_entry e WHERE e.kind <> 'reserve' AND `+where+`) x`, args...)
	}
	_, err = l.db.queryRow(ctx, []any{&s.Requests, &s.Estimated, &s.Tokens.Input, &s.Tokens.Output, &s.Tokens.CacheRead, &s.Tokens.CacheWrite5m, &s.Tokens.CacheWrite1h, &s.CostNanos},
		q.text.String(), q.args...)
	return s, err
}

// Totals sums up what a filter chooses.
func (l Ledger) Totals(ctx context.Context, o id.Organization, f usage.Filter) (usage.Totals, error) {
	s, err := l.settled(ctx, o, f)
	if err != nil {
		return s, err
	}
	where, args := ledgerWhere(o, f)
	_, err = l.db.queryRow(ctx, []any{&s.Open, &s.ReservedNanos},
		`SELECT COUNT(*), CAST(COALESCE(SUM(e.reserved_nanos), 0) AS BIGINT) FROM ledger_entry e
		WHERE e.kind = 'reserve' AND NOT EXISTS (SELECT 1 FROM ledger_entry s
			WHERE s.organization_id = e.organization_id AND s.at = e.at AND s.request_id = e.request_id AND s.kind = 'settle') AND `+where, args...)
	return s, err
}

// Days sums up what a filter chooses by day, in UTC. Days without requests are
// left out.
func (l Ledger) Days(ctx context.Context, o id.Organization, f usage.Filter) ([]usage.Day, error) {
	q := selects(`SELECT day, requests, cost_nanos FROM ledger_day WHERE organization_id = $1`, o)
	if inDays(f) {
		daysOf(q, f)
		q.add(` ORDER BY day`)
	} else {
		where, args := ledgerWhere(o, f)
		q = selects(`SELECT `+dayOf+`, CAST(SUM(CASE WHEN e.kind = 'settle' THEN 1 ELSE 0 END) AS BIGINT), CAST(SUM(e.cost_nanos) AS BIGINT)
			FROM ledger_entry e WHERE e.kind <> 'reserve' AND `+where+` GROUP BY 1 ORDER BY 1`, args...)
	}
	return queryAll(ctx, l.db.read, func(s scanner) (d usage.Day, err error) {
		var n int64
		err = s.Scan(&n, &d.Requests, &d.CostNanos)
		d.At = fromMicros(n * day.Microseconds())
		return d, err
	}, q.text.String(), q.args...)
}
