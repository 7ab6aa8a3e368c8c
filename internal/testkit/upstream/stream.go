package upstream

import (
	"fmt"
	"io"
	"net/http"
	"strings"
)

// event is one event of a stream and the usage that is due once it was sent.
type event struct {
	text string
	due  Usage
}

func sse(name, data string) string { return "event: " + name + "\ndata: " + data + "\n\n" }

// events writes out a whole stream. The input is due with message_start, each
// word with its delta; the final count in message_delta is the sum.
func events(req *Request, p Plan) []event {
	words := p.words(req.Asked)
	usage := UsageOf(req.Body, words)
	input := usage
	input.Output = 0
	all := []event{{sse("message_start", fmt.Sprintf(
		`{"type":"message_start","message":{"id":"msg_%s","type":"message","role":"assistant","model":%q,"content":[],`+
			`"stop_reason":null,"stop_sequence":null,"usage":{%s,"output_tokens":1,"service_tier":"standard"}}}`,
		strings.TrimPrefix(req.ID, "req_"), req.Asked.Model, usage.inputJSON())), input}}
	all = append(all, event{text: sse("content_block_start",
		`{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`)})
	if p.Comment != "" {
		all = append(all, event{text: ": " + p.Comment + "\n\n"})
	}
	for range pings(p) {
		all = append(all, event{text: sse("ping", `{"type": "ping"}`)})
	}
	for n := range words {
		if p.StreamError != "" && n == words/2 {
			return append(all, event{text: sse("error", errorBody(p.StreamError, "the stand-in was told to fail"))})
		}
		all = append(all, event{sse("content_block_delta", fmt.Sprintf(
			`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":%q}}`, Word(n+1))), Usage{Output: 1}})
	}
	return append(all,
		event{text: sse("content_block_stop", `{"type":"content_block_stop","index":0}`)},
		event{text: sse("message_delta", fmt.Sprintf(
			`{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{%s,"output_tokens":%d}}`,
			usage.inputJSON(), usage.Output))},
		event{text: sse("message_stop", `{"type":"message_stop"}`)})
}

func pings(p Plan) int {
	if p.Pings == 0 && !p.NoPing {
		return 1
	}
	return p.Pings
}

func (s *Server) stream(out io.Writer, w http.ResponseWriter, r *http.Request, req *Request, p Plan) {
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	for n, e := range events(req, p) {
		if n > 0 && p.Step != nil {
			select {
			case <-p.Step:
			case <-r.Context().Done():
				return
			}
		}
		if p.BreakAfter > 0 && n == p.BreakAfter {
			panic(http.ErrAbortHandler)
		}
		if r.Context().Err() != nil {
			return
		}
		if _, err := io.WriteString(out, e.text); err != nil {
			return
		}
		s.charge(req, e.due)
		flush(out, w)
	}
}
