package simulated

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	anthropic "github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"
	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-dev/gatehouse/internal/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/price"
)

// serve starts a counting upstream and returns a client of it and what it counted.
func serve(t *testing.T) (anthropic.Client, func() []Served) {
	t.Helper()
	var mu sync.Mutex
	var all []Served
	server := httptest.NewServer(New("simulated").Handler(func(s Served) {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, s)
	}))
	t.Cleanup(server.Close)
	client := anthropic.NewClient(option.WithBaseURL(server.URL), option.WithAPIKey("any"), option.WithMaxRetries(0))
	return client, func() []Served {
		server.Close() // waits for what is still being served: a client may have its end before
		mu.Lock()
		defer mu.Unlock()
		return append([]Served(nil), all...)
	}
}

func ask(text string, maxTokens int64) anthropic.MessageNewParams {
	return anthropic.MessageNewParams{Model: "claude-opus-5", MaxTokens: maxTokens,
		Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock(text))}}
}

// collect reads a stream with the official accumulator and returns the kinds of
// its events, repetitions left out.
func collect(t *testing.T, client anthropic.Client, params anthropic.MessageNewParams) (anthropic.Message, string, error) {
	t.Helper()
	stream := client.Messages.NewStreaming(t.Context(), params)
	defer stream.Close()
	var message anthropic.Message
	var kinds []string
	for stream.Next() {
		event := stream.Current()
		if err := message.Accumulate(event); err != nil {
			t.Fatal(err)
		}
		if len(kinds) == 0 || kinds[len(kinds)-1] != event.Type {
			kinds = append(kinds, event.Type)
		}
	}
	return message, strings.Join(kinds, " "), stream.Err()
}

func counted(u anthropic.Usage) price.Tokens {
	return price.Tokens{Input: u.InputTokens, Output: u.OutputTokens, CacheRead: u.CacheReadInputTokens,
		CacheWrite5m: u.CacheCreation.Ephemeral5mInputTokens, CacheWrite1h: u.CacheCreation.Ephemeral1hInputTokens}
}

func TestStreamIsWhatTheSDKExpects(t *testing.T) {
	t.Parallel()
	client, served := serve(t)
	streamed, kinds, err := collect(t, client, ask("Hello there,\nold \"friend\" — how are you?", 1000))
	if err != nil {
		t.Fatal(err)
	}
	if want := "message_start content_block_start content_block_delta content_block_stop message_delta message_stop"; kinds != want {
		t.Errorf("events %s, want %s", kinds, want) // the SDK keeps pings to itself
	}
	whole, err := client.Messages.New(t.Context(), ask("Hello there,\nold \"friend\" — how are you?", 1000))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(whole.Content[0].Text, `You wrote: “Hello there, old "friend" — how are you?”. Your request named claude-opus-5 and came with 1 message and 0 tools.`) {
		t.Errorf("it says %q", whole.Content[0].Text)
	}
	for _, m := range []anthropic.Message{streamed, *whole} {
		if m.Content[0].Text != whole.Content[0].Text || m.ID != whole.ID || m.Model != "claude-opus-5" || m.StopReason != "end_turn" || m.StopSequence != "" || m.Role != "assistant" {
			t.Errorf("got %s", m.RawJSON())
		}
		if !strings.HasPrefix(m.ID, "msg_") {
			t.Errorf("the id is %q", m.ID)
		}
		if m.Usage.OutputTokens != tokens(len(m.Content[0].Text)) || m.Usage.InputTokens == 0 {
			t.Errorf("usage %s for %q", m.Usage.RawJSON(), m.Content[0].Text)
		}
	}
	all := served()
	if len(all) != 2 || !all[0].Whole || all[0].Tokens != counted(streamed.Usage) || all[1].Tokens != counted(whole.Usage) || all[0].Model != "claude-opus-5" || all[0].Status != 200 {
		t.Errorf("the server counted %+v", all)
	}
}

