package store

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/activity"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/id"
)

var _ activity.Store = Activities{}

const (
	window     = 1000             // entries that are looked at in one go
	windows    = 4                // before a search breaks off, to go on when it is asked to
	common     = windows * window // what more entries have is only asked of those that something rarer leads to
	maxPrefix  = 20               // terms that a word is taken to begin
	maxPersons = 20               // members that a name is taken to mean
	clockSlack = time.Hour
)

// strand is one condition that an index answers in the order of positions: a
// column of a table has one of values. The least common strand of a search leads,
// and the others are asked of the entries that it comes to.
type strand struct {
	table, column string
	values        []any
	count         int64          // of the entries that it comes to, up to common
	known         map[int64]bool // these entries, if they are few
}

// search is a filter made ready.
type search struct {
	db      *DB
	org     id.Organization
	strands []strand
	from    int64   // by time, in microseconds; 0: from the beginning
	to      int64   // 0: to the end
	low     int64   // no entry before this position can match
	high    int64   // nor one at this position or after it
	never   bool    // nothing can match
	few     []int64 // if the leading strand is not common, what it has in common with others that are not; in order
}

// Search implements activity.Store.
func (a Activities) Search(ctx context.Context, o id.Organization, f activity.Filter, p activity.Page) (found activity.Found, err error) {
	s, err := a.prepare(ctx, o, f, &found)
	if err != nil || s.never {
		return found, err
	}
	down := p.From == 0
	if p.Before > 0 {
		s.high = min(s.high, p.Before)
	}
	if !down {
		s.low = max(s.low, p.From)
	}
	positions, reached, err := s.collect(ctx, down, p.Limit+1, windows)
	if err != nil {
		return found, err
	}
	more := len(positions) > p.Limit
	positions = positions[:min(len(positions), p.Limit)]
	if down {
		found.Older, found.Newer, found.Reached = more || reached > 0, p.Before > 0, reached
	} else {
		slices.Reverse(positions)
		found.Older, found.Newer = true, more || reached > 0
	}
	if more {
		found.Reached = 0
	}
	found.Entries, err = a.entries(ctx, o, positions)
	return found, err
}

// Walk implements activity.Store.
func (a Activities) Walk(ctx context.Context, o id.Organization, f activity.Filter, before int64, each func([]activity.Entry) error) error {
	s, err := a.prepare(ctx, o, f, &activity.Found{})
	if err != nil || s.never {
		return err
	}
	s.high = min(s.high, before)
	for s.low < s.high {
		positions, reached, err := s.collect(ctx, false, window/2, windows)
		if err != nil {
			return err
		}
		if len(positions) > 0 {
			batch, err := a.entries(ctx, o, positions)
			if err != nil {
				return err
			}
			slices.Reverse(batch)
			if err := each(batch); err != nil {
				return err
			}
		}
		switch {
		case len(positions) == window/2:
			s.low = positions[len(positions)-1] + 1
		case reached > 0:
			s.low = reached
		default:
			return nil
		}
	}
	return nil
}

// prepare turns a filter into strands, and notes in found what was too much.
func (a Activities) prepare(ctx context.Context, o id.Organization, f activity.Filter, found *activity.Found) (*search, error) {
	s := &search{db: a.db, org: o, high: math.MaxInt64}
	s.strand("activity", "type", anys(f.Types))
	if f.Actor != "" {
		s.strand("activity", "actor", []any{f.Actor})
	}
	if f.Target != "" {
		s.strand("activity", "target", []any{f.Target})
	}
	if person := strings.TrimSpace(f.Person); person != "" {
		who, err := s.persons(ctx, person)
		if err != nil {
			return nil, err
		}
		if len(who) > maxPersons {
			who, found.Ignored = who[:maxPersons], true
		}
		s.never = s.never || len(who) == 0
		s.strand("activity", "actor", who)
	}
	words, more := audit.Words(f.Text)
	found.Ignored = found.Ignored || more
	for _, word := range words {
		terms, err := s.begunBy(ctx, word)
		if err != nil {
			return nil, err
		}
		if len(terms) > maxPrefix {
			terms, found.Vague = terms[:maxPrefix], append(found.Vague, word)
		}
		s.never = s.never || len(terms) == 0
		s.strand("activity_term", "term", terms)
	}
	s.never = s.never || (len(words) == 0 && strings.TrimSpace(f.Text) != "")
	if err := s.between(ctx, f.From, f.To); err != nil {
		return nil, err
	}
	return s, s.order(ctx)
}

