package aws

import (
	"bufio"
	"bytes"
	"strings"
)

const maxLine = 64 << 10

// ini is a shared config or credentials file: section, then key, then value.
type ini map[string]map[string]string

// parseINI reads the format of AWS's shared files as far as keys need it: nested
// settings, lines that begin with a blank, are passed over, and so is every line
// that is none. Keys are in lower case. A section that stands twice is one.
func parseINI(raw []byte) ini {
	file := ini{}
	var section map[string]string
	lines := bufio.NewScanner(bytes.NewReader(raw))
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		line := lines.Text()
		switch trimmed := strings.TrimSpace(line); {
		case trimmed == "" || trimmed[0] == '#' || trimmed[0] == ';':
		case trimmed[0] == '[':
			section = file.section(trimmed)
		case section == nil || line[0] == ' ' || line[0] == '\t':
		default:
			if key, value, ok := strings.Cut(line, "="); ok {
				section[strings.ToLower(strings.TrimSpace(key))] = uncomment(value)
			}
		}
	}
	return file
}

// section makes or finds the section of a line "[name]"; nil if it is not one.
func (f ini) section(line string) map[string]string {
	name, _, ok := strings.Cut(line[1:], "]")
	if !ok {
		return nil
	}
	name = strings.Join(strings.Fields(name), " ")
	if f[name] == nil {
		f[name] = map[string]string{}
	}
	return f[name]
}

// A comment after a value begins with a blank.
func uncomment(value string) string {
	for _, mark := range []string{" #", " ;", "\t#", "\t;"} {
		value, _, _ = strings.Cut(value, mark)
	}
	return strings.TrimSpace(value)
}
