package simulated

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/price"
)

// request is what the model reads out of a body.
type request struct {
	model     string
	maxTokens int64
	stream    bool
	stops     []string
	messages  int
	tools     int
	lastUser  []byte // the user's last text, if the assistant has not answered it; raw JSON

	has  struct{ model, maxTokens, messages bool }
	size [3]int // bytes of the tools, the system prompt and the messages, in this order
	// marks are the cache breakpoints; whole is the one at the top of the body.
	marks         []mark
	whole         *mark
	lastAssistant int // the index of the last message of the assistant; -1
}

const (
	inTools = iota
	inSystem
	inMessages
)

// mark is a cache breakpoint.
type mark struct {
	section int
	offset  int // bytes of the section up to its end
	message int // the index of its message
	hour    bool
}

const maxMarks = 4

// read reads a body. What it returns as an error is for the client.
func read(body []byte, counting bool) (*request, *problem) {
	r := &request{lastAssistant: -1}
	s := &scanner{data: body}
	err := s.object(func(key []byte) error { return r.field(s, key) })
	if err == nil && s.next() != 0 {
		err = errSyntax
	}
	var bad *problem
	switch {
	case errors.As(err, &bad):
		return nil, bad
	case errors.Is(err, errType):
		return nil, invalid("Input should be a valid dictionary")
	case err != nil:
		return nil, invalid("The request body is not valid JSON")
	}
	return r, r.check(counting)
}

func (r *request) field(s *scanner, key []byte) (err error) {
	switch string(key) {
	case "model":
		r.has.model = true
		r.model, err = s.text()
		return typed(err, "model", "string")
	case "max_tokens":
		r.has.maxTokens = true
		r.maxTokens, err = s.integer()
		return typed(err, "max_tokens", "integer")
	case "stream":
		r.stream, err = s.boolean()
		return typed(err, "stream", "boolean")
	case "stop_sequences":
		return typed(s.array(func(int) error {
			stop, err := s.text()
			r.stops = append(r.stops, stop)
			return err
		}), "stop_sequences", "list")
	case "tools":
		return typed(r.section(s, inTools, r.toolList), "tools", "list")
	case "system":
		return typed(r.section(s, inSystem, r.system), "system", "string")
	case "messages":
		r.has.messages = true
		return typed(r.section(s, inMessages, r.conversation), "messages", "list")
	case "cache_control":
		m, err := cacheControl(s)
		r.whole = m
		return typed(err, "cache_control", "dictionary")
	}
	_, err = s.skip()
	return err
}

// section reads one of the three parts that count as input.
func (r *request) section(s *scanner, which int, f func(*scanner, int) error) error {
	start := s.at
	err := f(s, start)
	r.size[which] = s.at - start
	return err
}

func (r *request) toolList(s *scanner, start int) error {
	return s.array(func(i int) error {
		r.tools = i + 1
		return r.block(s, mark{section: inTools}, start, nil)
	})
}

func (r *request) system(s *scanner, start int) error {
	if s.next() == '"' {
		_, err := s.rawString()
		return err
	}
	return s.array(func(int) error { return r.block(s, mark{section: inSystem}, start, nil) })
}

func (r *request) conversation(s *scanner, start int) error {
	return s.array(func(i int) error {
		r.messages = i + 1
		role, text := "", []byte(nil)
		err := s.object(func(key []byte) (err error) {
			switch string(key) {
			case "role":
				role, err = s.text()
			case "content":
				text, err = r.content(s, i, start)
			default:
				_, err = s.skip()
			}
			return err
		})
		if err != nil {
			return err
		}
		switch role {
		case "assistant":
			r.lastAssistant, r.lastUser = i, nil
		case "user":
			r.lastUser = text
		case "system": // may follow the user's message and says nothing of theirs
		case "":
			return invalid("messages.%d.role: Field required", i)
		default:
			return invalid("messages: Unexpected role %q. Allowed roles are \"user\" or \"assistant\"", role)
		}
		return nil
	})
}

// content reads a message's content and returns its last text that a person may
// have written.
func (r *request) content(s *scanner, message, start int) (text []byte, err error) {
	if s.next() == '"' {
		return s.rawString()
	}
	err = s.array(func(int) error {
		return r.block(s, mark{section: inMessages, message: message}, start, func(block []byte) {
			if !bytes.HasPrefix(block, []byte("<system-reminder>")) {
				text = block
			}
		})
	})
	return text, err
}

