package admin

import (
	"crypto/sha256"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

// asked reads what a list is asked for, and keeps the first thing wrong with it.
type asked struct {
	path  string // of the list
	query url.Values
	limit int
	err   error
}

func ask(c call) *asked {
	q := &asked{path: c.URL.Path, query: c.URL.Query(), limit: defaultLimit}
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
	q.fail(fault.New(fault.Invalid, format, args...))
}

func (q *asked) fail(err error) {
	if q.err == nil {
		q.err = err
	}
}

// text is a parameter as it was given.
func (q *asked) text(name string) string {
	v := q.query.Get(name)
	if len(v) > 1000 || !plain(v) {
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

// endsOf are the places between which a list that is read in both directions is
// asked for. One of them is empty.
func endsOf[ID ~string](q *asked) (after, before ID) {
	after, before = ID(q.id("after_id")), ID(q.id("before_id"))
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

// many are the values of a parameter that is given once for each, as name[]=v.
// Clients write null as an empty one.
func (q *asked) many(name string) []string {
	return slices.DeleteFunc(slices.Concat(q.query[name+"[]"], q.query[name]), func(v string) bool { return v == "" })
}

// some are the values of such a parameter that are each one of T's, as they are
// called inside.
func some[T closed, Inside ~string](q *asked, name string) (values []Inside) {
	for _, v := range q.many(name) {
		if err := oneOf(name, T(v)); err != nil {
			q.fail(err)
			return nil
		}
		if !slices.Contains(values, Inside(v)) {
			values = append(values, Inside(v))
		}
	}
	return values
}

// ids are the values of such a parameter that are ids.
func ids[ID ~string](q *asked, name string) (all []ID) {
	for _, v := range q.many(name) {
		if !wellFormed(v) {
			q.wrong("%s: there is no such id", name)
			return nil
		}
		all = append(all, ID(v))
	}
	if len(all) > maxIDs {
		q.wrong("%s: at most %d can be given", name, maxIDs)
	}
	return all
}

// mark tells the cursors of one list from those of others.
func (q *asked) mark() string {
	sum := sha256.Sum256([]byte(q.path))
	return string(sum[:6])
}

// wellFormed reports whether text looks like an id, which is all that databases
// are asked about.
func wellFormed(v string) bool {
	return v != "" && len(v) <= 100 && !strings.ContainsFunc(v, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '_' && r != '-'
	})
}

// plain reports whether text is such as databases can be asked about at all.
func plain(v string) bool { return utf8.ValidString(v) && !strings.ContainsRune(v, 0) }
