package eventstream

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// MaxFrame is how large a frame may be, in bytes. AWS allows 16 MiB of payload,
// but an event of a model's answer has a few kilobytes.
const MaxFrame = 4 << 20

const (
	preludeSize = 12
	sumSize     = 4
	maxHeaders  = 64 << 10
	firstBuffer = 8 << 10
)

// Errors of a stream that is not what it says. They say nothing of its content.
var (
	ErrLength   = errors.New("event stream: a frame's length is not plausible")
	ErrChecksum = errors.New("event stream: a frame's checksum is wrong")
	ErrHeader   = errors.New("event stream: a frame's headers are malformed")
)

// Frame is one frame. Its bytes are valid until the next call of Reader.Next.
type Frame struct {
	Kind      []byte // ":message-type": event, exception or error
	Event     []byte // ":event-type", of an event
	Exception []byte // ":exception-type", of an exception
	Code      []byte // ":error-code", of an error
	Message   []byte // ":error-message", of an error
	Payload   []byte
}

// Reader reads frames. It never waits for more than the frame that it returns.
type Reader struct {
	from       io.Reader
	buffer     []byte
	begin, end int
	failed     error
}

// NewReader returns a Reader of a stream.
func NewReader(from io.Reader) *Reader { return &Reader{from: from} }

// Next returns the next frame. At the end of the stream it fails with io.EOF, in
// the middle of a frame with io.ErrUnexpectedEOF, and with the stream's own
// error if that has one. After the first failure there is no other.
func (r *Reader) Next() (Frame, error) {
	if r.failed != nil {
		return Frame{}, r.failed
	}
	frame, err := r.next()
	if err != nil {
		r.failed = err
	}
	return frame, err
}

// Buffered reports whether Next would return without reading.
func (r *Reader) Buffered() bool {
	if r.failed != nil || r.end-r.begin < preludeSize {
		return false
	}
	total := binary.BigEndian.Uint32(r.buffer[r.begin:])
	return total <= MaxFrame && r.end-r.begin >= int(total)
}

func (r *Reader) next() (Frame, error) {
	if err := r.need(preludeSize); err != nil {
		return Frame{}, err
	}
	prelude := r.buffer[r.begin : r.begin+preludeSize]
	total, headers := binary.BigEndian.Uint32(prelude), binary.BigEndian.Uint32(prelude[4:])
	if crc32.ChecksumIEEE(prelude[:8]) != binary.BigEndian.Uint32(prelude[8:]) {
		return Frame{}, ErrChecksum
	}
	if total > MaxFrame || headers > maxHeaders || total < preludeSize+sumSize+headers {
		return Frame{}, ErrLength
	}
	if err := r.need(int(total)); err != nil {
		return Frame{}, err
	}
	whole := r.buffer[r.begin : r.begin+int(total)]
	r.begin += int(total)
	body := whole[:len(whole)-sumSize]
	if crc32.ChecksumIEEE(body) != binary.BigEndian.Uint32(whole[len(body):]) {
		return Frame{}, ErrChecksum
	}
	frame := Frame{Payload: body[preludeSize+headers:]}
	return frame, frame.read(body[preludeSize : preludeSize+headers])
}

// need waits until so many bytes are in the buffer. Its room grows with what has
// arrived, and not with what a length promises.
func (r *Reader) need(n int) error {
	for r.end-r.begin < n {
		if r.begin == r.end {
			r.begin, r.end = 0, 0
		}
		if r.end == len(r.buffer) {
			r.makeRoom()
		}
		m, err := r.from.Read(r.buffer[r.end:])
		r.end += m
		if r.end-r.begin >= n {
			return nil // an error comes again with the next read
		}
		if err == io.EOF && r.end > r.begin {
			return io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *Reader) makeRoom() {
	held := r.buffer[r.begin:r.end]
	into := r.buffer
	if len(held) > len(r.buffer)/2 || into == nil {
		into = make([]byte, max(firstBuffer, 2*len(r.buffer)))
	}
	r.begin, r.end = 0, copy(into, held)
	r.buffer = into
}

// The types of header values, and how many bytes those of a fixed length have.
const (
	typeBytes  = 6
	typeString = 7
)

var fixed = [...]int{0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}

func (f *Frame) read(headers []byte) error {
	for len(headers) > 0 {
		name, value, isText, rest, err := header(headers)
		if err != nil {
			return err
		}
		headers = rest
		if !isText {
			continue
		}
		switch string(name) {
		case ":message-type":
			f.Kind = value
		case ":event-type":
			f.Event = value
		case ":exception-type":
			f.Exception = value
		case ":error-code":
			f.Code = value
		case ":error-message":
			f.Message = value
		}
	}
	return nil
}

// header cuts the first header off.
func header(from []byte) (name, value []byte, isText bool, rest []byte, err error) {
	n := int(from[0])
	if n == 0 || len(from) < 1+n+1 {
		return nil, nil, false, nil, ErrHeader
	}
	name, kind, rest := from[1:1+n], from[1+n], from[2+n:]
	length := 0
	switch {
	case kind == typeBytes || kind == typeString:
		if len(rest) < 2 {
			return nil, nil, false, nil, ErrHeader
		}
		length, rest = int(binary.BigEndian.Uint16(rest)), rest[2:]
	case int(kind) < len(fixed):
		length = fixed[kind]
	default:
		return nil, nil, false, nil, fmt.Errorf("%w: there is no type %d", ErrHeader, kind)
	}
	if len(rest) < length {
		return nil, nil, false, nil, ErrHeader
	}
	return name, rest[:length], kind == typeString, rest[length:], nil
}

// Header is a header with a string as its value.
type Header struct{ Name, Value string }

// Append adds a frame to a buffer. Names have at most 255 bytes and values at
// most 65,535: longer ones are a mistake of the program.
func Append(to []byte, headers []Header, payload []byte) []byte {
	begin := len(to)
	to = append(to, make([]byte, preludeSize)...)
	for _, h := range headers {
		if len(h.Name) > 255 || len(h.Value) > 1<<16-1 {
			panic("eventstream: a header is too long")
		}
		to = append(to, byte(len(h.Name)))
		to = append(to, h.Name...)
		to = append(to, typeString)
		to = binary.BigEndian.AppendUint16(to, uint16(len(h.Value)))
		to = append(to, h.Value...)
	}
	headerEnd := len(to)
	to = append(to, payload...)
	prelude := to[begin:]
	binary.BigEndian.PutUint32(prelude, uint32(len(to)-begin+sumSize))
	binary.BigEndian.PutUint32(prelude[4:], uint32(headerEnd-begin-preludeSize))
	binary.BigEndian.PutUint32(prelude[8:], crc32.ChecksumIEEE(prelude[:8]))
	return binary.BigEndian.AppendUint32(to, crc32.ChecksumIEEE(to[begin:]))
}
