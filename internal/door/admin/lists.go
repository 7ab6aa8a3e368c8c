package admin

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"

	"github.com/gatehouse-dev/gatehouse/api"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/id"
)

var (
	ends   = []string{"limit", "after_id", "before_id"} // what pages takes
	onward = []string{"limit", "page"}                  // what cursors takes
)

func with(names []string, more ...string) []string { return slices.Concat(names, more) }

// finder is how rooms give a page: what a filter chooses, and whether there is
// more.
type finder[F, R any] func(ctx context.Context, who caller.Caller, o id.Organization, f F) (rows []R, more bool, err error)

// find reads the filter that a list is asked with, and asks a room for a page.
func find[F, R any](c call, q *asked, read func(call, *asked) F, room finder[F, R]) ([]R, bool, error) {
	f := read(c, q)
	if q.err != nil {
		return nil, false, q.err
	}
	return room(c.Context(), c.who, c.who.Organization, f)
}

// pages is a list that is read in both directions, from rows by their ids.
func pages[F, R, Out any](read func(call, *asked) F, room finder[F, R], wire func(R) Out, idOf func(R) string) func(call) (api.Page[Out], error) {
	return func(c call) (page api.Page[Out], err error) {
		rows, more, err := find(c, ask(c), read, room)
		if err != nil {
			return page, err
		}
		page.Data, page.HasMore = wires(rows, wire), more
		if n := len(rows); n > 0 {
			first, last := idOf(rows[0]), idOf(rows[n-1])
			page.FirstID, page.LastID = &first, &last
		}
		return page, nil
	}
}

// cursors is a list that is read in one direction; key is where a row stands in
// it.
func cursors[F, R, Out any](read func(call, *asked) F, room finder[F, R], wire func(R) Out, key func(R) string) func(call) (api.CursorPage[Out], error) {
	return func(c call) (page api.CursorPage[Out], err error) {
		q := ask(c)
		rows, more, err := find(c, q, read, room)
		if err != nil {
			return page, err
		}
		page.Data = wires(rows, wire)
		if n := len(rows); more && n > 0 {
			next := q.next(key(rows[n-1]))
			page.NextPage = &next
		}
		return page, nil
	}
}

// whole is cursors, of a list that a room gives whole. It is put into the order
// of its keys, so that the row which a page is after may be gone.
func whole[R, Out any](all func(call, *asked) ([]R, error), wire func(R) Out, key func(R) string) func(call) (api.CursorPage[Out], error) {
	type part struct {
		after string
		limit int
		rows  []R
	}
	return cursors(func(c call, q *asked) (p part) {
		p.after, p.limit = q.cursor(), q.limit
		if q.err == nil {
			var err error
			if p.rows, err = all(c, q); err != nil {
				q.fail(err)
			}
		}
		return p
	}, func(_ context.Context, _ caller.Caller, _ id.Organization, p part) ([]R, bool, error) {
		slices.SortFunc(p.rows, func(a, b R) int { return strings.Compare(key(a), key(b)) })
		rest := slices.DeleteFunc(p.rows, func(row R) bool { return p.after != "" && key(row) <= p.after })
		return rest[:min(len(rest), p.limit)], len(rest) > p.limit, nil
	}, wire, key)
}

func wires[R, Out any](rows []R, wire func(R) Out) []Out {
	out := make([]Out, len(rows))
	for i, row := range rows {
		out[i] = wire(row)
	}
	return out
}

// cursor is where the page that is asked for begins: after the row with this
// key. What another list gave is refused: it would be somewhere in this one.
func (q *asked) cursor() string {
	page := q.text("page")
	if page == "" {
		return ""
	}
	raw, err := base64.RawURLEncoding.DecodeString(page)
	key, ok := strings.CutPrefix(string(raw), q.mark())
	if err != nil || !ok || key == "" || !plain(key) {
		q.wrong("page must be a next_page of this list")
		return ""
	}
	return key
}

// idCursor is cursor, of a list whose rows are known by their ids.
func idCursor[ID ~string](q *asked) ID {
	c := q.cursor()
	if c != "" && !wellFormed(c) {
		q.wrong("page must be a next_page of this list")
		return ""
	}
	return ID(c)
}

// next is the cursor of the page after the row with a key.
func (q *asked) next(key string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(q.mark() + key))
}