func (s *search) strand(table, column string, values []any) {
	if len(values) > 0 {
		s.strands = append(s.strands, strand{table: table, column: column, values: values})
	}
}

func anys[T ~string](all []T) []any {
	out := make([]any, len(all))
	for i, v := range all {
		out[i] = string(v)
	}
	return out
}

// persons are the members whose name or address contains a text: or whose
// address it is, without looking further.
func (s *search) persons(ctx context.Context, text string) ([]any, error) {
	scan := func(s scanner) (member any, err error) {
		var m string
		err = s.Scan(&m)
		return m, err
	}
	exact, err := queryAll(ctx, s.db.read, scan, `SELECT m.id FROM account a JOIN member m ON m.account_id = a.id
		WHERE a.email = $1 AND m.organization_id = $2`, strings.ToLower(text), s.org)
	if err != nil || len(exact) > 0 {
		return exact, err
	}
	q := selects(`SELECT m.id FROM member m WHERE m.organization_id = $1`, s.org)
	q.ofPeople(`m.account_id`, text)
	q.add(` ORDER BY m.created_at, m.id LIMIT ` + q.mark(maxPersons+1))
	return queryAll(ctx, s.db.read, scan, q.text.String(), q.args...)
}

// begunBy are the first terms that begin with a word, and the word itself above
// all. It goes from each term to the next one, and never over the entries of one.
func (s *search) begunBy(ctx context.Context, word string) ([]any, error) {
	const next = `(SELECT t.term FROM activity_term t WHERE t.organization_id = $1 AND t.term %s AND t.term < $3 ORDER BY t.term LIMIT 1)`
	return queryAll(ctx, s.db.read, func(s scanner) (term any, err error) {
		var raw []byte
		err = s.Scan(&raw)
		return raw, err
	}, `WITH RECURSIVE w (term, n) AS (
			SELECT `+fmt.Sprintf(next, `>= $2`)+`, 1
			UNION ALL SELECT `+fmt.Sprintf(next, `> w.term`)+`, w.n + 1 FROM w WHERE w.term IS NOT NULL AND w.n <= $4)
		SELECT term FROM w WHERE term IS NOT NULL`, s.org, []byte(word), append([]byte(word), 0xff), maxPrefix)
}

// between narrows the positions down by time. Positions are in the order of
// recording, and times are those of clocks: those of several nodes may differ by
// a little, so a bound is set where the time is further off than that, and each
// entry's own time decides.
func (s *search) between(ctx context.Context, from, to time.Time) error {
	edge := func(at time.Time, otherwise int64) (int64, error) {
		position := otherwise
		_, err := s.db.queryRow(ctx, []any{&position}, `SELECT position FROM activity WHERE organization_id = $1 AND at >= $2 ORDER BY at, position LIMIT 1`, s.org, micros(at))
		return position, err
	}
	var err error
	if !from.IsZero() {
		s.from = micros(from)
		if s.low, err = edge(from.Add(-clockSlack), math.MaxInt64); err != nil {
			return err
		}
	}
	if !to.IsZero() {
		s.to = micros(to)
		s.high, err = edge(to.Add(clockSlack), math.MaxInt64)
	}
	return err
}

// order puts the least common strand first, and reads those that are not common:
// that is less than to ask them of one entry after the other.
// Nothing is counted further than it takes to know that it is common.
func (s *search) order(ctx context.Context) error {
	if len(s.strands) < 2 {
		return nil
	}
	for i := range s.strands {
		x := &s.strands[i]
		q := selects(`SELECT COUNT(*) FROM (`)
		s.allOf(q, x)
		q.add(` LIMIT ` + q.mark(common) + `) c`)
		if _, err := s.db.queryRow(ctx, []any{&x.count}, q.text.String(), q.args...); err != nil {
			return err
		}
	}
	slices.SortStableFunc(s.strands, func(a, b strand) int {
		return cmp.Or(cmp.Compare(a.count, b.count), cmp.Compare(len(b.values), len(a.values)))
	})
	for i := range s.strands {
		x := &s.strands[i]
		if x.count == common {
			break
		}
		q := &query{}
		s.allOf(q, x)
		x.known = make(map[int64]bool, x.count)
		if _, err := queryAll(ctx, s.db.read, func(row scanner) (position int64, err error) {
			err = row.Scan(&position)
			x.known[position] = true
			return position, err
		}, q.text.String(), q.args...); err != nil {
			return err
		}
	}
	s.meet()
	return nil
}

