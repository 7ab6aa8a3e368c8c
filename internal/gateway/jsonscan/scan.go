package jsonscan

import (
	"encoding/binary"
	"encoding/json"
	"math/bits"
)

// MaxDepth is how deep objects and arrays may be nested.
const MaxDepth = 512

// Error says where and why a text is not JSON.
type Error struct {
	Offset int // in bytes
	Reason string
}

func (e *Error) Error() string { return e.Reason }

func fail(at int, reason string) *Error { return &Error{Offset: at, Reason: reason} }

const (
	reasonEnd     = "the JSON ends too early"
	reasonValue   = "a JSON value is malformed"
	reasonKey     = "a JSON object needs a name in double quotes here"
	reasonColon   = "a JSON object needs a colon here"
	reasonComma   = "a comma or a closing bracket is missing"
	reasonDepth   = "the JSON is nested too deeply"
	reasonTrailer = "something follows the end of the JSON"
	reasonObject  = "the JSON is not an object"
)

// space skips white space.
func space(text []byte, at int) int {
	for at < len(text) {
		switch text[at] {
		case ' ', '\n', '\t', '\r':
			at++
		default:
			return at
		}
	}
	return at
}

const (
	ones   = 0x0101010101010101
	highs  = 0x8080808080808080
	quotes = ones * '"'
	slants = ones * '\\'
)

// stops marks, by their high bits, the bytes of a word that are a quote or a
// backslash. Bytes above the lowest such one may be marked by mistake.
func stops(word uint64) uint64 {
	q, s := word^quotes, word^slants
	return ((q-ones)&^q | (s-ones)&^s) & highs
}

// stringEnd returns the index after the closing quote of a string whose
// content starts at at, or -1. It looks at 16 bytes at a time: prompts are full
// of escapes, so a faster search for a single byte would not get far.
func stringEnd(text []byte, at int) int {
	for at+16 <= len(text) {
		next := text[at : at+16 : at+16]
		low, high := stops(binary.LittleEndian.Uint64(next)), stops(binary.LittleEndian.Uint64(next[8:]))
		switch {
		case low != 0:
			at += bits.TrailingZeros64(low) >> 3
		case high != 0:
			at += 8 + bits.TrailingZeros64(high)>>3
		default:
			at += 16
			continue
		}
		if text[at] == '"' {
			return at + 1
		}
		at += 2 // past the escape
	}
	for at < len(text) {
		switch text[at] {
		case '"':
			return at + 1
		case '\\':
			at++
		}
		at++
	}
	return -1
}

// Value skips one value that starts at at, without white space before it. It
// returns the index after it.
func Value(text []byte, at int) (int, *Error) {
	if at >= len(text) {
		return at, fail(at, reasonEnd)
	}
	switch text[at] {
	case '"':
		end := stringEnd(text, at+1)
		if end < 0 {
			return at, fail(len(text), reasonEnd)
		}
		return end, nil
	case '{', '[':
		return nested(text, at)
	}
	return scalar(text, at)
}

// nested skips an object or array. A bit per level says which of the two.
func nested(text []byte, at int) (int, *Error) {
	var (
		objects [MaxDepth / 64]uint64
		depth   = 0
		err     *Error
	)
	for {
		// Here a value begins.
		if at >= len(text) {
			return at, fail(at, reasonEnd)
		}
		switch c := text[at]; c {
		case '{', '[':
			if depth == MaxDepth {
				return at, fail(at, reasonDepth)
			}
			bit := uint64(1) << (depth & 63)
			at = space(text, at+1)
			if at >= len(text) {
				return at, fail(at, reasonEnd)
			}
			if text[at] == c+2 { // '}' is '{'+2 and ']' is '['+2
				at++
				break
			}
			if c == '[' {
				objects[depth>>6] &^= bit
				depth++
				continue
			}
			objects[depth>>6] |= bit
			depth++
			if at, err = name(text, at); err != nil {
				return at, err
			}
			continue
		case '"':
			end := stringEnd(text, at+1)
			if end < 0 {
				return at, fail(len(text), reasonEnd)
			}
			at = end
		default:
			if at, err = scalar(text, at); err != nil {
				return at, err
			}
		}
		// Here a value has ended: close what closes with it.
		for {
			if depth == 0 {
				return at, nil
			}
			if at >= len(text) || text[at] <= ' ' {
				at = space(text, at)
			}
			if at >= len(text) {
				return at, fail(at, reasonEnd)
			}
			object := objects[(depth-1)>>6]>>((depth-1)&63)&1 == 1
			c := text[at]
			at++
			if c == ',' {
				if at < len(text) && text[at] <= ' ' {
					at = space(text, at)
				}
				if object {
					if at, err = name(text, at); err != nil {
						return at, err
					}
				}
				break
			}
			if (object && c != '}') || (!object && c != ']') {
				return at - 1, fail(at-1, reasonComma)
			}
			depth--
		}
	}
}

