package store

import (
	"fmt"
	"slices"
	"strings"
)

// query is a SELECT that is put together from conditions. Values are always
// arguments; only the program's own text becomes SQL.
type query struct {
	text strings.Builder
	args []any
}

// selects begins a query that has a WHERE clause already. Its text numbers its
// arguments from $1 on.
func selects(text string, args ...any) *query {
	q := &query{args: args}
	q.text.WriteString(text)
	return q
}

// and adds a condition. Each %s of it stands for one value.
func (q *query) and(condition string, values ...any) {
	marks := make([]any, len(values))
	for i, v := range values {
		marks[i] = q.mark(v)
	}
	q.add(` AND ` + fmt.Sprintf(condition, marks...))
}

// among adds a condition that a column is one of values; nothing without any.
func among[T ~string](q *query, column string, values []T) {
	if len(values) == 0 {
		return
	}
	marks := make([]string, len(values))
	for i, v := range values {
		marks[i] = q.mark(string(v))
	}
	q.add(` AND ` + column + ` IN (` + strings.Join(marks, ", ") + `)`)
}

func (q *query) add(text string) { q.text.WriteString(text) }

// mark makes a value the next argument and returns what stands for it.
func (q *query) mark(v any) string {
	q.args = append(q.args, v)
	return fmt.Sprintf("$%d", len(q.args))
}

// cursor is the place of a page in a list that is ordered by created_at and id,
// the newest first: after or before the row with an id, or at the beginning.
type cursor struct {
	table         string // that the rows' ids are of
	alias         string // of its columns in the query, with the dot; may be empty
	after, before string
	limit         int
}

// page adds the order, place and size of a page. One row more than the limit is
// asked for: turn takes it off again.
func (q *query) page(c cursor) {
	place, order, to := c.after, `DESC`, `<`
	if c.before != "" {
		place, order, to = c.before, `ASC`, `>`
	}
	if place != "" {
		q.and(`(`+c.alias+`created_at, `+c.alias+`id) `+to+` (SELECT created_at, id FROM `+c.table+` WHERE id = %s)`, place)
	}
	q.add(fmt.Sprintf(` ORDER BY %[1]screated_at %[2]s, %[1]sid %[2]s LIMIT %[3]s`, c.alias, order, q.mark(c.limit+1)))
}

// turn brings what a query with page found into the list's order and says
// whether there are more rows in its direction.
func turn[T any](c cursor, rows []T) (page []T, more bool) {
	more = len(rows) > c.limit
	rows = rows[:min(len(rows), c.limit)]
	if c.before != "" {
		slices.Reverse(rows)
	}
	return rows, more
}

// ofPeople adds a condition that an account is of somebody whose name or address
// has a text in it. People are looked through once, and not once for every row:
// the limit, which none reaches, is what keeps PostgreSQL from turning it round.
func (q *query) ofPeople(account, text string) {
	pattern := containing(text)
	q.and(account+` IN (SELECT p.id FROM account p WHERE `+nameOrEmail(`p`)+` LIMIT 1000000000)`, pattern, pattern)
}

// nameOrEmail is a condition for two patterns of containing.
func nameOrEmail(account string) string {
	return `(LOWER(` + account + `.name) LIKE %s ESCAPE '\' OR ` + account + `.email LIKE %s ESCAPE '\')`
}

// address adds a condition that a column is an e-mail address, whatever the case
// it was asked in; a part after + may be missing. Nothing without an address.
func (q *query) address(column, asked string) {
	if asked == "" {
		return
	}
	email := strings.ToLower(asked)
	local, domain, _ := strings.Cut(email, "@")
	q.and(`(`+column+` = %s OR `+column+` LIKE %s ESCAPE '\')`, email, literal.Replace(local)+`+%@`+literal.Replace(domain))
}

// literal makes a text stand for itself in a pattern.
var literal = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// containing is the pattern of a text that has sought in it, for
// LOWER(column) LIKE %s ESCAPE '\'.
func containing(sought string) string {
	return `%` + literal.Replace(strings.ToLower(sought)) + `%`
}
