package jsontext

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// member is one "key": value of an object, or one element of a list, by offsets.
type member struct {
	key             string // of an element: its name as a step, or ""
	start, keyEnd   int    // of the quoted key; of an element: of the value
	value, valueEnd int
}

var errComment = errors.New("it is not JSON (a comment does not end)")

// scan blanks what is not JSON: the byte order mark and, where the dialect has
// them, comments.
func scan(b []byte, d Dialect) (Text, error) {
	t := Text{raw: b, plain: slices.Clone(b), dialect: d}
	if bytes.HasPrefix(b, []byte(byteOrderMark)) {
		blank(t.plain, 0, len(byteOrderMark))
	}
	if d == Strict {
		return t, nil
	}
	for at := 0; at < len(b); {
		switch {
		case b[at] == '"':
			end := stringEnd(b, at)
			if end < 0 {
				return Text{}, fmt.Errorf("it is not JSON (line %d)", line(b, at))
			}
			at = end
		case bytes.HasPrefix(b[at:], []byte("//")):
			end := bytes.IndexByte(b[at:], '\n')
			if end < 0 {
				end = len(b) - at
			}
			blank(t.plain, at, at+end)
			at += end
		case bytes.HasPrefix(b[at:], []byte("/*")):
			end := bytes.Index(b[at+2:], []byte("*/"))
			if end < 0 {
				return Text{}, errComment
			}
			blank(t.plain, at, at+end+4)
			at += end + 4
		default:
			at++
		}
	}
	return t, nil
}

// blank writes spaces over all but line ends.
func blank(b []byte, from, to int) {
	for i := from; i < to; i++ {
		if b[i] != '\n' && b[i] != '\r' {
			b[i] = ' '
		}
	}
}

// strict is the text as plain JSON: without the commas after last members.
func (t Text) strict() []byte {
	if t.dialect == Strict {
		return t.plain
	}
	b := slices.Clone(t.plain)
	last := byte(0) // the last byte that is no space
	for at := 0; at < len(b); at++ {
		switch c := b[at]; {
		case c == '"':
			if at = stringEnd(b, at) - 1; at < 0 {
				return b
			}
			last = '"'
		case c == ',' && last != 0 && strings.IndexByte("[{,:", last) < 0 && closes(b, t.space(at+1)):
			b[at] = ' '
		case strings.IndexByte(" \t\r\n", c) < 0:
			last = c
		}
	}
	return b
}

func closes(b []byte, at int) bool { return at < len(b) && (b[at] == '}' || b[at] == ']') }

// stringEnd is the offset behind the string that begins at at; -1 if it does not end.
func stringEnd(b []byte, at int) int {
	for at++; at < len(b); at++ {
		switch b[at] {
		case '\\':
			at++
		case '"':
			return at + 1
		case '\n':
			return -1
		}
	}
	return -1
}

// comment reports whether there is one between two offsets with nothing else
// but space and commas between them.
func (t Text) comment(from, to int) bool {
	return !bytes.Equal(t.raw[from:to], t.plain[from:to])
}

// container is the offset of the brace or bracket that opens what is at path.
func (t Text) container(path []string) (int, bool) {
	at := t.space(0)
	for _, step := range path {
		m, ok := t.find(at, step)
		if !ok || t.plain[m.value] != '{' && t.plain[m.value] != '[' {
			return 0, false
		}
		at = m.value
	}
	return at, true
}

func (t Text) find(open int, step string) (member, bool) {
	members := t.members(open)
	i := slices.IndexFunc(members, func(m member) bool { return m.key == step })
	if i < 0 {
		return member{}, false
	}
	return members[i], true
}

// members lists what is in the object or list that opens at open. The text is
// valid, so it only has to be walked.
func (t Text) members(open int) []member {
	var list []member
	at := t.space(open + 1)
	for !closes(t.plain, at) {
		m := member{start: at, value: at}
		if t.plain[open] == '{' {
			m.keyEnd = t.skip(at)
			_ = json.Unmarshal(t.plain[m.start:m.keyEnd], &m.key)
			m.value = t.space(t.space(m.keyEnd) + 1)
		}
		m.valueEnd = t.skip(m.value)
		if t.plain[open] == '[' {
			m.key = t.name(m)
		}
		list = append(list, m)
		at = t.space(m.valueEnd)
		if t.plain[at] != ',' {
			break
		}
		at = t.space(at + 1)
	}
	return list
}

// name is an element's name as a step; "" if it has none.
func (t Text) name(m member) string {
	if t.plain[m.value] != '{' {
		return ""
	}
	for _, part := range t.members(m.value) {
		var name string
		if part.key == "name" && json.Unmarshal(t.plain[part.value:part.valueEnd], &name) == nil {
			return Named(name)
		}
	}
	return ""
}

func (t Text) space(at int) int {
	for at < len(t.plain) && strings.IndexByte(" \t\r\n", t.plain[at]) >= 0 {
		at++
	}
	return at
}

// skip returns the offset behind the value at at.
func (t Text) skip(at int) int {
	depth := 0
	for {
		switch t.plain[at] {
		case '"':
			at = stringEnd(t.plain, at)
		case '{', '[':
			depth++
			at++
		case '}', ']':
			depth--
			at++
		default:
			at++
		}
		if depth == 0 && (at == len(t.plain) || strings.IndexByte(" \t\r\n,:]}", t.plain[at]) >= 0) {
			return at
		}
	}
}
