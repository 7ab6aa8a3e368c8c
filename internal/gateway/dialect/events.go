package dialect

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"sync/atomic"

	"github.com/gatehouse-dev/gatehouse/internal/gateway/eventstream"
	"github.com/gatehouse-dev/gatehouse/internal/gateway/jsonscan"
)

// BedrockType is the content type of a stream of Bedrock.
const BedrockType = "application/vnd.amazon.eventstream"

// errChunk says that a frame holds no event of a model.
var errChunk = errors.New("a chunk of the provider's stream cannot be read")

// events reads Bedrock's frames as server-sent events.
type events struct {
	from   io.Closer
	frames *eventstream.Reader
	rest   []byte // of what was turned and not read yet
	buffer []byte
	err    error
	closed atomic.Bool
}

// Events reads a stream of Bedrock as server-sent events. An exception in it
// becomes an error event, with which the stream ends.
func Events(from io.ReadCloser) io.ReadCloser {
	return &events{from: from, frames: eventstream.NewReader(from)}
}

func (e *events) Close() error {
	e.closed.Store(true)
	return e.from.Close()
}

var errClosed = errors.New("a stream was read after it had been closed")

// enough is how much is turned at once if so much has arrived: a read of the
// gateway's is as large.
const enough = 8 << 10

func (e *events) Read(into []byte) (int, error) {
	if e.closed.Load() {
		return 0, errClosed
	}
	if len(into) == 0 {
		return 0, nil
	}
	if len(e.rest) == 0 && e.err == nil {
		e.fill()
	}
	if len(e.rest) == 0 {
		return 0, e.err
	}
	n := copy(into, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

// fill turns one frame, and the others that have arrived with it.
func (e *events) fill() {
	e.buffer = e.buffer[:0]
	for {
		frame, err := e.frames.Next()
		if err == nil {
			err = e.turn(frame)
		}
		if err != nil {
			e.err = err
			break
		}
		if len(e.buffer) >= enough || !e.frames.Buffered() {
			if len(e.buffer) > 0 {
				break
			}
		}
	}
	e.rest = e.buffer
}

func (e *events) turn(f eventstream.Frame) error {
	switch string(f.Kind) {
	case "exception", "error":
		e.exception(f)
		return io.EOF
	}
	if string(f.Event) != "chunk" {
		return nil // whatever comes to be there beside chunks
	}
	encoded, err := chunk(f.Payload)
	if err != nil {
		return err
	}
	return e.event(encoded)
}

var chunkMark = []byte(`{"bytes":"`)

// chunk is the encoded event in a chunk's payload.
func chunk(payload []byte) ([]byte, error) {
	if rest, ok := bytes.CutPrefix(payload, chunkMark); ok {
		if end := bytes.IndexByte(rest, '"'); end >= 0 {
			return rest[:end], nil
		}
	}
	var found []byte
	err := jsonscan.Members(payload, func(name, value []byte) error {
		if string(name) == "bytes" && len(value) > 2 && value[0] == '"' {
			found = value[1 : len(value)-1]
		}
		return nil
	})
	if err != nil || found == nil {
		return nil, errChunk
	}
	return found, nil
}

// event appends the server-sent event for an encoded one. The data is decoded
// behind the room for its line and the name, which is known only then.
func (e *events) event(encoded []byte) error {
	begin := len(e.buffer)
	size := base64.StdEncoding.DecodedLen(len(encoded))
	if cap(e.buffer)-begin < size+maxPrefix {
		e.buffer = append(e.buffer, make([]byte, size+maxPrefix)...)[:begin]
	}
	room := e.buffer[begin+maxPrefix : begin+maxPrefix+size]
	n, err := base64.StdEncoding.Decode(room, encoded)
	if err != nil {
		return errChunk
	}
	data := room[:n]
	name := kind(data)
	if name == "" || bytes.IndexByte(data, '\n') >= 0 || bytes.IndexByte(data, '\r') >= 0 {
		return e.unusual(data, begin)
	}
	e.buffer = append(e.buffer, "event: "...)
	e.buffer = append(e.buffer, name...)
	e.buffer = append(e.buffer, "\ndata: "...)
	e.buffer = append(e.buffer, data...) // moves it to the front, within the buffer
	e.buffer = append(e.buffer, '\n', '\n')
	return nil
}

const (
	maxName   = 64
	maxPrefix = len("event: ") + maxName + len("\ndata: ")
)

// unusual turns an event that is no single line or does not begin with its type.
func (e *events) unusual(data []byte, begin int) error {
	var compact bytes.Buffer
	if json.Compact(&compact, data) != nil {
		return errChunk
	}
	var is struct{ Type string }
	if json.Unmarshal(data, &is) != nil || !eventName(is.Type) {
		return errChunk
	}
	e.buffer = append(e.buffer[:begin], "event: "+is.Type+"\ndata: "...)
	e.buffer = append(append(e.buffer, compact.Bytes()...), '\n', '\n')
	return nil
}

var typeMark = []byte(`{"type":"`)

// kind is the type that an event begins with, "" if it begins with something else.
func kind(data []byte) string {
	rest, ok := bytes.CutPrefix(data, typeMark)
	if !ok {
		return ""
	}
	end := bytes.IndexByte(rest, '"')
	if end < 0 {
		return ""
	}
	switch name := rest[:end]; string(name) { // the usual ones without a copy
	case "content_block_delta":
		return "content_block_delta"
	case "content_block_start":
		return "content_block_start"
	case "content_block_stop":
		return "content_block_stop"
	default:
		if !eventName(string(name)) {
			return ""
		}
		return string(name)
	}
}

func eventName(s string) bool {
	if s == "" || len(s) > maxName {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && c != '_' && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

func (e *events) exception(f eventstream.Frame) {
	name, said := string(f.Exception), string(f.Message)
	if name == "" {
		name = string(f.Code)
	}
	var body struct {
		Message string `json:"message"`
		Upper   string `json:"Message"`
	}
	if json.Unmarshal(f.Payload, &body) == nil && body.Message+body.Upper != "" {
		said = body.Message + body.Upper
	}
	_, kind := awsKind(name)
	e.buffer = append(e.buffer, "event: error\ndata: "...)
	e.buffer = append(e.buffer, envelope(kind, Clean(said))...)
	e.buffer = append(e.buffer, '\n', '\n')
}
