package upstreamtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/gateway/tap"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/google/go-cmp/cmp"
)

// Subject is the upstream under test.
type Subject struct {
	Upstream gateway.Upstream
	Model    string // one that it serves
	// Slow is what to ask for so that a stream does not end by itself while a
	// test looks at it; "" if the subject cannot do that.
	Slow string
}

// Run runs the suite. make is called for every part of it.
func Run(t *testing.T, make func(t *testing.T) Subject) {
	for name, part := range map[string]func(*testing.T, Subject){
		"Name": name, "Document": document, "Stream": stream, "SmallReads": smallReads, "CountTokens": countTokens, "UnknownOperation": unknownOperation,
		"Refusal": refusal, "RequestIsLeftAlone": leftAlone, "ManyAtOnce": manyAtOnce, "CancelledBefore": cancelledBefore,
		"CancelledInTheMiddle": cancelledInTheMiddle, "ClosedEarly": closedEarly,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			part(t, make(t))
		})
	}
}

func (s Subject) call(op gateway.Operation, stream bool, text string) *gateway.Call {
	quoted, _ := json.Marshal(text)
	body := fmt.Sprintf(`{"model":%q,"max_tokens":64,"stream":%v,"messages":[{"role":"user","content":%s}]}`, s.Model, stream, quoted)
	if op == gateway.CountTokens {
		body = fmt.Sprintf(`{"model":%q,"messages":[{"role":"user","content":%s}]}`, s.Model, quoted)
	}
	return gateway.NewCall(gateway.Call{
		ID: id.NewRequest(), Operation: op, Model: s.Model, Stream: stream, MaxTokens: 64, Query: "beta=true",
		Header: http.Header{"Content-Type": {"application/json"}, "Anthropic-Version": {"2023-06-01"}, "Anthropic-Beta": {"a,oauth-2025-04-20"}},
		Who:    caller.Caller{Kind: caller.Member, Organization: "org", Member: "user_1"},
	}, []byte(body))
}

// send expects an answer, and its body to be closed by the end of the test.
func (s Subject) send(t *testing.T, call *gateway.Call) *gateway.Answer {
	t.Helper()
	answer, err := s.Upstream.Send(t.Context(), call)
	if err != nil {
		t.Fatalf("Send: %v", err)
	}
	if answer.Body == nil || answer.Header == nil {
		t.Fatal("an answer without header or body")
	}
	t.Cleanup(func() { answer.Body.Close() })
	for name := range answer.Header {
		if name != http.CanonicalHeaderKey(name) {
			t.Errorf("the header %q is not in canonical form", name)
		}
	}
	return answer
}

func readAll(t *testing.T, answer *gateway.Answer) []byte {
	t.Helper()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatalf("reading the answer: %v", err)
	}
	if answer.Length >= 0 && answer.Length != int64(len(body)) {
		t.Errorf("the answer has %d bytes and says %d", len(body), answer.Length)
	}
	return body
}

func name(t *testing.T, s Subject) {
	if s.Upstream.Name() == "" || s.Upstream.Name() != s.Upstream.Name() {
		t.Errorf("the name is %q", s.Upstream.Name())
	}
}

func document(t *testing.T, s Subject) {
	answer := s.send(t, s.call(gateway.Messages, false, "Say hello."))
	body := readAll(t, answer)
	if answer.Status != http.StatusOK || !strings.HasPrefix(answer.Header.Get("Content-Type"), "application/json") {
		t.Fatalf("answered %d %s: %s", answer.Status, answer.Header.Get("Content-Type"), body)
	}
	var message struct{ ID, Type, Role string }
	if err := json.Unmarshal(body, &message); err != nil || message.Type != "message" || message.Role != "assistant" {
		t.Errorf("not a message: %v in %s", err, body)
	}
	var d tap.Document
	d.Write(body)
	if used, estimated := d.Tokens(0); estimated || used.Input+used.CacheRead+used.CacheWrite5m+used.CacheWrite1h == 0 || used.Output == 0 {
		t.Errorf("the usage is %+v, estimated: %v", used, estimated)
	}
}

func stream(t *testing.T, s Subject) {
	answer := s.send(t, s.call(gateway.Messages, true, "Say hello."))
	body := readAll(t, answer)
	if answer.Status != http.StatusOK || !strings.HasPrefix(answer.Header.Get("Content-Type"), "text/event-stream") {
		t.Fatalf("answered %d %s: %s", answer.Status, answer.Header.Get("Content-Type"), body)
	}
	checkStream(t, body)
}

