package roster

import "strings"

// Heading is the first line of what Write writes.
const Heading = "email,name,role,groups,workspaces"

// Write is a line of a table with the columns of Heading, without those at its
// end that are empty: it reads back as what was written. A spreadsheet program
// finds nothing in it to calculate.
func Write(p Person) string { return write(p, "") }

// write is Write, with a field that no column belongs to.
func write(p Person, surplus string) string {
	fields := []string{p.Email, p.Name, p.Role, strings.Join(p.Groups, "; "), strings.Join(p.Workspaces, "; "), surplus}
	for len(fields) > 1 && fields[len(fields)-1] == "" {
		fields = fields[:len(fields)-1]
	}
	if len(fields) == 1 && fields[0] == "" {
		return "," // nobody yet, which is not the same as no line
	}
	return Row(fields...)
}

// Row is any line of a table, its fields made harmless and quoted where need be.
func Row(fields ...string) string {
	for i, f := range fields {
		f = shown(f, 2*maxNames)
		if calculates(f) {
			f = "'" + f
		}
		if strings.ContainsAny(f, "\",;") {
			f = `"` + strings.ReplaceAll(f, `"`, `""`) + `"`
		}
		fields[i] = f
	}
	return strings.Join(fields, ",")
}

// ReadLine reads what Write wrote, perhaps after somebody mended it: a line of a
// table with the standard columns, or an address with a name.
func ReadLine(number int, text string) Line {
	text = shown(text, maxTyped)
	t := &table{text: text, delimiter: ','}
	return lineOf(number, text, standard, t.record())
}

// calculates reports whether a spreadsheet program would take a field for a
// formula, also after one that was made harmless before.
func calculates(field string) bool {
	field = strings.TrimLeft(field, "'")
	return field != "" && strings.IndexByte("=+-@\t\r", field[0]) >= 0
}

// plain takes off what Row made a field harmless with.
func plain(field string) string {
	if rest, ok := strings.CutPrefix(field, "'"); ok && calculates(rest) {
		return rest
	}
	return field
}
