package dialect_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/gatehouse-dev/gatehouse/internal/gateway/dialect"
	"github.com/gatehouse-dev/gatehouse/internal/gateway/eventstream"
	"pgregory.net/rapid"
)

// members are those of a body in the order and the very bytes in which a client
// wrote them, prompt caching among them.
func members() *rapid.Generator[[]string] {
	values := map[string][]string{
		"max_tokens":  {"1", "1024", "4e3"},
		"system":      {`"You help."`, `[{"type":"text","text":"A \u00e9 \"b\"","cache_control":{"type":"ephemeral","ttl":"1h"}} , {"text":"x","type":"text"}]`, "[ ]"},
		"messages":    {`[{"role":"user","content":[{"cache_control":{"type":"ephemeral"},"type":"text","text":"hi\n"}]}]`, `[ {"content":"日本 \/","role":"user"} ]`},
		"tools":       {`[{"name":"t","input_schema":{"type":"object","properties":{"model":{"type":"string"}}},"cache_control":{"type":"ephemeral"}}]`},
		"thinking":    {`{"type":"enabled","budget_tokens":1024}`, `{ "type" : "adaptive" }`},
		"temperature": {"1", "0.70", "-0"},
		"metadata":    {`{"user_id":"{\"session_id\":\"x\"}"}`},
		"unheard_of":  {"null", "[[[{}]]]", `"anthropic_version"`},
	}
	return rapid.Custom(func(t *rapid.T) []string {
		names := []string{"max_tokens", "system", "messages", "tools", "thinking", "temperature", "metadata", "unheard_of"}
		names = rapid.Permutation(names).Draw(t, "order")[:rapid.IntRange(0, len(names)).Draw(t, "count")]
		var list []string
		for _, n := range names {
			list = append(list, `"`+n+`":`+rapid.SampledFrom(values[n]).Draw(t, n))
		}
		return list
	})
}

// object puts members between braces.
func object(parts ...[]string) string { return "{" + strings.Join(slices.Concat(parts...), ",") + "}" }

