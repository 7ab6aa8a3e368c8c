package claudecode

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// text is a settings file: a JSON object whose members are changed in place.
// Offsets are found anew for every change; the files are small.
type text []byte

// member is one "key": value of an object, by offsets into the text.
type member struct {
	key             string
	start, keyEnd   int // of the quoted key
	value, valueEnd int
}

var byteOrderMark = []byte("\xef\xbb\xbf")

// parse checks that b is one JSON object and that no key stands twice where we
// look; an empty file counts as an empty object. It never quotes the content.
func parse(b []byte) (text, error) {
	body := bytes.TrimPrefix(b, byteOrderMark)
	if len(bytes.TrimSpace(body)) == 0 {
		return text("{}\n"), nil
	}
	var whole map[string]json.RawMessage
	if err := json.Unmarshal(body, &whole); err != nil || whole == nil {
		if syntax, ok := err.(*json.SyntaxError); ok {
			line := 1 + bytes.Count(body[:min(int(syntax.Offset), len(body))], []byte("\n"))
			return nil, fmt.Errorf("it is not JSON (line %d)", line)
		}
		return nil, fmt.Errorf("it is not a JSON object")
	}
	t := text(b)
	for _, path := range [][]string{nil, {"env"}} {
		at, ok := t.object(path)
		if !ok {
			continue
		}
		seen := map[string]bool{}
		for _, m := range t.members(at) {
			if seen[m.key] {
				return nil, fmt.Errorf("it holds the key %q twice", m.key)
			}
			seen[m.key] = true
		}
	}
	if env, ok := whole["env"]; ok && bytes.TrimSpace(env)[0] != '{' {
		return nil, fmt.Errorf("its env is not an object")
	}
	return t, nil
}

// object is the offset of the brace that opens the object at path.
func (t text) object(path []string) (int, bool) {
	at := t.space(0)
	if bytes.HasPrefix(t, byteOrderMark) {
		at = t.space(len(byteOrderMark))
	}
	for _, key := range path {
		m, ok := t.find(at, key)
		if !ok || t[m.value] != '{' {
			return 0, false
		}
		at = m.value
	}
	return at, true
}

func (t text) find(object int, key string) (member, bool) {
	members := t.members(object)
	i := slices.IndexFunc(members, func(m member) bool { return m.key == key })
	if i < 0 {
		return member{}, false
	}
	return members[i], true
}

// members lists what is in the object whose brace is at open. The text is valid
// JSON, so it only has to be walked.
func (t text) members(open int) []member {
	var list []member
	at := t.space(open + 1)
	for t[at] == '"' {
		m := member{start: at, keyEnd: t.skip(at)}
		_ = json.Unmarshal(t[m.start:m.keyEnd], &m.key)
		m.value = t.space(t.space(m.keyEnd) + 1)
		m.valueEnd = t.skip(m.value)
		list = append(list, m)
		at = t.space(m.valueEnd)
		if t[at] != ',' {
			break
		}
		at = t.space(at + 1)
	}
	return list
}

func (t text) space(at int) int {
	for at < len(t) && strings.IndexByte(" \t\r\n", t[at]) >= 0 {
		at++
	}
	return at
}

// skip returns the offset behind the value at at.
func (t text) skip(at int) int {
	depth := 0
	for {
		switch t[at] {
		case '"':
			at = t.skipString(at)
		case '{', '[':
			depth++
			at++
		case '}', ']':
			depth--
			at++
		default:
			at++
		}
		if depth == 0 && (at == len(t) || strings.IndexByte(" \t\r\n,:]}", t[at]) >= 0) {
			return at
		}
	}
}

func (t text) skipString(at int) int {
	for at++; t[at] != '"'; at++ {
		if t[at] == '\\' {
			at++
		}
	}
	return at + 1
}

// get returns the raw value at path, or nil.
func (t text) get(path []string) json.RawMessage {
	at, ok := t.object(path[:len(path)-1])
	if !ok {
		return nil
	}
	m, ok := t.find(at, path[len(path)-1])
	if !ok {
		return nil
	}
	return json.RawMessage(t[m.value:m.valueEnd])
}

// set returns the text with the raw value at path, in the way the file is
// written. An object on the way that is missing is made.
func (t text) set(path []string, value json.RawMessage) text {
	for depth := 1; depth < len(path); depth++ {
		if _, ok := t.object(path[:depth]); !ok {
			t = t.put(path[:depth], json.RawMessage("{}"))
		}
	}
	return t.put(path, value)
}

func (t text) put(path []string, value json.RawMessage) text {
	open, _ := t.object(path[:len(path)-1])
	members := t.members(open)
	key := path[len(path)-1]
	if m, ok := t.find(open, key); ok {
		return t.splice(m.value, m.valueEnd, value)
	}
	quoted, _ := json.Marshal(key) // a string always encodes
	if len(members) == 0 {
		before, after, colon := t.style(open, len(path))
		end := t.space(open + 1)
		return t.splice(open+1, end, slices.Concat([]byte(before), quoted, []byte(colon), []byte(value), []byte(after)))
	}
	last := members[len(members)-1]
	gapStart := open + 1
	if len(members) > 1 {
		gapStart = t.space(members[len(members)-2].valueEnd) + 1
	}
	gap, colon := t[gapStart:last.start], t[last.keyEnd:last.value]
	return t.splice(last.valueEnd, last.valueEnd, slices.Concat([]byte(","), []byte(gap), quoted, []byte(colon), []byte(value)))
}

// style says how the first member of an empty object is set off: as the file
// does it at its top, else with two spaces a level.
func (t text) style(open, depth int) (before, after, colon string) {
	unit, line := "  ", "\n"
	top, _ := t.object(nil)
	if members := t.members(top); len(members) > 0 {
		first := members[0]
		gap := string(t[top+1 : first.start])
		colon = string(t[first.keyEnd:first.value])
		cut := strings.LastIndexByte(gap, '\n')
		if cut < 0 {
			return "", "", colon
		}
		unit = gap[cut+1:]
		if cut > 0 && gap[cut-1] == '\r' {
			line = "\r\n"
		}
	} else {
		colon = ": "
	}
	return line + strings.Repeat(unit, depth), line + strings.Repeat(unit, depth-1), colon
}

// remove returns the text without the member at path and its comma.
func (t text) remove(path []string) text {
	open, ok := t.object(path[:len(path)-1])
	if !ok {
		return t
	}
	members := t.members(open)
	i := slices.IndexFunc(members, func(m member) bool { return m.key == path[len(path)-1] })
	switch {
	case i < 0:
		return t
	case len(members) == 1:
		return t.splice(open+1, t.space(members[0].valueEnd), nil)
	case i == len(members)-1:
		return t.splice(members[i-1].valueEnd, members[i].valueEnd, nil)
	default:
		return t.splice(members[i].start, members[i+1].start, nil)
	}
}

func (t text) splice(from, to int, with []byte) text {
	return slices.Concat(t[:from], text(with), t[to:])
}

func (t text) emptyObject(path []string) bool {
	open, ok := t.object(path)
	return ok && len(t.members(open)) == 0
}
