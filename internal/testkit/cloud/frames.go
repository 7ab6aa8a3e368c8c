package cloud

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
)

// awsWriter turns the answers of the Messages API into Bedrock's, with AWS's own
// encoder.
type awsWriter struct {
	http.ResponseWriter
	streams bool
	failed  bool
	rest    []byte
	encoder *eventstream.Encoder
}

func (w *awsWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *awsWriter) WriteHeader(status int) {
	h := w.Header()
	if status >= 400 {
		w.failed = true
		exceptions := map[int]string{400: "ValidationException", 404: "ResourceNotFoundException", 429: "ThrottlingException", 500: "InternalServerException",
			503: "ServiceUnavailableException", 529: "ServiceUnavailableException"}
		h.Set("X-Amzn-Errortype", exceptions[status])
		if status == 529 {
			status = 503
		}
	}
	h.Del("Request-Id")
	w.ResponseWriter.WriteHeader(status)
}

func (w *awsWriter) Write(piece []byte) (int, error) {
	if strings.HasPrefix(w.Header().Get("Content-Type"), "text/event-stream") {
		w.streams = true
		w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
		w.Header().Del("Request-Id")
	}
	if w.failed {
		var e struct{ Error struct{ Message string } }
		_ = json.Unmarshal(piece, &e)
		out, _ := json.Marshal(map[string]string{"message": e.Error.Message})
		_, err := w.ResponseWriter.Write(out)
		return len(piece), err
	}
	if !w.streams {
		w.Header().Del("Request-Id")
		return w.ResponseWriter.Write(piece)
	}
	w.rest = append(w.rest, piece...)
	for {
		event, rest, ok := bytes.Cut(w.rest, []byte("\n\n"))
		if !ok {
			return len(piece), nil
		}
		w.rest = rest
		_, data, _ := strings.Cut(string(event), "data: ")
		if strings.HasPrefix(string(event), ":") || strings.Contains(data, `"ping"`) {
			continue // Bedrock sends neither
		}
		if err := w.frame(data); err != nil {
			return 0, err
		}
	}
}

func (w *awsWriter) frame(data string) error {
	var headers eventstream.Headers
	payload, _ := json.Marshal(map[string]string{"bytes": base64.StdEncoding.EncodeToString([]byte(data)), "p": "abcdefghijk"[:len(data)%11]})
	if strings.HasPrefix(data, `{"type":"error"`) {
		headers.Set(":exception-type", eventstream.StringValue("throttlingException"))
		headers.Set(":message-type", eventstream.StringValue("exception"))
		payload = []byte(`{"message":"Too many requests for arn:aws:bedrock:eu-central-1:123456789012:model/x"}`)
	} else {
		headers.Set(":event-type", eventstream.StringValue("chunk"))
		headers.Set(":message-type", eventstream.StringValue("event"))
	}
	headers.Set(":content-type", eventstream.StringValue("application/json"))
	if w.encoder == nil {
		w.encoder = eventstream.NewEncoder()
	}
	return w.encoder.Encode(w.ResponseWriter, eventstream.Message{Headers: headers, Payload: payload})
}