// What a client says in one form reaches a provider of another, and comes back, with
// every byte of what both can say.
func TestThereAndBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rest := members().Draw(t, "members")
		stream := rapid.Bool().Draw(t, "stream")
		betas := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z]{1,8}-20[0-9]{2}`), 0, 4, rapid.ID[string]).Draw(t, "betas")
		head := []string{`"model":"claude-sonnet-4-6"`}
		if stream {
			head = append(head, `"stream":true`)
		}
		body := object(head, rest)
		// What is not the model's may stand anywhere among the rest.
		said := slices.Insert(slices.Clone(rest), rapid.IntRange(0, len(rest)).Draw(t, "place"), head...)

		there, err := dialect.ToBedrock([]byte(object(said)), betas, nil)
		if err != nil || !strings.HasPrefix(string(there), `{"anthropic_version":"bedrock-2023-05-31"`) || !strings.Contains(string(there), strings.Join(rest, ",")) {
			t.Fatalf("to Bedrock: %s, %v", there, err)
		}
		back, got, err := dialect.FromCloud(there, "claude-sonnet-4-6", stream)
		if err != nil || string(back) != body || !slices.Equal(got, betas) {
			t.Errorf("by Bedrock %s became %s with %v, %v", body, back, got, err)
		}
		if there, err = dialect.ToVertex([]byte(object(said)), nil, ""); err != nil {
			t.Fatal(err)
		}
		if back, _, err := dialect.FromCloud(there, "claude-sonnet-4-6", stream); err != nil || string(back) != body {
			t.Errorf("by Vertex %s became %s, %v", body, back, err)
		}
		renamed, err := dialect.Rename([]byte(object(said)), "claude-sonnet-4-6", "my-deployment", nil)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := dialect.Rename(renamed, "my-deployment", "claude-sonnet-4-6", dialect.Drop{"stream"}); err != nil || string(back) != object(head[:1], rest) {
			t.Errorf("by Foundry %s became %s, %v", body, back, err)
		}
	})
}

// pieces cuts text anywhere, and hands each piece to f.
func pieces(t *rapid.T, text []byte, f func(piece []byte)) {
	for len(text) > 0 {
		n := rapid.IntRange(1, len(text)).Draw(t, "piece")
		f(text[:n])
		text = text[n:]
	}
}

// A stream that is turned into Bedrock's frames and back is the same stream, however
// the network cuts it.
func TestStreamsThereAndBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var stream []byte
		for range rapid.IntRange(0, 12).Draw(t, "events") {
			name := rapid.SampledFrom([]string{"message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta", "message_stop", "ping", "an_event_of_2030"}).Draw(t, "name")
			text, err := json.Marshal(rapid.String().Draw(t, "text"))
			if err != nil {
				t.Fatal(err)
			}
			stream = append(stream, "event: "+name+"\ndata: {\"type\":\""+name+"\",\"text\":"+string(text)+"}\n\n"...)
		}
		var frames dialect.Frames
		var binary []byte
		pieces(t, stream, func(piece []byte) {
			var err error
			if binary, err = frames.Append(binary, piece); err != nil {
				t.Fatal(err)
			}
		})
		for _, from := range []io.Reader{bytes.NewReader(binary), iotest.OneByteReader(bytes.NewReader(binary))} {
			if got, err := io.ReadAll(dialect.Events(io.NopCloser(from))); err != nil || !bytes.Equal(got, stream) {
				t.Fatalf("%q became %q, %v", stream, got, err)
			}
		}
	})
}

// An error in the middle keeps what it means for a client that might try again.
func TestErrorsThereAndBack(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"invalid_request_error", "not_found_error", "permission_error", "rate_limit_error", "timeout_error", "overloaded_error", "api_error"} {
		event := "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"" + kind + "\",\"message\":\"it failed\"}}\n\n"
		var frames dialect.Frames
		binary, err := frames.Append(nil, []byte(event))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(dialect.Events(io.NopCloser(bytes.NewReader(binary))))
		if err != nil || string(got) != event {
			t.Errorf("%s became %q, %v", kind, got, err)
		}
	}
}

// Providers' errors lose who pays, and keep whether to try again.
func TestFromProvider(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		status           int
		aws, body        string
		want             int
		kind, says, gone string
	}{
		{400, "ValidationException:http://internal.amazon.com/", `{"message":"Input is too long for requested model."}`, 400, "invalid_request_error", "capability_rejected: prompt_too_long", "amazon.com"},
		{429, "ThrottlingException", `{"message":"Too many tokens for arn:aws:bedrock:eu-central-1:123456789012:inference-profile/x, wait"}`, 429, "rate_limit_error", "(removed)", "123456789012"},
		{403, "", `{"__type":"com.amazon.coral#AccessDeniedException","Message":"User: arn:aws:sts::123456789012:assumed-role/r/ada is not authorized"}`, 403, "permission_error", "not authorized", "ada"},
		{503, "ServiceUnavailableException", `{}`, 529, "overloaded_error", "status", ""},
		{404, "", `[{"error":{"code":404,"message":"Publisher Model projects/my-project/locations/x was not found","status":"NOT_FOUND"}}]`, 404, "not_found_error", "was not found", "my-project"},
		{401, "", `{"error":{"code":"401","message":"Access denied due to invalid subscription key at https://mine.openai.azure.com"}}`, 401, "authentication_error", "invalid", "mine"},
		{502, "", "<html><body>Bad gateway</body></html>", 502, "api_error", "status 502", "html"},
		{500, "", `{"type":"error","error":{"type":"api_error","message":"of projects/my-project"}}`, 500, "api_error", "(removed)", "my-project"},
		{429, "", `{"type":"error","error":{"type":"rate_limit_error","message":"slow"},"request_id":"req_1"}`, 429, "rate_limit_error", "req_1", ""},
	} {
		got := dialect.FromProvider(tt.status, http.Header{"X-Amzn-Errortype": {tt.aws}}, []byte(tt.body))
		var e struct{ Error struct{ Type string } }
		if err := json.Unmarshal(got.Body, &e); err != nil || got.Status != tt.want || e.Error.Type != tt.kind || !strings.Contains(string(got.Body), tt.says) ||
			tt.gone != "" && strings.Contains(string(got.Body), tt.gone) {
			t.Errorf("%d %s became %d %s", tt.status, tt.body, got.Status, got.Body)
		}
	}
}

// FuzzFrames feeds lines that no model would write, cut at two places.
func FuzzFrames(f *testing.F) {
	f.Add([]byte("event: ping\ndata: {\"type\":\"ping\"}\n\n"), 5)
	f.Add([]byte("data: {\ndata: }\r\n\r\n: comment\n\ndata:\n\n"), 1)
	f.Add([]byte("data: {\"type\":\"error\",\"error\":7}\n\n"), 0)
	f.Fuzz(func(t *testing.T, stream []byte, cut int) {
		var whole, halves dialect.Frames
		want, err := whole.Append(nil, stream)
		if err != nil {
			t.Skip()
		}
		at := min(max(cut, 0), len(stream))
		got, err := halves.Append(nil, stream[:at])
		if err == nil {
			got, err = halves.Append(got, stream[at:])
		}
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("cut at %d: %x, %v; whole: %x", at, got, err, want)
		}
		for r := eventstream.NewReader(bytes.NewReader(want)); ; {
			if _, err := r.Next(); err == io.EOF {
				return
			} else if err != nil {
				t.Fatalf("our own frames cannot be read: %v", err)
			}
		}
	})
}

// FuzzEvents reads bytes that no provider would send: what comes out is whole events.
func FuzzEvents(f *testing.F) {
	var frames dialect.Frames
	good, err := frames.Append(nil, []byte("data: {\"type\":\"ping\"}\n\ndata: {\"x\":1,\n\"type\":\"y\"}\n\ndata: {\"type\":\"error\"}\n\n"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:len(good)-7])
	f.Add(eventstream.Append(nil, []eventstream.Header{{Name: ":event-type", Value: "chunk"}}, []byte(`{"p":"abc","bytes":"eyJ0eXBlIjoieCJ9"}`)))
	f.Fuzz(func(t *testing.T, stream []byte) {
		got, err := io.ReadAll(dialect.Events(io.NopCloser(bytes.NewReader(stream))))
		for event := range strings.SplitSeq(strings.TrimSuffix(string(got), "\n\n"), "\n\n") {
			name, data, ok := strings.Cut(event, "\ndata: ")
			if event == "" && len(got) == 0 {
				continue
			}
			if !ok || !strings.HasPrefix(name, "event: ") || strings.ContainsAny(name, "\r\n") || strings.ContainsAny(data, "\r\n") {
				t.Fatalf("%q holds %q (%v)", got, event, err)
			}
		}
	})
}

// FuzzFromCloud turns bodies that no client would write: what comes out is an object
// with one model, or nothing does.
func FuzzFromCloud(f *testing.F) {
	f.Add([]byte(`{"anthropic_version":"bedrock-2023-05-31","MODEL":"mine","\u006dodel":"mine","max_tokens":1}`), true)
	f.Add([]byte(`{"anthropic_beta":["a","b"],"messages":[]}`), false)
	f.Add([]byte(`{"anthropic_beta":"a"}`), false)
	f.Fuzz(func(t *testing.T, body []byte, stream bool) {
		got, _, err := dialect.FromCloud(body, "the-model", stream)
		if err != nil {
			return
		}
		var read struct {
			Model            string
			Stream           bool
			AnthropicVersion string `json:"anthropic_version"`
		}
		if err := json.Unmarshal(got, &read); err != nil && json.Valid(body) || err == nil && (read.Model != "the-model" || read.Stream != stream || read.AnthropicVersion != "") {
			t.Fatalf("%q became %q: %+v, %v", body, got, read, err)
		}
	})
}

// FuzzFromProvider reads answers that no provider would give.
func FuzzFromProvider(f *testing.F) {
	f.Add(503, []byte(`[{"error":`), "Throttling")
	f.Add(200, []byte(`{"type":"error","error":{"type":"x","message":"arn:aws:iam::123456789012:user/ada"}}`), "")
	f.Fuzz(func(t *testing.T, status int, body []byte, name string) {
		got := dialect.FromProvider(status, http.Header{"X-Amzn-Errortype": {name}}, body)
		var e struct {
			Type  string
			Error struct{ Type, Message string }
		}
		if err := json.Unmarshal(got.Body, &e); err != nil || e.Type != "error" || e.Error.Type == "" {
			t.Fatalf("%d %q became %d %q", status, body, got.Status, got.Body)
		}
		if clean := dialect.Clean(e.Error.Message); clean != e.Error.Message {
			t.Fatalf("%q was not cleaned", e.Error.Message)
		}
	})
}
