package jsontext

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

func (t Text) put(path []string, value json.RawMessage) Text {
	open, _ := t.container(path[:len(path)-1])
	step := path[len(path)-1]
	if m, ok := t.find(open, step); ok {
		return t.splice(m.value, m.valueEnd, value)
	}
	members := t.members(open)
	if len(members) == 0 {
		return t.first(open, len(path), step, value)
	}
	last := members[len(members)-1]
	colon := ": "
	if t.plain[open] == '{' {
		colon = string(t.plain[last.keyEnd:last.value])
	}
	return t.behind(members, open, t.entry(open, step, colon, value))
}

// entry is a member as it stands in the container: elements have no key.
func (t Text) entry(open int, step, colon string, value json.RawMessage) []byte {
	if t.plain[open] == '[' {
		return value
	}
	quoted, _ := json.Marshal(step) // a string always encodes
	return slices.Concat(quoted, []byte(colon), value)
}

// first puts a member into an empty container.
func (t Text) first(open, depth int, step string, value json.RawMessage) Text {
	before, after, colon := t.style(depth)
	end := t.space(open + 1)
	entry := t.entry(open, step, colon, value)
	if !t.comment(open+1, end) {
		return t.splice(open+1, end, slices.Concat([]byte(before), entry, []byte(after)))
	}
	if before == "" { // a comment may reach to the end of its line
		before, after = "\n", "\n"
	}
	kept := bytes.TrimRight(t.raw[open+1:end], " \t\r\n")
	return t.splice(open+1, end, slices.Concat(kept, []byte(before), entry, []byte(after)))
}

// behind puts a member behind the last one, and behind a comment that follows
// that on its line.
func (t Text) behind(members []member, open int, entry []byte) Text {
	last, gapStart := members[len(members)-1], open+1
	if len(members) > 1 {
		gapStart = t.space(members[len(members)-2].valueEnd) + 1
	}
	gap := t.gap(gapStart, last.start)
	at, comma, trailing := last.valueEnd, []byte(","), []byte(nil)
	if p := t.space(at); t.plain[p] == ',' {
		at, comma, trailing = p+1, nil, []byte(",")
	}
	to := t.lineComment(at)
	if !bytes.ContainsRune(gap, '\n') {
		to = at
	}
	return t.splice(at, to, slices.Concat(comma, t.raw[at:to], gap, entry, trailing))
}

// lineComment is the end of a comment that follows on the same line; from if
// there is none, or one that goes on.
func (t Text) lineComment(from int) int {
	end := from
	for end < len(t.raw) && t.raw[end] != '\n' && strings.IndexByte(" \t\r", t.plain[end]) >= 0 {
		end++
	}
	kept := bytes.TrimRight(t.raw[from:end], " \t\r")
	if !t.comment(from, end) || bytes.Count(kept, []byte("/*")) > bytes.Count(kept, []byte("*/")) {
		return from
	}
	return from + len(kept)
}

// gap is the space that sets a member off from the one before it.
func (t Text) gap(from, to int) []byte {
	if !t.comment(from, to) {
		return t.raw[from:to]
	}
	cut := bytes.LastIndexByte(t.plain[from:to], '\n')
	if cut < 0 {
		return []byte(" ")
	}
	line, start := "\n", from+cut+1
	if cut > 0 && t.plain[start-2] == '\r' {
		line = "\r\n"
	}
	end := start
	for end < to && strings.IndexByte(" \t", t.raw[end]) >= 0 {
		end++
	}
	return slices.Concat([]byte(line), t.raw[start:end])
}

// style says how the first member of an empty container is set off: as the file
// does it at its top, else with two spaces a level.
func (t Text) style(depth int) (before, after, colon string) {
	unit, line := "  ", "\n"
	top, _ := t.container(nil)
	colon = ": "
	if members := t.members(top); len(members) > 0 {
		first := members[0]
		gap := string(t.gap(top+1, first.start))
		colon = string(t.plain[first.keyEnd:first.value])
		cut := strings.LastIndexByte(gap, '\n')
		if cut < 0 {
			return "", "", colon
		}
		unit = gap[cut+1:]
		if cut > 0 && gap[cut-1] == '\r' {
			line = "\r\n"
		}
	}
	return line + strings.Repeat(unit, depth), line + strings.Repeat(unit, depth-1), colon
}

// splice puts bytes in the place of others. What it makes is of the dialect, so
// scanning it again cannot fail.
func (t Text) splice(from, to int, with []byte) Text {
	next, _ := scan(slices.Concat(t.raw[:from], with, t.raw[to:]), t.dialect)
	return next
}
