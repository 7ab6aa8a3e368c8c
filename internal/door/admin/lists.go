package admin

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gatehouse-dev/gatehouse/api"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
)

// asked reads what a list is asked for, and keeps the first thing wrong with it.
type asked struct {
	path  string // of the list
	query url.Values
	limit int
	err   error
}

func ask(r *http.Request) *asked {
	q := &asked{path: r.URL.Path, query: r.URL.Query(), limit: defaultLimit}
	if raw := q.text("limit"); raw != "" {
		n, err := strconv.Atoi(raw)
		if err != nil || n < 1 || n > maxLimit {
			q.wrong("limit must be a number from 1 to %d", maxLimit)
		}
		q.limit = n
	}
	return q
}

func (q *asked) wrong(format string, args ...any) {
	if q.err == nil {
		q.err = fault.New(fault.Invalid, format, args...)
	}
}

// text is a parameter as it was given.
func (q *asked) text(name string) string {
	v := q.query.Get(name)
	if len(v) > 1000 || !utf8.ValidString(v) || strings.ContainsRune(v, 0) {
		q.wrong("%s must be printable text of at most 1000 bytes", name)
		return ""
	}
	return v
}

// id is a parameter that is an id.
func (q *asked) id(name string) string {
	v := q.text(name)
	if v != "" && !wellFormed(v) {
		q.wrong("%s: there is no such id", name)
		return ""
	}
	return v
}

// ids are the values of a parameter that is given once for each id, as name[]=v.
func (q *asked) ids(name string) (all []id.Workspace) {
	for _, v := range q.many(name) {
		if !wellFormed(v) {
			q.wrong("%s: there is no such id", name)
			return nil
		}
		all = append(all, id.Workspace(v))
	}
	if len(all) > maxIDs {
		q.wrong("%s: at most %d can be given", name, maxIDs)
	}
	return all
}

// many are the values of a parameter that can be given more than once.
func (q *asked) many(name string) []string {
	return slices.Concat(q.query[name+"[]"], q.query[name])
}

// ends are the cursors of a list that is read in both directions.
func (q *asked) ends() (after, before string) {
	after, before = q.id("after_id"), q.id("before_id")
	if after != "" && before != "" {
		q.wrong("after_id and before_id cannot be given together")
	}
	return after, before
}

func (q *asked) yes(name string) bool {
	v := q.text(name)
	if v != "" && v != "true" && v != "false" {
		q.wrong("%s must be true or false", name)
	}
	return v == "true"
}

// some are the values of a parameter that is given once for each, as name[]=v.
func some[T closed](q *asked, name string) (values []T) {
	for _, v := range q.many(name) {
		if v == "" {
			continue // as clients write null
		}
		if err := oneOf(name, T(v)); err != nil {
			if q.err == nil {
				q.err = err
			}
			return nil
		}
		if !slices.Contains(values, T(v)) {
			values = append(values, T(v))
		}
	}
	return values
}

// wellFormed reports whether text looks like an id, which is all that databases
// are asked about.
func wellFormed(v string) bool {
	return v != "" && len(v) <= 100 && !strings.ContainsFunc(v, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '_' && r != '-'
	})
}

// pageOf is a page of a list that is read in both directions.
func pageOf[R, T any](rows []R, more bool, wire func(R) T, idOf func(T) string) api.Page[T] {
	page := api.Page[T]{Data: make([]T, 0, len(rows)), HasMore: more}
	for _, row := range rows {
		page.Data = append(page.Data, wire(row))
	}
	if n := len(page.Data); n > 0 {
		first, last := idOf(page.Data[0]), idOf(page.Data[n-1])
		page.FirstID, page.LastID = &first, &last
	}
	return page
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
	if err != nil || !ok || key == "" || !utf8.ValidString(key) || strings.ContainsRune(key, 0) {
		q.wrong("page must be a next_page of this list")
		return ""
	}
	return key
}

// next is the cursor of the page after the row with a key.
func (q *asked) next(key string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(q.mark() + key))
}

// mark tells the cursors of one list from those of others.
func (q *asked) mark() string {
	sum := sha256.Sum256([]byte(q.path))
	return string(sum[:6])
}

// idCursor is cursor, of a list whose rows are known by their ids.
func (q *asked) idCursor() string {
	c := q.cursor()
	if c != "" && !wellFormed(c) {
		q.wrong("page must be a next_page of this list")
		return ""
	}
	return c
}

// cursorPage is a page of a list that is read in one direction; key is where a
// row stands in it.
func cursorPage[R, T any](q *asked, rows []R, more bool, wire func(R) T, key func(R) string) api.CursorPage[T] {
	page := api.CursorPage[T]{Data: make([]T, 0, len(rows))}
	for _, row := range rows {
		page.Data = append(page.Data, wire(row))
	}
	if n := len(rows); more && n > 0 {
		next := q.next(key(rows[n-1]))
		page.NextPage = &next
	}
	return page
}

// cut is a page of a list that is there whole, in the order of its keys. The row
// that the page is after may be gone.
func cut[R, T any](all []R, q *asked, wire func(R) T, key func(R) string) (any, error) {
	after := q.cursor()
	if q.err != nil {
		return nil, q.err
	}
	slices.SortFunc(all, func(a, b R) int { return strings.Compare(key(a), key(b)) })
	from := 0
	for after != "" && from < len(all) && key(all[from]) <= after {
		from++
	}
	rows := all[from:]
	return cursorPage(q, rows[:min(len(rows), q.limit)], len(rows) > q.limit, wire, key), nil
}

func same(v string) string { return v }
