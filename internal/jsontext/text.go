package jsontext

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Dialect is how a file is written.
type Dialect int

const (
	Strict   Dialect = iota // JSON
	Comments                // JSON with comments and trailing commas
)

// Text is a file whose top is an object. Offsets are found anew for every
// change; the files are small. The zero Text is not usable: call Parse.
type Text struct {
	raw     []byte
	plain   []byte // raw with comments and the byte order mark blanked: same offsets
	dialect Dialect
}

const byteOrderMark = "\xef\xbb\xbf"

// Parse checks that b is one object of the dialect in which no key stands twice
// at the top. It never quotes the content.
func Parse(b []byte, d Dialect) (Text, error) {
	if len(bytes.TrimSpace(bytes.TrimPrefix(b, []byte(byteOrderMark)))) == 0 {
		b = []byte("{}\n")
	}
	t, err := scan(b, d)
	if err != nil {
		return Text{}, err
	}
	var whole map[string]json.RawMessage
	if err := json.Unmarshal(t.strict(), &whole); err != nil || whole == nil {
		if syntax, ok := err.(*json.SyntaxError); ok {
			return Text{}, fmt.Errorf("it is not JSON (line %d)", line(b, int(syntax.Offset)))
		}
		return Text{}, fmt.Errorf("it is not a JSON object")
	}
	return t, t.Check(nil)
}

func line(b []byte, offset int) int { return 1 + bytes.Count(b[:min(offset, len(b))], []byte("\n")) }

// Check reports what keeps the members below path from being changed: a value
// on the way that holds no members, or a key that stands twice. What is missing
// is no problem.
func (t Text) Check(path []string) error {
	for depth := 0; depth < max(len(path), 1); depth++ {
		if depth > 0 && t.Get(path[:depth]) == nil {
			return nil
		}
		at, ok := t.container(path[:depth])
		if !ok || depth < len(path) && isElement(path[depth]) != (t.plain[at] == '[') {
			return fmt.Errorf("its %s is not what it should be", path[max(depth-1, 0)])
		}
		seen := map[string]bool{}
		for _, m := range t.members(at) {
			if m.key != "" && seen[m.key] {
				return fmt.Errorf("it holds the key %q twice", m.key)
			}
			seen[m.key] = true
		}
	}
	return nil
}

// Bytes is the whole file.
func (t Text) Bytes() []byte { return t.raw }

// Named is the step of a path to the element of a list that is an object with
// this "name". The value of such a step is the whole element.
func Named(name string) string { return element + name }

const element = "name="

func isElement(step string) bool { return strings.HasPrefix(step, element) }

// Get returns the raw value at path, or nil.
func (t Text) Get(path []string) json.RawMessage {
	at, ok := t.container(path[:len(path)-1])
	if !ok {
		return nil
	}
	m, ok := t.find(at, path[len(path)-1])
	if !ok {
		return nil
	}
	return json.RawMessage(t.raw[m.value:m.valueEnd])
}

// String returns the text that stands at path; "" if there is none.
func (t Text) String(path ...string) string {
	var s string
	if raw := t.Get(path); raw != nil {
		_ = json.Unmarshal(raw, &s) // what is no text is none
	}
	return s
}

// Keys lists the keys of the object at path, in their order.
func (t Text) Keys(path ...string) []string {
	at, ok := t.container(path)
	if !ok || t.plain[at] != '{' {
		return nil
	}
	var keys []string
	for _, m := range t.members(at) {
		keys = append(keys, m.key)
	}
	return keys
}

// Names lists the names of the elements of the list at path, in their order.
func (t Text) Names(path ...string) []string {
	at, ok := t.container(path)
	if !ok || t.plain[at] != '[' {
		return nil
	}
	var names []string
	for _, m := range t.members(at) {
		if name, ok := strings.CutPrefix(m.key, element); ok {
			names = append(names, name)
		}
	}
	return names
}

// Empty reports whether there is an object or list at path that holds nothing.
func (t Text) Empty(path []string) bool {
	open, ok := t.container(path)
	return ok && len(t.members(open)) == 0 && t.plain[t.space(open+1)] != ',' && !t.comment(open+1, t.space(open+1))
}

// Set returns the text with the raw value at path, in the way the file is
// written. What is missing on the way is made. The path must pass Check.
func (t Text) Set(path []string, value json.RawMessage) Text {
	for depth := 1; depth < len(path); depth++ {
		if t.Get(path[:depth]) == nil {
			empty := "{}"
			if isElement(path[depth]) {
				empty = "[]"
			}
			t = t.put(path[:depth], json.RawMessage(empty))
		}
	}
	return t.put(path, value)
}

// Remove returns the text without the member at path and its comma.
func (t Text) Remove(path []string) Text {
	open, ok := t.container(path[:len(path)-1])
	if !ok {
		return t
	}
	members := t.members(open)
	i := slices.IndexFunc(members, func(m member) bool { return m.key == path[len(path)-1] })
	if i < 0 {
		return t
	}
	end := t.space(members[len(members)-1].valueEnd)
	if t.comment(open+1, end) || t.plain[end] == ',' {
		return t.cut(open, members, i)
	}
	switch {
	case len(members) == 1:
		return t.splice(open+1, t.space(members[0].valueEnd), nil)
	case i == len(members)-1:
		return t.splice(members[i-1].valueEnd, members[i].valueEnd, nil)
	default:
		return t.splice(members[i].start, members[i+1].start, nil)
	}
}

// cut removes a member and leaves every comment.
func (t Text) cut(open int, members []member, i int) Text {
	m := members[i]
	from, to := m.start, m.valueEnd
	for from > open+1 && strings.IndexByte(" \t", t.raw[from-1]) >= 0 {
		from--
	}
	if from > open+1 && t.raw[from-1] == '\n' {
		if from--; from > open+1 && t.raw[from-1] == '\r' {
			from--
		}
	}
	after := t.space(to)
	if t.plain[after] == ',' { // its own comma goes with it
		t = t.splice(after, after+1, nil)
	} else if i > 0 { // the comma before it would be one too many
		before := t.space(members[i-1].valueEnd)
		t = t.splice(before, before+1, nil)
		from, to = from-1, to-1
	}
	return t.splice(from, to, nil)
}

// JSON is the file as plain JSON, without comments, at the same offsets.
func (t Text) JSON() []byte { return t.strict() }
