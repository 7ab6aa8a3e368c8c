package client_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"
)

// The official SDK streams through the transport: its first request meets a
// token that has ended, and the pieces of the answer come as they are sent.
func TestOfficialSDKStreams(t *testing.T) {
	t.Parallel()
	seen := make(chan struct{})
	requests := make(chan string, 9)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests <- r.Method + " " + r.URL.Path + " " + r.Header.Get("Authorization") + r.Header.Get("X-Api-Key")
		if r.Header.Get("Authorization") != "Bearer token-2" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[]}}\n\n")
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		select {
		case <-seen: // the beginning has arrived before the end is sent
		case <-r.Context().Done():
		}
		fmt.Fprint(w, "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n")
	}))
	t.Cleanup(server.Close)
	claude := anthropic.NewClient(option.WithoutEnvironmentDefaults(), option.WithBaseURL(server.URL), option.WithMaxRetries(0),
		option.WithHTTPClient(through(t, server.URL, &counter{})))
	answer := claude.Messages.NewStreaming(t.Context(), anthropic.MessageNewParams{Model: "m", MaxTokens: 1,
		Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock("hi"))}})
	var got []string
	for answer.Next() {
		if got = append(got, answer.Current().Type); len(got) == 1 {
			close(seen)
		}
	}
	if err := answer.Err(); err != nil || strings.Join(got, " ") != "message_start message_stop" {
		t.Errorf("%v, got %q", err, got)
	}
	close(requests)
	var sent []string
	for r := range requests {
		sent = append(sent, r)
	}
	if want := "POST /v1/messages Bearer token-1|POST /v1/messages Bearer token-2"; strings.Join(sent, "|") != want {
		t.Errorf("the SDK sent %q", sent)
	}
}
