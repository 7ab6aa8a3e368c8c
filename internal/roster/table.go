package roster

import (
	"strings"
)

// column is what a column of a table holds.
type column int

const (
	ignored column = iota
	emailColumn
	nameColumn
	roleColumn
	groupsColumn
	workspacesColumn
)

// headings are the names of columns, as people write them.
var headings = map[string]column{
	"email": emailColumn, "e-mail": emailColumn, "mail": emailColumn, "email address": emailColumn, "e-mail address": emailColumn, "address": emailColumn,
	"name": nameColumn, "full name": nameColumn, "display name": nameColumn,
	"role":  roleColumn,
	"group": groupsColumn, "groups": groupsColumn,
	"workspace": workspacesColumn, "workspaces": workspacesColumn,
}

// standard are the columns of a table without a heading, and of what Write writes.
var standard = []column{emailColumn, nameColumn, roleColumn, groupsColumn, workspacesColumn}

// looksLikeTable reports whether a pasted text is one: it has a heading, or its
// first line is an address followed by something that is none.
func looksLikeTable(text string) bool {
	first := strings.TrimLeft(text, "\n")
	first, _, _ = strings.Cut(first, "\n")
	if len(first) > 64<<10 {
		return false
	}
	fields := (&table{text: first, delimiter: delimiterOf(first)}).record()
	if _, ok := columnsOf(fields); ok {
		return true
	}
	if len(fields) < 2 {
		return false
	}
	if _, ok := address(fields[0]); !ok {
		return false
	}
	for _, f := range fields[1:] {
		if f = strings.TrimSpace(f); f != "" {
			return !strings.Contains(f, "@")
		}
	}
	return strings.Count(first, ",")+strings.Count(first, ";")+strings.Count(first, "\t") > 1
}

// columnsOf reads a heading; ok is false for what is none.
func columnsOf(fields []string) (columns []column, ok bool) {
	for _, f := range fields {
		c := headings[strings.ToLower(strings.Join(strings.Fields(f), " "))]
		columns = append(columns, c)
		ok = ok || c == emailColumn
	}
	return columns, ok
}

// delimiterOf is what stands between the fields of a line: the most frequent of
// the three that programs write, outside of quotes.
func delimiterOf(line string) byte {
	var counts [256]int
	quoted := false
	for i := 0; i < len(line) && line[i] != '\n'; i++ {
		if line[i] == '"' {
			quoted = !quoted
		}
		if !quoted {
			counts[line[i]]++
		}
	}
	best := byte(',')
	for _, d := range []byte{';', '\t'} {
		if counts[d] > counts[best] {
			best = d
		}
	}
	return best
}

func readTable(text string) ([]Line, error) {
	t := &table{text: text, delimiter: delimiterOf(strings.TrimLeft(text, "\n"))}
	columns, seenHeading := standard, false
	var lines []Line
	for t.more() {
		number, start := t.number(), t.at
		fields := t.record()
		raw := t.text[start:t.at]
		if strings.TrimSpace(strings.Join(fields, "")) == "" {
			continue
		}
		if !seenHeading {
			seenHeading = true
			if named, ok := columnsOf(fields); ok {
				columns = named
				continue
			}
		}
		if len(lines) == MaxLines {
			return nil, tooMany()
		}
		lines = append(lines, lineOf(number, raw, columns, fields))
	}
	return finish(lines), nil
}

func lineOf(number int, raw string, columns []column, fields []string) Line {
	l, surplus := Line{Number: number, Raw: shown(raw, maxRaw)}, ""
	filled := map[column]bool{}
	for i, f := range fields {
		f = plain(strings.TrimSpace(f))
		if i >= len(columns) {
			if surplus = shown(f, maxField); surplus != "" {
				l.problem("it has more fields than there are columns")
				break
			}
			continue
		}
		// Of several columns of the same name the first that is filled counts.
		if c := columns[i]; c != ignored && f != "" && !filled[c] {
			filled[c] = true
			l.set(c, f)
		}
	}
	if !filled[emailColumn] {
		l.address("")
	}
	return l.done(surplus)
}