// block reads a content block or a tool.
func (r *request) block(s *scanner, where mark, start int, text func([]byte)) error {
	var found *mark
	err := s.object(func(key []byte) (err error) {
		var raw []byte
		switch string(key) {
		case "cache_control":
			found, err = cacheControl(s)
		case "text":
			if raw, err = s.rawString(); err == nil && text != nil {
				text(raw)
			}
		default:
			_, err = s.skip()
		}
		return err
	})
	if err != nil || found == nil {
		return err
	}
	where.hour, where.offset = found.hour, s.at-start
	r.marks = append(r.marks, where)
	return nil
}

func cacheControl(s *scanner) (*mark, error) {
	if s.next() == 'n' {
		_, err := s.skip()
		return nil, err
	}
	m := &mark{}
	err := s.object(func(key []byte) error {
		raw, err := s.skip()
		if string(key) == "ttl" && string(raw) == `"1h"` {
			m.hour = true
		}
		return err
	})
	return m, err
}

// check says what the API would say of fields that are missing or out of range.
func (r *request) check(counting bool) *problem {
	known, maxOutput := family(r.model)
	switch {
	case !r.has.model:
		return invalid("model: Field required")
	case r.model == "":
		return invalid("model: String should have at least 1 character")
	case !counting && !r.has.maxTokens:
		return invalid("max_tokens: Field required")
	case !counting && r.maxTokens < 1:
		return invalid("max_tokens: must be greater than or equal to 1")
	case !r.has.messages:
		return invalid("messages: Field required")
	case r.messages == 0:
		return invalid("messages: at least one message is required")
	case len(r.marks) > maxMarks:
		return invalid("A maximum of %d blocks with cache_control may be provided. Found %d.", maxMarks, len(r.marks))
	case !known:
		return &problem{status: 404, kind: "not_found_error", message: "model: " + r.model}
	case !counting && maxOutput > 0 && r.maxTokens > maxOutput:
		return invalid("max_tokens: %d > %d, which is the maximum allowed number of output tokens for %s", r.maxTokens, maxOutput, r.model)
	}
	return nil
}

// family reports whether a model is one of Claude's, known to the price book or
// not, and how much it can say if that is known.
func family(model string) (ours bool, maxOutput int64) {
	if m, known := price.Default().Model(model, time.Time{}); known {
		return true, m.MaxOutput
	}
	return strings.HasPrefix(model, "claude-"), 0
}

// input counts the tokens of the request by the package's rules.
func (r *request) input() price.Tokens {
	before := [3]int{0, r.size[inTools], r.size[inTools] + r.size[inSystem]}
	total := before[inMessages] + r.size[inMessages]
	marks := r.marks
	if r.whole != nil {
		marks = append(marks, mark{section: inMessages, offset: r.size[inMessages], message: r.messages, hour: r.whole.hour})
	}
	read, cached, hour, minutes := 0, 0, 0, 0
	for section := range before { // the parts stand in any order in the body
		for _, m := range marks {
			if m.section != section {
				continue
			}
			end := before[section] + m.offset
			switch {
			case r.lastAssistant >= 0 && (section != inMessages || m.message < r.lastAssistant):
				read = end
			case m.hour:
				hour += end - cached
			default:
				minutes += end - cached
			}
			cached = end
		}
	}
	t := price.Tokens{CacheRead: tokens(read), CacheWrite5m: tokens(minutes), CacheWrite1h: tokens(hour)}
	t.Input = max(tokens(total)-t.CacheRead-t.CacheWrite5m-t.CacheWrite1h, 0)
	return t
}

func tokens(bytes int) int64 { return int64(bytes+3) / 4 }

// typed gives a field that has another type than it should the API's words.
func typed(err error, field, want string) error {
	if errors.Is(err, errType) {
		return invalid("%s: Input should be a valid %s", field, want)
	}
	return err
}

// problem is an error answer in the API's envelope.
type problem struct {
	status  int
	kind    string
	message string
}

func (p *problem) Error() string { return p.message }

func invalid(format string, args ...any) *problem {
	return &problem{status: 400, kind: "invalid_request_error", message: fmt.Sprintf(format, args...)}
}
