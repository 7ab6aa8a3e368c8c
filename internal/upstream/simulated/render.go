package simulated

import (
	"strconv"
	"unicode/utf8"

	"github.com/gatehouse-dev/gatehouse/internal/price"
)

// The least and greatest bytes of text in one event of a stream.
const (
	chunkBytes = 18
	maxChunks  = 4000
)

// stream is a rendered answer and where its events end.
type stream struct {
	bytes  []byte
	events []event
	broken bool // the connection breaks after the last event
	failed bool // the last event is an error
}

// event is one server-sent event.
type event struct {
	end  int   // in the stream's bytes
	said int64 // output tokens, this event included
}

func (s *stream) close(said int64) { s.events = append(s.events, event{len(s.bytes), said}) }

// stream renders a reply as server-sent events.
func (p *reply) stream() *stream {
	s := &stream{bytes: make([]byte, 0, 2048+len(p.text)*8)}
	b := append(s.bytes, "event: message_start\ndata: {\"type\":\"message_start\",\"message\":"...)
	b = p.appendMessage(b, false)
	s.bytes = append(b, "}\n\n"...)
	s.close(1)
	s.bytes = append(s.bytes, "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":"...)
	s.bytes = append(p.appendBlock(s.bytes, false), "}\n\n"...)
	s.close(1)
	s.bytes = append(s.bytes, "event: ping\ndata: {\"type\":\"ping\"}\n\n"...)
	s.close(1)
	if p.tool != "" {
		s.bytes = append(s.bytes, "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"{}\"}}\n\n"...)
		s.close(p.usage.Output)
	} else {
		s.deltas(p.text)
	}
	s.bytes = append(s.bytes, "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n"...)
	s.close(p.usage.Output)
	b = append(s.bytes, "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":"...)
	b = appendQuoted(b, p.stopReason)
	b = append(b, ",\"stop_sequence\":"...)
	b = p.appendStopSequence(b)
	b = append(b, ",\"stop_details\":null},\"usage\":{"...)
	b = appendInput(b, p.usage)
	b = append(b, ",\"output_tokens\":"...)
	b = strconv.AppendInt(b, p.usage.Output, 10)
	s.bytes = append(b, "}}\n\n"...)
	s.close(p.usage.Output)
	s.bytes = append(s.bytes, "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"...)
	s.close(p.usage.Output)
	return s
}

// deltas renders a text in pieces that end at words, where there are any.
func (s *stream) deltas(text string) {
	least := max(chunkBytes, len(text)/maxChunks)
	said := 0
	for len(text) > 0 {
		n := min(least, len(text))
		for n < len(text) && n < 2*least && text[n] != ' ' {
			n++
		}
		for n < len(text) && !utf8.RuneStart(text[n]) {
			n++
		}
		s.bytes = append(s.bytes, "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":"...)
		s.bytes = append(appendQuoted(s.bytes, text[:n]), "}}\n\n"...)
		said += n
		text = text[n:]
		s.close(max(tokens(said), 1))
	}
}

// json renders a reply as one document.
func (p *reply) json() []byte { return p.appendMessage(make([]byte, 0, 768+2*len(p.text)), true) }

// appendMessage renders the message, complete or as a stream begins.
func (p *reply) appendMessage(b []byte, complete bool) []byte {
	b = append(b, `{"model":`...)
	b = appendQuoted(b, p.model)
	b = append(b, `,"id":`...)
	b = appendQuoted(b, p.id)
	b = append(b, `,"type":"message","role":"assistant","content":[`...)
	usage := p.usage
	if complete {
		b = append(p.appendBlock(b, true), `],"stop_reason":`...)
		b = appendQuoted(b, p.stopReason)
		b = append(b, `,"stop_sequence":`...)
		b = p.appendStopSequence(b)
	} else {
		b = append(b, `],"stop_reason":null,"stop_sequence":null`...)
		usage.Output = 1
	}
	b = append(b, `,"stop_details":null,"usage":{`...)
	b = appendInput(b, usage)
	b = append(b, `,"cache_creation":{"ephemeral_5m_input_tokens":`...)
	b = strconv.AppendInt(b, usage.CacheWrite5m, 10)
	b = append(b, `,"ephemeral_1h_input_tokens":`...)
	b = strconv.AppendInt(b, usage.CacheWrite1h, 10)
	b = append(b, `},"output_tokens":`...)
	b = strconv.AppendInt(b, usage.Output, 10)
	return append(b, `,"service_tier":"standard"}}`...)
}

func (p *reply) appendBlock(b []byte, complete bool) []byte {
	if p.tool != "" {
		b = append(b, `{"type":"tool_use","id":`...)
		b = appendQuoted(b, "toolu_sim"+p.id[len("msg_sim"):])
		b = append(b, `,"name":`...)
		b = appendQuoted(b, p.tool)
		return append(b, `,"input":{}}`...)
	}
	b = append(b, `{"type":"text","text":`...)
	if complete {
		b = appendQuoted(b, p.text)
	} else {
		b = append(b, `""`...)
	}
	return append(b, '}')
}

func (p *reply) appendStopSequence(b []byte) []byte {
	if p.stopSequence == "" {
		return append(b, "null"...)
	}
	return appendQuoted(b, p.stopSequence)
}

func appendInput(b []byte, t price.Tokens) []byte {
	b = append(b, `"input_tokens":`...)
	b = strconv.AppendInt(b, t.Input, 10)
	b = append(b, `,"cache_creation_input_tokens":`...)
	b = strconv.AppendInt(b, t.CacheWrite5m+t.CacheWrite1h, 10)
	b = append(b, `,"cache_read_input_tokens":`...)
	return strconv.AppendInt(b, t.CacheRead, 10)
}

// envelope renders a problem as the API does.
func (p *problem) envelope(request string) []byte {
	b := append([]byte(nil), `{"type":"error","error":{"type":`...)
	b = appendQuoted(b, p.kind)
	b = append(b, `,"message":`...)
	b = appendQuoted(b, p.message)
	b = append(b, `},"request_id":`...)
	b = appendQuoted(b, request)
	return append(b, '}')
}

// appendQuoted writes a JSON string. Text that is not UTF-8 is mended.
func appendQuoted(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, '\\', 'n')
		case c < 0x20:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		case c < utf8.RuneSelf:
			b = append(b, c)
		default:
			r, size := utf8.DecodeRuneInString(s[i:])
			b = utf8.AppendRune(b, r)
			i += size
			continue
		}
		i++
	}
	return append(b, '"')
}