func (l *Line) set(c column, field string) {
	switch c {
	case emailColumn:
		name, raw := named(shown(field, maxTyped))
		if l.Name == "" {
			l.Name = shown(name, maxField)
		}
		l.address(raw)
	case nameColumn:
		l.Name = shown(field, maxField)
	case roleColumn:
		l.Role = shown(field, maxField)
	case groupsColumn:
		l.Groups = l.many("groups", field)
	case workspacesColumn:
		l.Workspaces = l.many("workspaces", field)
	}
}

// many are the names of a field that can hold several, with semicolons, bars or
// commas between them. Of too many one too many is kept, so that they still are
// when the line is read again.
func (l *Line) many(what, field string) []string {
	var all []string
	length := 0
	for name := range strings.FieldsFuncSeq(field, func(r rune) bool { return r == ';' || r == '|' || r == ',' || r == '\n' }) {
		if name = shown(name, maxField); name == "" {
			continue
		}
		all, length = append(all, name), length+len(name)
		if len(all) > maxMany || length > maxNames {
			l.problem("it names more than %d %s, or very long ones", maxMany, what)
			break
		}
	}
	return all
}

// table reads fields as programs write them: quotes around a field may hold
// delimiters, line ends and doubled quotes. It forgives what can be understood,
// as a list that people made by hand has all sorts of quotes in it.
type table struct {
	text      string
	delimiter byte
	at        int
	counted   int // line ends before seen
	seen      int
}

func (t *table) more() bool { return t.at < len(t.text) }

// number is that of the line that begins here.
func (t *table) number() int {
	t.counted += strings.Count(t.text[t.seen:t.at], "\n")
	t.seen = t.at
	return t.counted + 1
}

// record reads one line, which may go over several.
func (t *table) record() []string {
	var fields []string
	for {
		field, last := t.field()
		fields = append(fields, field)
		if last || len(fields) > 100 {
			if !last { // so many columns are a mistake: leave the rest of the line
				t.skipLine()
			}
			return fields
		}
	}
}

func (t *table) skipLine() {
	if end := strings.IndexByte(t.text[t.at:], '\n'); end >= 0 {
		t.at += end + 1
		return
	}
	t.at = len(t.text)
}

func (t *table) field() (field string, last bool) {
	rest := t.text[t.at:]
	lead := len(rest) - len(strings.TrimLeft(rest, " "))
	if strings.HasPrefix(rest[lead:], `"`) {
		if field, used, ok := quoted(rest[lead:], t.delimiter); ok {
			t.at += lead + used
			return field, t.end()
		}
	}
	end := strings.IndexAny(rest, "\n"+string(t.delimiter))
	if end < 0 {
		end = len(rest)
	}
	t.at += end
	return rest[:end], t.end()
}

// end takes what follows a field, and says whether the line is over.
func (t *table) end() bool {
	if t.at >= len(t.text) {
		return true
	}
	t.at++
	return t.text[t.at-1] == '\n'
}

// quoted reads a field in quotes that is followed by a delimiter or a line end.
// ok is false for what only begins with a quote, such as "Last, First" <a@b>, and
// for what goes over a line end and then has an @: a quote was forgotten there,
// and must not swallow the people of the lines below.
func quoted(text string, delimiter byte) (field string, used int, ok bool) {
	var out strings.Builder
	over := false
	for i := 1; i < len(text); i++ {
		if text[i] != '"' {
			if over = over || text[i] == '\n'; over && text[i] == '@' {
				return "", 0, false
			}
			out.WriteByte(text[i])
			continue
		}
		if i+1 < len(text) && text[i+1] == '"' {
			out.WriteByte('"')
			i++
			continue
		}
		after := i + 1
		for after < len(text) && text[after] == ' ' {
			after++
		}
		if after == len(text) || text[after] == delimiter || text[after] == '\n' {
			return out.String(), after, true
		}
		return "", 0, false
	}
	return "", 0, false
}
