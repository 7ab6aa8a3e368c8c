package main

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const deltas = 48 // with the events around them: 52

// upstreamHandler answers the Messages API with fixed text. The query may ask
// for a stream that takes its time: ?over=2s.
func upstreamHandler() http.Handler {
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if strings.Contains(string(body[:min(len(body), 200)]), `"stream":true`) || strings.HasSuffix(r.URL.Path, ":streamRawPredict") {
			stream(w, r)
			return
		}
		answer := `{"id":"msg_01","type":"message","role":"assistant","model":"claude-sonnet-5","content":[{"type":"text","text":"` +
			strings.Repeat("Hello, world. ", 40) + `"}],"stop_reason":"end_turn","usage":{"input_tokens":500,"output_tokens":140}}`
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
		w.Header().Set("Request-Id", "req_upstream")
		io.WriteString(w, answer)
	}
	mux.HandleFunc("POST /v1/messages", answer)
	mountProviders(mux, answer)
	return mux
}

func stream(w http.ResponseWriter, r *http.Request) {
	over, _ := time.ParseDuration(r.URL.Query().Get("over"))
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.Header().Set("Request-Id", "req_upstream")
	flush := http.NewResponseController(w)
	events := events()
	for i, event := range events {
		if over > 0 && i > 1 {
			time.Sleep(over / time.Duration(len(events)-2))
		}
		io.WriteString(w, event)
		flush.Flush()
	}
}

func events() []string {
	event := func(kind, rest string) string {
		return fmt.Sprintf("event: %s\ndata: {\"type\":%q%s}\n\n", kind, kind, rest)
	}
	all := []string{
		event("message_start", `,"message":{"id":"msg_01","type":"message","role":"assistant","model":"claude-sonnet-5","content":[],"stop_reason":null,"usage":{"input_tokens":500,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":1}}`),
		event("content_block_start", `,"index":0,"content_block":{"type":"text","text":""}`),
	}
	for range deltas {
		all = append(all, event("content_block_delta", `,"index":0,"delta":{"type":"text_delta","text":"Some more words of it. "}`))
	}
	return append(all,
		event("message_delta", `,"delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":240}`),
		event("message_stop", ""))
}

// prompt is a request body of about size bytes.
func prompt(size int, stream bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, `{"model":"claude-sonnet-5","stream":%v,"max_tokens":1024,"system":[{"type":"text","text":"`, stream)
	for b.Len() < size*3/4 {
		b.WriteString(`You are an agent. Use the tools below.\nBe brief; say \"done\" when done.\n\n`)
	}
	b.WriteString(`"}],"tools":[`)
	for i := 0; b.Len() < size-400; i++ {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"name":"tool_%d","description":"Reads a file from the disk.","input_schema":{"type":"object","properties":{"path":{"type":"string"},"limit":{"type":"integer","minimum":1}},"required":["path"]}}`, i)
	}
	b.WriteString(`],"messages":[{"role":"user","content":"hi"}]}`)
	return b.String()
}