// name skips a member's name, the colon and white space.
func name(text []byte, at int) (int, *Error) {
	if at >= len(text) {
		return at, fail(at, reasonEnd)
	}
	if text[at] != '"' {
		return at, fail(at, reasonKey)
	}
	end := stringEnd(text, at+1)
	if end < 0 {
		return at, fail(len(text), reasonEnd)
	}
	return colon(text, end)
}

func colon(text []byte, at int) (int, *Error) {
	if at < len(text) && text[at] <= ' ' {
		at = space(text, at)
	}
	if at >= len(text) {
		return at, fail(at, reasonEnd)
	}
	if text[at] != ':' {
		return at, fail(at, reasonColon)
	}
	at++
	if at < len(text) && text[at] <= ' ' {
		at = space(text, at)
	}
	return at, nil
}

// scalar skips a literal or a number.
func scalar(text []byte, at int) (int, *Error) {
	switch text[at] {
	case 't':
		return literal(text, at, "true")
	case 'f':
		return literal(text, at, "false")
	case 'n':
		return literal(text, at, "null")
	}
	end := number(text, at)
	if end < 0 {
		return at, fail(at, reasonValue)
	}
	return end, nil
}

func literal(text []byte, at int, word string) (int, *Error) {
	if end := at + len(word); end <= len(text) && string(text[at:end]) == word {
		return end, nil
	}
	return at, fail(at, reasonValue)
}

// number returns the index after a number, or -1.
func number(text []byte, at int) int {
	if at < len(text) && text[at] == '-' {
		at++
	}
	whole := digits(text, at)
	if whole == at || (text[at] == '0' && whole > at+1) {
		return -1
	}
	at = whole
	if at < len(text) && text[at] == '.' {
		fraction := digits(text, at+1)
		if fraction == at+1 {
			return -1
		}
		at = fraction
	}
	if at < len(text) && text[at]|0x20 == 'e' {
		at++
		if at < len(text) && (text[at] == '+' || text[at] == '-') {
			at++
		}
		exponent := digits(text, at)
		if exponent == at {
			return -1
		}
		at = exponent
	}
	return at
}

func digits(text []byte, at int) int {
	for at < len(text) && text[at]-'0' <= 9 {
		at++
	}
	return at
}

// Members calls visit with every member of the object that text is, in order.
// The name is given as written, without its quotes, and the value as written.
// It stops at the first error, its own or visit's.
func Members(text []byte, visit func(name, value []byte) error) error {
	at := space(text, 0)
	if at >= len(text) {
		return fail(at, reasonEnd)
	}
	if text[at] != '{' {
		return fail(at, reasonObject)
	}
	at = space(text, at+1)
	if at < len(text) && text[at] == '}' {
		return trailer(text, at+1)
	}
	for {
		if at >= len(text) {
			return fail(at, reasonEnd)
		}
		if text[at] != '"' {
			return fail(at, reasonKey)
		}
		start := at + 1
		end := stringEnd(text, start)
		if end < 0 {
			return fail(len(text), reasonEnd)
		}
		value, err := colon(text, end)
		if err != nil {
			return err
		}
		if at, err = Value(text, value); err != nil {
			return err
		}
		if err := visit(text[start:end-1], text[value:at]); err != nil {
			return err
		}
		at = space(text, at)
		if at >= len(text) {
			return fail(at, reasonEnd)
		}
		switch text[at] {
		case '}':
			return trailer(text, at+1)
		case ',':
			at = space(text, at+1)
		default:
			return fail(at, reasonComma)
		}
	}
}

func trailer(text []byte, at int) error {
	if at = space(text, at); at != len(text) {
		return fail(at, reasonTrailer)
	}
	return nil
}

// String decodes a string value as Value found it, quotes included.
func String(value []byte) (string, bool) {
	if len(value) < 2 || value[0] != '"' {
		return "", false
	}
	if inner := value[1 : len(value)-1]; plain(inner) {
		return string(inner), true
	}
	var s string
	if json.Unmarshal(value, &s) != nil {
		return "", false
	}
	return s, true
}

// plain reports whether a string's content means itself.
func plain(inner []byte) bool {
	for _, c := range inner {
		if c < ' ' || c == '\\' || c >= 0x80 {
			return false
		}
	}
	return true
}

// Int reads a value that is a whole number without fraction or exponent.
func Int(value []byte) (int64, bool) {
	negative := len(value) > 0 && value[0] == '-'
	if negative {
		value = value[1:]
	}
	if len(value) == 0 || len(value) > 18 || digits(value, 0) != len(value) {
		return 0, false
	}
	var n int64
	for _, c := range value {
		n = n*10 + int64(c-'0')
	}
	if negative {
		n = -n
	}
	return n, true
}