// meet finds what all strands that are not common lead to.
func (s *search) meet() {
	if s.strands[0].known == nil {
		return
	}
	s.few = []int64{}
	for position := range s.strands[0].known {
		if !slices.ContainsFunc(s.strands, func(x strand) bool { return x.known != nil && !x.known[position] }) {
			s.few = append(s.few, position)
		}
	}
	slices.Sort(s.few)
}

// next are the next few positions, or nothing if there are none.
func (s *search) next(down bool, size int) []int64 {
	from, _ := slices.BinarySearch(s.few, s.low)
	to, _ := slices.BinarySearch(s.few, s.high)
	some := s.few[from:max(from, to)]
	if down {
		return some[max(0, len(some)-size):]
	}
	return some[:min(len(some), size)]
}

// allOf adds the query of all entries that a strand comes to.
func (s *search) allOf(q *query, x *strand) {
	q.add(`SELECT position FROM ` + x.table + ` WHERE organization_id = ` + q.mark(s.org))
	q.in(x.column, x.values)
	q.and(`position >= %s AND position < %s`, s.low, s.high)
}

// in adds a condition that a column is one of values, of which there is one at
// least.
func (q *query) in(column string, values []any) {
	marks := make([]string, len(values))
	for i, v := range values {
		marks[i] = q.mark(v)
	}
	q.add(` AND ` + column + ` IN (` + strings.Join(marks, ", ") + `)`)
}

// collect returns up to limit positions, from the high end down or from the low
// end up, looking at so many windows at most. reached is where it broke off, if
// it did: a bound for whoever goes on.
func (s *search) collect(ctx context.Context, down bool, limit, most int) (positions []int64, reached int64, err error) {
	// All that a single strand comes to match; of several, a good part may.
	at, size := *s, limit
	if len(s.strands) > 1 || s.from > 0 || s.to > 0 {
		size = min(2*limit, window)
	}
	for range most {
		looked, last := 0, int64(0)
		seen, err := at.window(ctx, down, size)
		if err != nil {
			return nil, 0, err
		}
		for _, c := range seen {
			looked, last = looked+1, c.position
			if c.matches {
				if positions = append(positions, c.position); len(positions) == limit {
					return positions, 0, nil
				}
			}
		}
		if looked < size {
			return positions, 0, nil
		}
		if down {
			at.high, reached = last, last
		} else {
			at.low, reached = last+1, last+1
		}
		size = min(2*size, window)
	}
	return positions, reached, nil
}

type candidate struct {
	position int64
	matches  bool
}

// window returns the next entries of the leading strand, and whether each
// matches. An entry of another organization never does, whatever leads to it.
func (s *search) window(ctx context.Context, down bool, size int) ([]candidate, error) {
	q := &query{}
	q.add(`WITH c (position) AS (`)
	if s.few == nil {
		s.lead(q, down, size)
	} else {
		some := s.next(down, size)
		if len(some) == 0 {
			return nil, nil
		}
		q.add(`VALUES `)
		for i, position := range some {
			if i > 0 {
				q.add(`, `)
			}
			q.add(`(CAST(` + strconv.FormatInt(position, 10) + ` AS BIGINT))`)
		}
	}
	q.add(`) SELECT c.position, CASE WHEN a.organization_id = ` + q.mark(s.org))
	if len(s.strands) > 1 {
		for _, x := range s.strands[1:] {
			if x.known != nil {
				continue
			}
			if x.table == "activity" {
				q.in(`a.`+x.column, x.values)
				continue
			}
			q.add(` AND EXISTS (SELECT 1 FROM ` + x.table + ` t WHERE t.organization_id = ` + q.mark(s.org) + ` AND t.position = c.position`)
			q.in(`t.`+x.column, x.values)
			q.add(`)`)
		}
	}
	if s.from > 0 {
		q.and(`a.at >= %s`, s.from)
	}
	if s.to > 0 {
		q.and(`a.at < %s`, s.to)
	}
	q.add(` THEN 1 ELSE 0 END FROM c LEFT JOIN activity a ON a.position = c.position ORDER BY c.position ` + direction(down))
	return queryAll(ctx, s.db.read, func(row scanner) (c candidate, err error) {
		var matches int64
		err = row.Scan(&c.position, &matches)
		c.matches = matches == 1
		return c, err
	}, q.text.String(), q.args...)
}

