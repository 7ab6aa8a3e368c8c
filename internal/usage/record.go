package usage

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/price"
)

// A record's payload is a kind, the request and, of a settlement, the outcome.
// Numbers are little-endian; a string is a byte of length and its bytes.
const (
	kindReserve byte = 1
	kindSettle  byte = 2
	// kindCarry is a reservation copied out of a segment that is to be removed.
	// The reader ignores it if it knows the request to be settled.
	kindCarry byte = 3
)

const (
	frameMagic  = 0x4c47
	frameHeader = 8       // magic:u16 length:u16 crc32c:u32
	maxPayload  = 1 << 13 // of 16 strings and a few numbers less than 4 KiB is ever written
	noSlot      = -1
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errRecord = errors.New("the record is malformed")

// record is a decoded payload.
type record struct {
	kind      byte
	slot      int32 // of its run's progress; noSlot: none
	bodyBytes int64
	entry     Entry
}

// appendRequest encodes what a reservation and its settlement have in common.
func appendRequest(b []byte, r *Request, reserved int64, slot int32, version string) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(slot))
	b = appendInt(b, r.At.UnixMicro())
	b = appendInt(b, r.BodyBytes)
	b = appendInt(b, reserved)
	b = append(b, flag(r.Stream))
	b = appendString(b, string(r.ID))
	b = appendString(b, string(r.Organization))
	b = appendString(b, string(r.Member))
	b = appendString(b, string(r.Key))
	b = appendString(b, string(r.Session))
	b = appendString(b, r.Client.Session)
	b = appendString(b, r.Client.Agent)
	b = appendString(b, r.Client.ParentAgent)
	b = appendString(b, r.Upstream)
	b = appendString(b, r.Model)
	return appendString(b, version)
}

// maxOutcome bounds what appendOutcome adds.
const maxOutcome = 2 + 1 + 8*8 + 4*256

// appendOutcome encodes how it went. The last strings are there only if they are others
// than the request's: the upstream, and the version of the price.
func appendOutcome(b []byte, o *Outcome, cost int64, version string) []byte {
	b = binary.LittleEndian.AppendUint16(b, uint16(max(0, min(o.Status, 999))))
	b = append(b, flag(o.Estimated))
	b = appendInt(b, max(o.Tokens.Input, 0))
	b = appendInt(b, max(o.Tokens.Output, 0))
	b = appendInt(b, max(o.Tokens.CacheRead, 0))
	b = appendInt(b, max(o.Tokens.CacheWrite5m, 0))
	b = appendInt(b, max(o.Tokens.CacheWrite1h, 0))
	b = appendInt(b, cost)
	b = appendInt(b, max(o.FirstByte, 0).Microseconds())
	b = appendInt(b, max(o.Latency, 0).Microseconds())
	b = appendString(b, string(o.Ending))
	b = appendString(b, o.UpstreamRequestID)
	if o.Upstream == "" && version == "" {
		return b
	}
	b = appendString(b, o.Upstream)
	if version == "" {
		return b
	}
	return appendString(b, version)
}

func appendInt(b []byte, n int64) []byte { return binary.LittleEndian.AppendUint64(b, uint64(n)) }

func flag(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// appendString shortens what is too long and mends what a database would refuse
// as text: clients choose some of these.
func appendString(b []byte, s string) []byte {
	const most = 255
	if len(s) > most {
		s = s[:most]
	}
	if !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(strings.ToValidUTF8(s, "?"), "\x00", "?")
	}
	return append(append(b, byte(len(s))), s...)
}

// appendFrame wraps a payload, which is given in up to two parts after its kind.
func appendFrame(b []byte, kind byte, request, outcome []byte) []byte {
	start := len(b)
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0, kind)
	b = append(append(b, request...), outcome...)
	frame := b[start:]
	binary.LittleEndian.PutUint16(frame, frameMagic)
	binary.LittleEndian.PutUint16(frame[2:], uint16(len(frame)-frameHeader))
	binary.LittleEndian.PutUint32(frame[4:], crc32.Checksum(frame[frameHeader:], castagnoli))
	return b
}

// nextFrame returns the payload of the frame at the beginning of b; "" if there
// is none that checks.
func nextFrame(b string) (payload string, size int) {
	if len(b) < frameHeader || uint16(b[0])|uint16(b[1])<<8 != frameMagic {
		return "", 0
	}
	length := int(b[2]) | int(b[3])<<8
	if length == 0 || length > maxPayload || length > len(b)-frameHeader {
		return "", 0
	}
	payload = b[frameHeader : frameHeader+length]
	sum := uint32(b[4]) | uint32(b[5])<<8 | uint32(b[6])<<16 | uint32(b[7])<<24
	if crc32.Checksum(bytesOf(payload), castagnoli) != sum {
		return "", 0
	}
	return payload, frameHeader + length
}

// decode reads a payload into r. The strings of r share the payload's memory.
func (r *record) decode(payload string) error {
	c := cursor{rest: payload}
	r.kind = c.byte()
	e := &r.entry
	*e = Entry{}
	r.slot = int32(c.uint(4))
	e.At = time.UnixMicro(c.int()).UTC()
	r.bodyBytes = c.int()
	e.ReservedNanos = c.int()
	e.Stream = c.byte() != 0
	e.Request = id.Request(c.string())
	e.Organization = id.Organization(c.string())
	e.Member = id.Member(c.string())
	e.Key = id.APIKey(c.string())
	e.Session = id.DeviceSession(c.string())
	e.Client = Client{Session: c.string(), Agent: c.string(), ParentAgent: c.string()}
	e.Upstream = c.string()
	e.Model = c.string()
	e.PriceVersion = c.string()
	switch r.kind {
	case kindReserve, kindCarry:
		e.Kind = Reserved
	case kindSettle:
		e.Kind = Settled
		r.outcome(&c)
	default:
		return errRecord
	}
	if c.bad || c.rest != "" || e.Request == "" {
		return errRecord
	}
	return nil
}

func (r *record) outcome(c *cursor) {
	e := &r.entry
	e.Status = int(c.uint(2))
	e.Estimated = c.byte() != 0
	e.Tokens = price.Tokens{Input: c.int(), Output: c.int(), CacheRead: c.int(), CacheWrite5m: c.int(), CacheWrite1h: c.int()}
	e.CostNanos = c.int()
	e.FirstByte = time.Duration(c.int()) * time.Microsecond
	e.Latency = time.Duration(c.int()) * time.Microsecond
	e.Ending = Ending(c.string())
	e.UpstreamRequestID = c.string()
	if c.rest != "" { // another upstream answered than the one that was reserved for
		if other := c.string(); other != "" {
			e.Upstream = other
		}
	}
	if c.rest != "" { // under other terms
		e.PriceVersion = c.string()
	}
}

// cursor reads a payload; once it has read beyond the end everything is zero.
type cursor struct {
	rest string
	bad  bool
}

func (c *cursor) take(n int) string {
	if n > len(c.rest) {
		c.bad, c.rest = true, ""
		return ""
	}
	out := c.rest[:n]
	c.rest = c.rest[n:]
	return out
}

func (c *cursor) byte() byte { return byte(c.uint(1)) }

func (c *cursor) uint(size int) (n uint64) {
	raw := c.take(size)
	for i := len(raw) - 1; i >= 0; i-- {
		n = n<<8 | uint64(raw[i])
	}
	return n
}

func (c *cursor) int() int64 { return int64(c.uint(8)) }

func (c *cursor) string() string { return c.take(int(c.byte())) }