func TestEventsOnTheWire(t *testing.T) {
	t.Parallel()
	answer := send(t, gateway.Messages, `{"model":"claude-x","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"[simulate: words=3]"}]}`)
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if got := answer.Header.Get("Content-Type"); got != "text/event-stream; charset=utf-8" || answer.Length != -1 {
		t.Errorf("content type %q, length %d", got, answer.Length)
	}
	var names []string
	for chunk := range strings.SplitSeq(strings.TrimSuffix(string(raw), "\n\n"), "\n\n") {
		name, data, ok := strings.Cut(strings.TrimPrefix(chunk, "event: "), "\ndata: ")
		var event struct{ Type string }
		if err := json.Unmarshal([]byte(data), &event); err != nil || !ok || event.Type != name {
			t.Errorf("event %q: %v", chunk, err)
		}
		names = append(names, name)
	}
	want := []string{"message_start", "content_block_start", "ping", "content_block_delta", "content_block_stop", "message_delta", "message_stop"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
}

func TestHowItStops(t *testing.T) {
	t.Parallel()
	client, _ := serve(t)
	tests := map[string]struct {
		params  anthropic.MessageNewParams
		reason  anthropic.StopReason
		stopped string
		output  int64
	}{
		"by itself":  {ask("[simulate: words=8]", 100), "end_turn", "", tokens(len(words(8)))},
		"max_tokens": {ask("[simulate: words=800]", 7), "max_tokens", "", 7},
		"sequence": {func() anthropic.MessageNewParams {
			p := ask("[simulate: words=10]", 100)
			p.StopSequences = []string{"nowhere", "these", "of"}
			return p
		}(), "stop_sequence", "of", tokens(len("Nobody thought "))},
		"tool": {ask("[simulate: tool=Read]", 100), "tool_use", "", toolTokens},
	}
	for name, tt := range tests {
		whole, err := client.Messages.New(t.Context(), tt.params)
		if err != nil {
			t.Fatal(err)
		}
		streamed, _, err := collect(t, client, tt.params)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range []anthropic.Message{*whole, streamed} {
			if m.StopReason != tt.reason || m.StopSequence != tt.stopped || m.Usage.OutputTokens != tt.output {
				t.Errorf("%s: %s", name, m.RawJSON())
			}
			if c := m.Content[0]; name == "tool" && (c.Type != "tool_use" || c.Name != "Read" || string(c.Input) != "{}" || !strings.HasPrefix(c.ID, "toolu_")) {
				t.Errorf("%s: %s", name, c.RawJSON())
			}
		}
		if whole.Content[0].Text != streamed.Content[0].Text {
			t.Errorf("%s: %q and streamed %q", name, whole.Content[0].Text, streamed.Content[0].Text)
		}
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2, 200, maxWords} {
		if got := len(strings.Fields(words(n))); got != n {
			t.Errorf("%d words, want %d", got, n)
		}
	}
}

// A cache breakpoint is written at first and read by the conversation's later
// turns, for as long as it says; nothing is counted twice.
func TestCacheFollowsTheConversation(t *testing.T) {
	t.Parallel()
	const (
		tool   = `{"name":"t","input_schema":{},"cache_control":{"type":"ephemeral","ttl":"1h"}}`
		system = `{"type":"text","text":"be good","cache_control":{"type":"ephemeral"}}`
		hello  = `{"role":"user","content":[{"type":"text","text":"hello","cache_control":{"type":"ephemeral"}}]}`
		reply  = `{"role":"assistant","content":"hi"}`
		plain  = `{"role":"user","content":"plain"}`
	)
	body := func(messages, more string) string {
		// The order of the fields does not matter: tools, system, messages is the cache's.
		return `{"model":"claude-x","max_tokens":1,"messages":[` + messages + `],"system":[` + system + `],"tools":[` + tool + `]` + more + `}`
	}
	// The sizes of the parts, each with the bracket before it.
	toTool, toSystem := len(tool)+1, len(tool)+2+len(system)+1
	toHello := len(tool) + 2 + len(system) + 2 + 1 + len(hello) - len("]}") // its block ends before that
	all := func(messages string) int64 {
		return tokens(len(tool) + 2 + len(system) + 2 + len(messages) + 2)
	}
	tests := map[string]struct {
		body string
		want price.Tokens
	}{
		"first turn": {body(hello, ""), price.Tokens{CacheWrite1h: tokens(toTool), CacheWrite5m: tokens(toHello - toTool),
			Input: max(all(hello)-tokens(toTool)-tokens(toHello-toTool), 0)}},
		"second turn": {body(hello+","+reply+","+plain, ""), price.Tokens{CacheRead: tokens(toHello),
			Input: all(hello+","+reply+","+plain) - tokens(toHello)}},
		"no mark in the messages": {body(plain, ""), price.Tokens{CacheWrite1h: tokens(toTool), CacheWrite5m: tokens(toSystem - toTool),
			Input: all(plain) - tokens(toTool) - tokens(toSystem-toTool)}},
		"all of it": {body(plain, `,"cache_control":{"type":"ephemeral"}`), price.Tokens{CacheWrite1h: tokens(toTool),
			CacheWrite5m: tokens(len(tool) + 2 + len(system) + 2 + len(plain) + 2 - toTool)}},
	}
	for name, tt := range tests {
		r, bad := read([]byte(tt.body), false)
		if bad != nil {
			t.Fatal(bad)
		}
		if diff := cmp.Diff(tt.want, r.input()); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

func TestCountTokensAgreesWithMessages(t *testing.T) {
	t.Parallel()
	client, served := serve(t)
	params := ask("How much is this?", 10)
	params.System = []anthropic.TextBlockParam{{Text: "be brief", CacheControl: anthropic.NewCacheControlEphemeralParam()}}
	message, err := client.Messages.New(t.Context(), params)
	if err != nil {
		t.Fatal(err)
	}
	count, err := client.Messages.CountTokens(t.Context(), anthropic.MessageCountTokensParams{Model: params.Model, Messages: params.Messages,
		System: anthropic.MessageCountTokensParamsSystemUnion{OfTextBlockArray: params.System}})
	if err != nil {
		t.Fatal(err)
	}
	if want := message.Usage.InputTokens + message.Usage.CacheCreationInputTokens + message.Usage.CacheReadInputTokens; count.InputTokens != want {
		t.Errorf("count_tokens says %d, messages %d", count.InputTokens, want)
	}
	if all := served(); all[1].Operation != gateway.CountTokens || all[1].Tokens != (price.Tokens{}) {
		t.Errorf("a count was counted as %+v", all[1])
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	const user = `"messages":[{"role":"user","content":"hi"}]`
	tests := []struct{ body, kind, message string }{
		{``, "invalid_request_error", "The request body is not valid JSON"},
		{`{`, "invalid_request_error", "The request body is not valid JSON"},
		{`{"model":"claude-x"} {}`, "invalid_request_error", "The request body is not valid JSON"},
		{`[]`, "invalid_request_error", "Input should be a valid dictionary"},
		{`{"max_tokens":1,` + user + `}`, "invalid_request_error", "model: Field required"},
		{`{"model":7,"max_tokens":1,` + user + `}`, "invalid_request_error", "model: Input should be a valid string"},
		{`{"model":"claude-x",` + user + `}`, "invalid_request_error", "max_tokens: Field required"},
		{`{"model":"claude-x","max_tokens":"1",` + user + `}`, "invalid_request_error", "max_tokens: Input should be a valid integer"},
		{`{"model":"claude-x","max_tokens":1.5,` + user + `}`, "invalid_request_error", "max_tokens: Input should be a valid integer"},
		{`{"model":"claude-x","max_tokens":0,` + user + `}`, "invalid_request_error", "max_tokens: must be greater than or equal to 1"},
		{`{"model":"claude-haiku-4-5","max_tokens":64001,` + user + `}`, "invalid_request_error", "max_tokens: 64001 > 64000, which is the maximum allowed number of output tokens for claude-haiku-4-5"},
		{`{"model":"claude-x","max_tokens":1}`, "invalid_request_error", "messages: Field required"},
		{`{"model":"claude-x","max_tokens":1,"messages":[]}`, "invalid_request_error", "messages: at least one message is required"},
		{`{"model":"claude-x","max_tokens":1,"messages":"hi"}`, "invalid_request_error", "messages: Input should be a valid list"},
		{`{"model":"claude-x","max_tokens":1,"stream":"yes",` + user + `}`, "invalid_request_error", "stream: Input should be a valid boolean"},
		{`{"model":"claude-x","max_tokens":1,"messages":[{"role":"robot","content":"hi"}]}`, "invalid_request_error", `messages: Unexpected role "robot". Allowed roles are "user" or "assistant"`},
		{`{"model":"gpt-5","max_tokens":1,` + user + `}`, "not_found_error", "model: gpt-5"},
		{`{"model":"claude-x","max_tokens":1,"system":[` + strings.Repeat(`{"cache_control":{}},`, 4) + `{"cache_control":{}}],` + user + `}`, "invalid_request_error", "A maximum of 4 blocks with cache_control may be provided. Found 5."},
		{`{"model":"claude-x","max_tokens":1,"messages":[{"role":"user","content":"[simulate: error=529]"}]}`, "overloaded_error", "The message asked for this error."},
		{`{"model":"claude-x","max_tokens":1,"messages":[{"role":"user","content":"[simulate: error=418]"}]}`, "invalid_request_error", usage + `: "error=418" is not among them, or out of bounds`},
		{`{"model":"claude-x","max_tokens":1,"messages":[{"role":"user","content":"[simulate: delay=1h]"}]}`, "invalid_request_error", usage + `: "delay=1h" is not among them, or out of bounds`},
		{`{"model":"claude-x","max_tokens":1,"messages":[{"role":"user","content":"[simulate: words=5"}]}`, "invalid_request_error", usage},
	}
	for _, tt := range tests {
		answer := send(t, gateway.Messages, tt.body)
		raw, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		if int64(len(raw)) != answer.Length {
			t.Errorf("%s: %d bytes, said to be %d", tt.body, len(raw), answer.Length)
		}
		want := fmt.Sprintf(`{"type":"error","error":{"type":%s,"message":%s},"request_id":%s}`, quoted(tt.kind), quoted(tt.message), quoted(answer.Header.Get("Request-Id")))
		if diff := cmp.Diff(want, string(raw)); diff != "" {
			t.Errorf("%s:\n%s", tt.body, diff)
		}
		if kinds[answer.Status] != tt.kind {
			t.Errorf("%s: status %d for %s", tt.body, answer.Status, tt.kind)
		}
	}
}

func TestDirectedErrorsReachTheSDK(t *testing.T) {
	t.Parallel()
	client, served := serve(t)
	for status := range kinds {
		_, err := client.Messages.New(t.Context(), ask(fmt.Sprintf("[simulate: error=%d]", status), 10))
		if bad, ok := errors.AsType[*anthropic.Error](err); !ok || bad.StatusCode != status {
			t.Errorf("%d: got %v", status, err)
		}
	}
	_, kinds, err := collect(t, client, ask("[simulate: words=50 overload=5]", 1000))
	if err == nil || !strings.Contains(err.Error(), "verloaded") {
		t.Errorf("overload: after %s got %v", kinds, err)
	}
	_, kinds, err = collect(t, client, ask("[simulate: words=50 cut=5]", 1000))
	if err == nil {
		t.Errorf("cut: after %s got no error", kinds)
	}
	for _, s := range served()[len(served())-2:] {
		if s.Whole || s.Tokens.Input == 0 || s.Tokens.Output == 0 || s.Tokens.Output > tokens(len(words(50)))/2 {
			t.Errorf("of a broken stream it counted %+v", s)
		}
	}
}

func TestDirectiveOnlyInTheLastUserText(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		messages string
		directed bool
	}{
		"last":     {`{"role":"user","content":[{"type":"text","text":"[simulate: error=529]"}]}`, true},
		"earlier":  {`{"role":"user","content":"[simulate: error=529]"},{"role":"assistant","content":"no"},{"role":"user","content":"hi"}`, false},
		"result":   {`{"role":"user","content":[{"type":"tool_result","content":"[simulate: error=529]"}]}`, false},
		"reminder": {`{"role":"user","content":[{"type":"text","text":"[simulate: error=529]"},{"type":"text","text":"<system-reminder>x"}]}`, true},
		"system":   {`{"role":"user","content":"[simulate: error=529]"},{"role":"system","content":"be good"}`, true},
		"prefill":  {`{"role":"user","content":"[simulate: error=529]"},{"role":"assistant","content":"well"}`, false},
	}
	for name, tt := range tests {
		answer := send(t, gateway.Messages, `{"model":"claude-x","max_tokens":5,"messages":[`+tt.messages+`]}`)
		if got := answer.Status == 529; got != tt.directed {
			t.Errorf("%s: status %d", name, answer.Status)
		}
	}
}

func TestPaceAndCancel(t *testing.T) {
	t.Parallel()
	const paced = `{"model":"claude-x","max_tokens":500,"stream":true,"messages":[{"role":"user","content":"[simulate: words=20 first=2s delay=100ms]"}]}`
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		answer := send(t, gateway.Messages, paced)
		if waited := time.Since(start); waited != 2*time.Second {
			t.Errorf("it began after %v", waited)
		}
		events, buffer := 0, make([]byte, 4096)
		for {
			n, err := answer.Body.Read(buffer)
			if err == io.EOF {
				break
			}
			if err != nil || !strings.HasPrefix(string(buffer[:n]), "event: ") || !strings.HasSuffix(string(buffer[:n]), "\n\n") {
				t.Fatalf("read %q, %v", buffer[:n], err)
			}
			events++
		}
		if waited := time.Since(start); waited != 2*time.Second+time.Duration(events)*100*time.Millisecond {
			t.Errorf("%d events took %v", events, waited)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		answer := send(t, gateway.Messages, paced)
		go func() {
			<-time.After(150 * time.Millisecond) // by the bubble's clock
			answer.Body.Close()
		}()
		if _, err := io.Copy(io.Discard, answer.Body); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("a closed body ended with %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := New("s").Send(ctx, gateway.NewCall(gateway.Call{Operation: gateway.Messages}, []byte(paced))); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("an ended context gave %v", err)
		}
		answer, err := New("s").Send(within(t, 2150*time.Millisecond), gateway.NewCall(gateway.Call{Operation: gateway.Messages}, []byte(paced)))
		if err != nil {
			t.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, answer.Body); !errors.Is(err, context.DeadlineExceeded) || n == 0 {
			t.Errorf("an ended context gave %d bytes and %v", n, err)
		}
	})
}

// However much a message asks for, an answer ends.
func TestPaceIsBounded(t *testing.T) {
	t.Parallel()
	a := answerTo(gateway.Messages, "", []byte(`{"model":"claude-x","max_tokens":99999,"stream":true,"messages":[{"role":"user","content":"[simulate: words=20000 delay=10s]"}]}`))
	if total := a.delay * time.Duration(len(a.stream.events)); total > maxTotal || len(a.stream.events) < 100 {
		t.Errorf("%d events take %v", len(a.stream.events), total)
	}
}

func TestModelsOverHTTP(t *testing.T) {
	t.Parallel()
	client, _ := serve(t)
	page, err := client.Models.List(t.Context(), anthropic.ModelListParams{})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range page.Data {
		if m.ID == "" || m.DisplayName == "" || m.Type != "model" || m.ID == "claude-opus-4-1-20250805" {
			t.Errorf("listed %s", m.RawJSON())
		}
	}
	one, err := client.Models.Get(t.Context(), "claude-haiku-4-5", anthropic.ModelGetParams{})
	if err != nil || one.ID != "claude-haiku-4-5-20251001" {
		t.Errorf("got %v, %v", one, err)
	}
	if _, err := client.Models.Get(t.Context(), "nobody", anthropic.ModelGetParams{}); err == nil {
		t.Error("an unknown model was found")
	}
}

// What is quoted reads back as it was.
func FuzzQuoted(f *testing.F) {
	f.Add("a \"b\" \\ \n\x00 ü \xff")
	f.Fuzz(func(t *testing.T, text string) {
		var back string
		if err := json.Unmarshal(appendQuoted(nil, text), &back); err != nil {
			t.Fatal(err)
		}
		if want := string([]rune(text)); back != want {
			t.Errorf("%q became %q", want, back)
		}
	})
}

// Whatever the body, the answer is one of JSON or events that parse; what the
// standard library takes for JSON is not called anything else.
func FuzzBody(f *testing.F) {
	f.Add([]byte(`{"model":"claude-x","max_tokens":10,"stream":true,"messages":[{"role":"user","content":[{"type":"text","text":"hi\u00e9 \ud83d"}]}]}`))
	f.Add([]byte(`{"model":"claude-x","max_tokens":10,"system":"x","tools":[{"cache_control":null}],"messages":[{"role":"user","content":"[simulate: words=2 tool=x]"}]}`))
	f.Add([]byte(`{"a":[[[{"b":-1.5e+3}]]],"model":1}`))
	f.Add([]byte(`{"max_tokens":` + strings.Repeat("9", 30) + `}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		a := answerTo(gateway.Messages, "", body)
		switch {
		case a.bad != nil:
			if kinds[a.status] != a.bad.kind || !json.Valid(a.bad.envelope("r")) {
				t.Errorf("%q: %+v", body, a.bad)
			}
			if a.bad.message == "The request body is not valid JSON" && json.Valid(body) && strings.Count(string(body), "[")+strings.Count(string(body), "{") < maxDepth && len(body) < 400 {
				t.Errorf("%q is valid", body)
			}
		case a.stream != nil:
			for chunk := range strings.SplitSeq(strings.TrimSuffix(string(a.stream.bytes), "\n\n"), "\n\n") {
				if _, data, ok := strings.Cut(chunk, "\ndata: "); !ok || !json.Valid([]byte(data)) {
					t.Errorf("%q: event %q", body, chunk)
				}
			}
		case !json.Valid(a.document):
			t.Errorf("%q: %q", body, a.document)
		}
		if u := a.usage; min(u.Input, u.Output, u.CacheRead, u.CacheWrite1h, u.CacheWrite5m) < 0 {
			t.Errorf("%q: usage %+v", body, u)
		}
	})
}

func BenchmarkSend(b *testing.B) {
	const line = `You are a coding agent. \"Quote\" this.\n`
	for name, prefix := range map[string]string{"2KB": strings.Repeat(line, 50), "76KB": strings.Repeat(line, 1850)} {
		for _, stream := range []string{"true", "false"} {
			body := []byte(`{"model":"claude-opus-5","max_tokens":32000,"stream":` + stream + `,"system":[{"type":"text","text":"` + prefix + `","cache_control":{"type":"ephemeral"}}],"messages":[{"role":"user","content":"hi"}]}`)
			b.Run(name+"/stream="+stream, func(b *testing.B) {
				b.ReportAllocs()
				buffer := make([]byte, 32<<10)
				for b.Loop() {
					answer, err := New("s").Send(context.Background(), gateway.NewCall(gateway.Call{Operation: gateway.Messages, ID: "req_1"}, body))
					if err != nil || answer.Status != 200 {
						b.Fatal(answer, err)
					}
					for {
						if _, err := answer.Body.Read(buffer); err != nil {
							break
						}
					}
				}
			})
		}
	}
}

func send(t *testing.T, op gateway.Operation, body string) *gateway.Answer {
	t.Helper()
	answer, err := New("simulated").Send(t.Context(), gateway.NewCall(gateway.Call{Operation: op}, []byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	return answer
}

func quoted(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s)
	return strings.TrimSpace(b.String())
}

func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}