// lead adds the query of the leading strand's positions. Each of its values is a
// stretch of an index that is in order, and so many of each are enough.
func (s *search) lead(q *query, down bool, size int) {
	place := func() {
		q.and(`position >= %s AND position < %s`, s.low, s.high)
		q.add(` ORDER BY position ` + direction(down) + ` LIMIT ` + q.mark(size))
	}
	if len(s.strands) == 0 {
		q.add(`SELECT position FROM activity WHERE organization_id = ` + q.mark(s.org))
		place()
		return
	}
	x := s.strands[0]
	q.add(`SELECT DISTINCT position FROM (`)
	for i, value := range x.values {
		if i > 0 {
			q.add(` UNION ALL `)
		}
		q.add(`SELECT position FROM (SELECT position FROM ` + x.table + ` WHERE organization_id = ` + q.mark(s.org) + ` AND ` + x.column + ` = ` + q.mark(value))
		place()
		q.add(fmt.Sprintf(`) v%d`, i))
	}
	q.add(`) u ORDER BY position ` + direction(down) + ` LIMIT ` + q.mark(size))
}

func direction(down bool) string {
	if down {
		return `DESC`
	}
	return `ASC`
}

func scanEntry(s scanner) (e audit.Entry, err error) {
	err = s.Scan(&e.Index, &e.Leaf, &e.Detail, &e.Salt)
	return e, err
}

// entries are those of an organization at positions, the newest first.
func (a Activities) entries(ctx context.Context, o id.Organization, positions []int64) ([]activity.Entry, error) {
	if len(positions) == 0 {
		return nil, nil
	}
	q := selects(`SELECT position, leaf, detail, salt FROM activity WHERE organization_id = $1`, o)
	q.add(` AND position IN (` + q.marks(positions) + `) ORDER BY position DESC`)
	raw, err := queryAll(ctx, a.db.read, scanEntry, q.text.String(), q.args...)
	if err != nil {
		return nil, err
	}
	all := make([]activity.Entry, len(raw))
	for i, r := range raw {
		e, err := r.Open()
		if err != nil {
			return nil, err
		}
		all[i] = activity.Entry{Position: r.Index, Event: e}
	}
	return all, nil
}

// Place implements activity.Store.
func (a Activities) Place(ctx context.Context, o id.Organization, which id.Activity) (p activity.Place, ok bool, err error) {
	entry, ok, err := first(queryAll(ctx, a.db.read, scanEntry, `SELECT position, leaf, detail, salt FROM activity WHERE organization_id = $1 AND id = $2`, o, which))
	if err != nil || !ok {
		return p, ok, err
	}
	e, err := entry.Open()
	if err != nil {
		return p, false, err
	}
	size, _, err := a.Head(ctx)
	if err != nil {
		return p, false, err
	}
	hashes, err := hashesAt(ctx, a.db.read, `position = $1`, audit.Position(entry.Index))
	if err != nil {
		return p, false, err
	}
	hash := hashes[audit.Position(entry.Index)]
	return activity.Place{Entry: activity.Entry{Position: entry.Index, Event: e}, Leaf: entry.Leaf, Hash: hash, Sound: hash == audit.LeafHash(entry.Leaf),
		Size: size, Erased: entry.Detail == nil}, true, nil
}

// Note records an event that changes nothing.
func (a Activities) Note(ctx context.Context, e audit.Event) error { return a.db.record(ctx, nil, e) }

// NoteAll records events that change nothing, all of them or none.
func (a Activities) NoteAll(ctx context.Context, events []audit.Event) error {
	return a.db.record(ctx, nil, events...)
}

// List returns an organization's latest events of some types, or of all, before
// a place in the log (0: from the end), the newest first.
func (a Activities) List(ctx context.Context, o id.Organization, types []audit.Type, before int64, limit int) (events []audit.Event, positions []int64, err error) {
	found, err := a.Search(ctx, o, activity.Filter{Types: types}, activity.Page{Before: before, Limit: limit})
	for _, e := range found.Entries {
		events, positions = append(events, e.Event), append(positions, e.Position)
	}
	return events, positions, err
}
