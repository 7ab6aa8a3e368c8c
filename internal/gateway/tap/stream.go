package tap

import (
	"bytes"

	"github.com/gatehouse-dev/gatehouse/internal/gateway/jsonscan"
	"github.com/gatehouse-dev/gatehouse/internal/price"
)

// maxLine bounds what a Stream keeps of one line. Of a longer line only the
// length is used.
const maxLine = 16 << 10

// Stream taps server-sent events. The zero Stream is ready.
type Stream struct {
	line     []byte // the beginning of a line that has not ended yet
	length   int    // of that line, also beyond what line keeps
	anything bool   // the current event has had a line
	last     byte   // the last byte seen

	usage   reported
	started bool  // message_start was read
	counted bool  // message_delta reported the output
	ended   bool  // message_stop or error has been seen
	broken  bool  // an error event was seen
	chars   int64 // of content, roughly
}

// Write shows the tap the next bytes.
func (s *Stream) Write(piece []byte) {
	for len(piece) > 0 {
		n := bytes.IndexByte(piece, '\n')
		if n < 0 {
			s.keep(piece)
			s.last = piece[len(piece)-1]
			return
		}
		if s.length == 0 {
			s.endLine(piece[:n], n)
		} else {
			s.keep(piece[:n])
			s.endLine(s.line, s.length)
			s.line, s.length = s.line[:0], 0
		}
		s.last = '\n'
		piece = piece[n+1:]
	}
}

func (s *Stream) keep(piece []byte) {
	s.length += len(piece)
	if room := maxLine - len(s.line); len(piece) > room {
		piece = piece[:room]
	}
	s.line = append(s.line, piece...)
}

var (
	data     = []byte("data:")
	typeMark = []byte(`{"type":"`)
)

// endLine looks at a whole line, or at the first maxLine bytes of a longer one.
func (s *Stream) endLine(line []byte, length int) {
	if length > 0 && length <= maxLine && line[length-1] == '\r' {
		line, length = line[:length-1], length-1
	}
	if length == 0 {
		s.anything = false
		return
	}
	s.anything = true
	if len(line) > maxLine {
		line = line[:maxLine]
	}
	if !bytes.HasPrefix(line, data) {
		return
	}
	whole := length <= maxLine
	line = bytes.TrimLeft(line[len(data):], " ")
	switch kind(line) {
	case "content_block_delta":
		s.chars += content(line, length, whole)
	case "message_start":
		if whole {
			s.takeStart(line)
		}
	case "message_delta":
		if whole {
			s.takeDelta(line)
		}
	case "message_stop":
		s.ended = true
	case "error":
		s.ended, s.broken = true, true
	}
}

// kind is the type that a data line names. Every server in this format writes
// it first; where one does not, it is looked for.
func kind(line []byte) string {
	if bytes.HasPrefix(line, typeMark) {
		rest := line[len(typeMark):]
		if n := bytes.IndexByte(rest, '"'); n >= 0 {
			return known(rest[:n])
		}
		return ""
	}
	found := ""
	_ = jsonscan.Members(line, func(name, value []byte) error {
		if string(name) == "type" && len(value) > 2 {
			found = known(value[1 : len(value)-1])
		}
		return nil
	})
	return found
}

func known(name []byte) string {
	switch string(name) {
	case "content_block_delta":
		return "content_block_delta"
	case "message_start":
		return "message_start"
	case "message_delta":
		return "message_delta"
	case "message_stop":
		return "message_stop"
	case "error":
		return "error"
	}
	return ""
}

var (
	deltaMark = []byte(`_delta","`)
	valueMark = []byte(`":"`)
)

// content measures the text in a content delta:
//
//	{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello"}}
func content(line []byte, length int, whole bool) int64 {
	const head = len(`{"type":"content_block_delta","index":0,"delta":{"type":"`)
	if !whole {
		return int64(length)
	}
	if len(line) <= head {
		return 0
	}
	rest := line[head:]
	if n := bytes.Index(rest, deltaMark); n >= 0 {
		rest = rest[n+len(deltaMark):]
		if n := bytes.Index(rest, valueMark); n >= 0 {
			rest = rest[n+len(valueMark):]
			return int64(max(0, len(rest)-len(`"}}`)))
		}
	}
	return int64(len(rest))
}

func (s *Stream) takeStart(line []byte) {
	_ = jsonscan.Members(line, func(name, value []byte) error {
		if string(name) != "message" {
			return nil
		}
		return jsonscan.Members(value, func(name, value []byte) error {
			if string(name) == "usage" {
				s.started = true
				s.usage.take(value)
			}
			return nil
		})
	})
}

func (s *Stream) takeDelta(line []byte) {
	_ = jsonscan.Members(line, func(name, value []byte) error {
		if string(name) == "usage" {
			s.counted = true
			s.usage.take(value)
		}
		return nil
	})
}

// Ended reports whether the last event of a message has been seen, possibly
// without the blank line after it.
func (s *Stream) Ended() bool { return s.ended }

// Broken reports whether the upstream ended the stream with an error event.
func (s *Stream) Broken() bool { return s.broken }

// Between reports whether what was seen ends between two events, where another
// event may be put in.
func (s *Stream) Between() bool { return s.length == 0 && !s.anything }

// Tokens returns what was used, and whether that had to be estimated because
// the stream ended before the model said. inputChars is what to estimate the
// input from if not even that was said.
func (s *Stream) Tokens(inputChars int64) (used price.Tokens, estimated bool) {
	used = s.usage.tokens()
	if !s.started && !s.counted {
		used.Input = Estimate(inputChars)
	}
	if s.counted {
		return used, false
	}
	used.Output = max(used.Output, Estimate(s.chars))
	return used, true
}
