package dialect

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/gateway/eventstream"
)

// maxEvent bounds one server-sent event, in bytes.
const maxEvent = eventstream.MaxFrame / 2

var errLongEvent = errors.New("an event of a stream is too long for a frame")

// Frames turns server-sent events into Bedrock's frames. The zero Frames is ready.
type Frames struct {
	line []byte // that has not ended
	data []byte // of the event that has not ended
	some bool   // it has had a data line
}

// Append appends the frames of the events that end in a piece to a buffer. How
// the events were cut into pieces changes nothing. Comments are dropped: frames
// have nothing like them.
func (f *Frames) Append(to, piece []byte) ([]byte, error) {
	for len(piece) > 0 {
		end := bytes.IndexByte(piece, '\n')
		if end < 0 {
			if len(f.line)+len(piece) > maxEvent {
				return to, errLongEvent
			}
			f.line = append(f.line, piece...)
			return to, nil
		}
		line := piece[:end]
		if len(f.line) > 0 {
			if len(f.line)+len(line) > maxEvent {
				return to, errLongEvent
			}
			f.line = append(f.line, line...)
			line = f.line
		}
		var err error
		if to, err = f.endLine(to, bytes.TrimSuffix(line, []byte{'\r'})); err != nil {
			return to, err
		}
		f.line = f.line[:0]
		piece = piece[end+1:]
	}
	return to, nil
}

func (f *Frames) endLine(to, line []byte) ([]byte, error) {
	if len(line) == 0 {
		if !f.some {
			return to, nil
		}
		to = appendEvent(to, f.data)
		f.data, f.some = f.data[:0], false
		return to, nil
	}
	value, ok := bytes.CutPrefix(line, []byte("data:"))
	if !ok {
		return to, nil // the name stands in the data too
	}
	value = bytes.TrimPrefix(value, []byte{' '})
	if len(f.data)+len(value)+1 > maxEvent {
		return to, errLongEvent
	}
	if f.some {
		f.data = append(f.data, '\n')
	}
	f.data, f.some = append(f.data, value...), true
	return to, nil
}

var chunkHeaders = []eventstream.Header{{Name: ":event-type", Value: "chunk"}, {Name: ":content-type", Value: "application/json"}, {Name: ":message-type", Value: "event"}}

func appendEvent(to, data []byte) []byte {
	if kind(data) == "error" {
		return appendException(to, data)
	}
	payload := make([]byte, 0, len(chunkMark)+base64.StdEncoding.EncodedLen(len(data))+2)
	payload = append(payload, chunkMark...)
	payload = base64.StdEncoding.AppendEncode(payload, data)
	payload = append(payload, '"', '}')
	return eventstream.Append(to, chunkHeaders, payload)
}

func appendException(to, data []byte) []byte {
	var e struct {
		Error struct{ Type, Message string }
	}
	_ = json.Unmarshal(data, &e) // what cannot be read is an error without a message
	exception, _ := ToBedrockError(e.Error.Type)
	payload := awsMessage(e.Error.Message)
	name := strings.ToLower(exception[:1]) + exception[1:]
	return eventstream.Append(to, []eventstream.Header{{Name: ":exception-type", Value: name},
		{Name: ":content-type", Value: "application/json"}, {Name: ":message-type", Value: "exception"}}, payload)
}

func awsMessage(message string) []byte {
	payload, _ := json.Marshal(struct { // one string: it cannot fail
		Message string `json:"message"`
	}{message})
	return payload
}

// ToBedrockError is the exception of Bedrock that means what a type of error of
// the Anthropic API means, and the status it comes with.
func ToBedrockError(kind string) (exception string, status int) {
	switch kind {
	case kindInvalid, kindTooLarge, "not_supported":
		return "ValidationException", 400
	case kindAuth:
		return "UnrecognizedClientException", 401
	case kindPermission, "billing_error":
		return "AccessDeniedException", 403
	case kindNotFound:
		return "ResourceNotFoundException", 404
	case kindRateLimit:
		return "ThrottlingException", 429
	case kindTimeout:
		return "ModelTimeoutException", 408
	case kindOverloaded:
		return "ServiceUnavailableException", 503
	}
	return "InternalServerException", 500
}

// BedrockError is an error document of the Anthropic API in Bedrock's form.
func BedrockError(body []byte) (exception string, document []byte) {
	var e struct {
		Error struct{ Type, Message string }
	}
	if json.Unmarshal(body, &e) != nil || e.Error.Message == "" {
		e.Error.Message = "the request failed"
	}
	exception, _ = ToBedrockError(e.Error.Type)
	return exception, awsMessage(e.Error.Message)
}