func checkStream(t *testing.T, body []byte) {
	t.Helper()
	if !bytes.HasPrefix(body, []byte("event: message_start\n")) {
		t.Errorf("the stream begins with %.60q", body)
	}
	var s tap.Stream
	s.Write(body)
	used, estimated := s.Tokens(0)
	if !s.Ended() || s.Broken() || !s.Between() || estimated || used.Output == 0 {
		t.Errorf("the stream is not whole: usage %+v, in %s", used, body)
	}
}

func smallReads(t *testing.T, s Subject) {
	answer := s.send(t, s.call(gateway.Messages, true, "Say hello."))
	body, err := io.ReadAll(iotest.OneByteReader(answer.Body))
	if err != nil {
		t.Fatal(err)
	}
	checkStream(t, body)
}

func countTokens(t *testing.T, s Subject) {
	answer, err := s.Upstream.Send(t.Context(), s.call(gateway.CountTokens, false, "Say hello."))
	if fault.Is(err, fault.Unsupported) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var counted struct {
		InputTokens int64 `json:"input_tokens"`
	}
	body := readAll(t, answer)
	if err := json.Unmarshal(body, &counted); err != nil || counted.InputTokens == 0 {
		t.Errorf("answered %d %s", answer.Status, body)
	}
}

func unknownOperation(t *testing.T, s Subject) {
	if _, err := s.Upstream.Send(t.Context(), s.call("dance", false, "")); !fault.Is(err, fault.Unsupported) {
		t.Errorf("an unknown operation fails with %v", err)
	}
}

// refusal sends what no model takes: the answer is the provider's, in
// Anthropic's envelope.
func refusal(t *testing.T, s Subject) {
	call := s.call(gateway.Messages, false, "")
	answer := s.send(t, gateway.NewCall(*call, []byte(`{"max_tokens":1}`)))
	body := readAll(t, answer)
	var envelope struct {
		Type  string
		Error struct{ Type, Message string }
	}
	if err := json.Unmarshal(body, &envelope); err != nil || answer.Status != http.StatusBadRequest || envelope.Type != "error" || envelope.Error.Type != "invalid_request_error" {
		t.Errorf("answered %d %s", answer.Status, body)
	}
}

func leftAlone(t *testing.T, s Subject) {
	call := s.call(gateway.Messages, true, "Say hello.")
	header, body := call.Header.Clone(), bytes.Clone(call.Body())
	readAll(t, s.send(t, call))
	if diff := cmp.Diff(header, call.Header); diff != "" {
		t.Errorf("the header was changed (-before +after):\n%s", diff)
	}
	if !bytes.Equal(body, call.Body()) {
		t.Errorf("the body was changed to %s", call.Body())
	}
}

func manyAtOnce(t *testing.T, s Subject) {
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for range 4 {
				answer, err := s.Upstream.Send(t.Context(), s.call(gateway.Messages, i%2 == 0, "Say hello."))
				if err != nil {
					t.Errorf("Send: %v", err)
					return
				}
				if _, err := io.Copy(io.Discard, answer.Body); err != nil || answer.Status != http.StatusOK {
					t.Errorf("answered %d, %v", answer.Status, err)
				}
				answer.Body.Close()
			}
		})
	}
	wg.Wait()
}

func cancelledBefore(t *testing.T, s Subject) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if answer, err := s.Upstream.Send(ctx, s.call(gateway.Messages, true, "Say hello.")); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled request gives %v, %v", answer, err)
	}
}

func cancelledInTheMiddle(t *testing.T, s Subject) {
	if s.Slow == "" {
		t.Skip("the subject cannot be slow")
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	answer, err := s.Upstream.Send(ctx, s.call(gateway.Messages, true, s.Slow))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if _, err := answer.Body.Read(make([]byte, 512)); err != nil {
		t.Fatalf("the stream does not begin: %v", err)
	}
	cancel()
	if _, err := io.Copy(io.Discard, answer.Body); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled stream ends with %v", err)
	}
}

func closedEarly(t *testing.T, s Subject) {
	for range 3 {
		answer := s.send(t, s.call(gateway.Messages, true, "Say hello."))
		if _, err := answer.Body.Read(make([]byte, 10)); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := answer.Body.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		}
		if n, err := answer.Body.Read(make([]byte, 10)); err == nil {
			t.Errorf("a closed body gave %d bytes", n)
		}
	}
	readAll(t, s.send(t, s.call(gateway.Messages, false, "Say hello.")))
}
