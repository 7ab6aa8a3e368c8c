package simulated

import (
	"bytes"
	"encoding/json"
	"errors"
)

// maxDepth is how deep arrays and objects may be nested.
const maxDepth = 512

var (
	errSyntax = errors.New("the body is not valid JSON")
	errType   = errors.New("the value has another type")
)

// scanner reads JSON in place. It checks structure and literals, but not what
// is inside strings: prompts are long and nobody here needs to read them.
type scanner struct {
	data  []byte
	at    int
	depth int
}

// next skips white space and returns the byte that begins the next token, 0 at
// the end.
func (s *scanner) next() byte {
	for s.at < len(s.data) {
		switch c := s.data[s.at]; c {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return c
		}
	}
	return 0
}

func (s *scanner) take(c byte) error {
	if s.next() != c {
		return errSyntax
	}
	s.at++
	return nil
}

// object calls field for each member; field must consume the member's value.
func (s *scanner) object(field func(key []byte) error) error {
	return s.nested('{', '}', func(int) error {
		key, err := s.rawString()
		if err != nil {
			return err
		}
		if err := s.take(':'); err != nil {
			return err
		}
		s.next()
		return field(key)
	})
}

// array calls each for each element; each must consume it.
func (s *scanner) array(each func(i int) error) error { return s.nested('[', ']', each) }

func (s *scanner) nested(open, shut byte, each func(i int) error) error {
	if c := s.next(); c != open {
		return s.mismatch(c)
	}
	s.at++
	if s.depth++; s.depth > maxDepth {
		return errSyntax
	}
	defer func() { s.depth-- }()
	if s.next() == shut {
		s.at++
		return nil
	}
	for i := 0; ; i++ {
		s.next()
		if err := each(i); err != nil {
			return err
		}
		switch s.next() {
		case ',':
			s.at++
		case shut:
			s.at++
			return nil
		default:
			return errSyntax
		}
	}
}

// mismatch tells a value of another type from no value at all.
func (s *scanner) mismatch(c byte) error {
	if _, err := s.skip(); c == 0 || err != nil {
		return errSyntax
	}
	return errType
}

// skip consumes a value and returns its bytes.
func (s *scanner) skip() ([]byte, error) {
	first := s.next()
	start := s.at
	var err error
	switch first {
	case '{':
		err = s.object(func([]byte) error { _, err := s.skip(); return err })
	case '[':
		err = s.array(func(int) error { _, err := s.skip(); return err })
	case '"':
		_, err = s.rawString()
	default:
		err = s.scalar()
	}
	return s.data[start:s.at], err
}

// rawString consumes a string and returns what is between its quotes.
func (s *scanner) rawString() ([]byte, error) {
	if c := s.next(); c != '"' {
		return nil, s.mismatch(c)
	}
	start := s.at + 1
	for end := start; ; end++ {
		next := bytes.IndexByte(s.data[end:], '"')
		if next < 0 {
			return nil, errSyntax
		}
		end += next
		slashes := end
		for slashes > start && s.data[slashes-1] == '\\' {
			slashes--
		}
		if (end-slashes)%2 == 0 {
			s.at = end + 1
			return s.data[start:end], nil
		}
	}
}

// scalar consumes a number or literal.
func (s *scanner) scalar() error {
	start := s.at
	for s.at < len(s.data) && bytes.IndexByte([]byte(" \t\r\n,:]}[{\""), s.data[s.at]) < 0 {
		s.at++
	}
	word := s.data[start:s.at]
	switch string(word) {
	case "true", "false", "null":
		return nil
	}
	if len(word) == 0 || len(word) > 400 || !json.Valid(word) {
		return errSyntax
	}
	return nil
}

// text consumes a string and decodes it.
func (s *scanner) text() (string, error) {
	raw, err := s.rawString()
	if err != nil {
		return "", err
	}
	return decode(raw)
}

// boolean consumes true or false.
func (s *scanner) boolean() (bool, error) {
	raw, err := s.skip()
	switch {
	case err != nil:
		return false, err
	case string(raw) == "true", string(raw) == "false":
		return raw[0] == 't', nil
	}
	return false, errType
}

// integer consumes a whole number.
func (s *scanner) integer() (int64, error) {
	raw, err := s.skip()
	if err != nil {
		return 0, err
	}
	var n int64
	if string(raw) == "null" || json.Unmarshal(raw, &n) != nil {
		return 0, errType
	}
	return n, nil
}

// decode turns the inside of a JSON string into its text.
func decode(raw []byte) (string, error) {
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(bytes.ToValidUTF8(raw, []byte("\uFFFD"))), nil
	}
	quoted := make([]byte, 0, len(raw)+2)
	quoted = append(append(append(quoted, '"'), raw...), '"')
	var text string
	if json.Unmarshal(quoted, &text) != nil {
		return "", errSyntax
	}
	return text, nil
}
